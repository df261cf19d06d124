"""Shows the results of workers on the main screen: header, filters, tabs, panes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.screen import Screen

from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.drilling import Drilling
from hipercow_tui.ui.browse.folding import Folding
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.searching import Searching
from hipercow_tui.ui.browse.session import Session, row_choices, selection_key
from hipercow_tui.ui.browse.sizing import Sizing
from hipercow_tui.ui.warm_up import warm_up
from hipercow_tui.ui.widgets.breadcrumb import Breadcrumb
from hipercow_tui.ui.widgets.filters.panel import FilterPanel, Limits
from hipercow_tui.ui.widgets.header import Freshness, HeaderBar, HeaderFacts
from hipercow_tui.ui.widgets.titled_frame import TitledFrame
from hipercow_tui.ui.workers.base import start_thread

if TYPE_CHECKING:
    from hipercow_tui.scanning.scanner import ScanState
    from hipercow_tui.ui.workers.view_model import PurgeForecast, ViewModel

FRESHNESS_STEP = 5  # seconds; the age of the last scan is shown in steps, to send less
FRAME = 6  # cells of a frame beside its lower title
SEPARATOR = " · "
MESSAGE_ROUNDS = 2  # turns of the event loop in which widgets react to a view model


class Presenter(Controller):
    """Updates the widgets in a fixed order."""

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        drilling: Drilling,
        folding: Folding,
        searching: Searching,
        sizing: Sizing,
    ) -> None:
        super().__init__(session, screen, panes)
        self._drilling = drilling
        self._searching = searching
        self._sizing = sizing
        self._folding = folding
        self._forecast: PurgeForecast | None = None  # the last one, maybe of another selection

    @property
    def _header(self) -> HeaderBar:
        return self._screen.query_one(HeaderBar)

    def begin(self) -> None:
        """Show the root before anything is read."""
        root, label = self._session.root, self._session.purge_label
        self._header.facts = HeaderFacts(root.path, read_only=label)
        self.update_titles()

    def show_progress(self, scan: ScanState) -> None:
        """Show how much of the root is read."""
        percent = 100 * scan.folders_done // max(1, scan.folder_count)
        self._header.freshness = Freshness(None if scan.complete else percent)

    def update_freshness(self) -> None:
        """Show the age of the last complete scan."""
        if self._session.complete:
            seconds = int(self._session.seconds_since_scan)
            self._header.freshness = Freshness(None, seconds // FRESHNESS_STEP * FRESHNESS_STEP)

    async def show(self, view_model: ViewModel) -> None:
        """Show a view model in one frame."""
        if not self._screen.is_attached:  # the app is about to end
            return
        with self._screen.app.batch_update():
            self._apply(view_model)
            # Widgets request a repaint by messages: a frame before these were handled would show
            # one half of the view model.
            for _ in range(MESSAGE_ROUNDS):
                await asyncio.sleep(0)

    def _apply(self, view_model: ViewModel) -> None:
        before, request = self._session.set_view_model(view_model), view_model.request
        if before is None:
            self._panes.mount_others()
            self._screen.call_after_refresh(start_thread, warm_up, self.failed)
        self._header.facts = replace(view_model.facts, read_only=self._session.purge_label)
        self._screen.query_one(FilterPanel).show(view_model.counts)
        for pane in self._panes:
            pane.apply(view_model, before)
            pane.table.choices_shown(row_choices(request.selection, request.query))
        self._drilling.arrive(view_model)
        self._sizing.measure_visible()
        self.update_titles()
        self._searching.show_hits()

    def failed(self, error: Exception) -> None:
        """Report an unexpected error that ended a thread. May be called in any thread."""
        self._screen.post_message(messages.WorkerFailed(error))

    def show_pane(self, name: str) -> None:
        """Show a pane with its details."""
        self._folding.close_details()
        self._panes.show(name)
        self.update_titles()
        self._screen.call_after_refresh(self.update_titles)  # the columns are laid out by then
        self._searching.show_count()

    def update_hits(self) -> None:
        """Update the counts after the rows of a table changed."""
        self.update_titles()
        self._searching.show_hits()

    def show_forecast(self, forecast: PurgeForecast) -> None:
        """Show what a purge would take, if it is that of the present selection."""
        self._forecast = forecast
        self.update_forecast()

    def update_forecast(self) -> None:
        """Show what a purge of the present selection would take, as far as it is known."""
        forecast, session = self._forecast, self._session
        panel = self._screen.query_one(FilterPanel)
        if forecast is None or selection_key(forecast.selection) != session.selection_key:
            panel.show_totals(None)
            return
        size, kind = forecast.size, session.state.size_kind
        panel.show_totals(forecast.totals, "" if size is None else kind.text(size.of(kind)))

    def update_titles(self) -> None:
        """Show the tabs above the table, notes on the rows below it, and what limits a purge."""
        session, notes = self._session, []
        view = session.view_model.view if session.view_model else None
        steps, marks = [step.label for step in session.state.narrowings], session.marks.ids
        passing = view.count_passing(marks) if view and marks else 0
        entered = self._panes.current.steps
        start = self._panes.current.name.capitalize() if entered else "Tasks"
        self._screen.query_one(Breadcrumb).show(entered or steps, start)
        self._screen.query_one(FilterPanel).show_limits(
            Limits(steps, None if marks is None else len(marks), passing)
        )
        self.update_forecast()
        if view is not None and view.filtered:
            notes.append(f"[b]matched {view.matches:,}[/]")
        if marks:
            note = f"marked {len(marks):,}"
            notes.append(note if passing == len(marks) else f"{note}, [b]{passing:,} pass[/]")
        if session.state.only_matched:
            notes.append("only matched")
        notes += [*self._sizing.notes, *self._panes.current.notes, *self._folding.notes]
        frame = self._screen.query_one(TitledFrame)
        width = frame.outer_size.width - FRAME
        frame.set_titles(self._panes.title(width), fit_notes(notes, width))


def fit_notes(notes: Sequence[str], width: int) -> str:
    """Return the first notes that fit into ``width`` cells, none of them cut; at least one.

    They are in Textual's markup.
    """
    shown = list(notes)
    while len(shown) > 1 and Content.from_markup(SEPARATOR.join(shown)).cell_length > width:
        shown.pop()
    return SEPARATOR.join(shown)
