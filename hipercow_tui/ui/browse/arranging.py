"""Menus for the order and the columns of the tables of the main screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.screen import Screen

from hipercow_tui.settings.column_store import ColumnChoices, ColumnFile
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.pane import ALL_SIZE_KEYS, OTHER_KIND
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.sizing import Sizing
from hipercow_tui.ui.workers.base import start_thread


class Arranging(Controller):
    """Lets the user choose the column to sort by, and the columns that are shown.

    ``file`` remembers the columns, None if they can't be remembered.
    """

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        sizing: Sizing,
        file: ColumnFile | None,
    ) -> None:
        super().__init__(session, screen, panes)
        self._sizing = sizing
        self._file = file
        self._choices: ColumnChoices = {}

    def choose_sort(self) -> None:
        """Show a menu of all columns of the pane; sizes are measured if they are chosen, in their
        definition."""
        from hipercow_tui.ui.dialogs.sort_menu import SortMenuScreen

        pane = self._panes.current

        def chosen(key: str | None) -> None:
            if key is None:
                return
            if key in ALL_SIZE_KEYS and not self._session.state.show_sizes:
                self._sizing.toggle()
            if key in OTHER_KIND[self._session.state.size_kind]:
                self._sizing.switch_kind()
                if pane.sort_key == key:  # an order by the other definition has become this one
                    return
            pane.sort_by(key)

        self._screen.app.push_screen(SortMenuScreen(pane.sort_choices), chosen)

    # Columns

    def read(self) -> None:
        """Read the file in a thread, and show the columns that it names."""
        start_thread(self._read, self._failed)

    def _read(self) -> None:
        if self._file is not None:
            self._screen.call_later(self._take, self._file.read())

    def _take(self, choices: ColumnChoices) -> None:
        self._choices = choices
        for pane in self._panes:
            pane.table.choose_columns(choices.get(pane.name, {}))

    def choose_columns(self) -> None:
        """Show a list of the columns of the pane."""
        from hipercow_tui.ui.dialogs.columns import ColumnsScreen

        pane, before = self._panes.current, self._choices
        table = pane.table
        width = table.scrollable_content_region.width

        def apply(chosen: Mapping[str, bool]) -> None:
            table.choose_columns(chosen)
            self._choices = {**self._choices, pane.name: chosen}

        def closed(_: None) -> None:
            if self._choices != before:
                self._save()

        screen = ColumnsScreen(
            table.every_column(width),
            before.get(pane.name, {}),
            fitting=table.fitting_columns,
            apply=apply,
        )
        self._screen.app.push_screen(screen, closed)

    def _save(self) -> None:
        file, choices = self._file, self._choices
        if file is None:
            return

        def save() -> None:
            try:
                file.save(choices)
            except HipercowTuiError as error:
                self._screen.call_later(self._warn, str(error))

        start_thread(save, self._failed)

    def _warn(self, text: str) -> None:
        self._screen.notify(text, severity="warning", markup=False)

    def _failed(self, error: Exception) -> None:
        self._screen.post_message(messages.WorkerFailed(error))
