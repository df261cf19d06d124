"""Give the main thread priority over workers, by how long threads keep the interpreter lock.

Python has no thread priorities. A thread that waits for the lock requests it after the switch
interval, which is one setting for all threads. So the event loop sets a short interval while it
waits for input, when workers have the lock, and a long one while it works. The gain is measured in
docs/decisions/speed.md.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from selectors import DefaultSelector, SelectorKey

WORKER_INTERVAL = 0.0005  # seconds for which a worker keeps the lock if the loop wants it
LOOP_INTERVAL = 0.01  # seconds for which the loop keeps the lock if a worker wants it
INPUT_INTERVAL = 0.004  # seconds between two looks for input while the loop has work


class _Selector(DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._last_select = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Wait for input. A loop with work looks only every few milliseconds, because it may lose
        the lock each time."""
        has_work = timeout is not None and timeout <= 0
        if has_work and time.monotonic() < self._last_select + INPUT_INTERVAL:
            return []
        sys.setswitchinterval(WORKER_INTERVAL)
        try:
            return super().select(timeout)
        finally:
            sys.setswitchinterval(LOOP_INTERVAL)
            self._last_select = time.monotonic()


class _Loop(asyncio.SelectorEventLoop):
    def _read_from_self(self) -> None:
        """Read the bytes by which other threads wake the loop; that may lose the lock too."""
        sys.setswitchinterval(WORKER_INTERVAL)
        super()._read_from_self()  # type: ignore[misc]
        sys.setswitchinterval(LOOP_INTERVAL)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of the app. Without POSIX it is the default loop, because that does not
    wait for input with a selector."""
    if os.name != "posix":
        return asyncio.new_event_loop()
    return _Loop(_Selector())
