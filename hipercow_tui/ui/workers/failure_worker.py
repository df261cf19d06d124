"""Reads the errors of failed tasks in the background, and groups them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hipercow_tui.analysis.error_groups import (
    ErrorGroup,
    ErrorGrouping,
    ErrorSort,
    Failure,
)
from hipercow_tui.analysis.failure_cache import FailureCache
from hipercow_tui.analysis.failure_grouping import group_failures
from hipercow_tui.analysis.failure_reader import BATCH_SIZE
from hipercow_tui.analysis.failure_store import FailureStore
from hipercow_tui.analysis.node_reader import read_node
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import Root
from hipercow_tui.settings.rule_file import ErrorRules, RuleFile
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
    """A snapshot to read failures of, the order of the groups, and what the tasks of a group have
    in common."""

    snapshot: Snapshot
    sort: ErrorSort
    by: ErrorGrouping = ErrorGrouping.MESSAGE


@dataclass(frozen=True, slots=True)
class FailureViewModel:
    """Groups of failures; ``read`` of the ``failed`` tasks are in them.

    ``problems`` are sentences on rules of the user that can't be used.
    """

    request: FailureRequest
    groups: tuple[ErrorGroup, ...]
    read: int
    failed: int
    problems: tuple[str, ...] = ()

    @property
    def reading(self) -> bool:
        """Whether some failures are not read yet."""
        return self.read < self.failed


class FailureWorker(BackgroundWorker):
    """Fills ``failures``, by task id, and passes view models to ``deliver``, in its thread.

    The task that finished last is read first. A failure is read once: if it is in ``cache``, only
    the fingerprint of its folder is compared. While the Errors tab is hidden, the worker pauses as
    long as it reads, so that keys and the rows on the screen come first. Nodes are read only if
    failures are grouped by node. ``rules`` is the file of the rules that name failures.
    """

    def __init__(
        self,
        root: Root,
        cache: FailureCache | None,
        deliver: Callable[[FailureViewModel], object],
        on_error: Callable[[Exception], object],
        *,
        rules: RuleFile | None = None,
    ) -> None:
        self._store = FailureStore(root, cache)
        self.failures: dict[str, Failure] = self._store.failures
        self._root = root
        self._rule_file = rules
        self._rules = ErrorRules()
        self._deliver = deliver
        self._nodes: dict[str, str] = {}  # by task id; "" if it is not known
        self._snapshot = Snapshot(root.path)
        self._outdated: set[str] = set()  # ids of changed tasks that have a failure
        self._request: FailureRequest | None = None
        self._groups: tuple[ErrorGroup, ...] = ()
        self._grouped: tuple[ErrorGrouping, ErrorSort] | None = None  # of ``_groups``
        self._ungrouped = False  # whether failures have changed since ``_groups`` were made
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
            if self._rule_file is not None:
                self._rules = self._rule_file.read()
            self._store.load(self._rules.rules)
            super()._run()
        finally:
            self._store.close()

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
                self._save_at_times()
        if not unread:
            self._store.save(complete=True)
            self._store.pause()
            if request.by is ErrorGrouping.NODE:
                self._read_nodes(request, failed)

    def _read_nodes(self, request: FailureRequest, failed: Sequence[Task]) -> None:
        unread = [task for task in failed if task.id not in self._nodes]
        due = 0.0
        while unread and not self._woken.is_set():
            batch = [unread.pop() for _ in range(min(BATCH_SIZE, len(unread)))]
            self._nodes.update((task.id, read_node(self._root, task)) for task in batch)
            self._ungrouped = True
            if not unread or time.monotonic() >= due:
                due = self._deliver_groups(request, failed, len(unread))

    def _deliver_groups(
        self, request: FailureRequest, failed: Sequence[Task], unread: int
    ) -> float:
        """Deliver groups of the known failures; return the monotonic time of the next delivery."""
        began = time.monotonic()
        if self._ungrouped or self._grouped != (request.by, request.sort):
            self._groups = group_failures(
                failed, self.failures, request.sort, request.by, self._nodes
            )
            self._ungrouped, self._grouped = False, (request.by, request.sort)
        if not self._stopped:
            if request.by is ErrorGrouping.NODE:
                unread = max(unread, sum(task.id not in self._nodes for task in failed))
            read = len(failed) - unread
            problems = (*self._rules.problems, *self._store.problems)
            self._deliver(FailureViewModel(request, self._groups, read, len(failed), problems))
        pace = VISIBLE_PACE if self._visible.is_set() else HIDDEN_PACE
        ended = time.monotonic()
        return ended + max(pace.interval, pace.factor * (ended - began))

    def _use(self, snapshot: Snapshot) -> None:
        gone = self.failures.keys() - snapshot.with_status(Status.FAILURE)
        self._store.remove(gone)
        self._ungrouped = self._ungrouped or bool(gone)
        before, now = self._snapshot.tasks, snapshot.tasks
        self._outdated.update(i for i in self.failures if now[i] is not before.get(i))
        self._snapshot = snapshot
        self._outdated |= self._store.find_fetched_logs()

    def _is_known(self, task: Task) -> bool:
        return task.id in self.failures and task.id not in self._outdated

    def _read_batch(self, unread: list[Task]) -> float:
        """Take the next tasks from the end of ``unread``, and read their failures; return the
        seconds it took."""
        began = time.monotonic()
        batch = [unread.pop() for _ in range(min(BATCH_SIZE, len(unread)))]
        self._store.read(batch, more=len(unread))
        for task in batch:
            self._outdated.discard(task.id)
            self._nodes.pop(task.id, None)
        self._ungrouped = True
        return time.monotonic() - began

    def _save_at_times(self) -> None:
        """Save new failures, unless that was done in the last ``SAVE_INTERVAL`` seconds."""
        if self._store.unsaved and time.monotonic() >= self._saved_at + SAVE_INTERVAL:
            self._store.save(complete=False)
            self._saved_at = time.monotonic()
