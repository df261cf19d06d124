"""Ask for a note on chains or bundles."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from hipercow_tui.ui.dialogs.line import LineScreen
from hipercow_tui.ui.key_hints import with_keys


class NoteScreen(LineScreen):
    """Ask for a note; ``what`` names the chains and bundles, ``text`` is the present note.

    ``replaced`` is the number of notes that differ and are replaced; 0 if ``text`` is all of them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't change", id="note.cancel"),
    ]

    def __init__(self, what: str, text: str, replaced: int) -> None:
        replaces = f" It replaces {replaced:,} different notes." if replaced else ""
        exists = bool(text) or bool(replaced)
        super().__init__(
            f"Note on {what}",
            f"All users of the root see the note, with your name.{replaces}",
            placeholder="such as: wrong population sizes, do not use",
            keys=with_keys(
                ("enter: save; an empty note is removed" if exists else "enter: save")
                + " · <note.cancel=esc>: back"
            ),
            text=text,
        )
