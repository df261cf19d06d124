"""A plan as a diff: a line for each task and bundle, grouped by why it goes or stays."""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.style import Style
from rich.text import Text

from hipercow_tui import report
from hipercow_tui.model import Status, Task
from hipercow_tui.plan import KEPT, Blocked, PlannedBundle, PlannedTask, PurgePlan
from hipercow_tui.roots.sizes import Size
from hipercow_tui.text import age, count, short_id, size, span
from hipercow_tui.ui.cells import fit, plain
from hipercow_tui.ui.looks import COLOUR, GLYPH
from hipercow_tui.ui.widgets.lines import Lines
from hipercow_tui.view import NO_GIST, Gist

Row: TypeAlias = "PlannedTask | PlannedBundle | Blocked | str"

WIDE = 110  # cells from which a line has room for why it goes, beside everything else
_TAIL = 30  # cells for that: "first attempt of 3f2a9c…71e0"
_STATUS = 11  # cells: glyph, space and "submitted"
_INDENT = 5  # cells: cursor, "!", space, "-", space


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines under a title; ``note`` is what one should know of it."""

    title: str
    rows: Sequence[Row]
    note: str = ""
    alarming: bool = False


class PlanList(Lines):
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
    PlanList > .plan--quiet { color: $text-muted; }
    PlanList > .plan--regret { color: $text-warning; text-style: bold; }
    PlanList > .plan--blocked { color: $text-error; }
    PlanList > .plan--minus { color: $text-error; }
    """ + "\n".join(
        f"PlanList > .plan--{status} {{ color: ${colour}; }}" for status, colour in COLOUR.items()
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sizes: Mapping[str, Size] = {}
        self.gists: Mapping[str, Gist] = {}
        self._now = 0.0
        self._sections: tuple[Section, ...] = ()
        self._starts: list[int] = []
        self._stops: list[int] = []

    def show(self, plan: PurgePlan) -> None:
        """Show a plan from its beginning."""
        self._now = plan.made
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
        self.renew()

    def tasks_in_sight(self) -> list[Task]:
        """The tasks of the lines that are in sight."""
        rows = (self._row(y) for y in self.in_sight)
        return [row.task for row in rows if isinstance(row, PlannedTask | Blocked)]

    def go_to_stop(self, by: int) -> None:
        """Move to the next (1) or previous (-1) group or first of some tasks to think twice of."""
        if by > 0:
            after = self._stops[bisect_right(self._stops, self.cursor) :]
            self.cursor = after[0] if after else self.cursor
        else:
            before = [stop for stop in self._stops if stop < self.cursor]
            self.cursor = before[-1] if before else self.cursor

    def in_full(self) -> Text:
        """All there is to say of the line under the cursor, however narrow the screen."""
        row = self._row(self.cursor) if self.count else ""
        match row:
            case PlannedTask(task=task, regrets=regrets):
                runs = self.gists.get(task.id, NO_GIST)
                text = Text("  ".join(filter(None, (task.id, report.drawn_in_by(row)))))
                text.append("\n")
                for why in regrets:
                    text.append(f"! {why}  ", self._styled("regret"))
                return text.append(f"{runs.what}  {runs.varies}", self._styled("quiet"))
            case PlannedBundle(bundle=bundle):
                text = Text(f"{plain(bundle.name)}  {report.bundle_fate(row)}\n")
                stays = "its tasks that stay keep everything but their place in it"
                return text.append(stays if row.surviving else "", self._styled("quiet"))
            case Blocked(task=task, reason=reason):
                return Text(f"{task.id}\n").append(plain(reason), self._styled("blocked"))
        return Text(self._sections[self._section(self.cursor)].note if self.count else "")

    def line(self, y: int) -> Text:
        """The text of a line of the plan."""
        row = self._row(y)
        width = self.size.width
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
        return Text(row, self._styled("blocked"))

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
                regrets = row.regrets if isinstance(row, PlannedTask) else ()
                if regrets and regrets != before:
                    yield start + below
                before = regrets

    # Lines

    def _styled(self, name: str) -> Style:
        return self.get_component_rich_style(f"plan--{name}", partial=True)

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
        text = self._start(task, goes=True, regretted=bool(planned.regrets))
        why = report.drawn_in_by(planned)
        measured = self.sizes.get(task.id)
        end = f"{_age(task, self._now, wide=width >= WIDE)}  "
        if width >= WIDE:
            end += f"{size(measured.bytes) if measured else '':>9}  {short_id(task.id)}  "
            tail = Text(why, self._styled("quiet"))
            for regret in planned.regrets:
                tail.append("  " if tail else "").append(regret, self._styled("regret"))
            tail.truncate(_TAIL, overflow="ellipsis", pad=True)
        elif why:
            tail = Text(fit(why, _TAIL), self._styled("quiet"))
        else:
            end += f"{size(measured.bytes) if measured else '':>9}  {task.id[:6]}…"
            tail = Text()
        room = max(0, width - len(text) - len(end) - len(tail))
        return text.append(self._what_runs(task, room)).append(end).append(tail)

    def _what_runs(self, task: Task, room: int) -> Text:
        """What a task runs and with what, in exactly ``room`` cells, two of them empty."""
        runs = self.gists.get(task.id)
        if runs is None or room < 6:
            return Text(" " * room)
        what = min(len(runs.what), room - 2)
        if room >= 50:
            what = room * 3 // 5  # room enough for two columns, which are easier to read down
        text = Text(fit(runs.what, what)).append("  ")
        return text.append(fit(runs.varies, room - len(text) - 2) + "  ", self._styled("quiet"))

    def _bundle_line(self, planned: PlannedBundle) -> Text:
        text = Text("   ").append("- ", self._styled("minus"))
        text.append(fit(plain(planned.bundle.name), 24)).append("  ")
        style = "regret" if planned.surviving else "quiet"
        return text.append(report.bundle_fate(planned), self._styled(style))

    def _blocked_line(self, blocked: Blocked, width: int) -> Text:
        text = self._start(blocked.task, goes=False)
        end = short_id(blocked.task.id)
        if len(blocked.chain) > 1:
            end += f"  holds its chain of {len(blocked.chain):,}"
        room = max(0, width - len(text) - len(end) - 1)
        return text.append(self._what_runs(blocked.task, room)).append(end)


def _age(task: Task, now: float, *, wide: bool) -> str:
    """How long ago it finished; what never did, how long ago it was made."""
    then = task.finished if task.finished is not None else task.created
    if then is None:
        return "?".ljust(16 if wide else 12)
    words = age(then, now) if wide else span(max(1.0, now - then))
    sign = "~" if task.finished_estimated else " "
    return f"{words + sign:<{16 if wide else 12}}"


def _sections(plan: PurgePlan) -> Iterable[Section]:
    """The groups of a plan; what makes it refused comes first."""
    if plan.refused:
        yield Section("blocked", tuple(_with_reasons(plan.blocked)), alarming=True)
    for title, tasks in (("matched", plan.matched), ("in retry chains", plan.cascaded)):
        if tasks:
            yield Section(title, tasks, _regret_note(tasks))
    if plan.bundles:
        yield Section("bundles", plan.bundles)
    if plan.blocked and not plan.refused:
        yield Section("left out", tuple(_with_reasons(plan.blocked)))


def _with_reasons(blocked: Sequence[Blocked]) -> Iterable[Row]:
    """What blocks, under each reason once: the reason is what to do, and longer than a line."""
    by_reason: dict[str, list[Row]] = {}
    for one in blocked:
        by_reason.setdefault(one.reason, []).append(one)
    for reason, rows in by_reason.items():
        indent = " " * _INDENT
        yield from textwrap.wrap(plain(reason), 74, initial_indent=indent, subsequent_indent=indent)
        yield from rows


def _regret_note(tasks: Sequence[PlannedTask]) -> str:
    kept = sum(any(KEPT in why for why in one.regrets) for one in tasks)
    if kept:
        return f"! {kept:,} of them your filters would have kept"
    regretted = sum(bool(one.regrets) for one in tasks)
    return f"! {count(regretted, 'task')} to think twice about" if regretted else ""
