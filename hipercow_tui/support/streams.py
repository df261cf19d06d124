"""Standard streams of a command: results on standard output, messages on standard error.

All that a command prints passes through here and is escaped (``text.escape_controls``): no text
from disk, from the environment or from an argument reaches a terminal raw. A stream may be closed,
full, or a pipe without a reader:

- Standard output that can't be written costs the exit status 0, and a message says why.
- A reader that left (EPIPE) is normal use, as in ``| head``: no message, the status stays.
- Standard error that can't be written changes nothing else: its messages are lost.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO

from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.text import escape_controls

_output_lost = False


def open_streams() -> None:
    """Open what the caller closed (``>&-``) on the null device, for the wrong direction, so that
    its use fails. Else Python has no stream there, and the next file that is opened would get its
    descriptor. Call this before anything is opened or printed."""
    global _output_lost
    _output_lost = False
    for name, flag, mode in (
        ("stdin", os.O_WRONLY, "r"),
        ("stdout", os.O_RDONLY, "w"),
        ("stderr", os.O_RDONLY, "w"),
    ):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, flag)
            os.set_inheritable(fd, True)
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8", closefd=False))


def print_output(result: dict[str, Any] | Iterable[str]) -> None:
    """Print lines, or an object as a line of JSON, on standard output.

    Takes no more of the lines once one can't be written. An error of an iterator of lines is
    raised as it is.
    """
    lines = [json.dumps(result)] if isinstance(result, dict) else result
    for line in lines:
        if not _try_output(sys.stdout.write, f"{escape_controls(line)}\n"):
            return
    _try_output(sys.stdout.flush)


def print_message(message: str) -> None:
    """Print a message on standard error, after the name of the program."""
    print_messages([f"hipercow-tui: {message}"])


def print_messages(lines: Iterable[str]) -> None:
    """Print lines on standard error, as they are."""
    for line in lines:
        _try_message(f"{escape_controls(line)}\n")


def read_answer(question: str) -> str:
    """The line that is typed after a question on standard error, in lower case; empty if the
    question can't be shown or the answer can't be read."""
    if not _try_message(f"{escape_controls(question)} "):
        return ""
    try:
        return sys.stdin.readline().strip().lower()
    except (OSError, ValueError):  # the terminal is gone; the bytes are no text
        return ""


def is_output_lost() -> bool:
    """Whether some of the output could not be written, other than for a reader that left."""
    return _output_lost


def exit_status(status: int) -> int:
    """The exit status of a command that came to ``status``: its output may be lost."""
    return REFUSED if status == DONE and _output_lost else status


def _try_output(call: Callable[..., object], *arguments: str) -> bool:
    try:
        call(*arguments)
    except OSError as error:
        _discard(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            global _output_lost
            _output_lost = True
            print_message(f"standard output can't be written: {error.strerror or error}")
        return False
    return True


def _try_message(text: str) -> bool:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)
        return False
    return True


def _discard(stream: TextIO) -> None:
    """Redirect the stream to the null device. Python flushes its buffer at exit, which would fail
    again."""
    with suppress(OSError):
        fd = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, fd)
        os.close(null)
