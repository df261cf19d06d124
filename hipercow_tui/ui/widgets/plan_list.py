"""A plan as a diff: a line for each task and bundle, grouped by the reason."""

from __future__ import annotations

import textwrap
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from hipercow_tui.analysis.task_summary import NO_SUMMARY, TaskSummary
from hipercow_tui.domain.blocked import Blocked
from hipercow_tui.domain.cautions import Caution
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.output import report
from hipercow_tui.support.text import format_age, format_duration, format_size, pluralize, short_id
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.widgets.virtual_list import VirtualList

Row: TypeAlias = "PlannedTask | PlannedBundle | Blocked | str"

# All widths are in cells.
IDS_FROM = 100  # from which on lines have the id of the task
REASONS_FROM = 150  # from which on lines have the reason and the warnings
_CALL_WIDTH = 68  # at most, for the call and its second column
_SECOND_WIDTH = 30  # of inputs or a reason: "first attempt of 3f2a9c…71e0"
_NARROW_INPUTS = 16  # of inputs on a narrow terminal: "beta = 0.93"
_NARROW_REASON = 22  # of a reason on a narrow terminal: "first attempt of 3f2a…"
_MIN_CAUTION = 20  # a warning with less space is left out
_STATUS_WIDTH = 11  # glyph, space and "submitted"
_INDENT = 5  # cursor, "!", space, "-", space

_MATCHED = "These tasks pass all filters."
_CASCADED = "A retry chain goes as a whole: these tasks are in the chain of a matched task."
_BUNDLES = "A bundle goes with any of its tasks. Tasks that stay lose only their bundle."
_BLOCKED = "Each of these tasks blocks the whole purge. x: leave out their chains."
_LEFT_OUT = "These tasks stay with their whole retry chains. x: include them again."


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines under a title; ``rule`` explains the group, ``note`` is a warning."""

    title: str
    rows: Sequence[Row]
    rule: str
    note: str = ""
    alarming: bool = False


class PlanList(VirtualList):
    """The lines of a plan; ``sizes`` and ``summaries`` are filled while the plan is shown."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plan--title",
        "plan--quiet",
        "plan--caution",
        "plan--blocked",
        "plan--minus",
        *(f"plan--{status}" for status in Status),
    }
    """``plan--title``: title of a group; ``plan--quiet``: less important text; ``plan--caution``:
    warnings; ``plan--blocked``: blocked tasks and reasons; ``plan--minus``: the sign of tasks and
    bundles that go; ``plan--failure`` and so on: statuses."""

    DEFAULT_CSS = """
    PlanList > .plan--title { text-style: bold; }
    PlanList > .plan--quiet { text-style: dim; }
    PlanList > .plan--caution { color: $text-warning; text-style: bold; }
    PlanList > .plan--blocked { color: $text-error; }
    PlanList > .plan--minus { color: $text-error; }
    """ + "\n".join(
        f"PlanList > .plan--{status} {{ color: ${colour}; }}" for status, colour in COLOUR.items()
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sizes: Mapping[str, Size] = {}
        self.size_kind = SizeKind.APPARENT
        self.summaries: Mapping[str, TaskSummary] = {}
        self._now = 0.0
        self._bundle_label: Callable[[Bundle], str] = attrgetter("name")
        self._sections: tuple[Section, ...] = ()
        self._starts: list[int] = []
        self._stops: list[int] = []

    def show(self, plan: PurgePlan) -> None:
        """Show a plan from its first line."""
        self._now = plan.made
        self._bundle_label = plan.bundle_label
        self._sections = tuple(_sections(plan))
        self._starts = []
        total = 0
        for section in self._sections:
            self._starts.append(total)
            total += 1 + len(section.rows)
        self._stops = sorted({*self._starts, *self._caution_lines()})
        self.count = total
        self.cursor = 0
        self.scroll_to(y=0, animate=False, immediate=True)
        self.redraw()

    def visible_tasks(self) -> list[Task]:
        """Return the tasks of the visible lines, without unreadable ones."""
        rows = (self._row_at(y) for y in self.visible_lines)
        tasks = (row.task for row in rows if isinstance(row, PlannedTask | Blocked))
        return [task for task in tasks if task.status is not Status.BROKEN]

    def go_to_stop(self, by: int) -> None:
        """Move to the next (1) or previous (-1) group or warning."""
        if by > 0:
            stops = self._stops[bisect_right(self._stops, self.cursor) :][:1]
        else:
            stops = self._stops[: bisect_left(self._stops, self.cursor)][-1:]
        for stop in stops:
            self.cursor = stop
            self.scroll_to(y=stop - 1, animate=False, immediate=True)

    def in_full(self) -> Text:
        """Return the whole text of the line under the cursor, on two lines."""
        row = self._row_at(self.cursor) if self.count else ""
        match row:
            case PlannedTask(task=task, cautions=cautions):
                call = self.summaries.get(task.id, NO_SUMMARY)
                text = Text("  ".join(filter(None, (task.id, report.cascade_reason(row)))))
                text.append("\n")
                for caution in cautions:
                    text.append(f"! {caution.text}  ", self._style_of("caution"))
                return text.append(f"{call.code_text}  {call.inputs_text}", self._style_of("quiet"))
            case PlannedBundle(bundle=bundle):
                text = Text(
                    f"{plain_text(self._bundle_label(bundle))}  {report.bundle_effect(row)}\n"
                )
                stays = "its tasks that stay lose only this bundle"
                return text.append(stays if row.surviving else "", self._style_of("quiet"))
            case Blocked(task=task, reason=reason):
                return Text(f"{task.id}\n").append(plain_text(reason), self._style_of("blocked"))
        return Text(
            self._sections[self._section_index(self.cursor)].rule if self.count else "", "dim"
        )

    def line(self, y: int) -> Text:
        """Return the text of a line."""
        row = self._row_at(y)
        width = self.scrollable_content_region.width
        match row:
            case PlannedTask():
                return self._task_line(row, width)
            case PlannedBundle():
                return self._bundle_line(row)
            case Blocked():
                return self._blocked_line(row, width)
        section = self._sections[self._section_index(y)]
        if y in self._starts:
            return self._title_line(section, width)
        return Text(" " * _INDENT).append(row, self._style_of("blocked"))

    def _section_index(self, y: int) -> int:
        return bisect_right(self._starts, y) - 1

    def _row_at(self, y: int) -> Row:
        """Return the row of a line; "" for the title of a group."""
        section = self._section_index(y)
        below = y - self._starts[section]
        return self._sections[section].rows[below - 1] if below else ""

    def _caution_lines(self) -> Iterable[int]:
        """Yield the lines where tasks with another warning than the line above begin."""
        for start, section in zip(self._starts, self._sections, strict=True):
            before: tuple[Caution, ...] = ()
            for below, row in enumerate(section.rows, 1):
                cautions = row.cautions if isinstance(row, PlannedTask) else ()
                if cautions and cautions != before:
                    yield start + below
                before = cautions

    # Lines

    def _style_of(self, name: str) -> Style:
        partial = self.get_component_rich_style(f"plan--{name}", partial=True)
        # A partial style does not blend a transparent colour, so the colour is from the full style.
        return partial + Style(color=self.get_component_rich_style(f"plan--{name}").color)

    def _title_line(self, section: Section, width: int) -> Text:
        number = sum(not isinstance(row, str) for row in section.rows)
        text = Text(" ").append(f"{section.title} {number:,}", self._style_of("title"))
        if section.alarming:
            text.stylize(self._style_of("blocked"))
        if section.note:
            gap = max(2, width - len(text) - len(section.note) - 1)
            text.append(" " * gap).append(section.note, self._style_of("caution"))
        return text

    def _line_start(self, task: Task, *, goes: bool, caution: bool = False) -> Text:
        text = Text(" ")
        text.append("! " if caution else "  ", self._style_of("caution"))
        text.append("- " if goes else "  ", self._style_of("minus"))
        status = fit(f"{GLYPH[task.status]} {task.status}", _STATUS_WIDTH)
        return text.append(status, self._style_of(task.status)).append("  ")

    def _task_line(self, planned: PlannedTask, width: int) -> Text:
        task = planned.task
        text = self._line_start(task, goes=True, caution=bool(planned.cautions))
        measured = self.sizes.get(task.id)
        end = _age_text(task, self._now, wide=width >= IDS_FROM)
        end += f"{format_size(measured.of(self.size_kind)) if measured else '':>9}"
        end += f"  {short_id(task.id)}" if width >= IDS_FROM else ""
        call_width = max(0, width - text.cell_len - len(end))
        reason = report.cascade_reason(planned)
        if width < REASONS_FROM:
            return text.append(self._call_text(task, call_width, reason)).append(end)
        text.append(self._call_text(task, _CALL_WIDTH)).append(f"{end}  {reason}")
        for caution in planned.cautions:
            if width - text.cell_len >= _MIN_CAUTION:
                text.append(
                    f"  {caution.text}" if reason else caution.text, self._style_of("caution")
                )
        return text

    def _call_text(self, task: Task, width: int, reason: str = "") -> Text:
        """Return the call of a task with its inputs, or the reason, in exactly ``width`` cells."""
        summary = self.summaries.get(task.id, NO_SUMMARY)
        second = reason or summary.inputs_text
        second_width = _second_width(task, width, is_reason=bool(reason))
        first = summary.code_text or summary.problem or ""
        text = Text(fit(first, max(0, width - second_width - 2)) + "  ")
        if second_width:
            text.append(_fit_start(second, second_width - 2) + "  ", self._style_of("quiet"))
        return text

    def _bundle_line(self, planned: PlannedBundle) -> Text:
        text = Text("   ").append("- ", self._style_of("minus"))
        text.append(fit(plain_text(self._bundle_label(planned.bundle)), 24)).append("  ")
        style = "caution" if planned.surviving else "quiet"
        return text.append(report.bundle_effect(planned), self._style_of(style))

    def _blocked_line(self, blocked: Blocked, width: int) -> Text:
        text = self._line_start(blocked.task, goes=False)
        end = short_id(blocked.task.id)
        if len(blocked.chain) > 1:
            end += f"  holds its chain of {len(blocked.chain):,}"
        call_width = max(0, min(_CALL_WIDTH, width - text.cell_len - len(end) - 1))
        return text.append(self._call_text(blocked.task, call_width)).append(end)


def _second_width(task: Task, width: int, *, is_reason: bool) -> int:
    """Return the cells for inputs or a reason, of ``width`` cells; 0 if there is no space."""
    if task.lang is Lang.PY and not is_reason:
        return 0  # a command has no inputs
    if width >= 2 * _SECOND_WIDTH - 4:
        return _SECOND_WIDTH
    if width < 2 * _NARROW_REASON - 6:
        return 0
    return _NARROW_REASON if is_reason else _NARROW_INPUTS


def _fit_start(text: str, width: int) -> str:
    """Return the text padded or cut at its end to exactly ``width`` cells."""
    return (
        set_cell_size(text, width)
        if cell_len(text) <= width
        else set_cell_size(text, width - 1) + "…"
    )


def _age_text(task: Task, now: float, *, wide: bool) -> str:
    """Return when a task finished, or was created if it has not; ``~`` marks an estimate."""
    then = task.finished if task.finished is not None else task.created
    text = "unknown"
    if then is not None:
        text = format_age(then, now) if wide else format_duration(max(1.0, now - then))
    sign = "~" if task.finished_estimated else " "
    return f"{sign}{text}".ljust(16 if wide else 12)


def _sections(plan: PurgePlan) -> Iterable[Section]:
    """Yield the groups of a plan; those that block it come first."""
    if plan.refused:
        yield Section("blocked", tuple(_with_reasons(plan.blocked)), _BLOCKED, alarming=True)
    if plan.matched:
        yield Section("matched", plan.matched, _MATCHED, _matched_note(plan))
    if drawn_in := len(plan.cascaded):
        note = f"! the filters alone would keep {drawn_in:,}"
        yield Section("in retry chains", plan.cascaded, _CASCADED, note)
    if plan.bundles:
        yield Section("bundles", plan.bundles, _BUNDLES)
    if plan.blocked and not plan.refused:
        yield Section("left out", tuple(_with_reasons(plan.blocked)), _LEFT_OUT)


def _with_reasons(blocked: Sequence[Blocked]) -> Iterable[Row]:
    """Yield each reason, wrapped, and below it the tasks that it blocks."""
    by_reason: dict[str, list[Row]] = {}
    for task in blocked:
        by_reason.setdefault(task.reason, []).append(task)
    for reason, rows in by_reason.items():
        yield from textwrap.wrap(plain_text(reason), 70)
        yield from rows


def _matched_note(plan: PurgePlan) -> str:
    """Return how many tasks match by their last attempt only, or how many have a warning."""
    if attempts := len(plan.matched_by_last_attempt):
        return f"{attempts:,} matched by their last attempt"
    number = sum(bool(task.cautions) for task in plan.matched)
    return f"! {pluralize(number, 'warning')}" if number else ""
