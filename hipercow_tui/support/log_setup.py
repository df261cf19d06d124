"""Logging of the program itself: to a file on request, and to memory for a crash report.

Modules log to ``logging.getLogger(__name__)``. A log line has ids, counts, seconds and paths of
roots, never inputs of a task, environment variables or text of a task's log. Nothing is logged to
the terminal: the app draws there.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.text import escape_controls
from hipercow_tui.support.user_files import state_folder

LEVEL_VARIABLE = "HIPERCOW_TUI_LOG"
LEVELS = ("debug", "info", "warning", "error")
_KEPT_LINES = 200
_PACKAGE = "hipercow_tui"


class _Formatter(logging.Formatter):
    """One line a record, with the time in UTC and without control characters."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(name)s: %(message)s"
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return escape_controls(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of the record in UTC."""
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))


class _MemoryHandler(logging.Handler):
    """Keeps the last lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line of this record."""
        self.lines.append(self.format(record))


_memory = _MemoryHandler()


def start_logging(file: str | None) -> None:
    """Log to memory, and to ``file`` if that is given. A second call replaces the first setup.

    The environment variable HIPERCOW_TUI_LOG is the lowest level that is logged, "info" if it is
    not set. If only that is set, the file is ``hipercow-tui.log`` in the user's state folder.
    Raises HipercowTuiError if the variable has another value, or if the file can't be written.
    """
    level = os.environ.get(LEVEL_VARIABLE, "")
    if level and level.lower() not in LEVELS:
        raise HipercowTuiError(
            f"{LEVEL_VARIABLE} is '{escape_controls(level)}': use {', '.join(LEVELS)}, or unset it"
        )
    handlers: list[logging.Handler] = [_memory]
    if file is not None:
        handlers.append(_file_handler(Path(file)))
    elif level:
        handlers.append(_file_handler(_default_file()))
    logger = logging.getLogger(_PACKAGE)
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.setFormatter(_Formatter())
        logger.addHandler(handler)
    logger.setLevel((level or "info").upper())
    logger.propagate = False


def last_lines() -> list[str]:
    """The last lines that were logged, at most 200, the oldest first."""
    return list(_memory.lines)


def _default_file() -> Path:
    try:
        return state_folder() / "hipercow-tui.log"
    except RuntimeError:
        raise HipercowTuiError(
            f"{LEVEL_VARIABLE} is set, but the home folder is unknown: name a file with --log-file"
        ) from None


def _file_handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = open(path, "a", encoding="utf-8", opener=partial(os.open, mode=0o600))  # noqa: SIM115
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HipercowTuiError(
            f"The log file '{escape_controls(str(path))}' can't be written: {reason}"
        ) from None
    return _ClosingHandler(opened)


class _ClosingHandler(logging.StreamHandler[Any]):
    """Writes to a file that it closes. A line that can't be written is lost: a full disk must not
    stop a purge."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore the error; Python would print it on the terminal."""

    def close(self) -> None:
        """Close the file too."""
        with suppress(OSError):
            self.stream.close()
        super().close()
