"""Reading many task folders at once: the one place of the core with processes and threads.

A root that is read in no time is read here and now. Where that would take longer, processes of our
own read with us: one interpreter lock lets one core work, and a thread that reads a file every
20 µs keeps the screen's thread from its keys. Where the file system makes us wait, each of these
processes reads with many threads.
"""

from __future__ import annotations

import gc
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Any, TypeAlias

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.r_layout import TaskRow
from hipercow_tui.support.worker_process import WorkerProcess, read_value, write_value

BATCH_SIZE = 128  # tasks in one message: the way there and back takes 1 µs a task
POOL_THRESHOLD = (
    0.4  # seconds still to read from which on processes, which take 0.1 to start, are worth it
)
NICENESS = 5  # of these processes: whoever waits for a key is waited for first
MAX_PROCESSES = 4  # at most, and no more than there are cores
MAX_THREADS = 24  # threads of all processes together, where the file system makes us wait
SLOW_WAIT = 2e-3  # seconds of waiting a task from which on that is tried
_SHUTDOWN_TIME = 1.0  # seconds for reads under way when requests have ended: a file server may hang
MIN_SPEEDUP = 2.0  # and kept, if so many times as many tasks are read with them

Rows: TypeAlias = list[TaskRow | None]


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Tasks to read: ``retried`` are those of ``ids`` that are a new attempt of another. With
    them, ``done`` of all ``folders`` of a pass are done, or nearly."""

    ids: Sequence[str]
    retried: Sequence[str]
    done: int
    folders: int


def split_into_batches(
    ids: Sequence[str], retried: frozenset[str], done: int, folders: int
) -> Iterator[ReadBatch]:
    """The tasks of one folder in parts as large as are read at once; an empty one without any."""
    for start in range(0, len(ids) or 1, BATCH_SIZE):
        piece = ids[start : start + BATCH_SIZE]
        yield ReadBatch(piece, [task_id for task_id in piece if task_id in retried], done, folders)


def read_batches(
    tasks: str, parts: Iterable[ReadBatch], lang: Lang = Lang.R
) -> Generator[tuple[ReadBatch, Rows], None, None]:
    """Every part with what the task folders under ``tasks`` say, in the order given.

    Takes parts ahead of what it gives back. Close it to stop: no process is left behind.
    """
    read_tasks = LAYOUTS[lang].read_tasks
    ahead = iter(parts)
    spent = 0.0
    for part in ahead:
        began = time.perf_counter()
        rows = list(read_tasks(tasks, part.ids, part.retried))
        spent += time.perf_counter() - began
        yield part, rows
        if spent * (part.folders - part.done) > POOL_THRESHOLD * part.done:
            yield from _read_by_processes(tasks, ahead, lang)


def _read_by_processes(
    tasks: str, parts: Iterable[ReadBatch], lang: Lang
) -> Iterator[tuple[ReadBatch, Rows]]:
    pool = _ReaderPool(tasks, lang)
    sent: deque[int] = deque()
    try:
        for number, part in enumerate(parts):
            if not pool.started():
                yield part, list(LAYOUTS[lang].read_tasks(tasks, part.ids, part.retried))
                continue
            pool.send(number, part)
            sent.append(number)
            while sent and len(sent) >= pool.max_in_flight:
                yield pool.receive(sent.popleft())
        while sent:
            yield pool.receive(sent.popleft())
    finally:
        pool.close()


class _ReaderPool:
    """Processes that read. What one that fails has not answered is read here."""

    def __init__(self, tasks: str, lang: Lang) -> None:
        self._tasks = tasks
        self._read = LAYOUTS[lang].read_tasks
        self._answers = DefaultSelector()
        self._processes: list[_ReaderProcess] = []
        self._rows: dict[int, Rows] = {}
        self._parts: dict[int, ReadBatch] = {}
        self._tuner = _ThreadTuner()
        self._started = False
        for _ in range(min(MAX_PROCESSES, _available_cores())):
            try:
                process = _ReaderProcess(tasks, lang)
            except OSError:
                break
            self._processes.append(process)
            self._answers.register(process.output, EVENT_READ, process)

    @property
    def max_in_flight(self) -> int:
        """How many parts are worth having under way: each reader's, and one more a process."""
        return len(self._processes) * (self._threads + 1)

    @property
    def _threads(self) -> int:
        return max(1, MAX_THREADS // len(self._processes)) if self._tuner.many_threads else 1

    def started(self) -> bool:
        """Whether a process has begun to speak, which takes it a tenth of a second."""
        self._started = self._started or bool(self._answers.select(timeout=0))
        return self._started

    def send(self, number: int, part: ReadBatch) -> None:
        self._parts[number] = part
        if self._processes:
            process = min(self._processes, key=lambda process: len(process.pending))
            process.pending.add(number)
            process.send((number, self._threads, part.ids, part.retried))

    def receive(self, number: int) -> tuple[ReadBatch, Rows]:
        """The rows of the part sent by that number, when they are there."""
        while number not in self._rows and any(number in p.pending for p in self._processes):
            for ready, _ in self._answers.select():
                self._take(ready.data)
        part = self._parts.pop(number)
        rows = self._rows.pop(number, None)
        if rows is None:
            rows = list(self._read(self._tasks, part.ids, part.retried))
        return part, rows

    def _take(self, process: _ReaderProcess) -> None:
        answer = process.receive()
        if answer is None:
            self._answers.unregister(process.output)
            self._processes.remove(process)
            process.close()
            return
        number, rows, waited = answer
        self._rows[number] = rows
        process.pending.discard(number)
        self._tuner.record(len(rows), waited)

    def close(self) -> None:
        self._answers.close()
        for process in self._processes:
            process.close()


class _ThreadTuner:
    """Whether many threads read. They are tried where a task makes us wait, and given up where they
    do not help: on a busy machine, or where all calls go through one eye of a needle, they only
    take the interpreter from each other, at ten more system calls for each of ours."""

    def __init__(self) -> None:
        self.many_threads = False
        self._tried = False
        self._rate = 0.0
        self._begin()

    def record(self, tasks: int, waited: float) -> None:
        """So many tasks were read, and so many seconds waited in all for them."""
        self._parts += 1
        self._tasks += tasks
        self._waited += waited
        # The first parts come a whole round after they were asked for.
        if self._tried or self._parts < (MAX_THREADS if self.many_threads else MAX_PROCESSES):
            return
        rate = self._tasks / (time.perf_counter() - self._began)
        if self.many_threads:
            self.many_threads, self._tried = rate >= MIN_SPEEDUP * self._rate, True
        else:
            self.many_threads, self._rate = self._waited > SLOW_WAIT * self._tasks, rate
        self._begin()

    def _begin(self) -> None:
        self._began = time.perf_counter()
        self._parts = self._tasks = 0
        self._waited = 0.0


class _ReaderProcess(WorkerProcess):
    """One process that reads, and the numbers of the parts that it has not answered yet."""

    def __init__(self, tasks: str, lang: Lang) -> None:
        super().__init__(__name__, lang, tasks)  # there, paths are short: 1 µs less a task
        self.pending: set[int] = set()


def serve(requests: IO[bytes], answers: IO[bytes], lang: str) -> None:
    """What a reading process does, in the folder of all tasks: answer requests until they end."""
    os.nice(NICENESS)
    read_tasks = LAYOUTS[Lang(lang)].read_tasks
    gc.disable()  # nothing here refers to itself
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    writing = threading.Lock()
    threads: list[threading.Thread] = []
    wanted = 0

    def work(place: int) -> None:
        while (request := todo.get()) is not None:
            number, _, ids, retried = request
            began, worked = time.perf_counter(), time.thread_time()
            rows = list(read_tasks(".", ids, frozenset(retried)))
            waited = time.perf_counter() - began - (time.thread_time() - worked)
            with writing:
                write_value(answers, (number, rows, waited))
            if place >= wanted:
                return

    while (request := read_value(requests)) is not None:
        wanted = request[1]
        threads = [thread for thread in threads if thread.is_alive()]
        while len(threads) < wanted:
            threads.append(threading.Thread(target=work, args=(len(threads),), daemon=True))
            threads[-1].start()
        todo.put(request)
    for _ in threads:
        todo.put(None)
    deadline = time.monotonic() + _SHUTDOWN_TIME
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _available_cores() -> int:
    if os.name != "posix":
        return 0  # there a pipe can't be waited for together with others
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
