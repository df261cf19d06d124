"""The connection between a purge and its caller: progress, a request to stop, the number of
jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hipercow_tui.formats.folder_size import Size
from hipercow_tui.purging.results import Phase, Progress

_INTERVAL = 0.05  # seconds between two reports


def ignore_progress(progress: Progress) -> None:
    """Do nothing: the default callback."""


class ProgressReporter:
    """Reports the progress of a purge, at most every 50 ms and when a phase begins or ends.

    Setting ``stop`` requests the end of the purge. ``jobs`` chains are erased at a time, by threads
    that all report here.
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
        self._phase, self._done, self._total, self._freed = Phase.MOVING, 0, 0, Size()
        self._due = 0.0
        self._lock = threading.Lock()

    @property
    def stopped(self) -> bool:
        """Whether the purge was asked to stop."""
        return self._stop is not None and self._stop.is_set()

    def begin(self, phase: Phase, total: int) -> None:
        """Begin a phase of ``total`` tasks."""
        self._phase, self._done, self._total = phase, 0, total
        self._report()

    def advance(self, done: int) -> None:
        """Report that ``done`` tasks of the phase are done."""
        with self._lock:
            self._done = max(done, self._done)
            self._report_if_due()

    def set_freed(self, total: Size) -> None:
        """Report that ``total`` is freed so far."""
        with self._lock:
            # Several threads report, in any order.
            before = self._freed
            if (total.files, total.disk_bytes) >= (before.files, before.disk_bytes):
                self._freed = total
            self._report_if_due()

    def report_wait(self, seconds: float, limit: float) -> None:
        """Report a wait for another process: ``seconds`` so far, ``limit`` at most."""
        self._phase, self._done, self._total = Phase.WAITING, int(seconds), int(limit)
        self._report()

    def end(self) -> None:
        """Report the progress at the end of a phase."""
        self._report()

    def _report_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self._report()

    def _report(self) -> None:
        self._on_progress(Progress(self._phase, self._done, self._total, self._freed))
        self._due = time.monotonic() + _INTERVAL
