"""The plan of a purge, full screen: what would go, why, and what stands in the way.

A dry run is this screen without its last step: nothing here changes anything on disk, but a plan
saved to a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, measure
from hipercow_tui.formats.root import Root
from hipercow_tui.output import report
from hipercow_tui.purging import preflight
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.save_plan import SavePlanScreen
from hipercow_tui.ui.messages import WorkerFailed
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.workers.purge_job import JobSpec, purge_job
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

# What terminals take by OSC 52 is 100,000 bytes of base64 at most.
_CLIPBOARD = 74_994
_SHOW_EVERY = 0.1  # seconds between two states of measuring
_WARNINGS = 3  # lines of the head for warnings; all of them can be had by n, one by one


def _key(
    keys: str, action: str, label: str, what: str, name: str, *, shown_as: str | None = None
) -> Binding:
    """``label`` stands in the footer, unless it is empty, and ``what`` in the help."""
    return Binding(
        keys,
        action,
        label or what,
        show=bool(label),
        key_display=shown_as,
        tooltip=what,
        id=f"plan.{name}",
    )


_BOLD = Style(bold=True)


class PlanScreen(Screen[JobSpec | None]):
    """Shows a plan; dismisses with the job that was confirmed, with None to go back.

    ``clock`` gives the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    PlanScreen #head { height: auto; padding: 0 1; background: $panel; }
    PlanScreen #list { height: 1fr; }
    PlanScreen #in-full { height: 2; padding: 0 1; background: $panel; }
    PlanScreen #nothing { height: 1fr; content-align: center middle; text-align: center; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("D", "purge", "Purge…", "Purge this plan, after a question", "purge"),
        _key("x", "leave_out", "Leave out blocked", "Leave blocked chains out, or in", "leave_out"),
        _key(
            "i",
            "ignore",
            "Ignore bundles",
            "Purge though bundles can't be read, which then stay; or no longer",
            "ignore",
        ),
        _key("e", "save", "Save plan", "Save the plan as JSON", "save"),
        _key("c", "copy", "Copy R call", "Copy the call in R that takes the same tasks", "copy"),
        _key("escape,q", "back", "Back", "Go back; nothing has changed", "back", shown_as="esc"),
        _key("n", "go(1)", "Next !", "To the next group, or tasks to think twice about", "next"),
        _key("N", "go(-1)", "", "To the group or tasks before", "previous"),
    ]

    def __init__(
        self,
        plan: PurgePlan,
        snapshot: Snapshot,
        root: Root,
        *,
        read_only: bool,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self.plan = plan
        self.snapshot = snapshot
        self.root = root
        self._read_only = read_only
        self._skipping = plan.skip_blocked
        self._ignoring = bool(plan.ignored_bundles)
        self._clock = clock
        self._sizes: dict[str, Size] = {}
        self._measured_part: float | None = 0.0  # the part that is done; None once all is known
        self._summaries: SummaryLoader | None = None

    def compose(self) -> ComposeResult:
        """Head, lines, the line under the cursor in full, keys."""
        yield Static(id="head", markup=False)
        yield PlanList(id="list")
        yield Static("Nothing to purge\n\nNo task passes all filters. Esc goes back.", id="nothing")
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the plan, and begin to measure it."""
        self._summaries = SummaryLoader(
            self.root,
            {},
            lambda: self.call_later(self._show_gists),
            lambda error: self.post_message(WorkerFailed(error)),
        )
        self._summaries.know(self.snapshot)
        self.lines.sizes, self.lines.summaries = self._sizes, self._summaries.summaries
        self._show(self.plan)
        self.lines.focus()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._summaries is not None:
            self._summaries.stop()

    def on_resize(self) -> None:
        """The head is laid out for a width."""
        self._show_head()

    @property
    def lines(self) -> PlanList:
        """The lines of the plan."""
        return self.query_one(PlanList)

    @property
    def measured(self) -> bool:
        """Whether it is known how much the tasks hold."""
        return self._measured_part is None

    @property
    def refusal(self) -> str | None:
        """Why this plan can't be purged, and what to do; None if it can."""
        if self.plan.empty and not self.plan.refused:
            return "Nothing to purge"
        if self._read_only:
            return "Started with --read-only: this plan can be looked at and saved, not purged"
        if self.root.purge_refusal:
            return f"This root can't be purged: {self.root.purge_refusal}"
        if self.plan.refused:
            return "Nothing may go while something blocks: leave out blocked chains (x) first"
        return None

    # The plan

    def _show(self, plan: PurgePlan) -> None:
        self.plan = plan
        self._measured_part = 0.0
        empty = plan.empty and not plan.blocked
        self.lines.display = not empty
        self.query_one("#in-full").display = not empty
        self.query_one("#nothing").display = empty
        self.lines.show(plan)
        self._show_in_full()  # the cursor may stand where it stood, on another line
        self._show_head()
        self.refresh_bindings()
        self._measure(plan)

    def _show_head(self) -> None:
        width = max(40, self.size.width - 2)
        warning, error = theme_style(self.app, "text-warning"), theme_style(self.app, "text-error")
        filters = Text(plain_text(str(self.plan.filters)), "dim")
        if self.plan.refused:
            tasks = pluralize(len(self.plan.blocked), "task")
            headline = Text.assemble(
                ("Plan  ", "bold"), (f"Refused: {tasks} can't go, so nothing goes", _BOLD + error)
            )
            keys = "x leaves out their chains"
            if self._unread_bundles and not self._ignoring:
                keys += " · i ignores bundles"
            lines = [_side_by_side(headline, Text(keys, error), width), filters]
        else:
            effects = Text(report.side_effects(self.plan), warning)
            lines = [_side_by_side(self._headline(), effects, width), filters]
            lines += [_warning(text, warning) for text in self.plan.warnings[:_WARNINGS]]
            if (more := len(self.plan.warnings) - _WARNINGS) > 0:
                lines.append(
                    _warning(f"and {pluralize(more, 'other reason')} to think twice", warning)
                )
            if self.refusal and not self.plan.empty:
                lines.append(Text(self.refusal, error))
        for line in lines[1:]:
            line.truncate(width, overflow="ellipsis")
        self.query_one("#head", Static).update(Text("\n").join(lines))

    def _headline(self) -> Text:
        total = report.total_size(self.plan, self._sizes) if self.measured else None
        head = Text.assemble(("Plan  ", "bold"), (report.headline(self.plan, total), "bold"))
        if self._measured_part is not None and self.plan.tasks:
            head.append(f"  measuring {self._measured_part:.0%}", "dim")
        return head

    @property
    def _unread_bundles(self) -> bool:
        return any(part.unread.bundles for part in self.snapshot.language_parts)

    def action_leave_out(self) -> None:
        """Leave blocked chains out, or take them in again."""
        self._skipping = not self._skipping
        self._make_plan()

    def action_ignore(self) -> None:
        """Let bundles that can't be read stay, or let them block again."""
        self._ignoring = not self._ignoring
        self._make_plan()

    @work(thread=True, exclusive=True, group="plan")
    def _make_plan(self) -> None:
        plan = make_plan(
            self.snapshot,
            self.plan.filters,
            now=self._clock(),
            skip_blocked=self._skipping,
            ignore_unreadable_bundles=self._ignoring,
        )
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, plan)

    # What is read in the background

    @work(thread=True, exclusive=True, group="measure")
    def _measure(self, plan: PurgePlan) -> None:
        worker = get_current_worker()
        unknown = [task_id for task_id in plan.ids if task_id not in self._sizes]
        due = time.monotonic() + _SHOW_EVERY
        for done, task_id in enumerate(unknown):
            if worker.is_cancelled:
                return
            if time.monotonic() >= due:
                self.call_later(self._show_measured, done / len(unknown))
                due = time.monotonic() + _SHOW_EVERY
            measured = measure(self.root, task_id)
            if measured is not None:
                self._sizes[task_id] = measured
        self.call_later(self._show_measured, None)

    def _show_measured(self, part: float | None) -> None:
        self._measured_part = part
        self.lines.redraw()
        self._show_head()

    def on_virtual_list_view_changed(self, message: VirtualList.ViewChanged) -> None:
        """Other lines are in sight: say what they run."""
        message.stop()
        self._show_in_full()
        if self._summaries is not None:
            self._summaries.want([task.id for task in self.lines.visible_tasks()])

    def _show_gists(self) -> None:
        self.lines.redraw()
        self._show_in_full()

    def _show_in_full(self) -> None:
        self.query_one("#in-full", Static).update(self.lines.in_full())

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer has what makes sense for this plan."""
        if action == "copy":
            return Lang.R in self.plan.langs or not self.plan.langs
        if action == "ignore":
            return self._unread_bundles
        return action != "leave_out" or bool(self.plan.blocked)

    def action_go(self, by: int) -> None:
        """Go to the next or previous group, or first of tasks to think twice about."""
        self.lines.go_to_stop(by)

    def action_purge(self) -> None:
        """Ask, by the numbers; nothing is purged from here otherwise."""
        if refusal := self.refusal:
            self.notify(refusal, severity="warning", markup=False)
            return
        self._check(self.plan)

    @work(thread=True, exclusive=True, group="check")
    def _check(self, plan: PurgePlan) -> None:
        warning = preflight(plan, self.root)
        if not get_current_worker().is_cancelled:
            self.call_later(self._ask, plan, warning)

    def _ask(self, plan: PurgePlan, warning: str | None) -> None:
        if not self.is_current or plan is not self.plan:  # left, or changed, while it was checked
            return
        total = report.total_size(plan, self._sizes) if self.measured else None

        def answered(aim: str | None) -> None:
            if aim is not None:
                self.dismiss(purge_job(plan, self.root, PurgeMode(aim)))

        self.app.push_screen(ConfirmScreen(plan, total, warning), answered)

    def action_save(self) -> None:
        """Save the plan as the JSON that ``hipercow-tui purge --dry-run --json`` prints."""
        self.app.push_screen(SavePlanScreen(self.plan, dict(self._sizes)))

    def action_copy(self) -> None:
        """Copy the call in R that takes the same tasks."""
        call = report.r_call(self.plan)
        if call:
            copy(self.app, call, "R call", instead="save the plan (e)")
        else:
            self.notify("Nothing that R could purge, so there is no call to copy", markup=False)

    def action_back(self) -> None:
        """Go back; nothing has changed."""
        self.dismiss(None)


def _side_by_side(left: Text, right: Text, width: int) -> Text:
    """Both on one line if there is room, else on two."""
    gap = width - left.cell_len - right.cell_len
    if not right or gap >= 2:
        return Text.assemble(left, " " * max(0, gap), right)
    return Text.assemble(left, "\n", right)


def _warning(text: str, colour: Style) -> Text:
    return Text.assemble(("! ", _BOLD + colour), (plain_text(text), colour))
