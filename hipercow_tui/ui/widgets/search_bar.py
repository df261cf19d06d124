"""A line for the query of a search; the table follows while the user types."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class SearchBar(Horizontal):
    """The query and the number of hits, shown during a search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "End search", show=True, id="search.leave"),
    ]

    class Changed(Message):
        """The query has changed; an empty one ends the search."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Done(Message):
        """Enter was pressed: the focus goes back to the table, and the hits stay."""

    def compose(self) -> ComposeResult:
        """Yield a slash, the query and the number of hits."""
        yield Static("/", id="search-sign")
        yield Input(id="search-text", select_on_focus=False)
        yield Static(id="search-hits", markup=False)

    def open(self) -> None:
        """Show the bar and focus the query."""
        self.display = True
        self.query_one(Input).focus()

    def show(self, query: str) -> None:
        """Show a query; an empty one hides the bar."""
        self.query_one(Input).value = query
        self.display = bool(query)

    _shown_hits = ""

    def show_hits(self, hits: int, note: str = "") -> None:
        """Show the number of hits, and a note about rows that are not read yet."""
        found = "no hit" if hits == 0 else "1 hit" if hits == 1 else f"{hits:,} hits"
        self._show_note(f"{found}{note}")

    def _show_note(self, note: str) -> None:
        if note != self._shown_hits:
            self._shown_hits = note
            self.query_one("#search-hits", Static).update(note)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Post Changed with the query; forget the hits of the last one if it is empty."""
        event.stop()
        if not event.value:
            self._show_note("")
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Post Done; without a query, hide the bar."""
        event.stop()
        self.display = bool(event.value)
        self.post_message(self.Done())

    def action_leave(self) -> None:
        """End the search."""
        self.show("")
        self.post_message(self.Done())
