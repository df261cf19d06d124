"""Whom the threads behind the screen let go first: the screen, then who answers its person.

One interpreter lock lets one thread work, and Python knows no priorities. What there is instead:
how long a thread may keep that lock is asked by each that waits for it, so the screen's loop has
others wait long and itself wait little; and a word between two steps of long work, ``yield_to_ui``.
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

KEPT_BY_OTHERS = 0.0005  # seconds after which they give the lock to the screen
KEPT_BY_SCREEN = 0.01  # and the other way round
LOOKED = 0.004  # seconds for which a loop that has work does not look for input again
LONGEST = 0.1  # seconds that a thread gives way for at most: nothing may stand still for good
STEP = 0.0005  # seconds between two looks whether it still must


@dataclass(slots=True)
class _AtWork:
    screen: bool = False
    answer: bool = False


_at_work = _AtWork()


def yield_to_ui(*, to_answers: bool = True) -> None:
    """Let the screen go first if it is at work, and who answers it, unless that is who calls."""
    until = None
    while _at_work.screen or (to_answers and _at_work.answer):
        now = time.monotonic()
        until = until or now + LONGEST
        if now >= until:
            return
        time.sleep(STEP)


@contextmanager
def foreground_work() -> Iterator[None]:
    """Meanwhile somebody at the screen waits for this thread."""
    _at_work.answer = True
    try:
        yield
    finally:
        _at_work.answer = False


@contextmanager
def ui_waiting() -> Iterator[None]:
    """Meanwhile the screen's thread waits itself for one behind it."""
    at_work, _at_work.screen = _at_work.screen, False
    try:
        yield
    finally:
        _at_work.screen = at_work


class _Selector(DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self._looked_at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What came. A loop that has work looks every few milliseconds: at each look it may lose
        the lock."""
        has_work = timeout is not None and timeout <= 0
        if has_work and time.monotonic() < self._looked_at + LOOKED:
            return []
        _at_work.screen = has_work
        sys.setswitchinterval(KEPT_BY_OTHERS)
        try:
            return super().select(timeout)
        finally:
            sys.setswitchinterval(KEPT_BY_SCREEN)
            _at_work.screen = True
            self._looked_at = time.monotonic()


class _Loop(asyncio.SelectorEventLoop):
    def _read_from_self(self) -> None:
        """Take in what other threads woke us by, which gives them the lock once more."""
        sys.setswitchinterval(KEPT_BY_OTHERS)
        super()._read_from_self()  # type: ignore[misc]
        sys.setswitchinterval(KEPT_BY_SCREEN)

    def close(self) -> None:
        """Nobody waits for this screen any more."""
        super().close()
        _at_work.screen = False


def new_loop() -> asyncio.AbstractEventLoop:
    """The loop for the screen; where input is not waited for by a selector, a plain one."""
    if os.name != "posix":
        return asyncio.new_event_loop()
    return _Loop(_Selector())
