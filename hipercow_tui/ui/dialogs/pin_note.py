"""Ask for the note of a pin."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from hipercow_tui.formats.records import NOTE_LIMIT
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys


class PinNoteScreen(Dialog[str | None]):
    """Ask why something is pinned; dismiss with the note, which may be empty, or None.

    ``what`` names the chains and bundles, such as ``2 chains``.
    """

    DEFAULT_CSS = """
    PinNoteScreen Input, PinNoteScreen Input:focus {
        height: 1; border: none; padding: 0 1; margin-top: 1; background: $panel;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't pin", id="pin_note.cancel"),
    ]

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def compose(self) -> ComposeResult:
        """Yield what a pin does, the field, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Pin {self._what}"
            yield Static(
                "No purge takes it until someone removes the pin. All users of the root see the"
                " pin, with your name and this note:"
            )
            yield Input(placeholder="why, such as: figure 3 of the paper", max_length=NOTE_LIMIT)
            yield Static(
                with_keys("enter: pin, also without a note · <pin_note.cancel=esc>: back"),
                id="keys",
            )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
