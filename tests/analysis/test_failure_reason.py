from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_py_root import write_py_task
from small_root import NOW, next_tick, task_id, write_task

from hipercow_tui import scan
from hipercow_tui.analysis import failure_reader
from hipercow_tui.analysis.error_groups import LOST, ErrorSort, lacks_reason
from hipercow_tui.analysis.failure_cache import FailureCache
from hipercow_tui.analysis.failure_reader import NO_LOG, FailureReader, read_failure
from hipercow_tui.analysis.failure_reason import read_details_with_reason
from hipercow_tui.cli.main import main
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.ui.workers.failure_worker import FailureRequest, FailureViewModel, FailureWorker

ERROR, NO_RESULT, LOST_TASK, PYTHON, SUCCESS = map(task_id, range(5))
KILLED = b"running on: n1\nx.sh: line 9:   77 Killed                  Rscript\nERRORLEVEL was 137\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """An error with a message, three failures without a reason, and a success."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    write_failed(project, ERROR, result_file("too small"), ended=NOW)
    write_failed(project, NO_RESULT, None)
    write_failed(project, LOST_TASK, result_file(LOST), ended=NOW)
    write_py_task(project, PYTHON, "failure")
    write_task(project, SUCCESS, "success")
    return find_root(project)


def tasks_of(root: Root) -> dict[str, Task]:
    return dict(scan(root.path).tasks)


def keep(root: Root, task: str, log: bytes) -> None:
    fetched = FetchedLogs.of(root)
    assert fetched is not None
    fetched.keep(task, log)


def messages(root: Root) -> dict[str, str]:
    tasks = tasks_of(root).values()
    failures = {task.id: read_failure(root, task) for task in tasks if task.id != SUCCESS}
    return {task: failure.problem or failure.message for task, failure in failures.items()}


def test_a_fetched_outer_log_gives_the_reason_of_failures_without_one(root: Root) -> None:
    before = messages(root)
    assert before[LOST_TASK] == LOST
    assert before[PYTHON] == NO_LOG
    assert "'result'" in before[NO_RESULT]
    for task in tasks_of(root):
        keep(root, task, KILLED)
    reason = "log.outer: Killed"
    assert messages(root) == {
        ERROR: "too small", NO_RESULT: reason, LOST_TASK: reason, PYTHON: reason,
    }  # fmt: skip


def test_an_outer_log_in_the_folder_comes_before_a_fetched_one(root: Root) -> None:
    keep(root, LOST_TASK, KILLED)
    folder = root.tasks / LOST_TASK[:2] / LOST_TASK[2:]
    (folder / "log.outer").write_bytes(b"ERRORLEVEL was 3\n")
    assert messages(root)[LOST_TASK] == "log.outer: ERRORLEVEL was 3"


@pytest.mark.parametrize(
    "log",
    [b"", b"ERRORLEVEL was 0\nQuitting\n", b"\xff" * 100_000],
    ids=["empty", "success", "not text"],
)
def test_an_outer_log_without_an_error_changes_nothing(root: Root, log: bytes) -> None:
    before = messages(root)
    for task in tasks_of(root):
        keep(root, task, log)
    assert messages(root) == before


def test_a_reason_has_no_control_characters(root: Root) -> None:
    keep(root, LOST_TASK, b"Error: \x1b]0;owned\x07 \x1b[31mred\x1b[0m\n")
    details = read_details_with_reason(root, tasks_of(root)[LOST_TASK])
    assert details.error is not None
    assert details.error.isprintable()


def test_only_a_failure_without_a_message_lacks_a_reason(root: Root) -> None:
    tasks = tasks_of(root)
    errors = {i: read_details_with_reason(root, task).error for i, task in tasks.items()}
    found = {i for i, error in errors.items() if lacks_reason(tasks[i], error)}
    assert found == {NO_RESULT, LOST_TASK, PYTHON}


def test_list_gives_the_same_reason_as_the_app(
    root: Root, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(root, LOST_TASK, KILLED)
    for option in ("--details", "--inputs"):
        assert main(["list", str(root.path), option, "--json"]) == 0
        listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        errors = {task["id"]: task.get("error") for task in listed}
        assert errors[LOST_TASK] == "log.outer: Killed"
        assert errors[ERROR] == "too small"


def test_process_reads_the_same_reasons_as_the_thread(
    root: Root, monkeypatch: pytest.MonkeyPatch, programs: list[subprocess.Popen[bytes]]
) -> None:
    keep(root, LOST_TASK, KILLED)
    tasks = [task for task in tasks_of(root).values() if task.id != SUCCESS]
    monkeypatch.setattr(failure_reader, "PROCESS_THRESHOLD", 0)
    reader = FailureReader(root)
    found = reader.read(tasks, more=1000)
    reader.close()
    assert len(programs) == 1
    assert found == [read_failure(root, task) for task in tasks]


class Groups:
    """The groups of errors that a worker has delivered."""

    def __init__(self, root: Root) -> None:
        self._delivered: list[FailureViewModel] = []
        self.worker = FailureWorker(root, FailureCache.of(root), self._delivered.append, self._fail)
        self.worker.update(FailureRequest(scan(root.path), ErrorSort()))

    def _fail(self, error: Exception) -> None:
        raise error

    def wait_for(self, text: str) -> FailureViewModel:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for view in self._delivered[-1:]:
                if not view.reading and any(text in group.text for group in view.groups):
                    return view
            time.sleep(0.005)
        raise AssertionError([group.text for group in self._delivered[-1].groups])


def test_groups_follow_what_was_fetched_in_this_run_and_before_the_next_one(root: Root) -> None:
    next_tick(root.path)
    first = Groups(root)
    assert first.wait_for(LOST).failed == 4
    keep(root, LOST_TASK, KILLED)
    first.worker.look_for_fetched_logs()
    first.wait_for("log.outer: Killed")
    first.worker.stop()

    second = Groups(root)
    second.wait_for("log.outer: Killed")
    second.worker.stop()

    keep(root, LOST_TASK, KILLED.replace(b"Killed", b"Aborted"))  # while no app runs
    third = Groups(root)
    third.wait_for("log.outer: Aborted")
    third.worker.stop()
