"""The table of a sweep: a row for each task, a column for each input that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from hipercow_tui.analysis.comparison import parse_comparison
from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.analysis.sweep import (
    SORT_BY_FINISHED,
    SORT_BY_STATUS,
    Sweep,
    SweepSort,
    input_key,
)
from hipercow_tui.domain.task import Task
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text
from hipercow_tui.ui.keymap import MARK_KEYS
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.task_cells import (
    LONG_AGE,
    finished_column,
    finished_text,
    status_cell,
    table_id,
)
from hipercow_tui.ui.workers.sweep_builder import WIDEST, SweepModel

_NARROWEST = 6  # cells of an input
_MARK_ACTIONS = tuple(key.action for key in MARK_KEYS)
_ID = Column("id", "id", 12, 12, rank=99)


class SweepTable(MarkableTable, KeyedTable):
    """The tasks of a sweep. Without ``marks`` they can't be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "To the task", key_display="Enter", id="sweep.go"),
    ]

    def __init__(self, marks: Marks | None, *, id: str | None = None) -> None:
        super().__init__(marks or Marks(), id=id)
        self._can_mark = marks is not None
        self.now = 0.0
        self._sweep = Sweep()
        self._tasks: Mapping[str, Task] = {}
        self._widths: tuple[int, ...] = ()
        self._sort = SweepSort()
        self._query = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the keys for marks only if tasks can be marked."""
        return self._can_mark or action not in _MARK_ACTIONS

    def show(self, model: SweepModel) -> None:
        """Show the tasks of a model."""
        if (model.sweep.names, model.widths) != (self._sweep.names, self._widths):
            self.forget_layout()
        self._sweep, self._widths = model.sweep, model.widths
        self._tasks, self._sort = model.request.tasks, model.request.sort
        self.set_keys(model.ids)

    def search(self, query: str) -> None:
        """Highlight the query."""
        self._query = query
        self.redraw()

    @property
    def hits(self) -> Sequence[int]:
        """The rows that the search found."""
        keys = self.keys if self._query else ()
        return [row for row, key in enumerate(keys) if self._sweep.matches(key, self._query)]

    @property
    def needle(self) -> str:
        """The part of the query that a cell can contain: the value of ``beta = "high"``."""
        return (self._query.partition("=")[2].strip() or self._query).casefold()

    def needle_of(self, index: int) -> str:
        """Return the part of the query, or of a comparison such as ``beta > 0.9`` the value that
        it found."""
        comparison = parse_comparison(self._query)
        if comparison is None:
            return self.needle
        return (self._sweep.value_found(self.keys[index], comparison) or "").casefold()

    @property
    def sort(self) -> SweepSort:
        """The order of the tasks, by a column."""
        return self._sort.resolved(self._sweep.names)

    @property
    def column_keys(self) -> Sequence[str]:
        """What can be sorted by, from left to right."""
        return [SORT_BY_STATUS, *self._sweep.places, SORT_BY_FINISHED]

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns; on a narrow terminal the last inputs are left out first."""
        return (
            Column(SORT_BY_STATUS, "status", 13, 13),
            *(self._input(place) for place in range(len(self._sweep.names))),
            finished_column(width, 1),
            _ID,
        )

    def _input(self, place: int) -> Column:
        title = plain_text(self._sweep.names[place])
        widest = max(cell_len(title) + 1, self._widths[place])
        most = min(max(widest, _NARROWEST), WIDEST)
        return Column(
            input_key(self._sweep.names[place]), title, most, most, rank=place + 2 if place else 0
        )

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a task."""
        task = self._tasks[self.keys[index]]
        return RenderedRow(
            [self._cell(task, placed) for placed in layout],
            mark=self.mark_of(task.id),
            in_range=self.in_range(index),
        )

    def _cell(self, task: Task, placed: PlacedColumn) -> Cell:
        match placed.column.key:
            case "status":
                return status_cell(task, long=False)
            case "finished":
                return ((finished_text(task, self.now, long=placed.width >= LONG_AGE), "quiet"),)
            case "id":
                return ((table_id(task.id), "quiet"),)
        value = self._sweep.values.get(task.id, ())[self._sweep.places[placed.column.key]]
        if value is None:
            return (("—", "quiet"),)
        text = plain_text(value)
        return (
            (text.rjust(placed.width - 1) if parse_number(value) is not None else text, "strong"),
        )
