"""Scans the root repeatedly, and passes on the changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.scanning.combined_scanner import CombinedScanner
from hipercow_tui.scanning.scan_pace import ScanPace
from hipercow_tui.scanning.scanner import ScanState
from hipercow_tui.ui.workers.base import BackgroundWorker

_LOGGER = logging.getLogger(__name__)


class Poller(BackgroundWorker):
    """Scans a root until it is stopped; ``refresh_now`` begins the first scan.

    ``notify`` is called in the thread when there is a new state to take. States that follow before
    it is taken are merged into it, so that a slow screen does not fall behind.
    """

    def __init__(
        self,
        scanner: CombinedScanner,
        notify: Callable[[], object],
        on_error: Callable[[Exception], object],
    ) -> None:
        super().__init__(on_error)
        self._scanner = scanner
        self._notify = notify
        self._lock = threading.Lock()
        self._pending: ScanState | None = None
        self._requests: list[Callable[[Snapshot], None]] = []
        self._pace = ScanPace()

    def refresh_now(self, then: Callable[[Snapshot], None] | None = None) -> None:
        """Begin a scan without a pause. ``then`` is called in the thread with the snapshot of a
        scan that began after this call."""
        if then is not None:
            with self._lock:
                self._requests.append(then)
        self._wake()

    def take_state(self) -> ScanState | None:
        """Return the changes since the last call; None if there are none."""
        with self._lock:
            state, self._pending = self._pending, None
            return state

    def _step(self) -> float:
        with self._lock:
            requests, self._requests = self._requests, []
        began = time.monotonic()
        for state in self._scanner.scan():
            if self._stopped:
                return 0
            self._put(state)
        seconds = time.monotonic() - began
        _LOGGER.debug("scan: %d tasks in %.3f s", len(state.snapshot.tasks), seconds)
        for request in requests:
            request(state.snapshot)
        return self._pace.pause_after(seconds)

    def _put(self, state: ScanState) -> None:
        with self._lock:
            waiting = self._pending
            self._pending = state if waiting is None else _merge(waiting, state)
        if waiting is None:
            self._notify()


def _merge(first: ScanState, then: ScanState) -> ScanState:
    """Return the later state with the changes of both."""
    return replace(
        then,
        changed=(first.changed - then.removed_ids) | then.changed,
        removed_ids=(first.removed_ids - then.changed) | then.removed_ids,
    )
