"""An event loop that goes before all other threads at the interpreter's lock.

What works behind the screen takes that lock from it wherever it lets go of it, and a loop lets go
at every turn, to ask whether there is input: thirty turns a key, each of which waits for whoever
works. Python knows no priorities, but how long a thread may keep the lock is asked anew by each
that waits for it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from selectors import DefaultSelector, SelectorKey

KEPT_BY_OTHERS = 0.0005  # seconds after which they give the lock to the screen
KEPT_BY_SCREEN = float(os.environ.get("KBS", "0.01"))  # and the other way round
LOOKED = float(
    os.environ.get("LKD", "0.004")
)  # seconds for which a loop that has work does not look for input again


class _Selector(DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._looked_at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What came; while there is work to do, nothing for a few milliseconds."""
        has_work = timeout is not None and timeout <= 0
        if has_work and time.monotonic() < self._looked_at + LOOKED:
            return []
        sys.setswitchinterval(KEPT_BY_OTHERS)
        try:
            return super().select(timeout)
        finally:
            sys.setswitchinterval(KEPT_BY_SCREEN)
            self._looked_at = time.monotonic()


class _Loop(asyncio.SelectorEventLoop):
    def _read_from_self(self) -> None:
        """Take in what other threads woke us by, which gives them the lock once more."""
        sys.setswitchinterval(KEPT_BY_OTHERS)
        super()._read_from_self()  # type: ignore[misc]
        sys.setswitchinterval(KEPT_BY_SCREEN)


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop for the screen; where input is not waited for by a selector, a plain one."""
    if os.name != "posix":
        return asyncio.new_event_loop()
    return _Loop(_Selector())
