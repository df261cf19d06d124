"""The plan of a purge: the tasks and bundles that go, the reasons, and the tasks that block it.

The screen is a dry run: it writes nothing to disk, except a plan that is saved to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from hipercow_tui.analysis.disk_usage import MeasuredSize
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.plan_arrangement import Arrangement
from hipercow_tui.analysis.plan_tree import KnownFacts
from hipercow_tui.domain.plan import PurgePlan, gone_keys
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.root import Root
from hipercow_tui.output.reconciling import can_ask_about
from hipercow_tui.ui.dialogs.goal import GoalAnswer, GoalScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.screen_keys import PLAN_KEYS
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.screens.plan_head import HeadFacts, PlanHead
from hipercow_tui.ui.screens.plan_inspecting import PlanInspecting
from hipercow_tui.ui.screens.plan_pinning import PlanPinning
from hipercow_tui.ui.screens.plan_purging import PlanPurging
from hipercow_tui.ui.screens.plan_readings import PlanReadings
from hipercow_tui.ui.screens.plan_reconciling import PlanReconciling
from hipercow_tui.ui.screens.plan_search import PlanSearch
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.plan_columns import header_key
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.workers.base import LatestOnlyWorker
from hipercow_tui.ui.workers.plan_sizes import PlanSizes
from hipercow_tui.ui.workers.plan_view import PlanRequest, PlanView, PlanViewBuilder
from hipercow_tui.ui.workers.purge_job import JobSpec
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

_READ_INTERVAL = 0.5  # seconds between two views while tasks are read
# Seconds that the UI thread waits for a view, to show it in the next frame. The view of a plan of
# more than this many tasks takes longer, so the next frame is shown without it.
_SAME_FRAME = 0.015
_SMALL_PLAN = 2000
_NOTHING = "Nothing to purge\n\nNo task passes all filters. <plan.back=esc>: back"
_GOAL_TAKES_NOTHING = (
    "Nothing to purge\n\n<plan.goal=f>: change or remove the goal · <plan.back=esc>: back"
)
_ON_LINES = frozenset(
    (
        *("keep", "pin", "group", "sort", "sort_by", "fold"),
        *("details", "log", "inputs", "search", "hit", "go"),
    )
)


class PlanScreen(Page[JobSpec | None]):
    """Show a plan; dismiss with the confirmed job, or None.

    ``failures`` are the errors that were read so far, by task id. ``arrangement`` is the grouping
    and the order to begin with. ``clock`` gives the time in seconds since the epoch. ``reread``
    reads the root, and passes the snapshot from a thread.
    """

    DEFAULT_CSS = """
    PlanScreen #columns { height: 1; color: $foreground 60%; text-wrap: nowrap; }
    PlanScreen #columns:ansi { color: ansi_default; }
    PlanScreen #list { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*PLAN_KEYS]

    @dataclass
    class ViewReady(Message):
        """There is a new view to show."""

        view: PlanView

    def __init__(
        self,
        plan: PurgePlan,
        snapshot: Snapshot,
        root: Root,
        summary_loader: SummaryLoader,
        failures: Mapping[str, Failure],
        *,
        arrangement: Arrangement,
        read_only: bool,
        clock: Callable[[], float],
        reread: Callable[[Callable[[Snapshot], None]], object],
        size_kind: SizeKind = SizeKind.APPARENT,
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.root = root
        self._first_plan = plan
        self._clock = clock
        self._summary_loader = summary_loader
        self._sizes = PlanSizes(
            root,
            lambda plan, part: self.call_later(self._show_measured, plan, part),
            lambda error: self.app.post_message(WorkerFailed(error)),
        )
        self._known = KnownFacts(summary_loader.summaries, failures, self._sizes.sizes, size_kind)
        self._request = PlanRequest(plan.skip_blocked, bool(plan.ignored_bundles), arrangement)
        self._view: PlanView | None = None
        self._measured_part: float | None = 0.0  # from 0 to 1; None if all tasks are measured
        self._after_view: Callable[[PurgePlan], None] | None = None
        self._goal_answer = GoalAnswer()
        self.search = PlanSearch(self)
        self.pinning = PlanPinning(self, root, self._use_snapshot, read_only=read_only, clock=clock)
        self.reconciling = PlanReconciling(
            self, root, self._use_snapshot, reread, read_only=read_only
        )
        self.purging = PlanPurging(
            self, root, lambda: self._current_view, self._known, read_only=read_only
        )
        self.inspecting = PlanInspecting(self, snapshot, root, self._known, summary_loader, clock)

    def compose(self) -> ComposeResult:
        """Yield the head, the plan, the line under the cursor in full, and the keys."""
        yield PlanHead(id="head", markup=False)
        yield Static(id="columns", markup=False)
        yield PlanList(self._known, id="list")
        yield Static(_NOTHING, id="nothing")
        yield SearchBar()
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the plan, and start to measure its tasks."""
        self._readings = PlanReadings(
            self._summary_loader, self._known, lambda: self.call_later(self._calls_loaded)
        )
        builder = PlanViewBuilder(self._first_plan, self.snapshot, self._known, self._clock)
        self._builder: LatestOnlyWorker[PlanRequest, PlanView] = LatestOnlyWorker(
            builder.build,
            lambda view: self.post_message(self.ViewReady(view)),
            lambda error: self.app.post_message(WorkerFailed(error)),
        )
        self.query_one("#nothing").display = False
        self.lines.focus()
        self.set_interval(_READ_INTERVAL, self._use_readings)
        self._ask_for_view()

    def on_unmount(self) -> None:
        """Cancel the requests."""
        self._readings.close()
        self._builder.stop()
        self._sizes.stop()

    @property
    def lines(self) -> PlanList:
        """The list of the plan."""
        return self.query_one(PlanList)

    @property
    def plan(self) -> PurgePlan:
        """The plan that is shown, without the chains that the user keeps."""
        return self._first_plan if self._view is None else self._view.plan

    @property
    def measured_sizes(self) -> Mapping[str, MeasuredSize]:
        """The sizes of the tasks that were measured here."""
        tasks = self.snapshot.tasks
        measured = self._sizes.sizes.items()
        return {i: MeasuredSize(size, tasks[i].files_mask) for i, size in measured if i in tasks}

    @property
    def _whole(self) -> PurgePlan:
        """The plan that is shown, with the chains that the user keeps."""
        return self._first_plan if self._view is None else self._view.tree.plan

    @property
    def arrangement(self) -> Arrangement:
        """The grouping and the order that the user chose."""
        return self._request.arrangement

    @property
    def current(self) -> bool:
        """Whether the plan that is shown is the one that the user chose."""
        return self._current_view is not None

    @property
    def _current_view(self) -> PlanView | None:
        """The view that is shown, or None if it is not of the plan that the user chose."""
        view = self._view
        if view is None or view.waiting or not view.request.same_plan(self._request):
            return None
        return view

    @property
    def settled(self) -> bool:
        """Whether all that is shown is what the user chose."""
        return self._view is not None and self._view.request is self._request

    @property
    def measured(self) -> bool:
        """Whether the size of the plan is shown."""
        view = self._current_view
        return view is not None and view.total is not None

    @property
    def refusal(self) -> str | None:
        """The reason why this plan can't be purged, with a remedy; None if it can."""
        return self.purging.refusal(self.plan)

    # The view

    def _ask_for_view(self, **changes: Any) -> None:
        """Request a view of what the user chose. Numbers of another plan are hidden at once."""
        before, self._request = self._request, replace(self._request, **changes)
        if not before.same_plan(self._request):
            self._after_view = None
        if not self.current:
            self.lines.hide_numbers()
            self._show_head()
        small = len(self.plan.tasks) <= _SMALL_PLAN
        self._builder.submit(self._request, timeout=_SAME_FRAME if small else 0.0)

    @on(ViewReady)
    def _view_ready(self, message: ViewReady) -> None:
        message.stop()
        if message.view.request is not self._request:
            return  # the view of the latest request follows
        self._view = view = message.view
        self._show_nothing(view.tree.plan)
        self.lines.show(view)
        if not self.current:
            self.lines.hide_numbers()
        self.search.show(view)
        self._show_columns()
        self._show_in_full()
        self._show_head()
        self.refresh_bindings()
        self._readings.want_for(self._request, view.tree.plan)
        if view.everything is not self._sizes.plan:
            self._measured_part = 0.0
            self._sizes.measure(view.everything)
        if self.current and (action := self._after_view) is not None:
            self._after_view = None
            action(self.plan)

    def _show_nothing(self, whole: PurgePlan) -> None:
        """Show the list, or say why it is empty."""
        empty = whole.empty and not whole.blocked and not whole.pinned
        for part in ("#list", "#in-full", "#columns"):
            self.query_one(part).display = not empty
        nothing = self.query_one("#nothing", Static)
        nothing.display = empty
        nothing.update(with_keys(_GOAL_TAKES_NOTHING if whole.goal else _NOTHING))

    def _when_current(self, action: Callable[[PurgePlan], None]) -> None:
        """Do something with the plan as soon as it is the one that the user chose."""
        if self.current:
            action(self.plan)
        else:
            self._after_view = action

    def _show_head(self) -> None:
        self.query_one(PlanHead).show(
            HeadFacts(
                str(self.plan.filters),
                self._current_view,
                self._measured_part,
                self.refusal,
                can_ignore=self._has_unread_bundles and not self._request.ignore_bundles,
                goal=self._request.goal,
            )
        )

    def _show_columns(self) -> None:
        self.query_one("#columns", Static).update(self.lines.header())

    def _show_in_full(self) -> None:
        self.query_one("#in-full", Static).update(self.lines.in_full())

    # Reading and measuring

    def _show_measured(self, plan: PurgePlan, part: float | None) -> None:
        if plan is not self._sizes.plan:
            return
        self._measured_part = part
        if part is None:
            self._ask_for_view(measured=plan)
        else:
            self.lines.redraw()
            self._show_head()

    @on(VirtualList.ViewChanged)
    def _other_lines(self, message: VirtualList.ViewChanged) -> None:
        """Read the calls of the tasks that have become visible."""
        message.stop()
        self._show_in_full()
        self._widen_columns()
        self._readings.want_lines([task.id for task in self.lines.visible_tasks()])

    def _calls_loaded(self) -> None:
        self._readings.calls_loaded()
        self._widen_columns()
        self.lines.redraw()
        self._show_in_full()

    def _widen_columns(self) -> None:
        if self.lines.widen_columns():
            self.lines.redraw()
        self._show_columns()

    def _use_readings(self) -> None:
        """Sort, group and search again if more was read that this depends on."""
        if self.settled and self._readings.take_news(self._request):
            self._ask_for_view(readings=self._request.readings + 1)

    # What the user keeps and leaves out

    def action_keep(self) -> None:
        """Keep the chains and the bundles of the line, or take them back if all are kept."""
        keys = {chain.key for chain in self.lines.chains_at_cursor()}
        bundles = (planned.bundle for planned in self.lines.bundles_at_cursor())
        keys.update(gone_keys(self.snapshot, self.plan.filters, bundles))
        if self._request.leaves_out_blocked:  # then blocked chains stay anyway
            keys.difference_update((*one.chain, one.task.id)[0] for one in self._whole.blocked)
        if not keys:
            self.notify("No chain of the plan is here, so there is nothing to keep")
            return
        kept = (
            self._request.kept - keys if keys <= self._request.kept else self._request.kept | keys
        )
        self.lines.keep(kept)
        self.lines.go_past_chain()
        self._ask_for_view(kept=kept)

    def action_pin(self) -> None:
        """Pin the chain or the bundle of the line, or remove its pin."""
        self.pinning.toggle(self.lines.row, self.snapshot)

    def _use_snapshot(self, snapshot: Snapshot) -> None:
        """Plan from a snapshot with other pins."""
        self.snapshot = self.inspecting.snapshot = snapshot
        self._ask_for_view(snapshot=snapshot)

    @property
    def _has_unread_bundles(self) -> bool:
        return any(part.unread.bundles for part in self.snapshot.language_parts)

    def action_leave_out(self) -> None:
        """Leave out blocked chains, or include them again."""
        self._ask_for_view(skip_blocked=not self._request.skip_blocked)

    def action_ignore(self) -> None:
        """Ignore unreadable bundles, or let them block again."""
        self._ask_for_view(ignore_bundles=not self._request.ignore_bundles)

    def action_reconcile(self) -> None:
        """Let R ask the cluster about the blocked tasks."""
        self.reconciling.ask(self._whole)

    def action_goal(self) -> None:
        """Ask how much to free at least."""

        def answered(answer: GoalAnswer | None) -> None:
            if answer is not None:
                self._goal_answer = answer
                self._ask_for_view(goal=answer.goal)

        self.app.push_screen(
            GoalScreen(self.root.path, self._known.size_kind, self._goal_answer), answered
        )

    # Groups and order

    def action_group(self) -> None:
        """Group by the next property."""
        self._arrange(self.arrangement.regrouped())

    def action_sort(self) -> None:
        """Reverse the order."""
        self._arrange(self.arrangement.reversed())

    def action_sort_by(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) property."""
        self._arrange(self.arrangement.resorted(step))

    @on(events.Click, "#columns")
    def _title_clicked(self, event: events.Click) -> None:
        key = header_key(event.x, self.lines.layout_of_columns)
        if key is not None:
            self._arrange(self.arrangement.sorted_by(key))

    def _arrange(self, arrangement: Arrangement) -> None:
        self._ask_for_view(arrangement=arrangement, folded=self.lines.folded)

    def action_fold(self, folded: bool) -> None:
        """Fold or unfold the chain or group under the cursor."""
        self.lines.fold(folded=folded)

    # Search

    def action_search(self) -> None:
        """Open the search bar."""
        self.search.begin()

    @on(SearchBar.Changed)
    def _searched(self, message: SearchBar.Changed) -> None:
        message.stop()
        self._ask_for_view(query=message.query, folded=self.lines.folded)

    @on(SearchBar.Done)
    def _search_done(self, message: SearchBar.Done) -> None:
        message.stop()
        self.search.end()

    def action_hit(self, by: int) -> None:
        """Go to the next (1) or previous (-1) hit."""
        self.search.go(by)

    def action_go(self, by: int) -> None:
        """Go to the next or previous group or warning."""
        self.lines.go_to_stop(by)

    # Look closer

    def action_details(self) -> None:
        """Show the details of the task."""
        self.inspecting.show_details()

    @on(PlanList.Opened)
    def _opened(self, message: PlanList.Opened) -> None:
        message.stop()
        self.action_details()

    def action_log(self) -> None:
        """Show the log of the task."""
        self.inspecting.show_log()

    def action_report(self) -> None:
        """Show a report on the task, to ask for help."""
        self.inspecting.show_report()

    def action_inputs(self) -> None:
        """Show the inputs of the bundle or the group."""
        self.inspecting.show_inputs()

    # Purge, save, copy

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the actions that do something with this plan. Those that depend on what the
        user keeps are disabled, so that their keys say why."""
        if action in ("purge", "save", "copy"):
            return None if self.current and self.why_disabled(action) else True
        if action == "ignore":
            return self._has_unread_bundles
        if action == "reconcile":
            return any(can_ask_about(one.task) for one in self._whole.blocked)
        if action in _ON_LINES:
            return self._view is None or self.query_one("#list").display
        return action != "leave_out" or (bool(self._whole.blocked) and self._request.goal is None)

    def why_disabled(self, action: str) -> str:
        """Return why this plan can't be purged, saved or copied; empty if it can."""
        return self.purging.why_disabled(action, self.plan)

    def action_purge(self) -> None:
        """Check the root and ask for confirmation."""
        self._when_current(self.purging.purge)

    def action_save(self) -> None:
        """Save the plan to a file for ``hipercow-tui apply``."""
        self._when_current(self.purging.save)

    def action_copy(self) -> None:
        """Copy the R call that purges the same tasks."""
        self._when_current(self.purging.copy)

    def action_back(self) -> None:
        """End the search, else go back without a purge."""
        if not self.search.leave():
            self.dismiss(None)
