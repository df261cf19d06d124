"""Reading many task folders at once: the one place of the core with processes and threads.

A root that is read in no time is read here and now. Where that would take longer, processes of our
own read with us: one interpreter lock lets one core work, and a thread that reads a file every
20 µs keeps the screen's thread from its keys. Where the file system makes us wait, each of these
processes reads with many threads.

They are started as programs, never forked: a fork copies the locks of threads that it does not
copy. Only plain values go through their pipes, by ``marshal``.
"""

from __future__ import annotations

import gc
import marshal
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias

from hipercow_tui.roots.r_root import Row, read_tasks

PART = 128  # tasks in one message: the way there and back takes 1 µs a task
PAYS = 0.4  # seconds still to read from which on processes, which take 0.1 to start, are worth it
PROCESSES = 4  # at most, and no more than there are cores
READERS = 24  # threads of all processes together, where the file system makes us wait
WAITS = 6.0  # that is where a read takes so many times the processor's time for it

Rows: TypeAlias = list[Row | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Tasks to read: ``retried`` are those of ``ids`` that are a new attempt of another. With
    them, ``done`` of all ``folders`` of a pass are done, or nearly."""

    ids: Sequence[str]
    retried: Sequence[str]
    done: int
    folders: int


def parts_of(
    ids: Sequence[str], retried: frozenset[str], done: int, folders: int
) -> Iterator[Part]:
    """The tasks of one folder in parts as large as are read at once; an empty one without any."""
    for start in range(0, len(ids) or 1, PART):
        piece = ids[start : start + PART]
        yield Part(piece, [task_id for task_id in piece if task_id in retried], done, folders)


def read_parts(tasks: str, parts: Iterable[Part]) -> Generator[tuple[Part, Rows], None, None]:
    """Every part with what the task folders under ``tasks`` say, in the order given.

    Takes parts ahead of what it gives back. Close it to stop: no process is left behind.
    """
    ahead = iter(parts)
    spent = 0.0
    for part in ahead:
        began = time.perf_counter()
        rows = list(read_tasks(tasks, part.ids, part.retried))
        spent += time.perf_counter() - began
        yield part, rows
        if spent * (part.folders - part.done) > PAYS * part.done:
            yield from _read_by_processes(tasks, ahead)


def _read_by_processes(tasks: str, parts: Iterable[Part]) -> Iterator[tuple[Part, Rows]]:
    pool = _Pool(tasks)
    sent: deque[int] = deque()
    try:
        for number, part in enumerate(parts):
            pool.send(number, part)
            sent.append(number)
            while sent and len(sent) >= pool.room:
                yield pool.receive(sent.popleft())
        while sent:
            yield pool.receive(sent.popleft())
    finally:
        pool.close()


class _Pool:
    """Processes that read. What one that fails has not answered is read here."""

    def __init__(self, tasks: str) -> None:
        self._tasks = tasks
        self._answers: queue.SimpleQueue[tuple[_Process, Any]] = queue.SimpleQueue()
        self._processes = []
        self._rows: dict[int, Rows] = {}
        self._parts: dict[int, Part] = {}
        self._waiting = self._working = 0.0
        for _ in range(min(PROCESSES, _cores())):
            try:
                self._processes.append(_Process(tasks, self._answers))
            except OSError:
                break

    @property
    def room(self) -> int:
        """How many parts are worth having under way: each reader's, and one more a process."""
        return len(self._processes) * (self._threads + 1)

    @property
    def _threads(self) -> int:
        slow = self._waiting > WAITS * self._working
        return READERS // len(self._processes) if slow and self._processes else 1

    def send(self, number: int, part: Part) -> None:
        self._parts[number] = part
        if self._processes:
            process = min(self._processes, key=lambda process: len(process.pending))
            process.send(number, part, self._threads)

    def receive(self, number: int) -> tuple[Part, Rows]:
        """The rows of the part sent by that number, when they are there."""
        while number not in self._rows and any(number in p.pending for p in self._processes):
            process, answer = self._answers.get()
            if answer is None:
                self._processes.remove(process)
                continue
            answered, self._rows[answered], waiting, working = answer
            process.pending.discard(answered)
            self._waiting = 0.9 * self._waiting + waiting
            self._working = 0.9 * self._working + working
        part = self._parts.pop(number)
        rows = self._rows.pop(number, None)
        if rows is None:
            rows = list(read_tasks(self._tasks, part.ids, part.retried))
        return part, rows

    def close(self) -> None:
        for process in self._processes:
            process.close()


@dataclass(eq=False, slots=True)
class _Process:
    """One process that reads, and the thread that waits for its answers: None when it has ended."""

    tasks: str
    answers: queue.SimpleQueue[tuple[_Process, Any]]
    pending: set[int] = field(default_factory=set)
    program: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        places = [str(Path(place).resolve()) for place in sys.path]
        self.program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *places],
            cwd=self.tasks,  # short paths: 1 µs less a task
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # ctrl+c is meant for us
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, number: int, part: Part, threads: int) -> None:
        assert self.program.stdin
        self.pending.add(number)
        # It may have ended, which the listening thread says.
        with suppress(OSError, ValueError):
            _write(self.program.stdin, (number, threads, part.ids, part.retried))

    def close(self) -> None:
        self.program.kill()

    def _listen(self) -> None:
        assert self.program.stdout
        with suppress(OSError), self.program:
            # What is called Python may be another program, where Python is part of that.
            if self.program.stdout.read(len(_GREETING)) == _GREETING:
                while (answer := _read(self.program.stdout)) is not None:
                    self.answers.put((self, answer))
        self.answers.put((self, None))


_GREETING = b"hipercow-tui reads\n"
_PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
from hipercow_tui.reading import serve
serve(sys.stdin.buffer, sys.stdout.buffer)
"""


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """What a reading process does, in the folder of all tasks: answer requests until they end."""
    answers.write(_GREETING)
    answers.flush()
    gc.disable()  # nothing here refers to itself
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    writing = threading.Lock()
    threads: list[threading.Thread] = []

    def work() -> None:
        while (request := todo.get()) is not None:
            number, _, ids, retried = request
            began, worked = time.perf_counter(), time.thread_time()
            rows = list(read_tasks(".", ids, frozenset(retried)))
            taken, worked = time.perf_counter() - began, time.thread_time() - worked
            with writing:
                _write(answers, (number, rows, taken, worked))

    while (request := _read(requests)) is not None:
        while len(threads) < request[1]:
            threads.append(threading.Thread(target=work, daemon=True))
            threads[-1].start()
        todo.put(request)
    for _ in threads:
        todo.put(None)
    for thread in threads:
        thread.join()


def _write(pipe: IO[bytes], value: Any) -> None:
    raw = marshal.dumps(value)
    pipe.write(len(raw).to_bytes(4, "little") + raw)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    """The next value; None where the pipe has ended."""
    head = pipe.read(4)
    raw = pipe.read(int.from_bytes(head, "little"))
    try:
        return marshal.loads(raw)
    except (EOFError, ValueError, TypeError):
        return None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
