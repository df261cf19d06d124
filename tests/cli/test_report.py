"""The command ``report``."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_running import Capture, run
from small_root import task_id, write_task

ONE, TWO, THREE = map(task_id, (1, 2, 3))


def test_report_prints_markdown_on_a_task_of_a_root(tmp_path: Path, capsys: Capture) -> None:
    (write_task(tmp_path, ONE, "failure") / "log").write_text("key AKIAIOSFODNN7EXAMPLE\n")
    assert run("report", ONE, tmp_path) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"# Task {ONE}\n") and out.endswith("\nkey ********\n```\n")


def test_report_refuses_a_task_that_does_not_exist(tmp_path: Path, capsys: Capture) -> None:
    write_task(tmp_path, ONE, "failure")
    assert run("report", TWO, tmp_path) == 1
    assert "1 / 1 task does not exist" in capsys.readouterr().err


def test_report_on_an_error_has_all_tasks_with_the_same_error(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for identity in (ONE, TWO):
        write_task(tmp_path, identity, "failure")
    write_task(tmp_path, THREE, "success")
    assert run("report", ONE, tmp_path, "--error") == 0
    out = capsys.readouterr().out
    assert out.startswith("# 2 failed tasks with the same error\n")
    assert f"## Example: task {ONE}" in out and f"## Example: task {TWO}" in out
    assert run("report", THREE, tmp_path, "--error") == 1
    assert f"task {THREE} has not failed: its status is success" in capsys.readouterr().err
