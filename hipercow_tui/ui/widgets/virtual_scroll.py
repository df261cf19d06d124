"""What scrolls over lines that it draws itself."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView


class VirtualScroll(ScrollView):
    """A view of a number of lines that may change at any moment.

    Textual lays the screen out anew for that, in 20 ms, and draws half of it, 26 kB over a slow
    line; but nothing moves: the bar of such a view is always there.
    """

    DEFAULT_CSS = """
    VirtualScroll { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    def set_line_count(self, number: int) -> None:
        """There are so many lines to scroll over."""
        self.set_reactive(VirtualScroll.virtual_size, Size(self.content_size.width, number))
        self.vertical_scrollbar.window_virtual_size = number
        if self.scroll_y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
