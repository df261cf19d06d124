"""Read or measure many task folders at once, with processes and threads if that is faster.

A root that is read quickly is read in the calling thread. Otherwise reader processes help: in one
process only one thread runs Python at a time, and a thread that reads a file every 20 µs delays the
thread of the UI. On a slow file system each reader process uses many threads.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Any, Generic, TypeAlias, TypeVar

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import FolderUsage, measure_folders, usage_from_values
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.task_row import TaskRow, row_from_values
from hipercow_tui.support.worker_process import WorkerProcess, read_value, write_value

BATCH_SIZE = 128  # tasks in one message, which then costs 1 µs a task
# Seconds of remaining reading that are worth starting processes, which takes 0.1 s.
POOL_THRESHOLD = 0.4
NICENESS = 5  # of the processes, so that the UI has priority
MAX_PROCESSES = 4  # and at most one for each core
WAITING_BATCHES = 3  # of each process
MAX_THREADS = 24  # of all processes together, on a slow file system
SLOW_WAIT = 2e-3  # seconds of waiting for a task from which many threads are tried
MIN_SPEEDUP = 2.0  # by which many threads must read faster to be kept
_SHUTDOWN_TIME = 1.0  # seconds for the last reads of a reader process: a file server may hang

T = TypeVar("T")
Rows: TypeAlias = list[TaskRow | None]


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """The work on each task folder: reading or measuring.

    Attributes:
        name: The key in ``JOBS``, for a reader process.
        read: A function of the folder of all tasks, the ids and those of retries. It yields a
            value for each task, a tuple of plain values, or None.
        decode: Makes a value from the plain tuple that a process sent.
    """

    name: str
    read: Callable[[str, Sequence[str], Collection[str]], Iterator[T | None]]
    decode: Callable[[Iterable[Any]], T]


_READING = {lang: Job(lang.value, LAYOUTS[lang].read_tasks, row_from_values) for lang in Lang}
_MEASURING = Job("usage", measure_folders, usage_from_values)
JOBS: Mapping[str, Job[Any]] = {
    **{job.name: job for job in _READING.values()},
    _MEASURING.name: _MEASURING,
}


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Tasks to read.

    Attributes:
        ids: The ids of the tasks, all in one shard.
        retried: Those of ``ids`` that are retries.
        done: The number of shards that are read, about, after this batch.
        folders: The number of all shards in the scan.
    """

    ids: Sequence[str]
    retried: Sequence[str]
    done: int
    folders: int


def split_into_batches(
    ids: Sequence[str], retried: frozenset[str], done: int, folders: int
) -> Iterator[ReadBatch]:
    """Split the tasks of one shard into batches; without tasks yield one empty batch."""
    for start in range(0, len(ids) or 1, BATCH_SIZE):
        piece = ids[start : start + BATCH_SIZE]
        yield ReadBatch(piece, [task_id for task_id in piece if task_id in retried], done, folders)


def read_batches(
    tasks: str, batches: Iterable[ReadBatch], lang: Lang = Lang.R
) -> Generator[tuple[ReadBatch, Rows], None, None]:
    """Read task folders below ``tasks``; yield each batch, in order, with the rows of its tasks.

    Takes several batches before it yields the first of them. To stop, close the generator, which
    ends all processes.
    """
    return _do_batches(tasks, batches, _READING[lang])


def measure_batches(
    tasks: str, batches: Iterable[ReadBatch]
) -> Generator[tuple[ReadBatch, list[FolderUsage | None]], None, None]:
    """Measure task folders below ``tasks``, in the way of ``read_batches``."""
    return _do_batches(tasks, batches, _MEASURING)


def _do_batches(
    tasks: str, batches: Iterable[ReadBatch], job: Job[T]
) -> Generator[tuple[ReadBatch, list[T | None]], None, None]:
    remaining = iter(batches)
    spent = 0.0
    for batch in remaining:
        began = time.perf_counter()
        rows = list(job.read(tasks, batch.ids, batch.retried))
        spent += time.perf_counter() - began
        yield batch, rows
        if spent * (batch.folders - batch.done) > POOL_THRESHOLD * batch.done:
            yield from _read_by_processes(tasks, remaining, job)


def _read_by_processes(
    tasks: str, batches: Iterable[ReadBatch], job: Job[T]
) -> Iterator[tuple[ReadBatch, list[T | None]]]:
    pool = _ReaderPool(tasks, job)
    sent: deque[int] = deque()
    try:
        for number, batch in enumerate(batches):
            if not pool.started():
                yield batch, list(job.read(tasks, batch.ids, batch.retried))
                continue
            pool.send(number, batch)
            sent.append(number)
            while sent and len(sent) >= pool.max_in_flight:
                yield pool.receive(sent.popleft())
        while sent:
            yield pool.receive(sent.popleft())
    finally:
        pool.close()


class _ReaderPool(Generic[T]):
    """Reader processes. If one fails, its unanswered batches are read in this process."""

    def __init__(self, tasks: str, job: Job[T]) -> None:
        self._tasks = tasks
        self._job = job
        self._answers = DefaultSelector()
        self._processes: list[_ReaderProcess] = []
        self._rows: dict[int, list[T | None]] = {}
        self._batches: dict[int, ReadBatch] = {}
        self._tuner = _ThreadTuner()
        self._started = False
        for _ in range(min(MAX_PROCESSES, _available_cores())):
            try:
                process = _ReaderProcess(tasks, job.name)
            except OSError:
                break
            self._processes.append(process)
            self._answers.register(process.output, EVENT_READ, process)

    @property
    def max_in_flight(self) -> int:
        """The number of unanswered batches: one for each reading thread, and some that wait in the
        pipe of each process, because on a busy computer this process can be late."""
        return len(self._processes) * (self._threads + WAITING_BATCHES)

    @property
    def _threads(self) -> int:
        return max(1, MAX_THREADS // len(self._processes)) if self._tuner.many_threads else 1

    def started(self) -> bool:
        """Return whether a process has started, which takes a tenth of a second."""
        if not self._processes:  # Windows refuses to select from nothing
            return False
        self._started = self._started or bool(self._answers.select(timeout=0))
        return self._started

    def send(self, number: int, batch: ReadBatch) -> None:
        """Send a batch, identified by a number, to the process with the fewest batches."""
        self._batches[number] = batch
        if self._processes:
            process = min(self._processes, key=lambda process: len(process.pending))
            process.pending.add(number)
            process.send((number, self._threads, batch.ids, batch.retried))

    def receive(self, number: int) -> tuple[ReadBatch, list[T | None]]:
        """Wait for the rows of a batch that was sent."""
        while number not in self._rows and any(number in p.pending for p in self._processes):
            for ready, _ in self._answers.select():
                self._receive_answer(ready.data)
        batch = self._batches.pop(number)
        rows = self._rows.pop(number, None)
        if rows is None:
            rows = list(self._job.read(self._tasks, batch.ids, batch.retried))
        return batch, rows

    def _receive_answer(self, process: _ReaderProcess) -> None:
        answer = process.receive()
        if answer is None:
            self._answers.unregister(process.output)
            self._processes.remove(process)
            process.close()
            return
        number, rows, waited = answer
        self._rows[number] = [row and self._job.decode(row) for row in rows]
        process.pending.discard(number)
        self._tuner.record(len(rows), waited)

    def close(self) -> None:
        """End all processes."""
        self._answers.close()
        for process in self._processes:
            process.close()


class _ThreadTuner:
    """Decides whether reader processes use many threads.

    Many threads are tried once, if reading waits for the file system. They are kept only if they at
    least double the throughput. On a busy computer, or if a file server handles one call at a time,
    they only compete for the interpreter lock, at ten more system calls for each call of ours.
    """

    def __init__(self) -> None:
        self.many_threads = False
        self._tried = False
        self._rate = 0.0
        self._begin()

    def record(self, tasks: int, waited: float) -> None:
        """Record a batch: the number of tasks, and the seconds that reading them waited in all."""
        self._batches += 1
        self._tasks += tasks
        self._waited += waited
        # The first batches include the time before the processes began to read.
        if self._tried or self._batches < (MAX_THREADS if self.many_threads else MAX_PROCESSES):
            return
        rate = self._tasks / (time.perf_counter() - self._began)
        if self.many_threads:
            self.many_threads, self._tried = rate >= MIN_SPEEDUP * self._rate, True
        else:
            self.many_threads, self._rate = self._waited > SLOW_WAIT * self._tasks, rate
        self._begin()

    def _begin(self) -> None:
        self._began = time.perf_counter()
        self._batches = self._tasks = 0
        self._waited = 0.0


class _ReaderProcess(WorkerProcess):
    """A reader process, and the numbers of its unanswered batches.

    Its working folder is ``tasks``: relative paths are shorter, which saves 1 µs a task.
    """

    def __init__(self, tasks: str, job: str) -> None:
        super().__init__(__name__, job, tasks)
        self.pending: set[int] = set()


def serve(requests: IO[bytes], answers: IO[bytes], job: str) -> None:
    """Answer requests until they end; runs in a reader process, in the folder of all tasks."""
    if sys.platform != "win32":
        os.nice(NICENESS)
    server = _ReaderThreads(answers, job)
    while (request := read_value(requests)) is not None:
        server.submit(request)
    server.finish()


class _ReaderThreads:
    """The reading threads of a reader process. A request has the number of threads to use."""

    def __init__(self, answers: IO[bytes], job: str) -> None:
        self._answers = answers
        self._read = JOBS[job].read
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._thread_count = 0

    def submit(self, request: Any) -> None:
        """Start missing threads, and queue the request for one of them."""
        self._thread_count = request[1]
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < self._thread_count:
            place = len(self._threads)
            thread = threading.Thread(target=self._run, args=(place,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._requests.put(request)

    def finish(self) -> None:
        """Wait for the threads, at most for ``_SHUTDOWN_TIME``."""
        for _ in self._threads:
            self._requests.put(None)
        deadline = time.monotonic() + _SHUTDOWN_TIME
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, place: int) -> None:
        try:
            self._work(place)
        except Exception:
            # The process that asked would wait for an answer. Now it does the work and sees the
            # error itself.
            os._exit(1)

    def _work(self, place: int) -> None:
        while (request := self._requests.get()) is not None:
            number, _, ids, retried = request
            began, worked = time.perf_counter(), time.thread_time()
            # Plain tuples, because marshal does not accept named ones.
            rows = [row and tuple(row) for row in self._read(".", ids, frozenset(retried))]
            waited = time.perf_counter() - began - (time.thread_time() - worked)
            with self._writing:
                write_value(self._answers, (number, rows, waited))
            if place >= self._thread_count:
                return


def _available_cores() -> int:
    if sys.platform == "win32":
        return 0  # there, select() does not accept pipes
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
