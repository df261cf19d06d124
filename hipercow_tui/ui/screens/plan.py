"""The plan of a purge: the tasks and bundles that go, the reasons, and the tasks that block it.

The screen is a dry run: it writes nothing to disk, except a plan that is saved to a file.
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
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, SizeKind, measure
from hipercow_tui.formats.root import Root
from hipercow_tui.output import report
from hipercow_tui.purging import preflight
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.save_plan import SavePlanScreen
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.workers.purge_job import JobSpec, purge_job
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

_PROGRESS_INTERVAL = 0.1  # seconds between two updates while tasks are measured
_MAX_WARNINGS = 3  # lines of the head; n goes to all of them
_BOLD = Style(bold=True)


def _key(
    keys: str, action: str, label: str, help_text: str, name: str, *, shown_as: str | None = None
) -> Binding:
    """Return a binding; it is in the footer if it has a label, and in the help."""
    return Binding(
        keys,
        action,
        label or help_text,
        show=bool(label),
        key_display=shown_as,
        tooltip=help_text,
        id=f"plan.{name}",
    )


class PlanScreen(Page[JobSpec | None]):
    """Show a plan; dismiss with the confirmed job, or None.

    ``clock`` gives the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    PlanScreen #head { height: auto; }
    PlanScreen #list { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("D", "purge", "Purge…", "Purge this plan, after a question", "purge"),
        _key("x", "leave_out", "Leave out blocked", "Leave out blocked chains: on or off", "skip"),
        _key("i", "ignore", "Ignore bundles", "Ignore unreadable bundles: on or off", "ignore"),
        _key("e", "save", "Save plan", "Save the plan as JSON", "save"),
        _key("c", "copy", "Copy R call", "Copy the R call that purges the same tasks", "copy"),
        _key("escape,q", "back", "Back", "Go back; nothing is changed", "back", shown_as="esc"),
        _key("n", "go(1)", "Next !", "Go to the next group or warning", "next"),
        _key("N", "go(-1)", "", "Go to the previous group or warning", "previous"),
    ]

    def __init__(
        self,
        plan: PurgePlan,
        snapshot: Snapshot,
        root: Root,
        summary_loader: SummaryLoader,
        *,
        read_only: bool,
        clock: Callable[[], float],
        size_kind: SizeKind = SizeKind.APPARENT,
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
        self._measured_part: float | None = 0.0  # from 0 to 1; None if all tasks are measured
        self._summary_loader = summary_loader
        self._size_kind = size_kind

    def compose(self) -> ComposeResult:
        """Yield the head, the plan, the line under the cursor in full, and the keys."""
        yield Static(id="head", markup=False)
        yield PlanList(id="list")
        yield Static("Nothing to purge\n\nNo task passes all filters. esc: back", id="nothing")
        yield Static(id="in-full", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the plan, and start to measure its tasks."""
        self._summaries = self._summary_loader.subscribe(
            lambda: self.call_later(self._show_summaries)
        )
        self.lines.sizes, self.lines.summaries = self._sizes, self._summaries.summaries
        self.lines.size_kind = self._size_kind
        self._show(self.plan)
        self.lines.focus()

    def on_unmount(self) -> None:
        """Cancel the requests."""
        self._summaries.close()

    def on_resize(self) -> None:
        """Lay out the head for the new width."""
        self._show_head()

    @property
    def lines(self) -> PlanList:
        """The list of the plan."""
        return self.query_one(PlanList)

    @property
    def measured(self) -> bool:
        """Whether all tasks are measured."""
        return self._measured_part is None

    @property
    def refusal(self) -> str | None:
        """The reason why this plan can't be purged, with a remedy; None if it can."""
        if self.plan.empty and not self.plan.refused:
            return "Nothing to purge"
        if self._read_only:
            return "Started with --read-only: you can save this plan, but not purge it"
        if self.root.purge_refusal:
            return f"This root can't be purged: {self.root.purge_refusal}"
        if self.plan.refused:
            return "Blocked tasks stop the purge: leave out their chains first (x)"
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
        self._show_in_full()  # the cursor may be in the same place, on another line
        self._show_head()
        self.refresh_bindings()
        self._measure(plan)

    def _show_head(self) -> None:
        width = max(40, self.size.width - 2)
        lines = self._refused_head(width) if self.plan.refused else self._head(width)
        for line in lines[1:]:
            line.truncate(width, overflow="ellipsis")
        self.query_one("#head", Static).update(Text("\n").join(lines))

    @property
    def _filters_line(self) -> Text:
        return Text(plain_text(str(self.plan.filters)), "dim")

    def _refused_head(self, width: int) -> list[Text]:
        error = theme_style(self.app, "text-error")
        headline = Text.assemble(("Plan  ", "bold"), (report.headline(self.plan), _BOLD + error))
        keys = "x: leave out their chains"
        if self._has_unread_bundles and not self._ignoring:
            keys += " · i: ignore bundles"
        return [_side_by_side(headline, Text(keys, error), width), self._filters_line]

    def _head(self, width: int) -> list[Text]:
        style = theme_style(self.app, "text-warning")
        effects = Text(report.side_effects(self.plan), style)
        lines = [_side_by_side(self._headline(), effects, width), self._filters_line]
        lines += [_warning(text, style) for text in self.plan.warnings[:_MAX_WARNINGS]]
        if (more := len(self.plan.warnings) - _MAX_WARNINGS) > 0:
            lines.append(_warning(f"and {pluralize(more, 'more warning')}", style))
        if self.refusal and not self.plan.empty:
            lines.append(Text(self.refusal, theme_style(self.app, "text-error")))
        return lines

    def _headline(self) -> Text:
        total = report.total_size(self.plan, self._sizes) if self.measured else None
        head = Text.assemble(
            ("Plan  ", "bold"), (report.headline(self.plan, total, self._size_kind), "bold")
        )
        if self._measured_part is not None and self.plan.tasks:
            head.append(f"  measuring {self._measured_part:.0%}", "dim")
        return head

    @property
    def _has_unread_bundles(self) -> bool:
        return any(part.unread.bundles for part in self.snapshot.language_parts)

    def action_leave_out(self) -> None:
        """Leave out blocked chains, or include them again."""
        self._skipping = not self._skipping
        self._make_plan()

    def action_ignore(self) -> None:
        """Ignore unreadable bundles, or let them block again."""
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

    # Background

    @work(thread=True, exclusive=True, group="measure")
    def _measure(self, plan: PurgePlan) -> None:
        worker = get_current_worker()
        unknown = [task_id for task_id in plan.ids if task_id not in self._sizes]
        due = time.monotonic() + _PROGRESS_INTERVAL
        for done, task_id in enumerate(unknown):
            if worker.is_cancelled:
                return
            if time.monotonic() >= due:
                self.call_later(self._show_measured, done / len(unknown))
                due = time.monotonic() + _PROGRESS_INTERVAL
            measured = measure(self.root, task_id)
            if measured is not None:
                self._sizes[task_id] = measured
        self.call_later(self._show_measured, None)

    def _show_measured(self, part: float | None) -> None:
        self._measured_part = part
        self.lines.redraw()
        self._show_head()

    def on_virtual_list_view_changed(self, message: VirtualList.ViewChanged) -> None:
        """Read the calls of the tasks that have become visible."""
        message.stop()
        self._show_in_full()
        self._summaries.want([task.id for task in self.lines.visible_tasks()])

    def _show_summaries(self) -> None:
        self.lines.redraw()
        self._show_in_full()

    def _show_in_full(self) -> None:
        self.query_one("#in-full", Static).update(self.lines.in_full())

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the actions that this plan allows."""
        if action == "copy":
            return Lang.R in self.plan.langs or not self.plan.langs
        if action == "ignore":
            return self._has_unread_bundles
        return action != "leave_out" or bool(self.plan.blocked)

    def action_go(self, by: int) -> None:
        """Go to the next or previous group or warning."""
        self.lines.go_to_stop(by)

    def action_purge(self) -> None:
        """Check the root and ask for confirmation."""
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
        if not self.is_current or plan is not self.plan:  # closed or changed during the check
            return
        total = report.total_size(plan, self._sizes) if self.measured else None

        def answered(mode: str | None) -> None:
            if mode is not None:
                self.dismiss(purge_job(plan, self.root, PurgeMode(mode), self._sizes))

        self.app.push_screen(ConfirmScreen(plan, total, warning, self._size_kind), answered)

    def action_save(self) -> None:
        """Save the plan to a file for ``hipercow-tui apply``."""
        self.app.push_screen(SavePlanScreen(self.plan))

    def action_copy(self) -> None:
        """Copy the R call that purges the same tasks."""
        call = report.r_call(self.plan)
        if call:
            copy(self.app, call, "R call", alternative="save the plan (e)")
        else:
            self.notify("R has nothing to purge here, so there is no call to copy", markup=False)


def _side_by_side(left: Text, right: Text, width: int) -> Text:
    """Return both texts on one line if they fit, else on two."""
    gap = width - left.cell_len - right.cell_len
    if not right or gap >= 2:
        return Text.assemble(left, " " * max(0, gap), right)
    return Text.assemble(left, "\n", right)


def _warning(text: str, colour: Style) -> Text:
    return Text.assemble(("! ", _BOLD + colour), (plain_text(text), colour))
