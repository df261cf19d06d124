"""The table of a sweep: a row a task, a column for each input that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from hipercow_tui.analysis.error_groups import number
from hipercow_tui.analysis.sweep import FINISHED, STATUS, Sweep, SweepSort
from hipercow_tui.domain.task import Task
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.task_table import LONG_AGES_FROM, finished_text, status_cell
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

_NARROWEST, _WIDEST = 6, 24  # cells of an input
_ID = Column("id", "id", 12, 12, rank=99)


class SweepTable(VirtualTable):
    """The tasks of a sweep; the arrow is on the column that they are sorted by."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "To the task", key_display="Enter", id="sweep.go"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now = 0.0
        self._sweep = Sweep()
        self._tasks: Mapping[str, Task] = {}
        self._ids: tuple[str, ...] = ()
        self._rows: Mapping[str, int] = {}
        self._sort = SweepSort()
        self._query = ""
        self._empty_text: Sequence[str] = ()

    def show(
        self, sweep: Sweep, tasks: Mapping[str, Task], ids: tuple[str, ...], sort: SweepSort
    ) -> None:
        """Show these tasks in this order."""
        before = self._ids
        if sweep.names != self._sweep.names:
            self._laid_out_for = -1
        self._sweep, self._tasks, self._ids, self._sort = sweep, tasks, ids, sort
        self._rows = {task_id: row for row, task_id in enumerate(ids)}
        if ids == before:
            self.forget_strips()
        else:
            self.rows_changed(before)

    def search(self, query: str) -> None:
        """Show where this stands."""
        self._query = query
        self.forget_strips()

    def say_if_empty(self, *lines: str) -> None:
        """Why there may be no rows."""
        self._empty_text = lines
        self.forget_strips()

    @property
    def keys(self) -> Sequence[str]:
        """The ids of the tasks."""
        return self._ids

    def row_of(self, key: str) -> int | None:
        """Where a task stands, if it is there."""
        return self._rows.get(key)

    @property
    def empty_text(self) -> Sequence[str]:
        """Why there are no rows."""
        return self._empty_text

    @property
    def needle(self) -> str:
        """What is searched for, as far as it stands in a cell: of ``beta = 0.9`` the value."""
        return (self._query.partition("=")[2].strip() or self._query).casefold()

    @property
    def column_keys(self) -> Sequence[str]:
        """What can be sorted by, from left to right."""
        return [STATUS, *map(str, range(len(self._sweep.names))), FINISHED]

    def columns(self, width: int) -> Sequence[Column]:
        """Where there is little room, the last inputs give way first."""
        finished = 15 if width >= LONG_AGES_FROM else 6
        return (
            Column(STATUS, "status", 13, 13),
            *(self._input(place) for place in range(len(self._sweep.names))),
            Column(FINISHED, "finished" if finished > 6 else "ended", finished, finished, rank=1),
            _ID,
        )

    def _input(self, place: int) -> Column:
        texts = (values[place] or "" for values in self._sweep.values.values())
        title = plain_text(self._sweep.names[place])
        widest = max(cell_len(title) + 1, *map(cell_len, map(plain_text, texts)))
        most = min(max(widest, _NARROWEST), _WIDEST)
        return Column(str(place), title, most, most, rank=place + 2 if place else 0)

    def sign(self, column: Column) -> str:
        """An arrow on the column that the tasks are sorted by."""
        return ("↓" if self._sort.reverse else "↑") if column.key == self._sort.key else ""

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a task."""
        task_id = self._ids[index]
        return RenderedRow([self._cell(task_id, self._tasks[task_id], one) for one in layout])

    def _cell(self, task_id: str, task: Task, one: PlacedColumn) -> Cell:
        match one.column.key:
            case "status":
                return status_cell(task, long=False)
            case "finished":
                return ((finished_text(task, self.now, long=one.width >= 15), "quiet"),)
            case "id":
                return ((f"{task_id[:7]}…{task_id[-4:]}", "quiet"),)
        value = self._sweep.values.get(task_id, ())[int(one.column.key)]
        if value is None:
            return (("—", "quiet"),)
        text = plain_text(value)
        return ((text.rjust(one.width - 1) if number(value) is not None else text, "strong"),)
