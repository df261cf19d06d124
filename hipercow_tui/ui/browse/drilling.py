"""Narrows the list of tasks, and goes back step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.domain.narrowing import Narrowing, add_step, narrow
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.folding import Folding
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.searching import Searching
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import TASKS, Place, Row
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.filters.panel import FilterPanel

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.view_model import ViewModel

TOP: Mapping[str, Row] = {TASKS: Row(None, 0)}


class Drilling(Controller):
    """The history of places: each step to a bundle, an error or a task adds the place it left."""

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        folding: Folding,
        searching: Searching,
    ) -> None:
        super().__init__(session, screen, panes)
        self._folding = folding
        self._searching = searching
        self._places: tuple[Place, ...] = ()
        # The rows to go to when the view model of this request, or of a later one, is shown.
        self._rows_due: tuple[int, Mapping[str, Row]] | None = None

    @property
    def _panel(self) -> FilterPanel:
        return self._screen.query_one(FilterPanel)

    def drill(self, narrowing: Narrowing, reopen: Callable[[], None] | None = None) -> None:
        """Show only the tasks of a bundle, an error and so on; stay if none passes the filters.

        ``reopen`` opens the screen again on which this was chosen.
        """
        session = self._session
        steps = add_step(session.state.narrowings, narrowing, session.snapshot)
        filters = narrow(self._panel.stack, steps, session.snapshot)
        if 1 not in filters.mask(session.snapshot):
            any_left = narrowing.ids(session.snapshot)
            passes = (
                with_keys("passes the filters: <clear=0> removes them") if any_left else "is left"
            )
            self._screen.notify(f"No task of {narrowing.label} {passes}", markup=False)
            if reopen is not None:
                reopen()
            return
        self._remember(reopen)
        session.set_state(replace(session.state, narrowings=steps))
        self._go(TASKS, TOP)

    def go_to_task(self, task_id: str, reopen: Callable[[], None]) -> None:
        """Show a task in the list. ``reopen`` opens the screen again on which it was chosen."""
        table = self._panes.first.table
        row = table.row_of(task_id)
        if row is None:
            self._screen.notify("That task is not in the list: it was purged, or a filter hides it")
            return
        self._remember(reopen)
        self._go(TASKS, {})
        table.move_to(row)

    def back(self) -> bool:
        """Go back to the last place; return whether there was one."""
        if not self._places:
            return False
        *places, place = self._places
        self._places = tuple(places)
        self._panel.apply_saved(place.filters)
        now = self._session.state
        before = place.state.with_size_kind(now.size_kind)
        self._session.set_state(replace(before, show_sizes=now.show_sizes))
        self._go(place.state.pane, place.rows, query=place.state.query)
        if place.reopen is not None:
            place.reopen()
        return True

    def _go(self, pane: str, rows: Mapping[str, Row], *, query: str = "") -> None:
        self._searching.resume(query)
        self._folding.close_details()
        self._panes.show(pane)
        self._rows_due = self._session.request_view(), rows

    def _remember(self, reopen: Callable[[], None] | None) -> None:
        rows = {
            pane.name: Row(pane.table.cursor_key, pane.table.cursor - pane.table.scroll_offset.y)
            for pane in self._panes
        }
        place = Place(self._session.state, SavedFilter.of(self._panel.stack), rows, reopen)
        self._places = (*self._places, place)

    def arrive(self, view_model: ViewModel) -> None:
        """Move to the rows of the place, once its view model is shown."""
        if self._rows_due is None or view_model.request.number < self._rows_due[0]:
            return
        rows, self._rows_due = self._rows_due[1], None
        for pane in self._panes:
            if pane.name in rows:
                pane.go_to(rows[pane.name])
