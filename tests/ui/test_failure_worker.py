from __future__ import annotations

import gc
import os
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_py_root import write_py_task
from small_root import DAY, NOW, task_id, write_task

from hipercow_tui import scan
from hipercow_tui.analysis import failure_reader
from hipercow_tui.analysis.error_groups import ErrorKey, ErrorSort, Failure
from hipercow_tui.analysis.failure_cache import FailureCache, folder_fingerprint
from hipercow_tui.analysis.failure_reader import NO_LOG
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.workers import failure_worker as worker_module
from hipercow_tui.ui.workers.failure_worker import FailureRequest, FailureViewModel, FailureWorker

SORT = ErrorSort()


class Harness:
    """A worker and the view models that it delivered."""

    def __init__(self, project: Path, cache: FailureCache | None = None) -> None:
        self.view_models: list[FailureViewModel] = []
        self.errors: list[Exception] = []
        self.root = find_root(project)
        self.worker = FailureWorker(self.root, cache, self.view_models.append, self.errors.append)

    def look(self, snapshot: Snapshot, sort: ErrorSort = SORT) -> FailureViewModel:
        """The last view model of this snapshot."""
        request = FailureRequest(snapshot, sort)
        self.worker.update(request)
        until(lambda: self.errors or (self.view_models and self._is_complete(request)))
        assert not self.errors
        return self.view_models[-1]

    def _is_complete(self, request: FailureRequest) -> bool:
        return self.view_models[-1].request is request and not self.view_models[-1].reading


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Seven failures of three kinds, one without a result, and a success."""
    where = tmp_path / "project"
    for n in range(4):
        small = result_file(f"too small: {n / 10}", warning="careful")
        write_failed(where, task_id(n), small, beta=n / 10, ended=NOW - n * DAY)
    for n in (4, 5):
        bullets = result_file("No fit", ("x", f"step {n}"), ("i", "retry"))
        write_failed(where, task_id(n), bullets, ended=NOW - n * DAY)
    write_failed(where, task_id(6), None)
    write_task(where, task_id(7), "success")
    return where


@pytest.fixture
def harnesses() -> Iterator[list[Harness]]:
    made: list[Harness] = []
    yield made
    for one in made:
        one.worker.stop()


@pytest.fixture
def start(project: Path, harnesses: list[Harness]) -> Callable[..., Harness]:
    def started(cache: FailureCache | None = None) -> Harness:
        harnesses.append(Harness(project, cache))
        return harnesses[-1]

    return started


def folder(project: Path, number: int) -> Path:
    identity = task_id(number)
    return project / "hipercow" / "tasks" / identity[:2] / identity[2:]


def test_failures_are_read_and_grouped(project: Path, start: Callable[..., Harness]) -> None:
    view_model = start().look(read_root(find_root(project)))
    assert (view_model.read, view_model.failed) == (7, 7)
    small, fit, unknown = view_model.groups
    assert small.text == "too small: <n>"
    assert small.ids == tuple(map(task_id, range(4)))
    assert [str(spread) for spread in small.varying] == ["beta 0 … 0.3"]
    assert fit.text == "No fit\n✖ step <n>\nℹ retry"
    assert not unknown.is_known and "'result'" in unknown.text


def test_messages_and_warnings_are_kept(project: Path, start: Callable[..., Harness]) -> None:
    harness = start()
    harness.look(read_root(find_root(project)))
    assert harness.worker.failures[task_id(1)].message == "too small: 0.1"
    assert harness.worker.failures[task_id(1)].warnings == "Warning message:\ncareful"


def test_another_order_reads_nothing(project: Path, start: Callable[..., Harness]) -> None:
    harness = start()
    snapshot = read_root(find_root(project))
    harness.look(snapshot)
    shutil.rmtree(project / "hipercow" / "tasks")
    view_model = harness.look(snapshot, ErrorSort(ErrorKey.LAST, reverse=False))
    assert [group.text[:6] for group in view_model.groups] == ["No fit", "too sm", "'resul"]


def test_groups_are_kept_if_no_failure_changed(
    project: Path, start: Callable[..., Harness]
) -> None:
    harness = start()
    root = find_root(project)
    first = harness.look(read_root(root))
    tasks = dict(first.request.snapshot.tasks)
    del tasks[task_id(7)]
    view_model = harness.look(replace(first.request.snapshot, tasks=tasks))
    assert view_model.groups is first.groups


def test_groups_follow_new_and_removed_failures(
    project: Path, start: Callable[..., Harness]
) -> None:
    harness = start()
    root = find_root(project)
    harness.look(read_root(root))
    for number in (4, 5):
        shutil.rmtree(folder(project, number))
    write_failed(project, task_id(8), result_file("too small: 9"), ended=NOW + DAY)
    view_model = harness.look(read_root(root))
    assert [len(group.ids) for group in view_model.groups] == [5, 1]
    assert view_model.groups[0].ids[0] == task_id(8)
    assert harness.worker.failures.keys() == {task_id(n) for n in (0, 1, 2, 3, 6, 8)}


def test_result_that_is_written_later_is_read(project: Path, start: Callable[..., Harness]) -> None:
    harness = start()
    root = find_root(project)
    before = read_root(root)
    harness.look(before)
    (folder(project, 6) / "result").write_bytes(result_file("too small: 7"))
    changed = before.tasks[task_id(6)]._replace(bundles=("mine",))
    harness.look(replace(before, tasks={**before.tasks, task_id(6): changed}))
    # The earlier groups are shown until it is read.
    until(lambda: len(harness.view_models[-1].groups[0].ids) == 5)


def test_cached_failures_are_not_read_again(
    project: Path, start: Callable[..., Harness], tmp_path: Path
) -> None:
    cache = FailureCache(tmp_path / "errors", b"key")
    snapshot = read_root(find_root(project))
    first = start(cache).look(snapshot)
    until(lambda: len(cache.load()) == 6)
    for number in range(6):
        where = folder(project, number) / "result"
        with where.open("r+b") as file:  # the folder does not change
            file.write(b"damaged beyond repair")
    assert start(cache).look(snapshot).groups == first.groups


def test_recreated_task_does_not_get_the_old_message(
    project: Path, start: Callable[..., Harness], tmp_path: Path
) -> None:
    cache = FailureCache(tmp_path / "errors", b"key")
    root = find_root(project)
    harness = start(cache)
    harness.look(read_root(root))
    until(lambda: len(cache.load()) == 6)
    shutil.rmtree(folder(project, 0))
    write_failed(project, task_id(0), result_file("something else"), ended=NOW)

    def message_of_first(worker: Harness) -> list[str]:
        groups = worker.view_models[-1].groups
        return [group.text for group in groups if task_id(0) in group.ids]

    def assert_new_message(worker: Harness) -> None:
        worker.look(read_root(root))
        # The old message is shown until the new one is read.
        until(lambda: message_of_first(worker) == ["something else"])

    assert_new_message(harness)
    assert_new_message(start(cache))


def test_newer_request_uses_the_process_of_the_previous_one(
    project: Path,
    start: Callable[..., Harness],
    programs: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "BATCH_SIZE", 1)
    monkeypatch.setattr(failure_reader, "PROCESS_THRESHOLD", 0)
    harness = start()
    snapshot = read_root(find_root(project))
    harness.worker.update(FailureRequest(snapshot, SORT))
    until(lambda: programs)
    assert harness.look(snapshot).failed == 7
    assert len(programs) == 1
    until(lambda: programs[0].poll() is not None)  # all is read


KINDS = (
    "step size too small: beta = {0}",
    "Failed to fit region '{1}'\n✖ Chain {2} stopped at step {3}\n! all particles are lost at {3}",
    "cannot open the connection",
    "negative population in compartment 'S' at step {3} (beta = {0}, gamma = 0.25)",
)
LIMIT = 450  # bytes of a failure in cache; 340 are used


def failing(number: int, folder: bytes) -> Failure:
    beta, region = str(number / 2000), f"Region {number}"
    message = KINDS[number % len(KINDS)].format(beta, region, number % 4, number)
    inputs = (("beta", beta), ("region", f'"{region}"'), ("n_steps", "2000"))
    return Failure(message, "Warning message:\ncareful", "fit(beta)", inputs, folder=folder)


def test_failures_use_little_memory(tmp_path: Path, harnesses: list[Harness]) -> None:
    """A root of a million tasks may have 200,000."""
    tasks_dir = tmp_path / "hipercow" / "tasks"
    ids = [f"{n % 256:02x}{n:030x}" for n in range(2000)]
    for one in ids:
        (tasks_dir / one[:2] / one[2:]).mkdir(parents=True)
    cache = FailureCache(tmp_path / "errors", b"key")
    cache.save({i: failing(n, folder_fingerprint(tasks_dir, i)) for n, i in enumerate(ids)})
    snapshot = Snapshot(tmp_path, tasks={i: Task(i, Status.FAILURE) for i in ids})
    assert len(set(snapshot.with_status(Status.FAILURE))) == len(ids)
    harnesses.append(Harness(tmp_path))  # imports and caches of the first use
    harnesses[0].look(Snapshot(tmp_path))
    gc.collect()
    tracemalloc.start()
    try:
        harnesses.append(Harness(tmp_path, cache))
        view_model = harnesses[1].look(snapshot)
        del harnesses[1].view_models[:]
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(len(group.ids), group.is_known) for group in view_model.groups] == [(500, True)] * 4
    assert used / len(ids) < LIMIT


def test_damaged_cache_is_replaced(
    project: Path, start: Callable[..., Harness], tmp_path: Path
) -> None:
    cache = FailureCache(tmp_path / "errors", b"key")
    cache.path.write_bytes(os.urandom(300))
    start(cache).look(read_root(find_root(project)))
    until(lambda: len(cache.load()) == 6)


def traced(error: str) -> str:
    frame = '  File "sim.py", line 4, in <module>\n    run()\n'
    return f"step 1\nTraceback (most recent call last):\n{frame}{error}\n"


def test_python_tasks_are_grouped_by_the_error_in_their_logs(
    tmp_path: Path, harnesses: list[Harness]
) -> None:
    logs = [traced(f"ValueError: too small: {n / 10}") for n in range(3)]
    logs += ["hello\niqtree2: error: cannot open 'a.fasta'\n", "", traced("KeyError: 'beta'")]
    for number, log in enumerate(logs):
        (write_py_task(tmp_path, task_id(number), "failure") / "log").write_text(log)
    write_py_task(tmp_path, task_id(9), "failure")
    success = write_py_task(tmp_path, task_id(10), "success")
    (success / "log").write_text(traced("ValueError: caught"))
    harnesses.append(Harness(tmp_path))
    view_model = harnesses[0].look(scan(tmp_path))
    assert {(group.text, len(group.ids), group.is_known) for group in view_model.groups} == {
        ("ValueError: too small: <n>", 3, True),
        ("iqtree2: error: cannot open 'a.fasta'", 1, True),
        ("KeyError: 'beta'", 1, True),
        (NO_LOG, 2, False),
    }
    assert {group.code for group in view_model.groups} == {("echo hello",)}


def test_error_of_a_python_log_is_cached(tmp_path: Path, harnesses: list[Harness]) -> None:
    folder = write_py_task(tmp_path, task_id(1), "failure")
    (folder / "log").write_text(traced("ValueError: first"))
    cache = FailureCache(tmp_path / "errors", b"key")
    for _ in range(2):
        harnesses.append(Harness(tmp_path, cache))
        view_model = harnesses[-1].look(scan(tmp_path))
        assert [group.text for group in view_model.groups] == ["ValueError: first"]
        until(cache.load)
        with (folder / "log").open("r+") as log:  # the folder does not change
            log.write("X" * 200)


def test_without_failures_there_are_no_groups(tmp_path: Path, harnesses: list[Harness]) -> None:
    write_task(tmp_path, task_id(1), "success")
    harnesses.append(Harness(tmp_path))
    view_model = harnesses[0].look(read_root(find_root(tmp_path)))
    assert (view_model.groups, view_model.failed, view_model.reading) == ((), 0, False)
    assert not set(view_model.request.snapshot.with_status(Status.FAILURE))


def test_newer_request_replaces_the_previous_one_and_stop_ends_the_worker(
    project: Path, start: Callable[..., Harness]
) -> None:
    for n in range(100, 180):
        write_failed(project, task_id(n), result_file(f"message {n}"))
    harness = start()
    snapshot = read_root(find_root(project))
    harness.worker.update(FailureRequest(snapshot, SORT))
    view_model = harness.look(snapshot, ErrorSort(ErrorKey.MESSAGE, reverse=False))
    assert view_model.request.sort.key is ErrorKey.MESSAGE
    harness.worker.stop()
    delivered = len(harness.view_models)
    harness.worker.update(FailureRequest(snapshot, SORT))
    time.sleep(0.1)
    assert len(harness.view_models) == delivered
