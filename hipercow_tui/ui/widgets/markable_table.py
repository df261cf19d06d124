"""The base of tables with rows that can be marked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from textual.binding import BindingType

from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.keymap import MARK_KEYS
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.row_rendering import MARKED, PARTLY_MARKED, UNMARKED
from hipercow_tui.ui.widgets.virtual_table import TableMessage, VirtualTable


class MarkableTable(VirtualTable):
    """A table with the keys for marks. A row stands for one task or several."""

    BINDINGS: ClassVar[list[BindingType]] = [*MARK_KEYS]

    class Marked(TableMessage):
        """The marks were changed in this table."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._marks = marks
        # What selects the rows at this moment; a table that is updated later reports what it shows.
        self.present_choices: Callable[[], object] = lambda: None
        self._shown_choices: object = None
        self._mark_all_for: object = None  # the choices for which "mark all" was requested
        self._range_key: str | None = None
        self._range_row = 0

    @property
    def marks(self) -> frozenset[str] | None:
        """The ids of the marked tasks, in this table and others; None if there are none."""
        return self._marks.ids

    # For subclasses to override

    def tasks_of(self, key: str) -> Collection[str]:
        """Return the ids of the tasks of a row; the key is the id of a task unless overridden."""
        return (key,)

    @property
    def ids_to_mark(self) -> Collection[str]:
        """The tasks that "mark all" marks: those of the rows that a search found, else of all."""
        rows = self.hits if self.needle else range(len(self.keys))
        return [task_id for row in rows for task_id in self.tasks_of(self.keys[row])]

    # For subclasses to use

    def mark_of(self, key: str) -> str:
        """Return the sign of a row: whether all, some or none of its tasks are marked."""
        if not self._marks.ids:
            return UNMARKED
        ids = self.tasks_of(key)
        if self._marks.contain_all(ids):
            return MARKED
        return PARTLY_MARKED if self._marks.contain_some(ids) else UNMARKED

    def in_range(self, row: int) -> bool:
        """Return whether a row is in the range that is being marked."""
        return row in self._range

    # Keys

    def action_mark(self) -> None:
        """Mark or unmark the tasks of the current row, and go to the next row."""
        key = self.cursor_key
        if key is not None:
            self._marks.toggle(self.tasks_of(key))
            self._show_marks()
            self.action_move(1)

    def action_range(self) -> None:
        """Start a range; the second time, mark its rows."""
        if self._range_key is None:
            self._range_key, self._range_row = self.cursor_key, self.cursor
        else:
            keys = self.keys[self._range.start : self._range.stop]
            self._range_key = None
            self._marks.add([task_id for key in keys for task_id in self.tasks_of(key)])
        self._show_marks()

    def drop_range(self) -> bool:
        """Cancel the range; return whether there was one."""
        dropped, self._range_key = self._range_key is not None, None
        self.redraw()
        return dropped

    def action_mark_all(self) -> None:
        """Mark the tasks of all rows that pass the filters; during a search, only those found.

        If the rows do not reflect the present filters and search, mark them as soon as they do:
        keys that are typed quickly never mark the tasks of earlier choices.
        """
        choices = self.present_choices()
        if choices == self._shown_choices:
            self._mark_all()
        else:
            self._mark_all_for = choices

    def choices_shown(self, choices: object) -> None:
        """Take over what the rows reflect; mark them if that was requested for these choices.

        If the user has changed the choices since, mark nothing.
        """
        self._shown_choices, requested = choices, self._mark_all_for
        if requested is None:
            return
        if requested != self.present_choices():
            self._mark_all_for = None
            self.notify("Nothing was marked: the filters or the search changed")
        elif requested == choices:
            self._mark_all_for = None
            self._mark_all()

    def _mark_all(self) -> None:
        ids = self.ids_to_mark
        if self.needle and not ids:
            self.notify(
                with_keys("No task that was found passes the filters: <clear=0> removes them")
            )
        self._marks.add(ids)
        self._show_marks()

    def action_unmark(self) -> None:
        """Remove all marks."""
        self._range_key = self._mark_all_for = None
        self._marks.clear()
        self._show_marks()

    def _show_marks(self) -> None:
        self.redraw()
        self.post_message(self.Marked(self))

    @property
    def _range(self) -> range:
        if self._range_key is None:
            return range(0)
        return range(min(self._range_row, self.cursor), max(self._range_row, self.cursor) + 1)

    def rows_changed(self, before: Sequence[str]) -> None:
        """Keep the start of a range on its key, or on its row if the key is gone."""
        if self._range_key is not None:
            row = self.row_of(self._range_key)
            self._range_row = self._range_row if row is None else row
        super().rows_changed(before)

    def watch_cursor(self, before: int, now: int) -> None:
        """Redraw the range that ends at the cursor."""
        super().watch_cursor(before, now)
        if self._range_key is not None:
            self.redraw()
