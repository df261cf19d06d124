"""Draw on a terminal that may disconnect, or that shows only ASCII.

Textual writes in a thread. The first failed write ends that thread, and thirty more writes fill its
queue and block the app for ever: it could no longer wait for a purge to stop.
"""

from __future__ import annotations

import io
import os
import sys

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from hipercow_tui.support.ascii_fallback import supports_utf8, to_ascii


class ResilientDriver(LinuxDriver):
    """A driver that discards output after the terminal has disconnected; SIGHUP reports that."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._ascii_only = not supports_utf8()
        terminal = sys.__stderr__
        if terminal is not None:
            output = io.BufferedWriter(_LossyFile(terminal.fileno(), "w", closefd=False))
            self._file = io.TextIOWrapper(output, terminal.encoding, terminal.errors)

    def write(self, data: str) -> None:
        """Write to the screen, with ASCII replacements if the locale is not UTF-8."""
        super().write(to_ascii(data) if self._ascii_only else data)

    def _sigcont_application(self, *arguments: object) -> None:
        """Draw again after a suspension. When a terminal closes, the kernel sends SIGCONT too, and
        there is nothing to draw on."""
        if os.isatty(self.fileno):
            super()._sigcont_application(*arguments)

    def run_input_thread(self) -> None:
        """Process input until the terminal disconnects."""
        try:
            super().run_input_thread()
        except OSError:
            return


class _LossyFile(io.FileIO):
    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError:
            return len(data)  # type: ignore[arg-type]
