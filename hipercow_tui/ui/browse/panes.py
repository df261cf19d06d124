"""The panes of the main screen, of which one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from rich.cells import cell_len
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

_SEPARATOR = " ── "  # between two tabs


class Panes:
    """The panes in the order of their tabs.

    The first one is composed with the screen; ``mount_others`` mounts the others later, so that the
    first frame does not wait for them.
    """

    def __init__(self, session: Session, screen: Screen[Any], panes: Iterable[Pane]) -> None:
        self._session = session
        self._screen = screen
        self._panes = {pane.name: pane for pane in panes}
        self._mounted = False
        for pane in self:
            pane.table.present_choices = lambda: session.row_choices

    def __iter__(self) -> Iterator[Pane]:
        return iter(self._panes.values())

    @property
    def first(self) -> Pane:
        """The first pane: the tasks."""
        return next(iter(self))

    @property
    def current(self) -> Pane:
        """The pane that is shown."""
        return self._panes[self._session.state.pane]

    def of(self, table: VirtualTable) -> Pane:
        """The pane of a table."""
        return next(pane for pane in self if pane.table is table)

    def mount_others(self) -> None:
        """Mount all panes except the first, once."""
        if self._mounted or not self._screen.is_attached:
            return
        self._mounted = True
        _, *others = self
        for pane in others:
            pane.table.display, pane.table.rows_pending = False, True
        self._screen.query_one(ContentSwitcher).mount_all([pane.table for pane in others])
        details = [pane.details for pane in others if pane.details is not None]
        self._screen.query_one("#main").mount_all(details)

    def show(self, name: str) -> None:
        """Show a pane and its details, and focus it."""
        self.mount_others()
        before = self.current
        self._session.set_state(replace(self._session.state, pane=name))
        self._screen.query_one(ContentSwitcher).current = name
        for pane in self:
            if pane.details is not None:
                pane.details.set_class(pane is self.current, "-shown")
        self.current.table.focus()
        self.current.show_details()
        if self.current is not before:
            before.hidden()
            self.current.shown()

    def title(self, width: int) -> str:
        """Return the tabs with their numbers, in Textual's markup; a click shows a pane.

        If they need more than ``width`` cells, only the present tab has its number.
        """
        labels = {pane: self._label(pane, with_figure=True) for pane in self}
        if cell_len(_SEPARATOR.join(labels.values())) > width:
            labels = {pane: self._label(pane, with_figure=pane is self.current) for pane in self}
        return _SEPARATOR.join(
            f"[{'b' if pane is self.current else 'dim'}][@click=screen.show('{pane.name}')]"
            f"{label}[/][/]"
            for pane, label in labels.items()
        )

    def _label(self, pane: Pane, *, with_figure: bool) -> str:
        """Return the label of a tab; the key of the present tab is not shown."""
        key = pane.key if pane is not self.current else ""
        figure = pane.figure if with_figure else ""
        return " ".join(filter(None, (key, pane.name.capitalize(), figure)))
