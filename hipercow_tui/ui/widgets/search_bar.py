"""One line to type what to search for; the table follows while one types."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class SearchBar(Horizontal):
    """Shown while a search is under way, with the number of hits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "End search", show=True, id="search.leave"),
    ]

    class Changed(Message):
        """Another text is searched for; empty ends the search."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Done(Message):
        """Enter: back to the table, with its hits kept."""

    def compose(self) -> ComposeResult:
        """A slash, the text, the number of hits."""
        yield Static("/", id="search-sign")
        yield Input(id="search-text", select_on_focus=False)
        yield Static(id="search-hits", markup=False)

    def open(self) -> None:
        """Type."""
        self.display = True
        self.query_one(Input).focus()

    def close(self) -> None:
        """Forget what was searched for."""
        self.query_one(Input).value = ""
        self.display = False

    _shown_hits = ""

    def tell(self, hits: int, note: str = "") -> None:
        """How many rows were found, and what is still to be read."""
        found = "no hit" if hits == 0 else "1 hit" if hits == 1 else f"{hits:,} hits"
        if f"{found}{note}" != self._shown_hits:
            self._shown_hits = f"{found}{note}"
            self.query_one("#search-hits", Static).update(self._shown_hits)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while one types."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the table; without a text, that ends the search."""
        event.stop()
        self.display = bool(event.value)
        self.post_message(self.Done())

    def action_leave(self) -> None:
        """End the search."""
        self.close()
        self.post_message(self.Done())
