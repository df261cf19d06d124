"""The frame of a dialog in the middle of the screen."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen with its contents in ``#dialog`` and a line of keys in ``#keys``."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog #dialog {
        width: 66; max-width: 100%; height: auto; max-height: 100%; padding: 1 2;
        overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    Dialog Static { height: auto; width: 1fr; }
    Dialog #keys { color: $text-muted; margin-top: 1; }
    """
