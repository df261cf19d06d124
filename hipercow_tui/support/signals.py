"""Handlers of the signals that end a process: ctrl+c, the end of a job, a closed terminal."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

_ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last one only on Windows
    if hasattr(signal, name)
)
_JOB_CONTROL = tuple(
    getattr(signal, name) for name in ("SIGTSTP", "SIGCONT") if hasattr(signal, name)
)


@contextmanager
def on_signals(act: Callable[[int], object]) -> Iterator[None]:
    """Call ``act`` with the number of each such signal. It runs in the main thread, at any time."""
    before = {number: signal.signal(number, lambda got, _: act(got)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def restore_job_control() -> Iterator[None]:
    """Restore the handlers of the signals that suspend and resume the process: Textual sets them,
    and would draw on the terminal again after the app has ended."""
    before = {number: signal.getsignal(number) for number in _JOB_CONTROL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def end_on_interrupt() -> Iterator[None]:
    """Let ctrl+c end the process at once, while it changes nothing.

    The handler of Python would only run when a system call returns, which a file server that hangs
    can delay. Use this in the main thread.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def exit_for_signal(number: int) -> NoReturn:
    """Exit with the status of that signal, after ``finally`` clauses removed temporary files."""
    raise SystemExit(128 + number)


def ignore_signal(number: int) -> None:
    """Handle a signal by doing nothing, while the process is about to end anyway."""
