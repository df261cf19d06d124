"""Drawing on a terminal that may go away, and may have no signs but ASCII.

Textual writes in a thread. The first write that fails ends that thread, and the next thirty stop
the app for good: a purge that was asked to stop could not be waited for.
"""

from __future__ import annotations

import io
import sys

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from hipercow_tui.support.ascii_fallback import supports_utf8, to_ascii


class ResilientDriver(LinuxDriver):
    """What is written when the terminal has gone away is lost, and nothing else happens; SIGHUP
    says that it has."""

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
        """Put it on the screen, with stand-ins where the locale knows no UTF-8."""
        super().write(to_ascii(data) if self._ascii_only else data)

    def run_input_thread(self) -> None:
        """Hand on what is typed, until there is nobody to type."""
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
