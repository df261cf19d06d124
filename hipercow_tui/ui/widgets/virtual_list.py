"""A list with a cursor that renders only the visible lines."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hipercow_tui.ui.keymap import LIST_KEYS
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.virtual_scroll import rows_of


class VirtualList(ScrollView, can_focus=True):
    """Show ``line(y)`` for each of ``count`` lines, for lists of any length."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor"}
    """``lines--cursor``: the line under the cursor."""

    DEFAULT_CSS = """
    VirtualList { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    VirtualList > .lines--cursor { background: $primary 40%; text-style: bold; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    count: reactive[int] = reactive(0)
    cursor: reactive[int] = reactive(0)

    class ViewChanged(Message):
        """Other lines are visible, or the cursor is on another line."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: LRUCache[tuple[int, int, bool], Strip] = LRUCache(500)

    def line(self, y: int) -> Text:
        """Return the text of line ``y``; its first cell is replaced by the cursor."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Redraw all lines; call it after their texts have changed."""
        self._strips.clear()
        self.refresh()

    @property
    def visible_lines(self) -> range:
        """The visible lines."""
        top = self.scroll_offset.y
        return range(top, min(self.count, top + self.size.height))

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, self.count - 1))

    def watch_count(self) -> None:
        """Set the height of the scrollable area."""
        self.virtual_size = Size(0, self.count)
        self.cursor = self.validate_cursor(self.cursor)
        self.redraw()

    def watch_cursor(self, before: int, cursor: int) -> None:
        """Redraw both lines and scroll to the cursor."""
        self.refresh_lines(before)
        self.refresh_lines(cursor)
        self._scroll_to_cursor()
        self.post_message(self.ViewChanged())

    def _scroll_to_cursor(self) -> None:
        top, height, cursor = self.scroll_offset.y, max(1, self.size.height), self.cursor
        if not top <= cursor < top + height:
            new_top = cursor if cursor < top else cursor - height + 1
            self.scroll_to(y=new_top, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Post ViewChanged."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.ViewChanged())

    def on_resize(self) -> None:
        """Render the lines for the new width, and keep the cursor visible."""
        self.redraw()
        self._scroll_to_cursor()
        self.post_message(self.ViewChanged())

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked line."""
        self.cursor = self.scroll_offset.y + event.y

    def notify_style_update(self) -> None:
        """Forget cached strips when the theme changes."""
        super().notify_style_update()
        self._strips.clear()

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.cursor += by

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages, which have one line in common, or by half pages."""
        self.cursor += rows_of(pages, self.size.height)

    def action_first(self) -> None:
        """Move the cursor to the first line."""
        self.cursor = 0

    def action_last(self) -> None:
        """Move the cursor to the last line."""
        self.cursor = self.count - 1

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget."""
        y += self.scroll_offset.y
        width = self.scrollable_content_region.width
        at_cursor = y == self.cursor
        if y >= self.count:
            return Strip.blank(width, self.rich_style)
        key = (y, width, at_cursor)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(y, width, at_cursor=at_cursor)
        return strip

    def _draw(self, y: int, width: int, *, at_cursor: bool) -> Strip:
        text = self.line(y)
        if at_cursor:
            text = Text.assemble(Text("▌"), text[1:])
        text.truncate(width, overflow="ellipsis", pad=True)
        style = self.rich_style
        if at_cursor:
            style = blend(self, ("lines--cursor",))
        return Strip(text.render(self.app.console), width).apply_style(style)
