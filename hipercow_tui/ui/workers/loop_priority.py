"""Gives the UI thread priority over workers, and foreground workers over others.

One interpreter lock lets one thread run at a time, and Python has no thread priorities. Two things
replace them. A thread that waits for the lock takes it after the switch interval, which is global:
it is short while the UI thread waits, and long while it runs. And workers call ``yield_to_ui``
between two steps of long work.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from selectors import DefaultSelector, SelectorKey

# Seconds for which a thread keeps the lock while another waits for it.
WORKER_SWITCH_INTERVAL = 0.0005  # a worker, while the UI thread waits
UI_SWITCH_INTERVAL = 0.01  # the UI thread, while workers wait
INPUT_CHECK_EVERY = 0.004  # seconds between two checks for input while the loop has work
MAX_YIELD = 0.1  # seconds; no worker waits longer in one call
YIELD_STEP = 0.0005  # seconds between two checks whether the UI thread is busy


@dataclass(slots=True)
class _Busy:
    ui: bool = False
    foreground: bool = False


_busy = _Busy()


def yield_to_ui(*, to_foreground: bool = True) -> None:
    """Sleep while the UI thread is busy, and by default while a foreground worker is."""
    until = None
    while _busy.ui or (to_foreground and _busy.foreground):
        now = time.monotonic()
        until = until or now + MAX_YIELD
        if now >= until:
            return
        time.sleep(YIELD_STEP)


@contextmanager
def foreground_work() -> Iterator[None]:
    """Mark this thread as a foreground worker: the user waits for its result."""
    _busy.foreground = True
    try:
        yield
    finally:
        _busy.foreground = False


@contextmanager
def ui_waiting() -> Iterator[None]:
    """Mark the UI thread as idle while it waits for a worker."""
    before, _busy.ui = _busy.ui, False
    try:
        yield
    finally:
        _busy.ui = before


class _Selector(DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._checked_at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Return the events. A loop that has work checks only every few milliseconds, because it
        may lose the lock at each check."""
        has_work = timeout is not None and timeout <= 0
        if has_work and time.monotonic() < self._checked_at + INPUT_CHECK_EVERY:
            return []
        _busy.ui = has_work
        sys.setswitchinterval(WORKER_SWITCH_INTERVAL)
        try:
            return super().select(timeout)
        finally:
            sys.setswitchinterval(UI_SWITCH_INTERVAL)
            _busy.ui = True
            self._checked_at = time.monotonic()


class _Loop(asyncio.SelectorEventLoop):
    def _read_from_self(self) -> None:
        """Read the bytes by which other threads woke the loop; this gives them the lock once."""
        sys.setswitchinterval(WORKER_SWITCH_INTERVAL)
        super()._read_from_self()  # type: ignore[misc]
        sys.setswitchinterval(UI_SWITCH_INTERVAL)

    def close(self) -> None:
        """Close the loop; workers need not wait any more."""
        super().close()
        _busy.ui = False


def new_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop for the UI thread; on systems other than POSIX a plain one."""
    if os.name != "posix":
        return asyncio.new_event_loop()
    return _Loop(_Selector())
