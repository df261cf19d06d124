"""How long to pause between two scans of a root, so that a slow file server is not kept busy."""

from __future__ import annotations

from collections import deque

MIN_PAUSE = 1.0  # seconds between two scans of a root that is scanned quickly
# The pause is ten times the duration of a scan: of the last three scans, the shortest counts,
# because the machine may have been busy during another.
PAUSE_FACTOR = 10
DURATIONS_KEPT = 3


class ScanPace:
    """The pause after each scan, from the durations of the last scans."""

    def __init__(self) -> None:
        # The first scan reads everything, later ones do not: it does not count.
        self._durations = deque([0.0], DURATIONS_KEPT)

    def pause_after(self, seconds: float) -> float:
        """Return the seconds to pause after a scan that took ``seconds``."""
        self._durations.append(seconds)
        return max(MIN_PAUSE, PAUSE_FACTOR * min(self._durations))
