"""The base class of controllers of the main screen."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session


class Controller:
    """Handles one group of keys and messages of the main screen.

    It reads and changes the session, and reaches widgets through the screen and its panes.
    """

    def __init__(self, session: Session, screen: Screen[Any], panes: Panes) -> None:
        self._session = session
        self._screen = screen
        self._panes = panes
