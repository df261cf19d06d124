"""The main screen as far as it searches: one search over tasks, bundles and errors, of which the
table that is shown tells its own hits."""

from __future__ import annotations

from textual import on

from hipercow_tui.analysis.task_view import next_hit
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.filtering import FilteringScreen
from hipercow_tui.ui.browse.live import BUNDLES, ERRORS, TASKS
from hipercow_tui.ui.widgets.search_bar import SearchBar


class SearchingScreen(FilteringScreen):
    """Finds what is typed, in the rows of the table that is shown, and goes from hit to hit."""

    _search_from: str | None = None  # the row on which the cursor stood; None once it is typed

    def action_search(self) -> None:
        """Type what to search for."""
        self.remove_class("-details")
        self._search_from = self.table.cursor_key
        self.query_one(SearchBar).open()

    @on(SearchBar.Changed)
    def _searched(self, message: SearchBar.Changed) -> None:
        self._query = self.tasks.sought = message.query
        self._set_pace()
        self._read_all()
        self.renew()

    def _read_all(self) -> None:
        """What tasks run is read where it is searched in."""
        if self._query and self._tab == TASKS:
            self.services.summaries.want_all(self.snapshot.tasks)

    @on(SearchBar.Done)
    def _search_done(self) -> None:
        self._search_from = None
        self.table.focus()

    def action_hit(self, step: int) -> None:
        """To the next hit, or the one before."""
        hit = next_hit(self.table.hits, self.table.cursor, step)
        if hit is not None:
            self.table.move_to(hit)
        elif not self._query:
            self.notify("Nothing is searched for: / begins")

    def _tab_shown(self) -> None:
        super()._tab_shown()
        self._read_all()
        self._tell_hits()

    @on(messages.ViewModelReady)
    @on(messages.ErrorsReady)
    def _search_anew(self) -> None:
        self.call_later(self._show_hits)  # once the tables have taken it in

    def _show_hits(self) -> None:
        self._tell_hits()
        self._jump_to_hit()

    def _tell_hits(self) -> None:
        if self._query:
            unread = self._unread
            note = f", reading {unread:,} more" if unread > 0 else ""
            self.query_one(SearchBar).tell(len(self.table.hits), note)

    def _jump_to_hit(self) -> None:
        """While one types, the cursor stands on the first hit from where it was."""
        row = self.table.row_of(self._search_from) if self._search_from else None
        hit = None if row is None else next_hit(self.table.hits, row - 1, 1)
        if hit is not None:
            self.table.move_to(hit)

    @property
    def _unread(self) -> int:
        """How much is still to be read of what is searched in."""
        if self._tab == BUNDLES:
            return 0
        failures = self.errors.unread
        tasks = len(self.snapshot.tasks) - len(self.services.summaries.summaries)
        return failures if self._tab == ERRORS else failures + tasks
