"""The command ``report``."""

from __future__ import annotations

from pathlib import Path

from command_running import Capture, run
from small_root import task_id, write_task

ONE, TWO = task_id(1), task_id(2)


def test_report_prints_markdown_on_a_task_of_a_root(tmp_path: Path, capsys: Capture) -> None:
    (write_task(tmp_path, ONE, "failure") / "log").write_text("key AKIAIOSFODNN7EXAMPLE\n")
    assert run("report", ONE, tmp_path) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"# Task {ONE}\n") and out.endswith("\nkey ********\n```\n")


def test_report_refuses_a_task_that_does_not_exist(tmp_path: Path, capsys: Capture) -> None:
    write_task(tmp_path, ONE, "failure")
    assert run("report", TWO, tmp_path) == 1
    assert "1 / 1 task does not exist" in capsys.readouterr().err
