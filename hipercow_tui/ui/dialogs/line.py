"""The frame of a dialog that asks for a line of text."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from hipercow_tui.formats.records import NOTE_LIMIT
from hipercow_tui.ui.dialogs.dialog import Dialog


class LineScreen(Dialog[str | None]):
    """Ask for the text of a pin or a note; dismiss with it, which may be empty, or None.

    ``text`` is in the field at first, and ``keys`` says what the keys do.
    """

    DEFAULT_CSS = """
    LineScreen Input, LineScreen Input:focus {
        height: 1; border: none; padding: 0 1; margin-top: 1; background: $panel;
    }
    """

    def __init__(
        self, title: str, explanation: str, *, placeholder: str, keys: str, text: str = ""
    ) -> None:
        super().__init__()
        self._dialog_title = title
        self._explanation = explanation
        self._placeholder = placeholder
        self._keys = keys
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the explanation, the field, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._dialog_title
            yield Static(self._explanation)
            yield Input(
                self._text,
                placeholder=self._placeholder,
                max_length=NOTE_LIMIT,
                select_on_focus=False,
            )
            yield Static(self._keys, id="keys")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
