"""Call a user back from another window: bell, notification, title of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hipercow_tui.support.terminal_sequences import (
    BELL,
    has_title,
    notification,
    restore_title,
    save_title,
    set_title,
)

NAME = "hipercow-tui"


class Attention:
    """The bell, notifications and the title of the window, as far as the terminal has them.

    ``write`` writes to the terminal. ``environ`` are the environment variables, which name the
    terminal.
    """

    def __init__(self, write: Callable[[str], object], environ: Mapping[str, str]) -> None:
        self._write = write
        self._environ = environ
        self._titled = False  # whether the title of the window is ours

    @property
    def means(self) -> str:
        """What the terminal has, as in ``bell, notification and window title``."""
        named = ["bell"]
        named += ["notification"] if notification(NAME, "", self._environ) else []
        named += ["window title"] if has_title(self._environ) else []
        *first, last = named
        return f"{', '.join(first)} and {last}" if first else last

    def call(self, text: str) -> None:
        """Ring the bell, and notify the user."""
        self._write(BELL + notification(NAME, text, self._environ))

    def set_title(self, text: str) -> None:
        """Show a text as the title; "" shows the title from before."""
        if not has_title(self._environ):
            return
        if text:
            save = "" if self._titled else save_title()
            self._write(f"{save}{set_title(f'{NAME}: {text}')}")
        elif self._titled:
            self._write(restore_title())
        self._titled = bool(text)
