"""What is on the screen while a file server has not answered where the root is."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from hipercow_tui.formats.root import Root
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.exit_codes import DONE, INTERRUPTED
from hipercow_tui.support.text import escape_controls, format_duration
from hipercow_tui.ui.terminal_app import TerminalApp
from hipercow_tui.ui.widgets.footer import KeyFooter

_LOOK = 0.05  # seconds between two looks whether the root is found


class WaitingApp(TerminalApp):
    """Ends once ``root`` is there, or is known not to be, or by a key; ``left`` says which.

    ``where`` is the place that was named, as a person wrote it.
    """

    DEFAULT_CSS = """
    #head { height: 1; padding: 0 1; background: $panel; }
    #waiting { padding: 1 2; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave(0)", "Quit", key_display="q"),
        Binding("ctrl+c", f"leave({INTERRUPTED})", show=False, priority=True),
    ]

    def __init__(self, root: Future[Root], where: str, theme_file: ThemeFile | None) -> None:
        super().__init__(theme_file)
        self.left = False
        self._root = root
        self._where = where
        self._began = time.monotonic()

    def compose(self) -> ComposeResult:
        """Head, what is waited for, keys."""
        yield Static("hipercow-tui", id="head")
        yield Static(id="waiting", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Look again and again, and show how long it has taken."""
        self._show()
        self.set_interval(1.0, self._show)
        self.set_interval(_LOOK, self._look)

    def _show(self) -> None:
        waited = format_duration(max(1.0, time.monotonic() - self._began))
        self.query_one("#waiting", Static).update(
            f"Looking for a hipercow root at {escape_controls(self._where)} …\n\n"
            f"The file system has not answered for {waited}."
        )

    def _look(self) -> None:
        if self._root.done():
            self.exit()

    def action_leave(self, status: int = DONE) -> None:
        """End without a root."""
        self.left = True
        self.exit(return_code=status)
