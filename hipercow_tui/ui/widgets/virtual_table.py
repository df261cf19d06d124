"""A table that draws only the rows on the screen, for lists of any length.

Textual's DataTable takes 13 s for 100,000 rows. This table stores no rows: a subclass returns the
cells of a row when the row is drawn, and the strips are cached until something changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain
from typing import ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from hipercow_tui.ui.cells import Column, PlacedColumn, chosen_columns, place_columns
from hipercow_tui.ui.keymap import MOVE_KEYS
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.row_rendering import (
    GUTTER,
    RenderedRow,
    render_empty_line,
    render_header,
    render_row,
)
from hipercow_tui.ui.widgets.virtual_scroll import VirtualScroll, rows_of

HEADER = 1  # line
MAX_STRIPS = 256  # cached strips of two kilobytes each: several pages


class SortOrder(Protocol):
    """The column that a table is sorted by, and whether the order is reversed."""

    @property
    def key(self) -> str:
        """The key of the column."""

    @property
    def reverse(self) -> bool:
        """Whether the order is descending."""


class TableMessage(Message):
    """A message of a table."""

    def __init__(self, table: VirtualTable) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> VirtualTable:
        """The table."""
        return self.table


class VirtualTable(VirtualScroll, can_focus=True):
    """The base of all tables; a subclass provides the keys, columns and rows.

    Component classes: ``row--header`` and ``row--sorted`` (title of the sorted column),
    ``row--cursor`` and ``row--cursor-blurred`` (row under the cursor), ``row--bar`` (its ▌),
    ``row--mark`` (the *), ``row--dimmed`` and ``row--cursor-dimmed`` (outside the filters),
    ``row--ranged`` (in the range that is being marked), ``row--hit`` (found text), ``row--quiet``
    and ``row--strong`` (less and more important text), ``row--failure`` and so on (statuses).
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row--header",
        "row--sorted",
        "row--cursor",
        "row--cursor-blurred",
        "row--bar",
        "row--mark",
        "row--dimmed",
        "row--cursor-dimmed",
        "row--ranged",
        "row--hit",
        "row--quiet",
        "row--strong",
        "row--failure",
        "row--cancelled",
        "row--success",
        "row--created",
        "row--submitted",
        "row--running",
        "row--broken",
    }
    BINDINGS: ClassVar[list[BindingType]] = [*MOVE_KEYS]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor, from 0; also 0 in an empty table."""

    class CursorMoved(TableMessage):
        """The cursor is on another key; None in an empty table."""

        def __init__(self, table: VirtualTable, key: str | None) -> None:
            super().__init__(table)
            self.key = key

    class Opened(TableMessage):
        """Enter was pressed on a row, or it was double clicked."""

        def __init__(self, table: VirtualTable, key: str) -> None:
            super().__init__(table)
            self.key = key

    class HeaderClicked(TableMessage):
        """The title of a column was clicked."""

        def __init__(self, table: VirtualTable, column: str) -> None:
            super().__init__(table)
            self.column = column

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(MAX_STRIPS)
        self._sent_lines: dict[int, Strip] = {}  # by line: the strip that Textual rendered last
        self._redraw_pending = False
        self._styles: dict[tuple[str, ...], Style] = {}
        self._layout: tuple[PlacedColumn, ...] = ()
        self._layout_width = -1
        self._column_choice: Mapping[str, bool] = {}
        self._empty_text: Sequence[str] = ()
        self._stays_on_top = False  # until the user moves the cursor
        self.rows_pending = False  # whether rows are still being added, as during a first scan

    # For subclasses to override

    @property
    def keys(self) -> Sequence[str]:
        """The key of each row, in order."""
        raise NotImplementedError

    def row_of(self, key: str) -> int | None:
        """Return the row of a key, or None."""
        raise NotImplementedError

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns that the table shows by itself, if it has that many cells."""
        raise NotImplementedError

    def every_column(self, width: int) -> Sequence[Column]:
        """Return the columns that the user can choose, in order."""
        return self.columns(width)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a row, one for each column of the layout."""
        raise NotImplementedError

    @property
    def sort(self) -> SortOrder | None:
        """The order of the rows, if the user can change it."""
        return None

    @property
    def needle(self) -> str:
        """The case-folded text to highlight; empty if there is no search."""
        return ""

    def needle_of(self, index: int) -> str:
        """Return the case-folded text to highlight in a row, if it is not the same in all rows."""
        return self.needle

    @property
    def hits(self) -> Sequence[int]:
        """The rows that the search found, ascending."""
        return ()

    def next_match(self, step: int) -> int | None:
        """Return the next row that passes the filters, or with -1 the previous one; None if there
        is none."""
        return None

    @property
    def empty_text(self) -> Sequence[str]:
        """The lines to show in an empty table: the reason, and the keys to press."""
        return self._empty_text

    def set_empty_text(self, *lines: str) -> None:
        """Set the lines to show in an empty table."""
        if lines != self._empty_text:
            self._empty_text = lines
            self.redraw()

    # Rows and cursor

    def sort_arrow(self, column: Column) -> str:
        """Return an arrow for the column that the table is sorted by, else an empty string."""
        sort = self.sort
        if sort is None or column.key != sort.key:
            return ""
        return "↓" if sort.reverse else "↑"

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor, or None in an empty table."""
        return self.keys[self.cursor] if self.cursor < len(self.keys) else None

    @property
    def visible_rows(self) -> range:
        """The rows on the screen."""
        first = self.scroll_offset.y
        return range(first, min(len(self.keys), first + self._page_height))

    @property
    def _page_height(self) -> int:
        return max(1, self.scrollable_content_region.height - HEADER)

    def rows_changed(self, before: Sequence[str]) -> None:
        """Keep the cursor and the rows on the screen with their keys after the keys have changed.

        ``before`` are the former keys. While the table is filling or sorted by values that are
        still read, a cursor on the first row stays there, because the user did not choose the task
        that was read first.
        """
        row = self.cursor
        on_top = (self.rows_pending or self._stays_on_top) and row == 0
        offset = row - self.scroll_offset.y
        on_screen = 0 <= offset < self._page_height
        anchor = row if on_screen else self.scroll_offset.y
        line = anchor - self.scroll_offset.y
        landed = 0 if on_top else self._nearest(before, row)
        moved_to = landed if on_top or on_screen else self._nearest(before, anchor)
        self.set_line_count(HEADER + len(self.keys))
        self.redraw()
        if moved_to is not None:
            self.scroll_to(y=moved_to - line, animate=False, force=True)
        was = before[row] if row < len(before) else None
        self.set_reactive(VirtualTable.cursor, self.validate_cursor(landed or 0))
        if was != self.cursor_key:
            self.post_message(self.CursorMoved(self, self.cursor_key))

    def _nearest(self, before: Sequence[str], row: int) -> int | None:
        """Return the present row of a former row, or of the nearest one that still exists."""
        for at in chain(range(row, len(before)), range(min(row, len(before)) - 1, -1, -1)):
            found = self.row_of(before[at])
            if found is not None:
                return found
        return None

    def redraw(self) -> None:
        """Redraw the lines that have changed, with the next frame."""
        self._strips.clear()
        if not self._redraw_pending:
            self._redraw_pending = True
            self.call_next(self._run_pending_redraw)

    def _run_pending_redraw(self) -> None:
        self._redraw_pending = False
        self._refresh_changed_lines()

    def redraw_now(self) -> None:
        """Redraw the lines that have changed, in the same frame as other changes."""
        self._strips.clear()
        self._refresh_changed_lines()

    def _refresh_changed_lines(self) -> None:
        if not self.display:
            self.refresh()  # draws when the table is shown
            return
        for y in range(self.size.height):
            if self._line(y) != self._sent_lines.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def shown_columns(self) -> Set[str]:
        """The keys of the columns that are on the screen."""
        return {placed.column.key for placed in self._layout}

    def fitting_columns(self, choice: Mapping[str, bool]) -> Set[str]:
        """Return the keys of the columns that a choice of columns would show at this width."""
        width = self.scrollable_content_region.width
        return {placed.column.key for placed in self._place(choice, width)}

    def _place(self, choice: Mapping[str, bool], width: int) -> tuple[PlacedColumn, ...]:
        columns = self.columns(width)
        if choice:
            columns = chosen_columns(columns, self.every_column(width), choice)
        return place_columns(columns, width, start=GUTTER)

    def choose_columns(self, choice: Mapping[str, bool]) -> None:
        """Show or hide columns by key; the others are shown if the width allows it."""
        self._column_choice = choice
        self.forget_layout()

    def forget_layout(self) -> None:
        """Lay out the columns again and redraw."""
        self._layout_width = -1
        self.redraw()

    def redraw_row(self, index: int) -> None:
        """Redraw one row."""
        for under_cursor in (False, True):
            self._strips.discard((index, under_cursor))
        self._refresh_row(index)

    def move_to(self, row: int) -> None:
        """Move the cursor to a row and scroll to it."""
        self.cursor = row
        self._scroll_to_row(self.cursor)

    def go_to_top(self, *, stay: bool = False) -> None:
        """Show the first row and move the cursor to it. With ``stay`` it stays on the first row
        when the rows change, until it is moved."""
        self.move_to(0)
        self._stays_on_top = stay

    def validate_cursor(self, row: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(row, len(self.keys) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Redraw the two rows and post CursorMoved."""
        self._stays_on_top = False
        self._refresh_row(before)
        self._refresh_row(now)
        self.post_message(self.CursorMoved(self, self.cursor_key))

    def _scroll_to_row(self, row: int) -> None:
        top = self.scroll_offset.y
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row >= top + self._page_height:
            self.scroll_to(y=row - self._page_height + 1, animate=False, force=True)

    def _refresh_row(self, row: int) -> None:
        y = row - self.scroll_offset.y + HEADER
        if HEADER <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_to(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages, which have one row in common, or by half pages."""
        self.move_to(self.cursor + rows_of(pages, self._page_height))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.move_to(len(self.keys) - 1)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_key is not None:
            self.post_message(self.Opened(self, self.cursor_key))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked row; open it on a double click; sort on the header."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADER:
            for placed in self._layout:
                if placed.start <= offset.x < placed.start + placed.width:
                    self.post_message(self.HeaderClicked(self, placed.column.key))
            return
        row = self.scroll_offset.y + offset.y - HEADER
        if row < len(self.keys):
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def on_focus(self) -> None:
        """Draw the cursor of a focused table."""
        self.redraw()

    def on_blur(self) -> None:
        """Draw the cursor of a table without focus."""
        self.redraw()

    def on_resize(self) -> None:
        """Lay out the columns, and keep the cursor on the screen."""
        self.set_line_count(HEADER + len(self.keys))
        self.redraw()
        self._scroll_to_row(self.cursor)

    def notify_style_update(self) -> None:
        """Forget cached styles and strips when the theme changes."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Return a line of the table; line 0 is the header."""
        strip = self._sent_lines[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width != self._layout_width:
            self._layout_width = width
            self._layout = self._place(self._column_choice, width)
            self._strips.clear()
        if y < HEADER:
            return render_header(self._layout, width, self._style, self.sort_arrow)
        if not self.keys:
            return render_empty_line(self.empty_text, y, Size(width, self.size.height), self._style)
        row = self.scroll_offset.y + y - HEADER
        if row >= len(self.keys):
            return Strip.blank(width, self._style())
        key = (row, row == self.cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = render_row(
                self.row(row, self._layout),
                self._layout,
                width,
                self._style,
                cursor=self._cursor_class if row == self.cursor else "",
                needle=self.needle_of(row),
            )
        return strip

    @property
    def _cursor_class(self) -> str:
        return "cursor" if self.has_focus else "cursor-blurred"

    def _style(self, *names: str) -> Style:
        """Return the style of component classes, later ones over earlier ones."""
        style = self._styles.get(names)
        if style is None:
            style = self._styles[names] = blend(self, (f"row--{name}" for name in names))
        return style
