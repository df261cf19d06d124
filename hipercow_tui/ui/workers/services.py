"""Everything that works behind the browser in threads of its own, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from textual.message import Message

from hipercow_tui.analysis.error_groups import ErrorSort
from hipercow_tui.analysis.failure_cache import FailureCache
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.combined_scanner import CombinedScanner
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.ui.messages import (
    DetailsLoaded,
    ErrorsReady,
    LogActivityChanged,
    PlanReady,
    ScanUpdated,
    SizesMeasured,
    SummariesLoaded,
    TotalsReady,
    TrashUpdated,
    ViewModelReady,
    WorkerFailed,
)
from hipercow_tui.ui.workers.base import LatestOnlyWorker
from hipercow_tui.ui.workers.failure_worker import FailureRequest, FailureWorker
from hipercow_tui.ui.workers.log_activity import LogActivityWorker
from hipercow_tui.ui.workers.loop_priority import yield_to_ui
from hipercow_tui.ui.workers.poller import Poller
from hipercow_tui.ui.workers.size_worker import SizeWorker
from hipercow_tui.ui.workers.summary_loader import SummaryLoader
from hipercow_tui.ui.workers.view_model import ViewModelBuilder, ViewRequest, totals_of

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.trash_monitor import TrashMonitor

SUM_AFTER = 0.1  # seconds without another change of the filters, which is to be answered first
PATIENCE = 0.015  # seconds; a board of 100,000 tasks takes 10 ms, a frame that says nothing yet too
DETAILS_AFTER = 0.05  # seconds on one row: who holds a key down reads nothing in between


class BackgroundServices:
    """The threads of a browser; ``post`` takes their messages from any thread.

    ``summaries`` is filled with what tasks run; ``indexed`` says whether what was read is kept for the
    next start.
    """

    def __init__(
        self,
        root: Root,
        summaries: dict[str, TaskSummary],
        *,
        indexed: bool,
        clock: Callable[[], float],
        post: Callable[[Message], object],
    ) -> None:
        index = ScanCache.of(root) if indexed else None
        self._scanner = scanner = CombinedScanner(root, index=index, yield_point=yield_to_ui)
        self._root = root
        self._clock = clock
        self._post = post

        def broke(error: Exception) -> None:
            post(WorkerFailed(error))

        self.poller = Poller(scanner, lambda: post(ScanUpdated()), broke)
        self.summaries = SummaryLoader(root, summaries, lambda: post(SummariesLoaded()), broke)
        self.sizes = SizeWorker(root, lambda: post(SizesMeasured()), broke)
        self.logs = LogActivityWorker(root, lambda: post(LogActivityChanged()), broke)
        memory = None if index is None else FailureCache.beside(index)
        self.errors = FailureWorker(
            root, memory, lambda view_model: post(ErrorsReady(view_model)), broke
        )
        maker = ViewModelBuilder(summaries, self.sizes.sizes, self.errors.failures)
        self._boards = LatestOnlyWorker(
            maker.build, lambda view_model: post(ViewModelReady(view_model)), broke
        )
        self._sums = LatestOnlyWorker(
            totals_of, lambda found: post(TotalsReady(found)), broke, rest=SUM_AFTER
        )
        self._details = LatestOnlyWorker(self._read_details, post, broke, rest=DETAILS_AFTER)
        self._trash = LatestOnlyWorker(self._look_in_trash, post, broke)

    def stop(self) -> None:
        """Say nothing more; what is under way ends by itself."""
        self.sizes.stop()
        self.logs.stop()
        self.errors.stop()
        for part in (
            self.poller,
            self.summaries,
            self._boards,
            self._sums,
            self._details,
            self._trash,
        ):
            part.stop()

    def load_details(self, snapshot: Snapshot, sort: ErrorSort) -> None:
        """Answered by ErrorsReady, again and again as failures are read."""
        self.errors.update(FailureRequest(snapshot, sort))

    def build_view_model(self, request: ViewRequest, *, asked_for: bool) -> None:
        """Answered by ViewModelReady; where somebody asked for it, soon enough for the same frame."""
        self._boards.ask(request, patience=PATIENCE if asked_for else 0.0)

    def compute_totals(self, request: ViewRequest) -> None:
        """Answered by TotalsReady."""
        self._sums.ask(request)

    def read(self, task: Task) -> None:
        """Answered by DetailsLoaded."""
        self._details.ask(task)

    def refresh_trash(self) -> None:
        """Answered by TrashUpdated, twice if there is something new."""
        self._trash.ask(None)

    def make_plan(self, stack: FilterStack) -> None:
        """Answered by PlanReady, once all that it names has been read since the start."""

        def planned(snapshot: Snapshot) -> None:
            plan = make_plan(snapshot, stack, now=self._clock())
            if self._scanner.invalidate_cached(plan.ids):
                self.poller.refresh_now(planned)
            else:
                self._post(PlanReady(plan, snapshot))

        self.poller.refresh_now(planned)

    def _read_details(self, task: Task) -> DetailsLoaded:
        return DetailsLoaded(task, read_task_details(self._root, task))

    @cached_property
    def trash(self) -> TrashMonitor:
        """Knows what is in the trash. It takes 20 ms to import, for which no row waits."""
        from hipercow_tui.ui.workers.trash_monitor import TrashMonitor

        return TrashMonitor(self._root)

    def _look_in_trash(self, _: None) -> TrashUpdated:
        from hipercow_tui.ui.workers.trash_monitor import TrashState

        seen = None
        for look in self.trash.look():
            if seen is not None:
                self._post(seen)
            seen = TrashUpdated(look)
        return seen or TrashUpdated(TrashState())
