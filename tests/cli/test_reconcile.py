"""The command ``reconcile``, with a program in place of R."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from r_stand_in import use_stub
from small_root import DAY, info_file, task_id, write_bundle, write_task

from hipercow_tui.cli.main import main
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root

LOST, ALIVE, ENDED, UNKNOWN, DONE = map(task_id, range(1, 6))
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "hipercow_tui" / "schemas" / "reconcile.json").read_text("utf-8")
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Unfinished tasks and a success. Only ``ENDED`` may be stuck: it has recorded its end."""
    (tmp_path / "bin").mkdir()
    use_stub(monkeypatch, tmp_path / "bin")
    where, now = tmp_path / "project", time.time()
    for identity in (LOST, ALIVE, ENDED):
        write_task(where, identity, "running")
    (where / "hipercow" / "tasks" / ENDED[:2] / ENDED[2:] / "info").write_bytes(
        info_file("success", now - 2 * DAY, now - DAY, now)
    )
    write_task(where, UNKNOWN, "submitted")
    write_task(where, DONE, "success")
    write_bundle(where, "sweep", [LOST, ALIVE, UNKNOWN, DONE])
    says = {LOST: "failure", ALIVE: "running", ENDED: "success"}
    (where / "driver-says").write_text("".join(f"{i} {status}\n" for i, status in says.items()))
    return where


def reconcile(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["reconcile", str(root), *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def answers(out: str) -> dict[str, Any]:
    value = json.loads(out)
    Draft202012Validator(SCHEMA).validate(value)
    return {task["id"]: task for task in value["tasks"]}


def test_without_a_filter_r_asks_about_tasks_that_may_be_stuck(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = reconcile(root, capsys, "--dry-run")
    line = f"running    {ENDED}  it has ended, and the marker of its end is missing\n"
    assert (status, out) == (0, line)
    status, out, _ = reconcile(root, capsys)
    assert status == 1
    assert "ended, but not freed 1" in out
    assert f'file.create("hipercow/tasks/{ENDED[:2]}/{ENDED[2:]}/status-success")' in out


def test_filters_choose_the_unfinished_tasks(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = reconcile(root, capsys, "--in-bundle", "sweep", "--json")
    found = answers(out)
    assert {i: (one["outcome"], one["new_status"]) for i, one in found.items()} == {
        LOST: ("freed", "failure"),
        ALIVE: ("alive", "running"),
        UNKNOWN: ("failed", None),
    }
    assert found[UNKNOWN]["message"] == "the cluster does not know it"
    assert status == 1, "one task could not be asked about"
    assert "Fixing status" in err
    assert read_root(find_root(root)).tasks[LOST].status is Status.FAILURE
    assert reconcile(root, capsys, "--task-id", ALIVE)[0] == 0


def test_a_missing_marker_is_named_in_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = reconcile(root, capsys, "--json")
    marker = root / answers(out)[ENDED]["missing_marker"]
    marker.touch()
    assert read_root(find_root(root)).tasks[ENDED].status is Status.SUCCESS
    assert reconcile(root, capsys) == (0, "There is no task to ask about\n", "")
    asked = json.loads(reconcile(root, capsys, "--json")[1])
    assert (asked["dry_run"], asked["tasks"]) == (False, [])


def test_without_hipercow_in_r_the_call_is_printed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "no-hipercow").touch()
    status, out, err = reconcile(root, capsys, "--json")
    assert (status, out) == (1, "")
    assert f'hipercow::task_info("{ENDED}")' in err
    assert "no package hipercow" in err


def test_tasks_of_python_are_left_out_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hipercow" / "py" / "tasks" / "01" / ("0" * 30)
    folder.mkdir(parents=True)
    (folder / "data").write_text("{}")
    (folder / "status-running").touch()
    status, out, err = reconcile(tmp_path, capsys, "--with-status", "running")
    assert (status, out) == (0, "There is no task to ask about\n")
    assert "1 task of Python left out" in err and "'status-cancelled'" in err
