"""A field for a whole number in a dialog that letters control."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class NumberInput(Input):
    """A field for digits; letters go to the dialog."""

    def on_key(self, event: events.Key) -> None:
        """Leave a letter to the dialog, which would not get it from an input."""
        if event.is_printable and not event.key.isdigit():
            event.prevent_default()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether the field takes a key; Textual calls this before it looks for bindings."""
        return key.isdigit()
