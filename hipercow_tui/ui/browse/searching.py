"""The search of the main screen: one text for all panes, of which each has its own hits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.screen import Screen

from hipercow_tui.analysis.task_view import next_hit
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.task_table import TaskTable


class Searching:
    """Searches for the text in the search bar, and moves from hit to hit."""

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        self._session = session
        self._screen = screen
        self._start: str | None = None  # the row from which the search began, until Enter

    @property
    def _bar(self) -> SearchBar:
        return self._screen.query_one(SearchBar)

    def begin(self, pane: Pane) -> None:
        """Open the search bar."""
        self._start = pane.table.cursor_key
        self._bar.open()

    def search(self, query: str) -> None:
        """Search for another text; an empty one ends the search."""
        self._screen.query_one(TaskTable).sought = query
        self._session.set_state(replace(self._session.state, query=query))

    def accept(self) -> None:
        """Keep the hits and the cursor."""
        self._start = None

    def leave(self) -> None:
        """End the search, if there is one."""
        if self._session.state.query:
            self._bar.action_leave()

    def move(self, pane: Pane, step: int) -> None:
        """Move to the next hit, or with -1 to the previous one."""
        hit = next_hit(pane.table.hits, pane.table.cursor, step)
        if hit is not None:
            pane.table.move_to(hit)
        elif not self._session.state.query:
            self._screen.notify("There is no search: / begins one")

    def show_count(self, pane: Pane) -> None:
        """Show the number of hits of a pane."""
        if self._session.state.query:
            note = f", reading {pane.unread:,} more" if pane.unread > 0 else ""
            self._bar.tell(len(pane.table.hits), note)

    def show_hits(self, pane: Pane) -> None:
        """Show the number of hits; while the text is typed, move to the first hit at or after the
        row from which the search began."""
        self.show_count(pane)
        row = pane.table.row_of(self._start) if self._start else None
        hit = None if row is None else next_hit(pane.table.hits, row - 1, 1)
        if hit is not None:
            pane.table.move_to(hit)
