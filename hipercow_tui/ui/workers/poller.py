"""The one place that looks at the root again and again, and hands on what it saw."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.scanning.combined_scanner import CombinedScanner
from hipercow_tui.scanning.scanner import ScanState
from hipercow_tui.ui.workers.base import start_thread

PAUSE = 1.0  # seconds between two passes over a root that is quick to read
# A pass is followed by a pause of ten times its length; of the last three passes the shortest
# counts, for one may have met a busy machine.
SHARE = 10
PASSES = 3


class Poller:
    """Scans a root in a thread of its own until it is stopped.

    ``tell`` is called in that thread when there is something to take; what comes in between is
    put together, so that a slow screen is not flooded.
    """

    def __init__(
        self,
        scanner: CombinedScanner,
        tell: Callable[[], object],
        broke: Callable[[Exception], object],
    ) -> None:
        self._scanner = scanner
        self._tell = tell
        self._broke = broke
        self._lock = threading.Lock()
        self._pending: ScanState | None = None
        self._wishes: list[Callable[[Snapshot], None]] = []
        self._wake = threading.Event()
        self._stopped = False

    def start(self) -> None:
        """Begin with the first pass."""
        start_thread(self._run, self._broke)

    def stop(self) -> None:
        """Look no more; doesn't wait for a look that is under way."""
        self._stopped = True
        self._wake.set()

    def refresh_now(self, then: Callable[[Snapshot], None] | None = None) -> None:
        """Begin a pass without waiting for the next; ``then`` is given, in the polling thread,
        what a pass saw that began after this call."""
        if then is not None:
            with self._lock:
                self._wishes.append(then)
        self._wake.set()

    def take_state(self) -> ScanState | None:
        """What was seen since the last time; None if it has been taken."""
        with self._lock:
            state, self._pending = self._pending, None
            return state

    def _run(self) -> None:
        lengths = deque([0.0], PASSES)  # the first pass reads everything, later ones do not
        while not self._stopped:
            self._wake.clear()
            with self._lock:
                wishes, self._wishes = self._wishes, []
            began = time.monotonic()
            for state in self._scanner.scan():
                if self._stopped:
                    return
                self._put(state)
            lengths.append(time.monotonic() - began)
            for request in wishes:
                request(state.snapshot)
            self._wake.wait(max(PAUSE, SHARE * min(lengths)))

    def _put(self, state: ScanState) -> None:
        with self._lock:
            waiting = self._pending
            self._pending = state if waiting is None else _together(waiting, state)
        if waiting is None:
            self._tell()


def _together(first: ScanState, then: ScanState) -> ScanState:
    """The later state, with what changed in either."""
    return replace(
        then,
        changed=(first.changed - then.removed_ids) | then.changed,
        removed_ids=(first.removed_ids - then.changed) | then.removed_ids,
    )
