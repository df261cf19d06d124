"""Lines on the progress of a command."""

from __future__ import annotations

import sys
import time

from hipercow_tui.support.streams import print_message

_INTERVAL = 1.0  # seconds between two lines


class ProgressLines:
    """Prints now and then how many of the tasks are done, if standard error is a terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._due = time.monotonic() + _INTERVAL

    def __call__(self, verb: str, done: int) -> None:
        """Print ``measured 12 of 300 tasks``, unless a line was printed a moment ago."""
        if sys.stderr.isatty() and time.monotonic() >= self._due:
            print_message(f"{verb} {done:,} of {self._total:,} tasks")
            self._due = time.monotonic() + _INTERVAL
