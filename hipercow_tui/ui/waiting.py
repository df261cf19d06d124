"""The screen that is shown while a file server does not answer the search for the root."""

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

_CHECK_EVERY = 0.05  # seconds between two checks whether the root is found


class WaitingApp(TerminalApp):
    """Ends when the search has a result or fails, or by a key; ``left`` says whether by a key.

    ``root`` is the search, ``where`` the folder as the user wrote it.
    """

    DEFAULT_CSS = """
    #head { height: 1; padding: 0 1; background: $panel; }
    #waiting { padding: 1 2; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave(0)", "Quit", key_display="q", id="waiting.quit"),
        Binding(
            "ctrl+c", f"leave({INTERRUPTED})", "Stop", show=False, priority=True, id="waiting.stop"
        ),
    ]

    def __init__(self, root: Future[Root], where: str, theme_file: ThemeFile | None) -> None:
        super().__init__(theme_file)
        self.left = False
        self._root = root
        self._place = where
        self._began = time.monotonic()

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        yield Static("hipercow-tui", id="head")
        yield Static(id="waiting", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Check again and again, and show for how long."""
        self._show()
        self.set_interval(1.0, self._show)
        self.set_interval(_CHECK_EVERY, self._check)

    def _show(self) -> None:
        waited = format_duration(max(1.0, time.monotonic() - self._began))
        self.query_one("#waiting", Static).update(
            f"Looking for a hipercow root at {escape_controls(self._place)} …\n\n"
            f"The file system has not answered for {waited}."
        )

    def _check(self) -> None:
        if self._root.done():
            self.exit()

    def action_leave(self, status: int = DONE) -> None:
        """Quit without a root; ``status`` is the exit status."""
        self.left = True
        self.exit(return_code=status)
