"""Makes what the screen of a plan shows, outside of the UI thread.

Planning, grouping and sorting 100,000 tasks takes longer than a frame.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hipercow_tui.analysis.plan_arrangement import Arrangement, ChainKey, Grouping
from hipercow_tui.analysis.plan_rows import (
    GroupFigures,
    Hits,
    Row,
    find_hits,
    group_figures,
    tree_rows,
)
from hipercow_tui.analysis.plan_tree import KnownFacts, PlanGroup, PlanTree, make_tree
from hipercow_tui.domain.plan import PlannedBundle, PurgePlan, make_plan
from hipercow_tui.domain.plan_chains import planned_chains
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import BundleId, Status
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.output import report

_LARGE_PLAN = 10_000  # tasks


@dataclass(frozen=True, eq=False)
class PlanRequest:
    """What the user chose on the screen of a plan.

    Attributes:
        skip_blocked: Whether blocked chains are left out.
        ignore_bundles: Whether unreadable bundles are ignored.
        arrangement: The groups and the order.
        kept: The keys of the chains that the user keeps.
        folded: The keys of the groups and chains of which only the first line is shown.
        query: The search text, or empty.
        measured: The plan of which all tasks are measured, or None.
        readings: Changes when more was read, for orders and hits that depend on it.
    """

    skip_blocked: bool = False
    ignore_bundles: bool = False
    arrangement: Arrangement = field(default_factory=Arrangement)
    kept: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    query: str = ""
    measured: PurgePlan | None = None
    readings: int = 0

    def same_plan(self, other: PlanRequest) -> bool:
        """Return whether both are about the same plan, without the chains that are kept."""
        return (self.skip_blocked, self.ignore_bundles, self.kept) == (
            other.skip_blocked,
            other.ignore_bundles,
            other.kept,
        )


@dataclass(frozen=True, eq=False)
class PlanView:
    """The answer to a request.

    Attributes:
        request: The request.
        tree: The groups of the plan with all chains, those that the user keeps included. The same
            object as before if no line changed its place.
        rows: The lines of the tree.
        plan: The plan without the chains that the user keeps.
        total: The size that it frees; None if it is not measured.
        headline: What goes, as text: tasks, bundles, size.
        kept: The chains that the user keeps, as text; empty if there are none.
        effects: Blocked chains and side effects, as text.
        figures: The numbers of each group.
        hits: What the search found.
        bundles: The bundles of ``plan``.
    """

    request: PlanRequest
    tree: PlanTree
    rows: Sequence[Row]
    plan: PurgePlan
    total: Size | None
    headline: str
    kept: str
    effects: str
    figures: Mapping[PlanGroup, GroupFigures]
    hits: Hits
    bundles: Mapping[BundleId, PlannedBundle]


class PlanViewBuilder:
    """Answers requests about one plan; unchanged parts of the last answer are reused.

    ``whole`` is the plan as it was made from the snapshot and the filters. ``clock`` gives the time
    in seconds since the epoch.
    """

    def __init__(
        self, whole: PurgePlan, snapshot: Snapshot, known: KnownFacts, clock: Callable[[], float]
    ) -> None:
        self._first = whole
        self._snapshot = snapshot
        self._known = known
        self._clock = clock
        self._last: PlanView | None = None
        self._frozen: PurgePlan | None = None  # the plan that the garbage collector leaves out

    def build(self, request: PlanRequest) -> PlanView:
        """Return what the screen shows for a request.

        A view of a large plan has a million objects without cycles. The garbage collector, which
        would visit them and block the UI for 0.15 s at a time, leaves them out. Only the first view
        of each plan does this, because it also keeps all garbage of that moment for ever.
        """
        if len(self._first.tasks) < _LARGE_PLAN or not gc.isenabled():
            return self._build(request)
        gc.disable()
        try:
            return self._build(request)
        finally:
            if self._last is not None and self._last.tree.plan is not self._frozen:
                self._frozen = self._last.tree.plan
                gc.freeze()
            gc.enable()

    def _build(self, request: PlanRequest) -> PlanView:
        tree = self._tree(request)
        plan = self._plan(request, tree.plan)
        measured = request.measured is tree.plan
        total = report.total_size(plan, self._known.sizes) if measured else None
        _ = tree.chains_of_bundle, plan.langs  # computed here, and not when a key needs them
        self._last = PlanView(
            request=request,
            tree=tree,
            rows=self._rows(request, tree),
            plan=plan,
            total=total,
            headline=report.headline(plan, total, self._known.size_kind),
            kept=report.kept_by_you(plan),
            effects=report.side_effects(plan),
            figures=self._figures(request, tree, measured=measured),
            hits=find_hits(tree, request.query, self._known) if request.query else Hits(),
            bundles={(one.bundle.lang, one.bundle.name): one for one in plan.bundles},
        )
        return self._last

    def _whole(self, request: PlanRequest) -> PurgePlan:
        """Return the plan with all chains that the user may keep."""
        wanted = (request.skip_blocked, request.ignore_bundles)
        last, first = self._last, self._first
        if last is not None and wanted == (last.request.skip_blocked, last.request.ignore_bundles):
            return last.tree.plan
        if wanted == (first.skip_blocked, bool(first.ignored_bundles)):
            return first
        return self._make_plan(request, frozenset())

    def _tree(self, request: PlanRequest) -> PlanTree:
        whole, last, arrangement = self._whole(request), self._last, request.arrangement
        same_plan = last is not None and last.tree.plan is whole
        if last is not None and same_plan:
            same = last.request.arrangement == arrangement
            if same and not self._is_outdated(request, last.request):
                return last.tree
        chains = last.tree.chains if last is not None and same_plan else planned_chains(whole)
        return make_tree(whole, chains, arrangement, self._known)

    def _rows(self, request: PlanRequest, tree: PlanTree) -> Sequence[Row]:
        last = self._last
        if last is not None and last.tree is tree and last.request.folded == request.folded:
            return last.rows
        return tree_rows(tree.groups, request.folded)

    def _figures(
        self, request: PlanRequest, tree: PlanTree, *, measured: bool
    ) -> Mapping[PlanGroup, GroupFigures]:
        last = self._last
        same = last is not None and last.tree is tree and last.request.kept == request.kept
        if last is not None and same and (last.total is not None) == measured:
            return last.figures
        filter_ = tree.plan.filters.with_status
        statuses = filter_.statuses if filter_ else tuple(Status)
        sizes = self._known.sizes if measured else None
        return {group: group_figures(group, request.kept, statuses, sizes) for group in tree.groups}

    @staticmethod
    def _is_outdated(request: PlanRequest, last: PlanRequest) -> bool:
        """Return whether the groups or the order depend on later readings."""
        arrangement = request.arrangement
        if arrangement.key is ChainKey.SIZE and request.measured is not last.measured:
            return True
        depends = arrangement.key is ChainKey.WHAT or arrangement.grouping is Grouping.ERROR
        return depends and request.readings != last.readings

    def _plan(self, request: PlanRequest, whole: PurgePlan) -> PurgePlan:
        """Return the plan without the chains that the user keeps."""
        if not request.kept:
            return whole
        last = self._last
        if last is not None and last.tree.plan is whole and last.request.kept == request.kept:
            return last.plan
        return self._make_plan(request, request.kept)

    def _make_plan(self, request: PlanRequest, kept: frozenset[str]) -> PurgePlan:
        return make_plan(
            self._snapshot,
            self._first.filters,
            now=self._clock(),
            skip_blocked=request.skip_blocked,
            ignore_unreadable_bundles=request.ignore_bundles,
            kept_ids=kept,
        )
