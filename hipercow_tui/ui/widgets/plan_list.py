"""A plan as a diff: a line for each task and bundle, grouped by why it goes or stays."""

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
from hipercow_tui.domain.plan import KEPT, PlannedBundle, PlannedTask, PurgePlan
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.output import report
from hipercow_tui.support.text import format_age, format_duration, format_size, pluralize, short_id
from hipercow_tui.ui.cells import fit, plain_text
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.widgets.virtual_list import VirtualList

Row: TypeAlias = "PlannedTask | PlannedBundle | Blocked | str"

MIDDLE = 100  # cells from which a line has room for the id of its task
WIDE = 150  # cells from which there is room for why it goes and what to think of, in full
_RUNS = 68  # cells for what a task runs and with what, at most: more pulls the columns apart
_SECOND = 30  # cells of the second column of these: "first attempt of 3f2a9c…71e0"
_NARROW = 16  # cells of it where there are few: "beta = 0.93"
_NARROW_WHY = 22  # and for "first attempt of 3f2a…"
_NOTE = 20  # cells; with fewer, a regret is not begun
_STATUS = 11  # cells: glyph, space and "submitted"
_INDENT = 5  # cells: cursor, "!", space, "-", space


_MATCHED = "These pass all filters."
_CASCADED = "A retry chain goes as a whole: these hang together with a task that is matched."
_BUNDLES = "A bundle goes with the first of its tasks. Tasks that stay lose only their bundle."
_BLOCKED = "While one of these stands in the way, nothing goes. x leaves their chains out."
_LEFT_OUT = "These stay with their whole retry chains. x takes them in again."


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines under a title; ``means`` is the rule that made it, ``note`` a warning."""

    title: str
    rows: Sequence[Row]
    means: str
    note: str = ""
    alarming: bool = False


class PlanList(VirtualList):
    """The lines of a plan, with what is known so far of sizes and of what each task runs."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plan--title",
        "plan--quiet",
        "plan--regret",
        "plan--blocked",
        "plan--minus",
        *(f"plan--{status}" for status in Status),
    }
    """``plan--title``: of a group; ``plan--quiet``: what matters less; ``plan--regret``: what
    might be wanted still; ``plan--blocked``: what stands in the way; ``plan--minus``: the sign of
    what goes; ``plan--failure`` and the like: statuses."""

    DEFAULT_CSS = """
    PlanList > .plan--title { text-style: bold; }
    PlanList > .plan--quiet { text-style: dim; }
    PlanList > .plan--regret { color: $text-warning; text-style: bold; }
    PlanList > .plan--blocked { color: $text-error; }
    PlanList > .plan--minus { color: $text-error; }
    """ + "\n".join(
        f"PlanList > .plan--{status} {{ color: ${colour}; }}" for status, colour in COLOUR.items()
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sizes: Mapping[str, Size] = {}
        self.summaries: Mapping[str, TaskSummary] = {}
        self._now = 0.0
        self._called: Callable[[Bundle], str] = attrgetter("name")
        self._sections: tuple[Section, ...] = ()
        self._starts: list[int] = []
        self._stops: list[int] = []

    def show(self, plan: PurgePlan) -> None:
        """Show a plan from its beginning."""
        self._now = plan.made
        self._called = plan.bundle_label
        self._sections = tuple(_sections(plan))
        self._starts = []
        total = 0
        for section in self._sections:
            self._starts.append(total)
            total += 1 + len(section.rows)
        self._stops = sorted({*self._starts, *self._regrets()})
        self.count = total
        self.cursor = 0
        self.scroll_to(y=0, animate=False, immediate=True)
        self.reset()

    def tasks_in_sight(self) -> list[Task]:
        """The tasks of the lines that are in sight, but for those that can't be read."""
        rows = (self._row(y) for y in self.in_sight)
        tasks = (row.task for row in rows if isinstance(row, PlannedTask | Blocked))
        return [task for task in tasks if task.status is not Status.BROKEN]

    def go_to_stop(self, by: int) -> None:
        """Move to the next (1) or previous (-1) group or first of some tasks to think twice of."""
        if by > 0:
            stops = self._stops[bisect_right(self._stops, self.cursor) :][:1]
        else:
            stops = self._stops[: bisect_left(self._stops, self.cursor)][-1:]
        for stop in stops:
            self.cursor = stop
            self.scroll_to(y=stop - 1, animate=False, immediate=True)

    def in_full(self) -> Text:
        """All there is to say of the line under the cursor, however narrow the screen."""
        row = self._row(self.cursor) if self.count else ""
        match row:
            case PlannedTask(task=task, cautions=regrets):
                runs = self.summaries.get(task.id, NO_SUMMARY)
                text = Text("  ".join(filter(None, (task.id, report.cascade_reason(row)))))
                text.append("\n")
                for why in regrets:
                    text.append(f"! {why}  ", self._styled("regret"))
                return text.append(f"{runs.code_text}  {runs.inputs_text}", self._styled("quiet"))
            case PlannedBundle(bundle=bundle):
                text = Text(f"{plain_text(self._called(bundle))}  {report.bundle_effect(row)}\n")
                stays = "its tasks that stay keep everything but their place in it"
                return text.append(stays if row.surviving else "", self._styled("quiet"))
            case Blocked(task=task, reason=reason):
                return Text(f"{task.id}\n").append(plain_text(reason), self._styled("blocked"))
        return Text(self._sections[self._section(self.cursor)].means if self.count else "", "dim")

    def line(self, y: int) -> Text:
        """The text of a line of the plan."""
        row = self._row(y)
        width = self.scrollable_content_region.width
        match row:
            case PlannedTask():
                return self._task_line(row, width)
            case PlannedBundle():
                return self._bundle_line(row)
            case Blocked():
                return self._blocked_line(row, width)
        section = self._sections[self._section(y)]
        if y in self._starts:
            return self._title_line(section, width)
        return Text(" " * _INDENT).append(row, self._styled("blocked"))

    def _section(self, y: int) -> int:
        return bisect_right(self._starts, y) - 1

    def _row(self, y: int) -> Row:
        """What stands on a line; "" for the title of a group."""
        at = self._section(y)
        below = y - self._starts[at]
        return self._sections[at].rows[below - 1] if below else ""

    def _regrets(self) -> Iterable[int]:
        """The lines where a run of tasks with the same regrets begins."""
        for start, section in zip(self._starts, self._sections, strict=True):
            before: tuple[str, ...] = ()
            for below, row in enumerate(section.rows, 1):
                regrets = row.cautions if isinstance(row, PlannedTask) else ()
                if regrets and regrets != before:
                    yield start + below
                before = regrets

    # Lines

    def _styled(self, name: str) -> Style:
        partial = self.get_component_rich_style(f"plan--{name}", partial=True)
        # Whole, a colour is mixed with what it stands on; in part, "60 % of it" would be white.
        return partial + Style(color=self.get_component_rich_style(f"plan--{name}").color)

    def _title_line(self, section: Section, width: int) -> Text:
        number = sum(not isinstance(row, str) for row in section.rows)
        text = Text(" ").append(f"{section.title} {number:,}", self._styled("title"))
        if section.alarming:
            text.stylize(self._styled("blocked"))
        if section.note:
            gap = max(2, width - len(text) - len(section.note) - 1)
            text.append(" " * gap).append(section.note, self._styled("regret"))
        return text

    def _start(self, task: Task, *, goes: bool, regretted: bool = False) -> Text:
        text = Text(" ")
        text.append("! " if regretted else "  ", self._styled("regret"))
        text.append("- " if goes else "  ", self._styled("minus"))
        status = fit(f"{GLYPH[task.status]} {task.status}", _STATUS)
        return text.append(status, self._styled(task.status)).append("  ")

    def _task_line(self, planned: PlannedTask, width: int) -> Text:
        task = planned.task
        text = self._start(task, goes=True, regretted=bool(planned.cautions))
        measured = self.sizes.get(task.id)
        end = _age(task, self._now, wide=width >= MIDDLE)
        end += f"{format_size(measured.bytes) if measured else '':>9}"
        end += f"  {short_id(task.id)}" if width >= MIDDLE else ""
        room = max(0, width - text.cell_len - len(end))
        why = report.cascade_reason(planned)
        if width < WIDE:
            return text.append(self._what_runs(task, room, why)).append(end)
        text.append(self._what_runs(task, _RUNS)).append(f"{end}  {why}")
        for regret in planned.cautions:
            if width - text.cell_len >= _NOTE:
                text.append(f"  {regret}" if why else regret, self._styled("regret"))
        return text

    def _what_runs(self, task: Task, room: int, why: str = "") -> Text:
        """What a task runs, and with what or why it goes, in ``room`` cells, two of them empty."""
        summary = self.summaries.get(task.id, NO_SUMMARY)
        if room >= 2 * _SECOND - 4:
            width = _SECOND
        else:
            width = (_NARROW_WHY if why else _NARROW) if room >= 2 * _NARROW_WHY - 6 else 0
        if task.lang is Lang.PY and not why:
            width = 0  # a command has no inputs
        text = Text(
            fit(summary.code_text or summary.problem or "", max(0, room - width - 2)) + "  "
        )
        if width:
            text.append(_cut(why or summary.inputs_text, width - 2) + "  ", self._styled("quiet"))
        return text

    def _bundle_line(self, planned: PlannedBundle) -> Text:
        text = Text("   ").append("- ", self._styled("minus"))
        text.append(fit(plain_text(self._called(planned.bundle)), 24)).append("  ")
        style = "regret" if planned.surviving else "quiet"
        return text.append(report.bundle_effect(planned), self._styled(style))

    def _blocked_line(self, blocked: Blocked, width: int) -> Text:
        text = self._start(blocked.task, goes=False)
        end = short_id(blocked.task.id)
        if len(blocked.chain) > 1:
            end += f"  holds its chain of {len(blocked.chain):,}"
        room = max(0, min(_RUNS, width - text.cell_len - len(end) - 1))
        return text.append(self._what_runs(blocked.task, room)).append(end)


def _cut(text: str, width: int) -> str:
    """The text in exactly ``width`` cells; what is too long loses its end: the first input tells
    more than the last."""
    return (
        set_cell_size(text, width)
        if cell_len(text) <= width
        else set_cell_size(text, width - 1) + "…"
    )


def _age(task: Task, now: float, *, wide: bool) -> str:
    """How long ago it finished, with ~ if that is estimated; what never did, how long ago it was
    made."""
    then = task.finished if task.finished is not None else task.created
    words = "unknown"
    if then is not None:
        words = format_age(then, now) if wide else format_duration(max(1.0, now - then))
    sign = "~" if task.finished_estimated else " "
    return f"{sign}{words}".ljust(16 if wide else 12)


def _sections(plan: PurgePlan) -> Iterable[Section]:
    """The groups of a plan; what makes it refused comes first."""
    if plan.refused:
        yield Section("blocked", tuple(_with_reasons(plan.blocked)), _BLOCKED, alarming=True)
    if plan.matched:
        yield Section("matched", plan.matched, _MATCHED, _regret_note(plan.matched))
    if plan.cascaded:
        yield Section("in retry chains", plan.cascaded, _CASCADED, _regret_note(plan.cascaded))
    if plan.bundles:
        yield Section("bundles", plan.bundles, _BUNDLES)
    if plan.blocked and not plan.refused:
        yield Section("left out", tuple(_with_reasons(plan.blocked)), _LEFT_OUT)


def _with_reasons(blocked: Sequence[Blocked]) -> Iterable[Row]:
    """What blocks, under each reason once: the reason is what to do, and longer than a line."""
    by_reason: dict[str, list[Row]] = {}
    for one in blocked:
        by_reason.setdefault(one.reason, []).append(one)
    for reason, rows in by_reason.items():
        yield from textwrap.wrap(plain_text(reason), 70)
        yield from rows


def _regret_note(tasks: Sequence[PlannedTask]) -> str:
    kept = sum(any(KEPT in why for why in one.cautions) for one in tasks)
    if kept:
        return f"! {kept:,} of them your filters would have kept"
    regretted = sum(bool(one.cautions) for one in tasks)
    return f"! {pluralize(regretted, 'task')} to think twice about" if regretted else ""
