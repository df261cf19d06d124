"""Standard streams of a command: results on standard output, messages on standard error.

Commands print only through this module, which escapes control characters: no text from disk, from
the environment or from an argument reaches a terminal unescaped. A stream may be closed, full, or a
pipe without a reader:

- If standard output can't be written, a message says why, and the exit status is not 0.
- A reader that closes the pipe, as in ``| head``, is normal: no message, the same status.
- If standard error can't be written, its messages are lost, and nothing else changes.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO

from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.text import escape_controls, truncate_middle

_output_lost = False
_PROGRESS_AFTER = 1.0  # seconds


def open_streams() -> None:
    """Open streams that the caller closed (``>&-``) on the null device.

    They are opened for the wrong direction, so that their use fails. Otherwise the next file that
    is opened would get their descriptor. Call this before anything is opened or printed.
    """
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


def print_output(
    result: dict[str, Any] | Iterable[str], *, end: str = "\n", keep_tabs: bool = False
) -> None:
    """Print lines, or an object as a line of JSON, on standard output, each followed by ``end``.

    Stops reading the lines once one can't be written. Errors of the iterator itself are raised.
    With ``keep_tabs`` tabs are printed as they are, in data.
    """
    lines = [json.dumps(result)] if isinstance(result, dict) else result
    for line in lines:
        parts = line.split("\t") if keep_tabs else (line,)
        text = "\t".join(map(escape_controls, parts))
        if not _try_output(sys.stdout.write, f"{text}{end}"):
            return
    _try_output(sys.stdout.flush)


def print_message(message: str) -> None:
    """Print a message on standard error, after the name of the program."""
    print_messages([f"hipercow-tui: {message}"])


def print_messages(lines: Iterable[str]) -> None:
    """Print lines on standard error."""
    for line in lines:
        _try_message(f"{escape_controls(line)}\n")


def read_answer(question: str) -> str:
    """Print a question on standard error and return the line that is typed, in lower case.

    The line is empty if the question can't be printed or the answer can't be read.
    """
    if not _try_message(f"{escape_controls(question)} "):
        return ""
    try:
        return sys.stdin.readline().strip().lower()
    except (OSError, ValueError):  # the terminal was closed, or the bytes are not text
        return ""


class ProgressLine:
    """A line on standard error that shows progress in percent, if that is a terminal.

    It is shown after a second, and erased at the end, without escape sequences, which a console of
    Windows may print. ``total`` is the number of steps.
    """

    def __init__(self, verb: str, total: int) -> None:
        self._verb = verb
        self._total = total
        self._text = ""
        self._from = time.monotonic() + _PROGRESS_AFTER

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._text:
            _try_message(f"\r{' ' * len(self._text)}\r")

    def show(self, done: int) -> None:
        """Show the number of steps that are done."""
        text = f"{self._verb} {100 * done // self._total} %"
        if text != self._text and time.monotonic() >= self._from and sys.stderr.isatty():
            self._text = text
            _try_message(f"\r{text}")


class StatusLine:
    """The state of a long command on standard error: on a terminal one line that is rewritten and
    at the end erased, else a line for each change. ``quiet`` shows nothing.

    There are no escape sequences, which a console of Windows may print.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._text = ""  # the last state
        self._drawn = 0  # cells of the line on the terminal

    def __enter__(self) -> StatusLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._erase()

    def show(self, text: str) -> None:
        """Show a state, if it is another one than the last."""
        if text == self._text or self._quiet:
            return
        self._text = text
        if sys.stderr.isatty():
            self._draw()
        else:
            print_message(text)

    def print_message(self, message: str) -> None:
        """Print a message above the line."""
        self._erase()
        print_message(message)
        if self._text and sys.stderr.isatty():
            self._draw()

    def _draw(self) -> None:
        # A line in the last column would wrap, and could not be erased.
        width = shutil.get_terminal_size().columns - 1
        line = truncate_middle(escape_controls(self._text), width)
        self._drawn = max(self._drawn, len(line))  # a signal can end the process at any moment
        _try_message(f"\r{line.ljust(self._drawn)}")
        self._drawn = len(line)

    def _erase(self) -> None:
        if self._drawn:
            _try_message(f"\r{' ' * self._drawn}\r")
        self._drawn = 0


def is_output_lost() -> bool:
    """Return whether some output could not be written, except because its reader closed it."""
    return _output_lost


def exit_status(status: int) -> int:
    """Return the exit status of a command that returned ``status``: output may have been lost."""
    return REFUSED if status == DONE and _output_lost else status


def _try_output(call: Callable[..., object], *arguments: str) -> bool:
    try:
        call(*arguments)
    except OSError as error:
        _discard(sys.stdout)
        if not _is_pipe_closed(error):
            global _output_lost
            _output_lost = True
            print_message(f"standard output can't be written: {os_error_text(error)}")
        return False
    return True


def _is_pipe_closed(error: OSError) -> bool:
    """Return whether the reader closed the pipe. On Windows, the same error is an invalid
    argument, which a stream that is no pipe never gives."""
    invalid = sys.platform == "win32" and error.errno == errno.EINVAL
    return invalid or isinstance(error, BrokenPipeError)


def _try_message(text: str) -> bool:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)
        return False
    return True


def _discard(stream: TextIO) -> None:
    """Redirect the stream to the null device, because flushing it at exit would fail again."""
    with suppress(OSError):
        fd = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, fd)
        os.close(null)
