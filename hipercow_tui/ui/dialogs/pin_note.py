"""Ask for the note of a pin."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from hipercow_tui.ui.dialogs.line import LineScreen
from hipercow_tui.ui.key_hints import with_keys


class PinNoteScreen(LineScreen):
    """Ask why something is pinned; ``what`` names the chains and bundles, such as ``2 chains``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't pin", id="pin_note.cancel"),
    ]

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Pin {what}",
            "No purge takes it until someone removes the pin. All users of the root see the"
            " pin, with your name and this note:",
            placeholder="why, such as: figure 3 of the paper",
            keys=with_keys("enter: pin, also without a note · <pin_note.cancel=esc>: back"),
        )
