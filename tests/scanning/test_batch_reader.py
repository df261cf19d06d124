from __future__ import annotations

import errno
import io
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from selectors import DefaultSelector
from typing import Any

import pytest
from small_root import task_id, write_retries, write_task

from hipercow_tui.formats.r_layout import read_tasks
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning import batch_reader
from hipercow_tui.scanning.batch_reader import ReadBatch, read_batches, split_into_batches
from hipercow_tui.scanning.scanner import Scanner

STATUSES = ("success", "failure", "cancelled", "running", "submitted", "created")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A random root, with broken tasks and retries."""
    rng = random.Random(7)
    for number in range(200):
        made = write_task(tmp_path, task_id(number), rng.choice(STATUSES), info=rng.random() < 0.9)
        if rng.random() < 0.1:
            (made / rng.choice(["data", "info"])).write_bytes(b"torn")
        if rng.random() < 0.03:
            (made / "data").unlink()
    write_retries(tmp_path, [(task_id(n + 1), task_id(n), task_id(n)) for n in range(0, 60, 5)])
    return tmp_path


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use processes from the second batch on, wait for them, and make many batches."""
    monkeypatch.setattr(batch_reader, "POOL_THRESHOLD", 0.0)
    monkeypatch.setattr(batch_reader._ReaderPool, "started", lambda _: True)
    monkeypatch.setattr(batch_reader, "BATCH_SIZE", 7)


IDS = [task_id(number) for number in range(210)]


def parts() -> Iterator[ReadBatch]:
    return split_into_batches(IDS, frozenset(IDS[:50:5]), 1, 10)


@pytest.mark.parametrize(("slow", "gain"), [(1e9, 2.0), (-1e9, 0.0), (-1e9, 1e9)])
def test_processes_and_threads_read_the_same_as_this_thread(
    project: Path, eager: None, monkeypatch: pytest.MonkeyPatch, slow: float, gain: float
) -> None:
    # Few threads; many; many are tried and given up.
    monkeypatch.setattr(batch_reader, "SLOW_WAIT", slow)
    monkeypatch.setattr(batch_reader, "MIN_SPEEDUP", gain)
    tasks = str(project / "hipercow" / "tasks")
    answers = list(read_batches(tasks, parts()))
    assert [i for part, _ in answers for i in part.ids] == IDS
    expected = list(read_tasks(tasks, IDS, frozenset(IDS[:50:5])))
    assert [row for _, rows in answers for row in rows] == expected


def test_a_scan_by_processes_equals_one_without(project: Path, eager: None) -> None:
    root = find_root(project)
    here = Scanner(root)
    snapshots = [list(scanner.scan())[-1].snapshot for scanner in (Scanner(root), here)]
    assert dict(snapshots[0].tasks) == dict(snapshots[1].tasks)
    assert list(snapshots[0].tasks) == list(snapshots[1].tasks)


@pytest.mark.parametrize("program", ["/does/not/exist", "/bin/true", "/bin/cat", "/bin/echo"])
def test_failed_processes_are_replaced_by_reading_in_this_process(
    project: Path, eager: None, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr("sys.executable", program)
    tasks = str(project / "hipercow" / "tasks")
    rows = [row for _, answer in read_batches(tasks, parts()) for row in answer]
    assert rows == list(read_tasks(tasks, IDS, frozenset(IDS[:50:5])))


def test_batches_are_read_in_this_process_until_processes_have_started(
    project: Path, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_reader._ReaderPool, "started", lambda _: False)
    tasks = str(project / "hipercow" / "tasks")
    rows = [row for _, answer in read_batches(tasks, parts()) for row in answer]
    assert rows == list(read_tasks(tasks, IDS, frozenset(IDS[:50:5])))


def test_without_processes_nothing_is_selected(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def select(self: DefaultSelector, timeout: float | None = None) -> list[Any]:
        raise OSError(errno.EINVAL, "Invalid argument")  # as on Windows

    monkeypatch.setattr(DefaultSelector, "select", select)
    monkeypatch.setattr(batch_reader, "POOL_THRESHOLD", 0.0)
    monkeypatch.setattr(batch_reader, "_available_cores", lambda: 0)
    tasks = str(project / "hipercow" / "tasks")
    rows = [row for _, answer in read_batches(tasks, parts()) for row in answer]
    assert rows == list(read_tasks(tasks, IDS, frozenset(IDS[:50:5])))


def test_unexpected_error_in_a_process_is_raised_in_this_one(project: Path, eager: None) -> None:
    batches = split_into_batches([*IDS, "\0" * 32], frozenset(), 1, 10)
    with pytest.raises(ValueError, match="null"):
        list(read_batches(str(project / "hipercow" / "tasks"), batches))


def test_closing_leaves_no_process_behind(
    project: Path, eager: None, programs: list[subprocess.Popen[bytes]]
) -> None:
    answers = read_batches(str(project / "hipercow" / "tasks"), parts())
    for _ in range(3):
        next(answers)
    answers.close()
    assert programs and all(program.wait(10) != 0 for program in programs)


def test_reader_process_ends_with_its_input() -> None:
    answers = io.BytesIO()
    batch_reader.serve(io.BytesIO(b"\x05\0\0\0cut"), answers, "r")
    assert answers.getvalue() == b""


def test_empty_shard_gives_a_batch_with_the_progress() -> None:
    assert [part.done for part in split_into_batches((), frozenset(), 3, 4)] == [3]
