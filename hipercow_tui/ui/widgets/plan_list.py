"""The list of a plan: chains in groups that can be folded, with what the user keeps struck out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message

from hipercow_tui.analysis.comparison import parse_comparison
from hipercow_tui.analysis.plan_rows import Member, Row, chain_ids, members, tree_rows
from hipercow_tui.analysis.plan_tree import BlockedChain, Chain, KnownFacts, PlanGroup, PlanTree
from hipercow_tui.analysis.task_summary import NO_SUMMARY
from hipercow_tui.domain.plan import PinnedTask, PlannedBundle
from hipercow_tui.domain.plan_chains import PlannedChain
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.ui.status_style import COLOUR
from hipercow_tui.ui.widgets.plan_columns import PlanLayout, Widest, header_line, plan_layout
from hipercow_tui.ui.widgets.plan_lines import (
    FOLD_SIGN,
    TITLE_SIGN,
    LineContext,
    bundle_id,
    in_full,
    row_line,
)
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.workers.plan_view import PlanView


class PlanList(VirtualList):
    """The lines of a plan; ``known`` is filled while they are shown.

    ``kept`` are the keys of the chains that the user keeps; it can be newer than the view.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plan--title",
        "plan--quiet",
        "plan--caution",
        "plan--blocked",
        "plan--minus",
        "plan--kept",
        "plan--hit",
        *(f"plan--{status}" for status in Status),
    }
    """``plan--title``: title of a group; ``plan--quiet``: less important text; ``plan--caution``:
    warnings; ``plan--blocked``: blocked tasks and reasons; ``plan--minus``: the sign of tasks and
    bundles that go; ``plan--kept``: the mark of what the user keeps; ``plan--hit``: found text;
    ``plan--failure`` and so on: statuses."""

    DEFAULT_CSS = """
    PlanList > .plan--title { text-style: bold; }
    PlanList > .plan--quiet { text-style: dim; }
    PlanList > .plan--caution { color: $text-warning; text-style: bold; }
    PlanList > .plan--blocked { color: $text-error; }
    PlanList > .plan--minus { color: $text-error; }
    PlanList > .plan--kept { color: $text-success; text-style: bold; }
    PlanList > .plan--hit { text-style: bold underline; }
    """ + "\n".join(
        f"PlanList > .plan--{status} {{ color: ${colour}; }}" for status, colour in COLOUR.items()
    )

    class Opened(Message):
        """A line was double clicked."""

    def __init__(self, known: KnownFacts, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.known = known
        self.kept: frozenset[str] = frozenset()
        self.folded: frozenset[str] = frozenset()
        self._view: PlanView | None = None
        self._has_numbers = False
        self._rows: list[Row] = []
        self._widest = Widest()

    # Rows

    def show(self, view: PlanView) -> None:
        """Show a view. The cursor stays on its row, or goes to the nearest one that still exists; a
        new arrangement is shown from its first line."""
        before = self._view
        self._view = view
        self._has_numbers = True
        if before is not None and before.tree is view.tree:
            self.redraw()
            return
        plan = view.tree.plan
        names = (cell_len(planned.bundle.name) for planned in plan.bundles)
        labels = (cell_len(plan.bundle_label(planned.bundle)) for planned in plan.bundles)
        self._widest = replace(
            self._widest, bundle=max(names, default=0), label=max(labels, default=0)
        )
        unchanged = view.request.folded == self.folded
        rows = list(view.rows) if unchanged else tree_rows(view.tree.groups, self.folded)
        same_order = before and before.request.arrangement == view.request.arrangement
        place = _nearest_place(self._rows, self.cursor, rows) if same_order else 0
        self._set_rows(rows, place)

    def _set_rows(self, rows: list[Row], cursor: int) -> None:
        self._rows = rows
        self.count = len(rows)
        self.cursor = cursor
        if not cursor:
            self.scroll_to(y=0, animate=False, immediate=True)
        self.redraw()
        self.post_message(self.ViewChanged())

    def keep(self, kept: frozenset[str]) -> None:
        """Show other chains as kept."""
        self.kept = kept
        self.redraw()

    def hide_numbers(self) -> None:
        """Hide the numbers until the next view, because they belong to another plan."""
        self._has_numbers = False
        self.redraw()

    @property
    def plan_tree(self) -> PlanTree | None:
        """The tree that is shown; None until the first view."""
        return None if self._view is None else self._view.tree

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None in an empty list."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def current_task(self) -> Task | None:
        """The task under the cursor, if the row is one."""
        return None if self.row is None else task_of(self.row)

    @property
    def group(self) -> PlanGroup | None:
        """The group of the row under the cursor."""
        above = (self._rows[y] for y in range(self.cursor, -1, -1))
        return next((row for row in above if isinstance(row, PlanGroup)), None)

    def chains_at_cursor(self) -> tuple[Chain, ...]:
        """Return the chains of the row: its own, or those of its group or its bundle."""
        row, view = self.row, self._view
        match row:
            case PlannedChain() | BlockedChain():
                return (row,)
            case Member(chain=chain):
                return (chain,)
        of_bundle = view.tree.chains_of_bundle if view else {}
        found = {id(c): c for c in row.chains} if isinstance(row, PlanGroup) else {}
        for one in self.bundles_at_cursor():
            found.update((id(c), c) for c in of_bundle.get(bundle_id(one), ()))
        return tuple(found.values())

    def bundles_at_cursor(self) -> tuple[PlannedBundle, ...]:
        """Return the bundle of the row, or those of its group."""
        match self.row:
            case PlannedBundle() as bundle:
                return (bundle,)
            case PlanGroup(bundle=PlannedBundle() as bundle):
                return (bundle,)
            case PlanGroup(items=items):
                return tuple(item for item in items if isinstance(item, PlannedBundle))
        return ()

    def visible_tasks(self) -> list[Task]:
        """Return the tasks of the visible lines, without unreadable ones."""
        tasks = (task_of(self._rows[y]) for y in self.visible_lines)
        return [task for task in tasks if task is not None and task.status is not Status.BROKEN]

    # Folding

    def fold(self, *, folded: bool) -> None:
        """Fold or unfold the group or chain under the cursor.

        Folding a line that can't be folded goes to the line that can: the chain or the group. A
        title has no such line.
        """
        row = self.row
        match row:
            case PlanGroup() | PlannedChain() | BlockedChain() if (
                isinstance(row, PlanGroup) or members(row)
            ) and (row.key in self.folded) != folded:
                self._set_folded(row, folded=folded)
            case PlanGroup():
                return
            case _ if folded:
                self._go_to_parent()

    def toggle_fold(self) -> None:
        """Fold or unfold the chain or group under the cursor."""
        row = self.row
        if isinstance(row, PlanGroup | PlannedChain | BlockedChain):
            self.fold(folded=row.key not in self.folded)

    def _set_folded(self, row: PlanGroup | Chain, *, folded: bool) -> None:
        self.folded = self.folded | {row.key} if folded else self.folded - {row.key}
        below = self.cursor + 1
        if folded:
            del self._rows[below : self._end_of(row)]
        elif isinstance(row, PlanGroup):
            self._rows[below:below] = tree_rows([row], self.folded)[1:]
        else:
            self._rows[below:below] = members(row)
        self.count = len(self._rows)
        self.redraw()
        self.post_message(self.ViewChanged())

    def _end_of(self, row: Row) -> int:
        """Return the line after the group or chain under the cursor."""
        below = islice(self._rows, self.cursor + 1, None)
        if isinstance(row, PlanGroup):
            length = next((n for n, other in enumerate(below) if type(other) is PlanGroup), None)
        else:
            length = next((n for n, other in enumerate(below) if type(other) is not Member), None)
        return self.count if length is None else self.cursor + 1 + length

    def _go_to_parent(self) -> None:
        inside = isinstance(self.row, Member)
        for y in range(self.cursor - 1, -1, -1):
            if isinstance(self._rows[y], PlanGroup) or (
                inside and isinstance(self._rows[y], Chain)
            ):
                self.cursor = y
                return

    def on_click(self, event: events.Click) -> None:
        """Fold or unfold on a click on a sign; open a line on a double click elsewhere."""
        y = self.scroll_offset.y + event.y
        if y >= self.count:
            return
        row = self._rows[y]
        cells = TITLE_SIGN if isinstance(row, PlanGroup) else FOLD_SIGN
        if event.x in cells and isinstance(row, PlanGroup | PlannedChain | BlockedChain):
            self.cursor = y
            self.toggle_fold()
        elif event.chain == 2:
            self.cursor = y
            self.post_message(self.Opened())

    # Moving

    def go_past_chain(self) -> None:
        """Move to the row after the chain, the group or the bundle under the cursor."""
        if self.row is not None and (end := self._end_of(self.row)) < self.count:
            self.cursor = end

    def go_to_stop(self, by: int) -> None:
        """Move to the next (1) or previous (-1) group or warning."""
        self._go_to(by, self._is_stop)

    def _is_stop(self, y: int) -> bool:
        """Return whether a line is a title, or begins tasks with another warning than above."""
        if isinstance(self._rows[y], PlanGroup):
            return True
        cautions = _cautions_of(self._rows[y])
        return bool(cautions) and (not y or cautions != _cautions_of(self._rows[y - 1]))

    def go_to_hit(self, by: int) -> None:
        """Move to the next (1) or previous (-1) hit, at the end to the other end."""
        self._go_to(by, self._is_hit, around=True)

    def go_to_first_hit(self, start: int) -> None:
        """Move to the first hit at or after a line, while the text is typed."""
        self.cursor = start
        if not self._is_hit(start):
            self.go_to_hit(1)

    def _is_hit(self, y: int) -> bool:
        hits = self._view.hits.ids if self._view else ()
        return any(task_id in hits for task_id in self._ids_at(y))

    def _ids_at(self, y: int) -> Iterator[str]:
        """Yield the ids of the tasks on a line, with those that are folded under it."""
        row = self._rows[y] if y < self.count else ""
        if (task := task_of(row)) is not None:
            yield task.id
        if isinstance(row, PlanGroup) and row.key in self.folded:
            for chain in row.chains:
                yield from chain_ids(chain)
        elif isinstance(row, Chain) and row.key in self.folded:
            yield from chain_ids(row)

    def _go_to(self, by: int, wanted: Callable[[int], bool], *, around: bool = False) -> None:
        ends = range(self.cursor + 1, self.count) if by > 0 else range(self.cursor - 1, -1, -1)
        wrapped: Iterable[int] = ()
        if around:
            wrapped = range(self.cursor + 1) if by > 0 else range(self.count - 1, self.cursor, -1)
        for lines in (ends, wrapped):
            for y in lines:
                if wanted(y):
                    self.cursor = y
                    return

    def go_to_task(self, task_id: str) -> bool:
        """Move to the line of a task; return whether there is one."""
        for y in range(self.count):
            if task_id in self._ids_at(y):
                self.cursor = y
                return True
        return False

    # Lines

    @property
    def _line_context(self) -> LineContext:
        assert self._view is not None
        return LineContext(
            view=self._view,
            kept=self.kept,
            folded=self.folded,
            current=self._has_numbers,
            known=self.known,
            layout=self.layout_of_columns,
            style=self._style_of,
        )

    @property
    def layout_of_columns(self) -> PlanLayout:
        """The widths of the columns."""
        return plan_layout(self.scrollable_content_region.width, self._widest)

    def header(self) -> Text:
        """Return the titles of the columns."""
        if self._view is None:
            return Text()
        return header_line(
            self._view.request.arrangement, self.layout_of_columns, self.known.size_kind
        )

    def line(self, y: int) -> Text:
        """Return the text of a line."""
        context = self._line_context
        text = row_line(self._rows[y], context)
        if found := self._found_text(self._rows[y], context.view.request.query):
            text.highlight_words([found], self._style_of("hit"), case_sensitive=False)
        return text

    def _found_text(self, row: Row, query: str) -> str:
        """Return the text to highlight: the query, or the input that a comparison found."""
        comparison, task = parse_comparison(query), task_of(row)
        if comparison is None:
            return query
        inputs = self.known.summaries.get(task.id, NO_SUMMARY).inputs if task else ()
        value = comparison.value_in(inputs)
        return "" if value is None else f"{comparison.name} = {value}"

    def in_full(self) -> Text:
        """Return the whole text of the line under the cursor, on two lines."""
        return Text() if self.row is None else in_full(self.row, self._line_context)

    def widen_columns(self) -> bool:
        """Widen the columns for the calls that were read; return whether they changed."""
        before = self._widest
        found = [self.known.summaries.get(task.id) for task in self.visible_tasks()]
        summaries = [summary for summary in found if summary is not None]
        codes = (cell_len(summary.code_text) for summary in summaries)
        inputs = (cell_len(summary.inputs_text) for summary in summaries)
        what, second = max(before.what, *codes, 0), max(before.second, *inputs, 0)
        self._widest = replace(before, what=what, second=second)
        return self._widest != before

    def _style_of(self, name: str) -> Style:
        partial = self.get_component_rich_style(f"plan--{name}", partial=True)
        # A partial style does not blend a transparent colour, so the colour is from the full style.
        return partial + Style(color=self.get_component_rich_style(f"plan--{name}").color)


def task_of(row: Row) -> Task | None:
    """Return the task that a line shows; None for titles, bundles and reasons."""
    match row:
        case PlannedChain(tasks=(first, *_)):
            return first.task
        case BlockedChain(blocked=blocked):
            return blocked.task
        case Member(planned=planned):
            return planned.task
        case PinnedTask(task=task):
            return task
    return None


def _cautions_of(row: Row) -> tuple[object, ...]:
    match row:
        case PlannedChain(tasks=(first, *_)):
            return first.cautions
        case Member(planned=planned):
            return planned.cautions
    return ()


def _nearest_place(before: list[Row], cursor: int, rows: list[Row]) -> int:
    """Return the line that shows the same as the former row under the cursor, or else as the
    nearest one that still exists, below it if possible; 0 if there is none."""
    if not before:
        return 0
    places = {_identity(row): y for y, row in enumerate(rows)}
    for y in chain(range(cursor, len(before)), range(cursor - 1, -1, -1)):
        if (place := places.get(_identity(before[y]))) is not None:
            return place
    return 0


def _identity(row: Row) -> object:
    match row:
        case PlanGroup(key=key):
            return "group", key
        case PlannedBundle():
            return bundle_id(row)
        case PinnedTask(task=pinned):  # not the line that was pinned: that has left its group
            return "pinned", pinned.id
        case str():
            return row
    task = task_of(row)
    return task.id if task else None
