"""A container for long text, with the keys of the tables."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from hipercow_tui.ui.keymap import SCROLL_KEYS
from hipercow_tui.ui.widgets.virtual_scroll import rows_of


class ScrollText(VerticalScroll):
    """Scroll by j, k, g and G too, and by half a page."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = """
    ScrollText { scrollbar-size-vertical: 1; }
    """

    def action_half_page(self, step: int) -> None:
        """Scroll down by half a page, or up with -1."""
        self.scroll_relative(y=rows_of(step / 2, self.size.height), animate=False)
