"""Reads how tasks failed, in the background, and puts them in groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hipercow_tui.analysis.error_groups import (
    ErrorGroup,
    ErrorSort,
    Failure,
    Interner,
    group_failures,
)
from hipercow_tui.analysis.failure_cache import FailureCache, folder_fingerprint
from hipercow_tui.analysis.failure_reader import BATCH_SIZE, FailureReader
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import Root
from hipercow_tui.ui.workers.base import start_thread
from hipercow_tui.ui.workers.loop_priority import yield_to_ui

TELL_EVERY = 0.5  # seconds
SAVE_EVERY = 10.0  # seconds, while there is much to read
SHARE = 5  # of the time of which groups are made anew at most one part: 20,000 failures take 0.1 s
QUIETLY = (3.0, 50)  # the same while nobody looks


@dataclass(frozen=True, slots=True)
class FailureRequest:
    """What to look at, and in which order to tell of it."""

    snapshot: Snapshot
    sort: ErrorSort


@dataclass(frozen=True, slots=True)
class FailureViewModel:
    """The groups, as far as ``read`` of the ``failed`` tasks are read."""

    request: FailureRequest
    groups: tuple[ErrorGroup, ...]
    read: int
    failed: int

    @property
    def reading(self) -> bool:
        """Whether some are still to be read."""
        return self.read < self.failed


class FailureWorker:
    """Fills ``failures`` in a thread of its own, and hands on boards from there.

    Only failures are read, the last to finish first, and none twice: what is in ``memory`` is
    compared with its folder, at one stat. Until somebody looks it rests as long as it works, so
    that keys and the rows on the screen come first.
    """

    def __init__(
        self,
        root: Root,
        memory: FailureCache | None,
        deliver: Callable[[FailureViewModel], object],
        broke: Callable[[Exception], object],
    ) -> None:
        self.failures: dict[str, Failure] = {}
        self._root = root
        self._reader = FailureReader(root)
        self._sharing = Interner()
        self._memory = memory
        self._deliver = deliver
        self._remembered: dict[str, Failure] = {}
        self._seen = Snapshot(root.path)  # in those that follow, a task may be another object
        self._doubted: set[str] = set()  # by such ids, what is known may be of another folder
        self._request: FailureRequest | None = None
        self._groups: tuple[ErrorGroup, ...] = ()
        self._sort = ErrorSort()
        self._regroup = False  # whether the groups are not those of what is known
        self._unsaved = False
        self._saved_at = time.monotonic()
        self._wake = threading.Event()
        self._looked_at = threading.Event()
        self._stopped = False
        start_thread(self._run, broke)

    def update(self, request: FailureRequest) -> None:
        """Look at this next, in place of what was wished before; answered by boards, the first of
        them at once."""
        self._request = request
        self._wake.set()

    def speed_up(self) -> None:
        """Somebody looks: rest no more."""
        self._looked_at.set()

    def slow_down(self) -> None:
        """Nobody looks any more."""
        self._looked_at.clear()

    def stop(self) -> None:
        """Read no more."""
        self._stopped = True
        self._wake.set()
        self._looked_at.set()

    def _run(self) -> None:
        if self._memory is not None:
            self._remembered = self._memory.load()
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopped:
                self._reader.close()
                return
            if self._request is not None:
                self._answer(self._request)

    def _answer(self, request: FailureRequest) -> None:
        tasks = request.snapshot.tasks
        failed = [tasks[task_id] for task_id in request.snapshot.with_status(Status.FAILURE)]
        self._see(request.snapshot)
        todo = [task for task in failed if not self._is_known(task)]
        todo.sort(key=lambda task: task.finished or 0.0)
        rest = self._tell(request, failed, len(todo))
        told = time.monotonic()
        while todo and not self._wake.is_set():
            self._looked_at.wait(self._read(todo))
            yield_to_ui()
            if not todo or time.monotonic() >= told + rest:
                rest = self._tell(request, failed, len(todo))
                told = time.monotonic()
                self._save(every=SAVE_EVERY)
        if not todo:
            self._reader.close()
            self._save()
            if not self._remembered:
                self._remembered.clear()  # which gives back the room of what was taken out of it

    def _tell(self, request: FailureRequest, failed: Sequence[Task], unread: int) -> float:
        """Hand on what is known; in how many seconds it should be done again."""
        began = time.monotonic()
        if self._regroup or request.sort != self._sort:
            self._groups = group_failures(failed, self.failures, request.sort)
            self._regroup, self._sort = False, request.sort
        if not self._stopped:
            read = len(failed) - unread
            self._deliver(FailureViewModel(request, self._groups, read, len(failed)))
        every, share = (TELL_EVERY, SHARE) if self._looked_at.is_set() else QUIETLY
        return max(every, share * (time.monotonic() - began))

    # What is known

    def _see(self, snapshot: Snapshot) -> None:
        for task_id in self.failures.keys() - snapshot.with_status(Status.FAILURE):
            del self.failures[task_id]
            self._unsaved = self._regroup = True
        before, now = self._seen.tasks, snapshot.tasks
        self._doubted.update(i for i in self.failures if now[i] is not before.get(i))
        self._seen = snapshot

    def _is_known(self, task: Task) -> bool:
        """Whether it is the task that was read, and not another one by its id."""
        return task.id in self.failures and task.id not in self._doubted

    def _read(self, todo: list[Task]) -> float:
        """Learn how the next few failed, from the memory if that was the same folder; how many
        seconds that took."""
        began = time.monotonic()
        part = [todo.pop() for _ in range(min(BATCH_SIZE, len(todo)))]
        unread: list[tuple[Task, bytes]] = []
        for task in part:
            folder = folder_fingerprint(self._root.part(task.lang).tasks, task.id)
            known = self.failures.get(task.id) or self._remembered.pop(task.id, None)
            if known is None or known.folder != folder or known.problem is not None:
                unread.append((task, folder))
            else:
                self._learn(task, known)
        # Where all of them are new, so are most that follow.
        more = len(todo) if len(unread) == len(part) else 0
        failures = self._reader.read([task for task, _ in unread], more=more)
        for (task, folder), failure in zip(unread, failures, strict=True):
            self._learn(task, self._sharing.intern_failure(failure, folder))
            self._unsaved = True
        return time.monotonic() - began

    def _learn(self, task: Task, failure: Failure) -> None:
        self._doubted.discard(task.id)
        self.failures[task.id] = failure
        self._regroup = True

    def _save(self, *, every: float = 0.0) -> None:
        """Remember what is new, if it was not done in the last ``every`` seconds."""
        if self._memory is None or not self._unsaved:
            return
        if time.monotonic() >= self._saved_at + every:
            self._memory.save(self.failures)
            self._saved_at, self._unsaved = time.monotonic(), False
