"""Builds what the main screen shows from a snapshot, in a background thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from hipercow_tui.analysis.bundle_rows import (
    BundleRow,
    BundleRowBuilder,
    BundleSort,
    sort_rows,
)
from hipercow_tui.analysis.disk_usage import Sizes, ids_to_measure, sum_usage
from hipercow_tui.analysis.possibly_stuck import find_stuck
from hipercow_tui.analysis.task_sorting import TaskSort, Usages
from hipercow_tui.analysis.task_summary import Summaries
from hipercow_tui.analysis.task_view import Failures, TaskView, make_view
from hipercow_tui.domain.filter_counts import FilterCounts, count_passing
from hipercow_tui.domain.incremental import derive_incrementally
from hipercow_tui.domain.narrowing import Selection
from hipercow_tui.domain.plan import PlanTotals, plan_totals, planned_ids
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import changed_ids
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.ui.widgets.header import HeaderFacts

STUCK_EVERY = 10.0  # seconds between two searches for stuck tasks in the same snapshot
# The pause after a search, in multiples of its duration: with 100,000 tasks it takes up to 0.07 s.
STUCK_PAUSE_FACTOR = 20


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What to show: a snapshot and the choices of the user; ``now`` is in seconds since the epoch.

    ``sizes_version`` is the number of measured tasks, and changes with the sizes. ``log_times`` is
    when logs were last written to, by task id. ``number`` rises with each request.
    """

    snapshot: Snapshot
    now: float
    selection: Selection
    sort: TaskSort
    bundle_sort: BundleSort
    only_matched: bool
    query: str
    sizes_version: int = 0
    log_times: Mapping[str, float] = field(default_factory=dict)
    number: int = 0

    @property
    def user_choices(self) -> tuple[object, ...]:
        """What the user chose; the other fields change without user action."""
        return (
            self.selection.filters,
            self.selection.steps,
            self.sort,
            self.bundle_sort,
            self.only_matched,
            self.query,
        )


@dataclass(frozen=True, slots=True)
class ViewModel:
    """What the main screen shows; ``seconds`` is how long the build took."""

    request: ViewRequest
    view: TaskView
    bundles: tuple[BundleRow, ...]
    counts: FilterCounts
    facts: HeaderFacts
    stuck: Mapping[str, str]
    seconds: float


@dataclass(slots=True)
class ViewModelBuilder:
    """Builds one view model after another, and reuses what has not changed. Not thread-safe."""

    summaries: Summaries
    sizes: Sizes
    failures: Failures
    usages: Usages
    _last: ViewModel | None = field(default=None, init=False)
    _bundle_rows: BundleRowBuilder = field(default_factory=BundleRowBuilder, init=False)
    _stuck_request: ViewRequest | None = field(default=None, init=False)
    _next_stuck_search: float = field(default=0.0, init=False)  # on the monotonic clock
    _stuck_reasons: Mapping[str, str] = field(default_factory=dict, init=False)

    def build(self, request: ViewRequest) -> ViewModel:
        """Build the view model for a request."""
        began, last = time.monotonic(), self._last
        before = last.request.snapshot if last else Snapshot(request.snapshot.root)
        changed = changed_ids(before.tasks, request.snapshot.tasks)
        if before is not request.snapshot:
            derive_incrementally(before, request.snapshot, changed)
        now = request.snapshot
        _ = now.held, now.pin_of, now.chain_note_of, now.note_of  # not when rows are drawn
        view = make_view(
            request.snapshot,
            request.selection.matched_filters(request.snapshot),
            request.sort,
            narrowing=request.selection.row_filters(request.snapshot),
            only_matched=request.only_matched,
            query=request.query,
            summaries=self.summaries,
            failures=self.failures,
            sizes=self.sizes,
            usages=self.usages,
            now=request.now,
            before=last.view if last else None,
            changed=changed,
        )
        counts = count_passing(request.snapshot, request.selection.filters, request.now)
        same = last is not None and last.request.snapshot is request.snapshot
        facts = last.facts if last and same else HeaderFacts.from_snapshot(request.snapshot)
        bundles = self._bundles(request, changed)
        stuck_reasons, seconds = self._find_stuck(request), time.monotonic() - began
        self._last = ViewModel(request, view, bundles, counts, facts, stuck_reasons, seconds)
        return self._last

    def _bundles(self, request: ViewRequest, changed: Set[str]) -> tuple[BundleRow, ...]:
        """Return the rows of bundles; only rows whose tasks changed are computed again."""
        last = self._last
        if last is not None and last.request.sizes_version == request.sizes_version:
            before, now = last.request.snapshot.tasks, request.snapshot.tasks
            if before is now and last.request.bundle_sort == request.bundle_sort:
                return last.bundles
            changes = [(before.get(i), now.get(i)) for i in changed]
        else:
            changes = None
        return sort_rows(
            self._bundle_rows.build(request.snapshot, self.sizes, changes), request.bundle_sort
        )

    def _find_stuck(self, request: ViewRequest) -> Mapping[str, str]:
        """Return why tasks may be stuck, by task id.

        The last result is returned until the next search is due, also for a new snapshot. New times
        of logs cause a search at once.
        """
        known = self._stuck_request
        began = time.monotonic()
        if (
            known is None
            or (known.snapshot is not request.snapshot and began >= self._next_stuck_search)
            or known.log_times is not request.log_times
            or request.now - known.now > STUCK_EVERY
        ):
            self._stuck_request = request
            self._stuck_reasons = find_stuck(request.snapshot, request.now, request.log_times)
            ended = time.monotonic()
            self._next_stuck_search = ended + STUCK_PAUSE_FACTOR * (ended - began)
        return self._stuck_reasons


@dataclass(frozen=True, slots=True)
class PurgeForecast:
    """What a purge of a selection would take. ``size`` is None unless all of its tasks are measured
    and none blocks."""

    selection: Selection
    totals: PlanTotals = field(default_factory=PlanTotals)
    size: Size | None = None


def forecast_purge(request: ViewRequest, sizes: Sizes) -> PurgeForecast:
    """Return what a purge of the selection of a request would take; nothing without filters and
    marks."""
    snapshot, selection = request.snapshot, request.selection
    filters = selection.purge_filters(snapshot)
    if not filters.given:
        return PurgeForecast(selection)
    totals = plan_totals(snapshot, filters, now=request.now)
    number = totals.matched + totals.cascaded
    size = None
    if not totals.blocked and 0 < number <= len(sizes):
        tasks = [snapshot.tasks[task_id] for task_id in planned_ids(snapshot, filters)]
        if len(tasks) == number and not ids_to_measure(tasks, sizes):
            size = sum_usage(tasks, sizes).size
    return PurgeForecast(selection, totals, size)
