"""The search on the screen of a plan."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.workers.plan_view import PlanView


class PlanSearch:
    """Shows what a search found, and moves from hit to hit."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._began_at: int | None = None  # the line where the search began, until Enter
        self._query = ""

    @property
    def _bar(self) -> SearchBar:
        return self._screen.query_one(SearchBar)

    @property
    def _lines(self) -> PlanList:
        return self._screen.query_one(PlanList)

    def begin(self) -> None:
        """Open the search bar."""
        self._began_at = self._lines.cursor
        self._bar.open()

    def show(self, view: PlanView) -> None:
        """Show the number of hits; while the text is typed, go to the first one."""
        self._query = view.request.query
        if not self._query:
            return
        hits = view.hits
        self._bar.show_hits(len(hits.ids), f", reading {hits.unread:,} more" if hits.unread else "")
        if self._began_at is not None:
            self._lines.go_to_first_hit(self._began_at)

    def end(self) -> None:
        """Keep the hits, and focus the list."""
        self._began_at = None
        self._lines.focus()

    def leave(self) -> bool:
        """End the search; return whether there was one."""
        searching = self._bar.display
        if searching:
            self._bar.action_leave()
        return searching

    def go(self, by: int) -> None:
        """Go to the next (1) or previous (-1) hit."""
        if self._query:
            self._lines.go_to_hit(by)
        else:
            self._screen.notify(with_keys("There is no search: <plan.search=/> begins one"))
