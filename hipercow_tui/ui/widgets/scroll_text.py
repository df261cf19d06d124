"""A container for long text, with the keys of the tables."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll

from hipercow_tui.ui.keymap import SCROLL_KEYS


class ScrollText(VerticalScroll):
    """Scroll by j, k, g and G too."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLL_KEYS]
    DEFAULT_CSS = """
    ScrollText { scrollbar-size-vertical: 1; }
    """
