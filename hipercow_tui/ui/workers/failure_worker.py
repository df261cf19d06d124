"""Reads the errors of failed tasks in the background, and groups them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.ui.workers.base import BackgroundWorker

SAVE_INTERVAL = 10.0  # seconds between two saves while failures are read


class _Pace(NamedTuple):
    """How often groups are made: after at least ``interval`` seconds, and ``factor`` times as long
    as grouping took. 20,000 failures take 0.1 s."""

    interval: float
    factor: int


VISIBLE_PACE = _Pace(0.5, 5)  # while the Errors tab is open
HIDDEN_PACE = _Pace(3.0, 50)


@dataclass(frozen=True, slots=True)
class FailureRequest:
    """A snapshot to read failures of, and the order of the groups."""

    snapshot: Snapshot
    sort: ErrorSort


@dataclass(frozen=True, slots=True)
class FailureViewModel:
    """Groups of failures; ``read`` of the ``failed`` tasks are in them."""

    request: FailureRequest
    groups: tuple[ErrorGroup, ...]
    read: int
    failed: int

    @property
    def reading(self) -> bool:
        """Whether some failures are not read yet."""
        return self.read < self.failed


class FailureWorker(BackgroundWorker):
    """Fills ``failures``, by task id, and passes view models to ``deliver``, in its thread.

    The task that finished last is read first. A failure is read once: if it is in ``cache``, only
    the fingerprint of its folder is compared. While the Errors tab is hidden, the worker pauses as
    long as it reads, so that keys and the rows on the screen come first.
    """

    def __init__(
        self,
        root: Root,
        cache: FailureCache | None,
        deliver: Callable[[FailureViewModel], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        self.failures: dict[str, Failure] = {}
        self._root = root
        self._reader = FailureReader(root)
        self._interner = Interner()
        self._cache = cache
        self._deliver = deliver
        self._cached: dict[str, Failure] = {}  # failures of the file that were not used yet
        self._snapshot = Snapshot(root.path)
        self._outdated: set[str] = set()  # ids of changed tasks that have a failure
        self._fetched_logs = FetchedLogs.of(root)
        self._fetched: dict[str, int] = {}  # when outer logs were fetched, by task id
        self._request: FailureRequest | None = None
        self._groups: tuple[ErrorGroup, ...] = ()
        self._sort = ErrorSort()
        self._ungrouped = False  # whether failures have changed since ``_groups`` were made
        self._unsaved = False
        self._saved_at = time.monotonic()
        self._visible = threading.Event()
        super().__init__(on_error)

    def update(self, request: FailureRequest) -> None:
        """Replace the request. View models follow: the first at once, the others while failures
        are read."""
        self._request = request
        self._wake()

    def look_for_fetched_logs(self) -> None:
        """Read failures again if their outer logs have been fetched meanwhile."""
        if self._request is not None:
            self._wake()

    def speed_up(self) -> None:
        """The Errors tab is open: read without pauses."""
        self._visible.set()

    def slow_down(self) -> None:
        """The Errors tab is hidden."""
        self._visible.clear()

    def stop(self) -> None:
        """Deliver nothing more."""
        super().stop()
        self._visible.set()

    def _run(self) -> None:
        try:
            if self._cache is not None:
                self._cached = self._cache.load()
            super()._run()
        finally:
            self._reader.close()

    def _step(self) -> None:
        if self._request is not None:
            self._read_and_group(self._request)

    def _read_and_group(self, request: FailureRequest) -> None:
        tasks = request.snapshot.tasks
        failed = [tasks[task_id] for task_id in request.snapshot.with_status(Status.FAILURE)]
        self._use(request.snapshot)
        unread = [task for task in failed if not self._is_known(task)]
        unread.sort(key=lambda task: task.finished or 0.0)
        due = self._deliver_groups(request, failed, len(unread))
        while unread and not self._woken.is_set():
            self._visible.wait(self._read_batch(unread))
            if not unread or time.monotonic() >= due:
                due = self._deliver_groups(request, failed, len(unread))
                self._save(interval=SAVE_INTERVAL)
        if not unread:
            self._reader.close()
            self._save()
            if not self._cached:
                self._cached = {}  # the old dict keeps the memory of its former entries

    def _deliver_groups(
        self, request: FailureRequest, failed: Sequence[Task], unread: int
    ) -> float:
        """Deliver groups of the known failures; return the monotonic time of the next delivery."""
        began = time.monotonic()
        if self._ungrouped or request.sort != self._sort:
            self._groups = group_failures(failed, self.failures, request.sort)
            self._ungrouped, self._sort = False, request.sort
        if not self._stopped:
            read = len(failed) - unread
            self._deliver(FailureViewModel(request, self._groups, read, len(failed)))
        pace = VISIBLE_PACE if self._visible.is_set() else HIDDEN_PACE
        ended = time.monotonic()
        return ended + max(pace.interval, pace.factor * (ended - began))

    def _use(self, snapshot: Snapshot) -> None:
        for task_id in self.failures.keys() - snapshot.with_status(Status.FAILURE):
            del self.failures[task_id]
            self._unsaved = self._ungrouped = True
        before, now = self._snapshot.tasks, snapshot.tasks
        self._outdated.update(i for i in self.failures if now[i] is not before.get(i))
        self._snapshot = snapshot
        before_fetch, self._fetched = self._fetched, self._times_of_fetched_logs()
        self._outdated.update(
            task_id
            for task_id in self._fetched.keys() & self.failures.keys()
            if self._fetched[task_id] != before_fetch.get(task_id)
        )

    def _times_of_fetched_logs(self) -> dict[str, int]:
        return self._fetched_logs.times() if self._fetched_logs is not None else {}

    def _is_known(self, task: Task) -> bool:
        return task.id in self.failures and task.id not in self._outdated

    def _read_batch(self, unread: list[Task]) -> float:
        """Take the next tasks from the end of ``unread``, and read those of which no failure with
        the present fingerprint is known; return the seconds it took."""
        began = time.monotonic()
        batch = [unread.pop() for _ in range(min(BATCH_SIZE, len(unread)))]
        to_read: list[tuple[Task, bytes]] = []
        for task in batch:
            tasks = self._root.part(task.lang).tasks
            folder = folder_fingerprint(tasks, task.id, self._fetched.get(task.id))
            known = self.failures.get(task.id) or self._cached.pop(task.id, None)
            if known is None or known.folder != folder or known.problem is not None:
                to_read.append((task, folder))
            else:
                self._add(task, known)
        # If all of a batch are new, most of the others are new too.
        more = len(unread) if len(to_read) == len(batch) else 0
        failures = self._reader.read([task for task, _ in to_read], more=more)
        for (task, folder), failure in zip(to_read, failures, strict=True):
            self._add(task, self._interner.intern_failure(failure, folder))
            self._unsaved = True
        return time.monotonic() - began

    def _add(self, task: Task, failure: Failure) -> None:
        self._outdated.discard(task.id)
        self.failures[task.id] = failure
        self._ungrouped = True

    def _save(self, *, interval: float = 0.0) -> None:
        """Save new failures, unless that was done in the last ``interval`` seconds."""
        if self._cache is None or not self._unsaved:
            return
        if time.monotonic() >= self._saved_at + interval:
            self._cache.save(self.failures)
            self._saved_at, self._unsaved = time.monotonic(), False
