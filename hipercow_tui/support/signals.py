"""What asks this process to end: ctrl+c, the end of a job, a terminal that goes away."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def on_signals(act: Callable[[int], object]) -> Iterator[None]:
    """Call this with the number of each such signal, in the main thread and at any moment."""
    before = {number: signal.signal(number, lambda got, _: act(got)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_by_interrupt() -> Iterator[None]:
    """While nothing is changed, ctrl+c ends the process at once. Python itself would take note of
    it and then go on waiting for a file server that hangs. Use it in the main thread."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def exit_for_signal(number: int) -> NoReturn:
    """Unwind, so that what is temporary goes, and end with the status of that signal."""
    raise SystemExit(128 + number)


def no_hurry(number: int) -> None:
    """The end is near and must come whole."""
