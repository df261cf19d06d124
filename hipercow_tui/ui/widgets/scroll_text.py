"""A container for long text, with the keys of the tables."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from hipercow_tui.ui.keymap import SCROLLS


class ScrollText(VerticalScroll):
    """Scroll by j, k, g and G too."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLS]
    DEFAULT_CSS = """
    ScrollText { scrollbar-size-vertical: 1; }
    """
