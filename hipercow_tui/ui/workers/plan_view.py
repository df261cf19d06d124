"""Makes what the screen of a plan shows, outside of the UI thread.

Planning, grouping and sorting 100,000 tasks takes longer than a frame.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hipercow_tui.analysis.goal import Goal, plan_for_goal
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
from hipercow_tui.domain.notes import Note
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
        goal: How much the plan frees at least and no more than needed, or None. It leaves out
            blocked chains.
        folded: The keys of the groups and chains of which only the first line is shown.
        query: The search text, or empty.
        measured: The plan of which all tasks are measured, or None.
        readings: Changes when more was read, for orders and hits that depend on it.
        snapshot: What to plan from, after pins were changed; None for the first snapshot.
    """

    skip_blocked: bool = False
    ignore_bundles: bool = False
    arrangement: Arrangement = field(default_factory=Arrangement)
    kept: frozenset[str] = frozenset()
    goal: Goal | None = None
    folded: frozenset[str] = frozenset()
    query: str = ""
    measured: PurgePlan | None = None
    readings: int = 0
    snapshot: Snapshot | None = None

    def same_whole(self, other: PlanRequest) -> bool:
        """Return whether both are about the same plan with all chains that the user may keep."""
        return self.snapshot is other.snapshot and (
            (self.leaves_out_blocked, self.ignore_bundles)
            == (other.leaves_out_blocked, other.ignore_bundles)
        )

    @property
    def leaves_out_blocked(self) -> bool:
        """Whether blocked chains are left out, by the user or by the goal."""
        return self.skip_blocked or self.goal is not None

    def same_plan(self, other: PlanRequest) -> bool:
        """Return whether both are about the same plan, without the chains that are kept."""
        return self.same_whole(other) and (self.kept, self.goal) == (other.kept, other.goal)


@dataclass(frozen=True, eq=False)
class PlanView:
    """The answer to a request.

    Attributes:
        request: The request.
        everything: The plan of all chains, also those that the user keeps, or that the goal does
            not need. It is the one to measure.
        tree: The groups of the plan with all chains that are shown, those that the user keeps
            included. The same object as before if no line changed its place.
        rows: The lines of the tree.
        plan: The plan without the chains that the user keeps.
        total: The size that it frees; None if it is not measured.
        headline: What goes, as text: tasks, bundles, size.
        stays: The chains that the user keeps and what pins hold back, as text, or empty.
        effects: Blocked chains and side effects, as text.
        figures: The numbers of each group.
        hits: What the search found.
        notes: The notes of users, by the id of each task that they are about.
        bundles: The bundles of ``plan``.
        waiting: Whether ``plan`` is without the goal, because it is not measured yet.
    """

    request: PlanRequest
    everything: PurgePlan
    tree: PlanTree
    rows: Sequence[Row]
    plan: PurgePlan
    total: Size | None
    headline: str
    stays: str
    effects: str
    figures: Mapping[PlanGroup, GroupFigures]
    hits: Hits
    notes: Mapping[str, tuple[Note, ...]]
    bundles: Mapping[BundleId, PlannedBundle]
    waiting: bool


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
        everything = self._everything(request)
        measured = request.measured is everything
        waiting = request.goal is not None and not measured
        if request.goal is None or waiting:
            whole, plan = everything, self._without_kept(request, everything)
        else:
            whole, plan = self._for_goal(request, request.goal, everything)
        tree = self._tree(request, whole)
        total = report.total_size(plan, self._known.sizes) if measured else None
        _ = tree.chains_of_bundle, plan.langs  # computed here, and not when a key needs them
        self._last = PlanView(
            request=request,
            everything=everything,
            tree=tree,
            rows=self._rows(request, tree),
            plan=plan,
            total=total,
            headline=report.headline(plan, total, self._known.size_kind),
            stays=report.what_stays(plan),
            effects=report.side_effects(plan),
            figures=self._figures(request, tree, measured=measured),
            hits=self._hits(request, tree),
            notes=self._snapshot_for(request).notes_of,
            bundles={(one.bundle.lang, one.bundle.name): one for one in plan.bundles},
            waiting=waiting,
        )
        return self._last

    def _everything(self, request: PlanRequest) -> PurgePlan:
        """Return the plan with all chains that the user may keep, without a goal."""
        last, first = self._last, self._first
        if last is not None and request.same_whole(last.request):
            return last.everything
        wanted = (request.leaves_out_blocked, request.ignore_bundles)
        if request.snapshot is None and wanted == (first.skip_blocked, bool(first.ignored_bundles)):
            return first
        return self._make_plan(request)

    def _for_goal(
        self, request: PlanRequest, goal: Goal, everything: PurgePlan
    ) -> tuple[PurgePlan, PurgePlan]:
        """Return the plan of the chains that the goal takes and of the kept ones, and that without
        the kept ones."""
        last = self._last
        same = last is not None and last.everything is everything and not last.waiting
        if last is not None and same and last.request.same_plan(request):
            return last.tree.plan, last.plan
        plan, choice = plan_for_goal(
            self._without_kept(request, everything),
            self._snapshot_for(request),
            self._known.sizes,
            goal,
            ignore_unreadable_bundles=request.ignore_bundles,
        )
        if not request.kept:
            return plan, plan
        shown = (choice.ids if choice.met else frozenset()) | request.kept
        whole = self._make_plan(request, only_ids=shown)
        return replace(whole, blocked=everything.blocked, goal=plan.goal), plan

    def _snapshot_for(self, request: PlanRequest) -> Snapshot:
        return self._snapshot if request.snapshot is None else request.snapshot

    def _hits(self, request: PlanRequest, tree: PlanTree) -> Hits:
        if not request.query:
            return Hits()
        return find_hits(tree, request.query, self._known, self._snapshot_for(request))

    def _tree(self, request: PlanRequest, whole: PurgePlan) -> PlanTree:
        last, arrangement = self._last, request.arrangement
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
        statuses = tuple(filter_.statuses if filter_ else Status)  # faster than a set of enums
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

    def _without_kept(self, request: PlanRequest, everything: PurgePlan) -> PurgePlan:
        """Return the plan without the chains that the user keeps, without a goal."""
        if not request.kept:
            return everything
        last = self._last
        if last is not None and last.tree.plan is everything and last.request.kept == request.kept:
            return last.plan
        return self._make_plan(request, kept_ids=request.kept)

    def _make_plan(
        self,
        request: PlanRequest,
        *,
        kept_ids: frozenset[str] = frozenset(),
        only_ids: frozenset[str] | None = None,
    ) -> PurgePlan:
        return make_plan(
            self._snapshot_for(request),
            self._first.filters,
            now=self._clock(),
            skip_blocked=request.leaves_out_blocked,
            ignore_unreadable_bundles=request.ignore_bundles,
            kept_ids=kept_ids,
            only_ids=only_ids,
        )
