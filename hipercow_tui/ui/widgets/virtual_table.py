"""A table that draws only the rows on the screen, for lists of any length.

Textual's DataTable takes 13 s for 100,000 rows; this one keeps no rows at all: it asks for the
cells of a line when the line is drawn, and keeps the drawn strips until something changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from hipercow_tui.ui.cells import GAP, Column, PlacedColumn, fit, place_columns
from hipercow_tui.ui.keymap import MOVES
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.row_rendering import GUTTER, RenderedRow, render_row
from hipercow_tui.ui.widgets.virtual_scroll import VirtualScroll

HEADER = 1  # lines
MAX_STRIPS = 256  # kept, two kilobytes each; some screens full


class VirtualTable(VirtualScroll, can_focus=True):
    """The table; what its rows are, a subclass says.

    Component classes: ``row--header`` and ``row--sorted`` (the title of the column it is sorted
    by), ``row--cursor`` and ``row--cursor-blurred`` (the line under the cursor), ``row--bar`` (its
    ▌), ``row--mark`` (the *), ``row--dimmed`` and ``row--cursor-dimmed`` (outside the filters),
    ``row--ranged`` (in the range
    being marked), ``row--hit`` (what the search found), ``row--quiet`` (what matters less),
    ``row--strong``, and one for each status, ``row--failure`` and so on.
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
    BINDINGS: ClassVar[list[BindingType]] = [*MOVES]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor, from 0; 0 in an empty table too."""

    class CursorMoved(Message):
        """The cursor stands on another row, or on what has taken its place; None: on nothing."""

        def __init__(self, table: VirtualTable, key: str | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    class Opened(Message):
        """Enter, or a double click, on a row."""

        def __init__(self, table: VirtualTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    class HeaderClicked(Message):
        """A click on the title of a column."""

        def __init__(self, table: VirtualTable, column: str) -> None:
            super().__init__()
            self.table = table
            self.column = column

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(MAX_STRIPS)
        self._sent_lines: dict[int, Strip] = {}  # what Textual has of each line of the screen
        self._redraw_pending = False
        self._styles: dict[tuple[str, ...], Style] = {}
        self._layout: tuple[PlacedColumn, ...] = ()
        self._layout_width = -1
        self.filling = False

    # What a subclass says

    @property
    def keys(self) -> Sequence[str]:
        """What names each row, in order."""
        raise NotImplementedError

    def row_of(self, key: str) -> int | None:
        """Where a key stands, if it is there."""
        raise NotImplementedError

    def columns(self, width: int) -> Sequence[Column]:
        """The columns there could be on a table of that many cells."""
        raise NotImplementedError

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a row, for the columns that found room."""
        raise NotImplementedError

    def sort_arrow(self, column: Column) -> str:
        """What stands after the title of the column the table is sorted by, else nothing."""
        return ""

    @property
    def needle(self) -> str:
        """What is searched for, case-folded; it is shown where it stands in a row."""
        return ""

    @property
    def hits(self) -> Sequence[int]:
        """The rows, ascending, in which it was found."""
        return ()

    @property
    def empty_text(self) -> Sequence[str]:
        """What to say where there are no rows: why, and what to press."""
        return ()

    # The rows and the cursor

    @property
    def cursor_key(self) -> str | None:
        """What the cursor stands on."""
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
        """Call when the rows are others: the cursor and the lines on screen stay with what they
        showed. ``before`` is the keys there were.

        While the table fills, a cursor on the first row stays on the first row: nobody chose the
        task that happened to be read first."""
        row = self.cursor
        on_top = self.filling and row == 0
        offset = row - self.scroll_offset.y
        on_screen = 0 <= offset < self._page_height
        anchor = row if on_screen else self.scroll_offset.y
        line = anchor - self.scroll_offset.y
        landed = 0 if on_top else self._nearest(before, row)
        moved_to = landed if on_top or on_screen else self._nearest(before, anchor)
        self.set_line_count(HEADER + len(self.keys))
        self.forget_strips()
        if moved_to is not None:
            self.scroll_to(y=moved_to - line, animate=False, force=True)
        was = before[row] if row < len(before) else None
        self.set_reactive(VirtualTable.cursor, self.validate_cursor(landed or 0))
        if was != self.cursor_key:
            self.post_message(self.CursorMoved(self, self.cursor_key))

    def _nearest(self, before: Sequence[str], row: int) -> int | None:
        """Where the row is now; if it is gone, the next one after it or before it that is not."""
        for at in chain(range(row, len(before)), range(min(row, len(before)) - 1, -1, -1)):
            found = self.row_of(before[at])
            if found is not None:
                return found
        return None

    def forget_strips(self) -> None:
        """Draw every line anew, soon; of those on the screen, what changed goes to the terminal."""
        self._strips.clear()
        if not self._redraw_pending:
            self._redraw_pending = True
            self.call_next(self._redraw_later)

    def _redraw_later(self) -> None:
        self._redraw_pending = False
        self._refresh_changed_lines()

    def redraw_now(self) -> None:
        """The same at once: in one frame with what else changes now."""
        self._strips.clear()
        self._refresh_changed_lines()

    def _refresh_changed_lines(self) -> None:
        if not self.display:
            self.refresh()  # nothing is drawn until it is shown
            return
        for y in range(self.size.height):
            if self._line(y) != self._sent_lines.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def redraw_row(self, index: int) -> None:
        """Draw one row anew."""
        for under_cursor in (False, True):
            self._strips.discard((index, under_cursor))
        self._refresh_row(index)

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, and the row on the screen."""
        self.cursor = row
        self._scroll_to_row(self.cursor)

    def validate_cursor(self, row: int) -> int:
        """There is no row before the first or after the last."""
        return max(0, min(row, len(self.keys) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Only the two lines concerned are drawn again."""
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
        """Move the cursor down by so many rows."""
        self.move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor down by so many screens full."""
        self.move_to(self.cursor + pages * max(1, self._page_height - 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.move_to(len(self.keys) - 1)

    def action_open(self) -> None:
        """Open what the cursor stands on."""
        if self.cursor_key is not None:
            self.post_message(self.Opened(self, self.cursor_key))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens; on the header it sorts."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADER:
            at = [one for one in self._layout if one.start <= offset.x < one.start + one.width]
            if at:
                self.post_message(self.HeaderClicked(self, at[0].column.key))
            return
        row = self.scroll_offset.y + offset.y - HEADER
        if row < len(self.keys):
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def on_focus(self) -> None:
        """The cursor is drawn stronger where keys go."""
        self.forget_strips()

    def on_blur(self) -> None:
        """The cursor is drawn weaker where keys don't go."""
        self.forget_strips()

    def on_resize(self) -> None:
        """Columns are laid out anew; the cursor stays on the screen."""
        self.set_line_count(HEADER + len(self.keys))
        self.forget_strips()
        self._scroll_to_row(self.cursor)

    def notify_style_update(self) -> None:
        """The theme changed: every colour with it."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A line of the table, header first."""
        strip = self._sent_lines[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if width != self._layout_width:
            self._layout_width = width
            self._layout = place_columns(self.columns(width), width, start=GUTTER)
            self._strips.clear()
        if y < HEADER:
            return self._header(width)
        if not self.keys:
            return self._empty_line(y, width)
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
                needle=self.needle,
            )
        return strip

    @property
    def _cursor_class(self) -> str:
        return "cursor" if self.has_focus else "cursor-blurred"

    def _style(self, *names: str) -> Style:
        """The colours of these component classes, later ones over earlier ones."""
        style = self._styles.get(names)
        if style is None:
            style = self._styles[names] = blend(self, (f"row--{name}" for name in names))
        return style

    def _header(self, width: int) -> Strip:
        segments = [Segment(" " * GUTTER, self._style("header"))]
        for one in self._layout:
            sign = self.sort_arrow(one.column)
            style = self._style("header", "sorted") if sign else self._style("header")
            segments.append(Segment(fit(one.column.title + sign, one.width), style))
            segments.append(Segment(" " * GAP, self._style("header")))
        return Strip(segments).adjust_cell_length(width, self._style("header"))

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = self.empty_text
        at = y - max(1, (self.size.height - len(lines)) // 3)
        if not 0 <= at < len(lines):
            return Strip.blank(width, self._style())
        text = lines[at]
        before = max(0, (width - cell_len(text)) // 2)
        style = self._style("strong" if at == 0 else "quiet")
        strip = Strip([Segment(" " * before, self._style()), Segment(text, style)])
        return strip.adjust_cell_length(width, self._style())
