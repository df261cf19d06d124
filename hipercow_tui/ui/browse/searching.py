"""The search of the main screen: one text for all panes, of which each has its own hits."""

from __future__ import annotations

from dataclasses import replace

from hipercow_tui.analysis.task_view import next_hit
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.key_hints import filter_keys, with_keys
from hipercow_tui.ui.widgets.filters.panel import FilterPanel
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.virtual_table import VirtualTable


class Searching(Controller):
    """Searches for the text in the search bar, and moves from hit to hit."""

    _start: str | None = None  # the row from which the search began, until Enter

    @property
    def _table(self) -> VirtualTable:
        return self._panes.current.table

    @property
    def _bar(self) -> SearchBar:
        return self._screen.query_one(SearchBar)

    def begin(self) -> None:
        """Open the search bar."""
        self._start = self._table.cursor_key
        self._bar.open()

    def search(self, query: str) -> None:
        """Search for another text; an empty one ends the search."""
        self._session.set_state(replace(self._session.state, query=query))

    def accept(self) -> None:
        """Keep the hits, and focus the table."""
        self._start = None
        self._table.focus()

    def leave(self) -> bool:
        """End the search; return whether there was one."""
        if not self._session.state.query:
            return False
        self._bar.action_leave()
        return True

    def resume(self, query: str) -> None:
        """Search as before; with an empty query, end the search."""
        self._start = None
        self._bar.show(query)
        self.search(query)

    def move(self, step: int) -> None:
        """Move to the next hit, or with -1 to the previous one."""
        hit = next_hit(self._table.hits, self._table.cursor, step)
        if hit is not None:
            self._table.move_to(hit)
        elif not self._session.state.query:
            self._screen.notify(with_keys("There is no search: <search=/> begins one"))

    def move_to_match(self, step: int) -> None:
        """Move to the next row that passes the filters, or with -1 to the previous one."""
        row = self._table.next_match(step)
        if row is not None:
            self._table.move_to(row)
        elif self._screen.query_one(FilterPanel).stack.given:
            self._screen.notify(with_keys("No row passes all filters: <clear=0> removes them"))
        else:
            self._screen.notify(f"Set a filter first ({filter_keys()})", title="No filter")

    def show_count(self) -> None:
        """Show the number of hits."""
        if self._session.state.query:
            unread = self._panes.current.unread
            note = f", reading {unread:,} more" if unread > 0 else ""
            self._bar.show_hits(len(self._table.hits), note)

    def show_hits(self) -> None:
        """Show the number of hits; while the text is typed, move to the first hit at or after the
        row from which the search began."""
        self.show_count()
        row = self._table.row_of(self._start) if self._start else None
        hit = None if row is None else next_hit(self._table.hits, row - 1, 1)
        if hit is not None:
            self._table.move_to(hit)
