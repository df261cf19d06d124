"""Find the error of a failed Python task at the end of its log.

hipercow for Python records that a command failed, but not why: ``result`` is the pickle of None
(``task_eval_shell``) and is not opened. The error is in the last output of the command, in ``log``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hipercow_tui.formats.log_patterns import Severity, severity_of
from hipercow_tui.formats.safe_open import open_file
from hipercow_tui.support.text import decoded

TAIL = 65536  # bytes read from the end of a log; a traceback of a thousand frames is longer
_MAX_LINE = 4096  # characters used of a line

_CONTROL = re.compile(r"\x1b\[[0-9;:?]{0,64}[ -/]?[@-~]")
# Exception groups are indented by a margin: ``  | Traceback …``.
_TRACEBACK = re.compile(r"^[ |+-]*(?=(?:Exception Group )?Traceback \(most recent call last\):)")
# R and shells print these after any error, below the line with its message.
_UNINFORMATIVE = re.compile(r"^\s*(?:Execution halted|Aborted|Calls: .*)\b.{0,20}$")


def read_log_error(folder: int) -> str | None:
    """Return the last error in the log of a task, from its open folder.

    None if there is no log or nothing in it. Raises OSError.
    """
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
    """Return the exception at the end of the last traceback.

    Without a traceback, the last line that is an error; else the last line. None for an empty log.
    """
    lines = [_CONTROL.sub("", line[:_MAX_LINE]).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return None
    for at in range(len(lines) - 1, -1, -1):
        if (found := _TRACEBACK.match(lines[at])) is not None:
            if (exception := _find_exception(lines[at + 1 :], found.end())) is not None:
                return exception
            break  # the log ends within the frames
    errors = [at for at, line in enumerate(lines) if severity_of(line) is Severity.ERROR]
    informative = [at for at in errors if not _UNINFORMATIVE.match(lines[at])] or errors or [-1]
    last = informative[-1]
    texts = [line.strip() for line in lines[last:][:2]]
    continues = texts[0].endswith(":") and len(texts) > 1 and lines[last + 1].startswith(" ")
    return "\n".join(texts if continues else texts[:1])


def _find_exception(lines: Sequence[str], margin: int) -> str | None:
    """Return the line after the frames of a traceback: the first that is not indented."""
    for line in lines:
        text = line[margin:]
        if text and not text.startswith(" "):
            return text
    return None
