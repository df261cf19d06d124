"""The background workers of the main screen, and the messages they send to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from textual.message import Message

from hipercow_tui.analysis.error_groups import ErrorGrouping, ErrorSort
from hipercow_tui.analysis.failure_cache import FailureCache
from hipercow_tui.analysis.failure_reason import read_details_with_reason
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.combined_scanner import CombinedScanner
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.usage_reader import UsageCache
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.ui.messages import (
    BundleUsageReady,
    DetailsLoaded,
    ErrorsReady,
    FreeSpaceRead,
    LogActivityChanged,
    PlanReady,
    ScanUpdated,
    SizesMeasured,
    SpaceReady,
    SummariesLoaded,
    TotalsReady,
    TrashUpdated,
    UsagesLoaded,
    ViewModelReady,
    WorkerFailed,
)
from hipercow_tui.ui.workers.base import LatestOnlyWorker
from hipercow_tui.ui.workers.failure_worker import FailureRequest, FailureWorker
from hipercow_tui.ui.workers.free_space import FreeSpaceWorker
from hipercow_tui.ui.workers.log_activity import LogActivityWorker
from hipercow_tui.ui.workers.poller import Poller
from hipercow_tui.ui.workers.size_worker import SizeWorker
from hipercow_tui.ui.workers.space_view import SpaceRequest, SpaceViewBuilder
from hipercow_tui.ui.workers.summary_loader import SummaryLoader
from hipercow_tui.ui.workers.usage_loader import UsageLoader
from hipercow_tui.ui.workers.view_model import (
    PurgeForecast,
    ViewModelBuilder,
    ViewRequest,
    forecast_purge,
)

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.trash_monitor import TrashMonitor, TrashState

TOTALS_DEBOUNCE = 0.1  # seconds; the view model of the same filters comes first
DETAILS_DEBOUNCE = 0.05  # seconds; while a key is held down, no details are read
# Seconds that the UI thread waits for a view model, to show it in the next frame: 100,000 tasks
# take 10 ms, and a frame without the result would take as long.
SAME_FRAME = 0.015


class BackgroundServices:
    """Starts, offers and stops the workers of the main screen.

    ``post`` takes their messages, from any thread. ``summaries`` is filled with the calls of tasks.
    ``indexed`` says whether tasks are stored for the next start. ``rules`` is the file of rules for
    errors.
    """

    def __init__(
        self,
        root: Root,
        summaries: dict[str, TaskSummary],
        *,
        indexed: bool,
        rules: RuleFile | None,
        clock: Callable[[], float],
        post: Callable[[Message], object],
    ) -> None:
        index = ScanCache.of(root) if indexed else None
        self._scanner = CombinedScanner(root, index=index)
        self._root = root
        self._clock = clock
        self._post = post

        def failed(error: Exception) -> None:
            post(WorkerFailed(error))

        self.poller = Poller(self._scanner, lambda: post(ScanUpdated()), failed)
        self.summary_loader = SummaryLoader(root, summaries, failed)
        self.summaries = self.summary_loader.subscribe(lambda: post(SummariesLoaded()))
        usage_cache = UsageCache.of(root) if indexed else None
        self.sizes = SizeWorker(
            root, usage_cache, lambda: post(SizesMeasured()), failed, clock=clock
        )
        space = SpaceViewBuilder(root, self.sizes, summaries)
        self._space_views = LatestOnlyWorker(
            space.build, lambda view: post(SpaceReady(view)), failed
        )
        self.logs = LogActivityWorker(root, lambda: post(LogActivityChanged()), failed)
        cache = FailureCache.of(root) if indexed else None
        self.errors = FailureWorker(
            root, cache, lambda found: post(ErrorsReady(found)), failed, rules=rules
        )
        self.usages = UsageLoader(
            root,
            lambda: post(UsagesLoaded()),
            lambda usage: post(BundleUsageReady(usage)),
            failed,
        )
        builder = ViewModelBuilder(
            summaries, self.sizes.sizes, self.errors.failures, self.usages.usages
        )
        self.free_space = FreeSpaceWorker(
            root.path, lambda space: post(FreeSpaceRead(space)), failed
        )
        self._view_models = LatestOnlyWorker(
            builder.build, lambda view_model: post(ViewModelReady(view_model)), failed
        )
        self._totals: LatestOnlyWorker[ViewRequest, PurgeForecast] = LatestOnlyWorker(
            lambda request: forecast_purge(request, self.sizes.sizes),
            lambda forecast: post(TotalsReady(forecast)),
            failed,
            debounce=TOTALS_DEBOUNCE,
        )
        self._details = LatestOnlyWorker(
            self._read_details, post, failed, debounce=DETAILS_DEBOUNCE
        )
        self._trash: LatestOnlyWorker[None, Iterator[TrashState]] = LatestOnlyWorker(
            lambda _: self.trash.read(), self._post_trash, failed
        )

    def stop(self) -> None:
        """Stop all workers. Does not wait for their current work."""
        for worker in (
            self.poller,
            self.summary_loader,
            self.sizes,
            self.logs,
            self.errors,
            self.usages,
            self.free_space,
            self._view_models,
            self._space_views,
            self._totals,
            self._details,
            self._trash,
        ):
            worker.stop()

    def group_errors(self, snapshot: Snapshot, sort: ErrorSort, by: ErrorGrouping) -> None:
        """Group failures; post ErrorsReady, several times while they are read."""
        self.errors.update(FailureRequest(snapshot, sort, by))

    def build_view_model(self, request: ViewRequest, *, urgent: bool) -> None:
        """Build a view model, and post ViewModelReady; if ``urgent``, usually in time for the next
        frame."""
        self._view_models.submit(request, timeout=SAME_FRAME if urgent else 0.0)

    def build_space_view(self, request: SpaceRequest) -> None:
        """Build the list of space, and post SpaceReady."""
        self._space_views.submit(request)

    def compute_totals(self, request: ViewRequest) -> None:
        """Compute the totals of a purge, and post TotalsReady."""
        self._totals.submit(request)

    def load_details(self, task: Task) -> None:
        """Read the details of a task, and post DetailsLoaded."""
        self._details.submit(task)

    def refresh_trash(self) -> None:
        """Read the trash; post TrashUpdated, and again when sizes have been measured."""
        self._trash.submit(None)

    def make_plan(self, stack: FilterStack) -> None:
        """Make a plan once all its tasks have been read since the start; post PlanReady."""

        def planned(snapshot: Snapshot) -> None:
            plan = make_plan(snapshot, stack, now=self._clock())
            if self._scanner.invalidate_cached(plan.ids):
                self.poller.refresh_now(planned)
            else:
                self._post(PlanReady(plan, snapshot))

        self.poller.refresh_now(planned)

    def _read_details(self, task: Task) -> DetailsLoaded:
        return DetailsLoaded(task, read_details_with_reason(self._root, task))

    @cached_property
    def trash(self) -> TrashMonitor:
        """Reads the trash. The import takes 20 ms, and the first rows do not wait for it."""
        from hipercow_tui.ui.workers.trash_monitor import TrashMonitor

        return TrashMonitor(self._root)

    def _post_trash(self, states: Iterable[TrashState]) -> None:
        for state in states:  # sizes are measured before the last of them
            self._post(TrashUpdated(state))
