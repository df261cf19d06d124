"""The table of errors, with the number, bundles and differing inputs of the failed tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipercow_tui.analysis.comparison import parse_comparison
from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorGrouping, ErrorKey, ErrorSort
from hipercow_tui.analysis.task_view import TaskView, next_hit
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.text import format_age, pluralize
from hipercow_tui.ui.cells import Column, PlacedColumn, cut_end, plain_text, short_number
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.task_cells import bundle_cell, short_age

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel

LONG_AGES_FROM = 112  # cells from which on ages are long

_TASKS = Column(ErrorKey.TASKS, "tasks", 6, 7, right=True)
_BAR = Column("bar", "", 5, 16, rank=2)
_MESSAGE = Column(ErrorKey.MESSAGE, "message", 28, 120)
_FRAME = Column(ErrorKey.MESSAGE, "frame", 22, 44)
_NODE = Column(ErrorKey.MESSAGE, "node", 14, 28)
_MOST_FREQUENT = Column("most_frequent", "most frequent message", 20, 100, rank=3)
_INPUTS = Column(ErrorKey.INPUTS, "differing inputs", 16, 32, rank=4)
_BUNDLE = Column(ErrorKey.BUNDLE, "bundle", 12, 20, rank=5)
_EIGHTHS = "▏▎▍▌▋▊▉█"


class ErrorTable(MarkableTable, KeyedTable):
    """Groups of failed tasks with the same message, frame or node.

    A group is dimmed if none of its tasks passes the filters.
    """

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(marks, id=id)
        self.now = 0.0
        self.complete = False
        self._view_model: FailureViewModel | None = None
        self._groups: dict[str, ErrorGroup] = {}
        self._view = TaskView(Snapshot(Path()))

    # Rows

    def show(self, view_model: FailureViewModel) -> None:
        """Show these groups."""
        by, self._view_model = self.by, view_model
        if self.by is not by:
            self.forget_layout()  # other columns are shown
        self._groups = {group.key: group for group in view_model.groups}
        self.set_keys(tuple(self._groups))
        self.rows_pending = view_model.reading  # afterwards: the last groups were pending too

    def set_view(self, view: TaskView, now: float) -> None:
        """Set the view with the matched tasks and the query, and the time for ages."""
        self._view, self.now = view, now
        self.redraw()

    @property
    def groups(self) -> Sequence[ErrorGroup]:
        """The groups that are shown."""
        return self._view_model.groups if self._view_model else ()

    @property
    def current(self) -> ErrorGroup | None:
        """The group under the cursor."""
        return self._groups.get(self.cursor_key or "")

    @property
    def by(self) -> ErrorGrouping:
        """What the tasks of a group have in common."""
        return self._view_model.request.by if self._view_model else ErrorGrouping.MESSAGE

    def row_with(self, task_id: str) -> int | None:
        """Return the row of the group of a task, or None."""
        rows = (row for row, group in enumerate(self.groups) if task_id in group.ids)
        return next(rows, None)

    @property
    def progress(self) -> str:
        """A text such as ``read 120 of 243`` while failures are read, else empty."""
        view_model = self._view_model
        return (
            f"read {view_model.read:,} of {view_model.failed:,}"
            if view_model and view_model.reading
            else ""
        )

    @property
    def sort(self) -> ErrorSort:
        """The order of the groups."""
        return self._view_model.request.sort if self._view_model else ErrorSort()

    @property
    def empty_text(self) -> Sequence[str]:
        """The lines to show in an empty table."""
        view_model = self._view_model
        if not self.complete or view_model is None:
            return ("Reading …",)
        if view_model.failed:
            return (f"Reading the errors of {pluralize(view_model.failed, 'task')} …",)
        first = "No task has failed" if view_model.request.snapshot.tasks else "No tasks yet"
        return (
            first,
            "errors of failed tasks appear here",
            with_keys("<errors=e>: back to the tasks"),
        )

    @property
    def needle(self) -> str:
        """The case-folded query."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The errors that the search found; a comparison such as ``beta > 0.9`` finds errors of
        tasks with such an input."""
        return [row for row, group in enumerate(self.groups) if self._is_found(group)]

    def _is_found(self, group: ErrorGroup) -> bool:
        if parse_comparison(self._view.query) is not None:
            return not self._view.failed_hits.isdisjoint(group.ids)
        return bool(self.needle) and group.matches(self.needle)

    def next_match(self, step: int) -> int | None:
        """Return the next error of a task that passes the filters, or with -1 the previous one."""
        rows = enumerate(self.groups) if self._view.filtered else ()
        matched = [row for row, group in rows if not self._is_dimmed(group)]
        return next_hit(matched, self.cursor, step)

    def _is_dimmed(self, group: ErrorGroup) -> bool:
        return self._view.filtered and self._view.markable.isdisjoint(group.ids)

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns; ages are short in a narrow table."""
        last = 14 if width >= LONG_AGES_FROM else 5
        title = "last" if width < LONG_AGES_FROM else "last failed"
        label: Sequence[Column] = (_MESSAGE,)
        if self.by is not ErrorGrouping.MESSAGE:
            label = (_FRAME if self.by is ErrorGrouping.FRAME else _NODE, _MOST_FREQUENT)
        age = Column(ErrorKey.LAST, title, last, last)
        return (_TASKS, _BAR, *label, _INPUTS, _BUNDLE, age)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a group."""
        group = self._groups[self.keys[index]]
        return RenderedRow(
            [self._cell(group, placed) for placed in layout],
            mark=self.mark_of(self.keys[index]),
            dimmed=self._is_dimmed(group),
            in_range=self.in_range(index),
        )

    def _cell(self, group: ErrorGroup, placed: PlacedColumn) -> Cell:
        match placed.column.key:
            case ErrorKey.TASKS:
                number = short_number(len(group.ids), placed.width)
                return ((number.rjust(placed.width), ""),)
            case ErrorKey.MESSAGE:
                style = "strong" if group.is_known else "quiet"
                return ((cut_end(plain_text(group.line), placed.width), style),)
            case _MOST_FREQUENT.key:
                return ((cut_end(plain_text(most_frequent(group)), placed.width), ""),)
            case ErrorKey.INPUTS:
                inputs = ", ".join(map(str, group.varying))
                return ((cut_end(plain_text(inputs), placed.width), ""),)
            case ErrorKey.BUNDLE:
                return bundle_cell([name for name, _ in group.bundles])
            case ErrorKey.LAST:
                return ((last_text(group, self.now, long=placed.width >= 14), "quiet"),)
            case _:
                largest = max(len(other.ids) for other in self.groups)
                return ((bar(len(group.ids), largest, placed.width), "failure"),)

    # Marks

    def tasks_of(self, key: str) -> Collection[str]:
        """Return the tasks of a group."""
        return self._groups[key].ids

    @property
    def ids_to_mark(self) -> Collection[str]:
        """The failed tasks that pass the filters; during a search, only of errors found, and with a
        comparison only those that it found."""
        by_comparison = parse_comparison(self._view.query) is not None
        found = self._view.failed_hits if by_comparison else super().ids_to_mark
        return self._view.markable_among(found)


def most_frequent(group: ErrorGroup) -> str:
    """Return the most frequent message of a group, and how many others there are."""
    texts = [pattern for pattern, _ in group.messages]
    return f"{texts[0]}  +{len(texts) - 1:,}" if len(texts) > 1 else "".join(texts)


def last_text(group: ErrorGroup, now: float, *, long: bool) -> str:
    """Return the age of the latest failure."""
    if group.last_finished is None:
        return "—"
    age = format_age(group.last_finished, now)
    return age if long else short_age(age)


def bar(number: int, largest: int, width: int) -> str:
    """Return a bar that is full for the largest number, and at least an eighth of a cell."""
    eighths = max(1, round(8 * width * number / largest))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")
