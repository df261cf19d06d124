from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_py_root import write_py_task
from small_root import NOW, task_id

from hipercow_tui import scan
from hipercow_tui.analysis import failure_reader
from hipercow_tui.analysis.failure_reader import FailureReader, read_failure
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root, find_root


@pytest.fixture
def failed(tmp_path: Path) -> tuple[Root, list[Task]]:
    """Failures of R and Python of several kinds, one without a result."""
    for number in range(4):
        said = result_file(f"too small: {number} of 'a.rds'", warning="careful")
        write_failed(tmp_path, task_id(number), said, beta=number / 10, ended=NOW)
    write_failed(tmp_path, task_id(5), result_file("No fit", ("x", "step 2")), ended=NOW)
    write_failed(tmp_path, task_id(6), None)
    (write_py_task(tmp_path, task_id(7), "failure") / "log").write_text("error: no such file\n")
    return find_root(tmp_path), list(scan(tmp_path).tasks.values())


def test_process_and_thread_read_the_same_failures(
    failed: tuple[Root, list[Task]], programs: list[subprocess.Popen[bytes]]
) -> None:
    root, tasks = failed
    reader = FailureReader(root)
    parts = [reader.read(part, more=1000) for part in (tasks[:3], tasks[3:])]
    expected = [read_failure(root, task) for task in tasks]
    found = [failure for part in parts for failure in part]
    assert found == expected
    assert [one.template for one in found] == [one.template for one in expected]
    assert len(programs) == 1
    reader.close()
    assert programs[0].wait(10) != 0


def test_few_tasks_are_read_without_a_process(
    failed: tuple[Root, list[Task]], programs: list[subprocess.Popen[bytes]]
) -> None:
    root, tasks = failed
    assert len(FailureReader(root).read(tasks, more=0)) == len(tasks)
    assert not programs


@pytest.mark.parametrize("program", ["/does/not/exist", "/bin/true", "/bin/cat", "/bin/echo"])
def test_tasks_are_read_without_a_process_if_it_fails(
    failed: tuple[Root, list[Task]], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    root, tasks = failed
    monkeypatch.setattr("sys.executable", program)
    monkeypatch.setattr(failure_reader, "PROCESS_THRESHOLD", 0)
    found = FailureReader(root).read(tasks, more=1)
    assert found == [read_failure(root, task) for task in tasks]
