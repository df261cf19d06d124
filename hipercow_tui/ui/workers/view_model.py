"""All that the browser shows of a root at once, made in a thread of its own from a snapshot."""

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
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.possibly_stuck import find_stuck
from hipercow_tui.analysis.task_sorting import TaskSort
from hipercow_tui.analysis.task_summary import Summaries
from hipercow_tui.analysis.task_view import Failures, TaskView, make_view
from hipercow_tui.domain.filter_counts import FilterCounts, count_passing
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.incremental import derive_incrementally
from hipercow_tui.domain.plan import PlanTotals, plan_totals
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import changed_ids
from hipercow_tui.ui.widgets.header import HeaderFacts

STUCK_EVERY = 10.0  # seconds
STUCK_SHARE = 20  # of the time, at most one part: 100,000 tasks cost up to 0.07 s


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What the person at the screen wants to see; ``now`` is in seconds since the epoch."""

    snapshot: Snapshot
    now: float
    stack: FilterStack
    sort: TaskSort
    bundle_sort: BundleSort
    only_matched: bool
    query: str
    sizes_version: int = 0  # how much was: a board that knew less is another
    log_times: Mapping[str, float] = field(default_factory=dict)  # when logs were, by task

    @property
    def user_choices(self) -> tuple[object, ...]:
        """What somebody asked for: the rest changes by itself."""
        return self.stack, self.sort, self.bundle_sort, self.only_matched, self.query


@dataclass(frozen=True, slots=True)
class ViewModel:
    """What there is to show for a wish."""

    request: ViewRequest
    view: TaskView
    bundles: tuple[BundleRow, ...]
    counts: FilterCounts
    facts: HeaderFacts
    stuck: Mapping[str, str]
    seconds: float  # seconds to make it


@dataclass(slots=True)
class ViewModelBuilder:
    """Makes one board after another and uses again what has not changed; for one thread."""

    summaries: Summaries
    sizes: Sizes
    failures: Failures
    _last: ViewModel | None = field(default=None, init=False)
    _lines: BundleRowBuilder = field(default_factory=BundleRowBuilder, init=False)
    _stuck_of: ViewRequest | None = field(default=None, init=False)
    _stuck_due: float = field(default=0.0, init=False)  # on the monotonic clock
    _known_stuck: Mapping[str, str] = field(default_factory=dict, init=False)

    def build(self, request: ViewRequest) -> ViewModel:
        """Build the view model for a request."""
        began, last = time.monotonic(), self._last
        before = last.request.snapshot if last else Snapshot(request.snapshot.root)
        moved = changed_ids(before.tasks, request.snapshot.tasks)
        if before is not request.snapshot:
            derive_incrementally(before, request.snapshot, moved)
        view = make_view(
            request.snapshot,
            request.stack,
            request.sort,
            only_matched=request.only_matched,
            query=request.query,
            summaries=self.summaries,
            failures=self.failures,
            sizes=self.sizes,
            now=request.now,
            before=last.view if last else None,
            changed=moved,
        )
        counts = count_passing(request.snapshot, request.stack, request.now)
        same = last is not None and last.request.snapshot is request.snapshot
        facts = last.facts if last and same else HeaderFacts.from_snapshot(request.snapshot)
        bundles = self._bundles(request, moved)
        known_stuck, took = self._stuck(request), time.monotonic() - began
        self._last = ViewModel(request, view, bundles, counts, facts, known_stuck, took)
        return self._last

    def _bundles(self, request: ViewRequest, moved: Set[str]) -> tuple[BundleRow, ...]:
        """The lines of the bundles, of which those are made anew whose tasks changed."""
        last = self._last
        if last is not None and last.request.sizes_version == request.sizes_version:
            before, now = last.request.snapshot.tasks, request.snapshot.tasks
            if before is now and last.request.bundle_sort == request.bundle_sort:
                return last.bundles
            moves = [(before.get(i), now.get(i)) for i in moved]
        else:
            moves = None
        return sort_rows(
            self._lines.build(request.snapshot, self.sizes, moves), request.bundle_sort
        )

    def _stuck(self, request: ViewRequest) -> Mapping[str, str]:
        """A filter or a search changes nothing of it, and need not wait for it."""
        known = self._stuck_of
        began = time.monotonic()
        if (
            known is None
            or (known.snapshot is not request.snapshot and began >= self._stuck_due)
            or known.log_times is not request.log_times
            or request.now - known.now > STUCK_EVERY
        ):
            self._stuck_of = request
            self._known_stuck = find_stuck(request.snapshot, request.now, request.log_times)
            ended = time.monotonic()
            self._stuck_due = ended + STUCK_SHARE * (ended - began)
        return self._known_stuck


def totals_of(request: ViewRequest) -> PlanTotals:
    """How much a purge would take with these filters; nothing without filters."""
    return (
        plan_totals(request.snapshot, request.stack, now=request.now)
        if request.stack.given
        else PlanTotals()
    )
