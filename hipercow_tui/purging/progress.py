"""Between a purge and who started it: progress out, the wish to stop, and how much to do at a time,
in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hipercow_tui.purging.results import Phase, Progress

_INTERVAL = 0.05  # seconds between two reports: twenty a second is as live as an eye can tell


def ignore_progress(progress: Progress) -> None:
    """Where progress goes that nobody asked for."""


class ProgressReporter:
    """Tells of a purge's progress, at most every 50 ms and when a phase begins or ends.

    With ``stop`` set, ``stopped`` is true from then on. ``jobs`` chains are erased at a time, and
    all of these tell of their progress, one after the other.
    """

    def __init__(
        self,
        on_progress: Callable[[Progress], None],
        stop: threading.Event | None = None,
        jobs: int = 1,
    ) -> None:
        self.jobs = jobs
        self._on_progress = on_progress
        self._stop = stop
        self._phase, self._done, self._total, self._bytes = Phase.MOVING, 0, 0, 0
        self._due = 0.0
        self._telling = threading.Lock()

    @property
    def stopped(self) -> bool:
        """Whether the purge is asked to end."""
        return self._stop is not None and self._stop.is_set()

    def begin(self, phase: Phase, total: int) -> None:
        """A phase begins, of ``total`` tasks."""
        self._phase, self._done, self._total = phase, 0, total
        self._tell()

    def advance(self, done: int) -> None:
        """``done`` tasks of the phase are done."""
        with self._telling:
            self._done = max(done, self._done)
            self._tell_if_due()

    def add_bytes(self, total: int) -> None:
        """So many bytes are freed by now."""
        with self._telling:
            self._bytes = max(total, self._bytes)
            self._tell_if_due()

    def waiting(self, seconds: float, most: float) -> None:
        """Report that we wait for another process, for ``most`` seconds at most."""
        self._phase, self._done, self._total = Phase.WAITING, int(seconds), int(most)
        self._tell()

    def end(self) -> None:
        """The phase is over: says how far it came."""
        self._tell()

    def _tell_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self._tell()

    def _tell(self) -> None:
        self._on_progress(Progress(self._phase, self._done, self._total, self._bytes))
        self._due = time.monotonic() + _INTERVAL
