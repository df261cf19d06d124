"""Why a Python task failed, from the end of its log.

hipercow for Python runs a command and keeps that it failed, not why: ``result`` is the pickle of
None (``task_eval_shell``), and is not opened. What the command said last stands in ``log``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hipercow_tui.formats.log_patterns import Severity, severity_of
from hipercow_tui.formats.safe_open import open_file
from hipercow_tui.support.text import decoded

TAIL = 65536  # bytes of a log's end that are read; a traceback of a thousand frames is longer
_MAX_LINE = 4096  # characters of a line that are looked at

_CONTROL = re.compile(r"\x1b\[[0-9;:?]{0,64}[ -/]?[@-~]")
# Groups of exceptions stand behind a margin of their own: ``  | Traceback …``.
_TRACEBACK = re.compile(r"^[ |+-]*(?=(?:Exception Group )?Traceback \(most recent call last\):)")
# R and shells say so of any error, after the line that tells it.
_UNINFORMATIVE = re.compile(r"^\s*(?:Execution halted|Aborted|Calls: .*)\b.{0,20}$")


def read_log_error(folder: int) -> str | None:
    """What the log in the open folder of a task says last of an error; None where there is no log,
    or nothing in it. Raises OSError."""
    try:
        fd = open_file("log", dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        begin = max(0, os.fstat(fd).st_size - TAIL)
        os.lseek(fd, begin, os.SEEK_SET)
        raw = os.read(fd, TAIL)
    finally:
        os.close(fd)
    return last_error(decoded(raw if begin == 0 else raw[raw.find(b"\n") + 1 :]))


def last_error(log: str) -> str | None:
    """The exception at the end of the last traceback; without one the last line that tells of an
    error, and without that the last line; None of an empty log."""
    lines = [_CONTROL.sub("", line[:_MAX_LINE]).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return None
    for at in range(len(lines) - 1, -1, -1):
        if (found := _TRACEBACK.match(lines[at])) is not None:
            if (exception := _find_exception(lines[at + 1 :], found.end())) is not None:
                return exception
            break  # cut off within its frames
    signs = [at for at, line in enumerate(lines) if severity_of(line) is Severity.ERROR]
    telling = [at for at in signs if not _UNINFORMATIVE.match(lines[at])] or signs or [-1]
    last = telling[-1]
    told = [line.strip() for line in lines[last:][:2]]
    goes_on = told[0].endswith(":") and len(told) > 1 and lines[last + 1].startswith(" ")
    return "\n".join(told if goes_on else told[:1])


def _find_exception(lines: Sequence[str], margin: int) -> str | None:
    """What stands after the frames: the first line that is not indented."""
    for line in lines:
        told = line[margin:]
        if told and not told.startswith(" "):
            return told
    return None
