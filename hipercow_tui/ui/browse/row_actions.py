"""What keys do with the current row of the main screen, or with the marked tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.inspecting import Inspecting
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import TASKS
from hipercow_tui.ui.browse.wait_control import WaitControl
from hipercow_tui.ui.note_editor import NoteEditor
from hipercow_tui.ui.pin_toggle import PinToggle
from hipercow_tui.ui.widgets.filters.panel import FilterPanel


class RowActions(Controller):
    """Runs the action of a key by its name, as in ``on_row('log')`` of the keymap.

    ``refresh`` is called after pins or notes were changed.
    """

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        inspecting: Inspecting,
        waits: WaitControl,
        refresh: Callable[[], None],
    ) -> None:
        super().__init__(session, screen, panes)
        read_only, clock = session.read_only, session.clock
        self.pins = PinToggle(screen, session.root, refresh, read_only=read_only, clock=clock)
        self.notes = NoteEditor(screen, session.root, refresh, read_only=read_only, clock=clock)
        self._actions = {
            "log": inspecting.show_log,
            "messages": inspecting.show_messages,
            "inputs": inspecting.show_inputs,
            "copy": inspecting.copy,
            "report": inspecting.show_report,
            "pin": self._toggle_pin,
            "note": self._edit_note,
            "wait": waits.toggle,
        }

    def run(self, name: str) -> None:
        """Run an action."""
        self._actions[name]()

    def offers(self, name: str) -> bool:
        """Return whether an action does something: not if the focus is in the filters. The log is
        that of a task."""
        if self._focus_in_filters:
            return False
        pane = self._panes.current
        return name != "log" or pane.name == TASKS or pane.task is not None

    @property
    def _focus_in_filters(self) -> bool:
        focused = self._screen.focused
        return focused is not None and any(
            isinstance(node, FilterPanel) for node in focused.ancestors
        )

    def _toggle_pin(self) -> None:
        """Pin the chains or bundles, or remove their pins."""
        self.pins.toggle(self._panes.current.pin_targets, self._session.snapshot)

    def _edit_note(self) -> None:
        """Write a note on the chains or bundles, or remove it."""
        self.notes.edit(self._panes.current.pin_targets, self._session.snapshot)
