"""Find the error of a failed Python task at the end of its log.

hipercow for Python records that a command failed, but not why: ``result`` is the pickle of None
(``task_eval_shell``) and is not opened. The error is in the last output of the command, in ``log``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from hipercow_tui.formats.log_patterns import Severity, severity_of
from hipercow_tui.formats.r_traces import label_in
from hipercow_tui.formats.safe_open import open_file
from hipercow_tui.support.text import decoded, truncate_middle

TAIL = 65536  # bytes read from the end of a log; a traceback of a thousand frames is longer
_MAX_LINE = 4096  # characters used of a line

_CONTROL = re.compile(r"\x1b\[[0-9;:?]{0,64}[ -/]?[@-~]")
# Exception groups are indented by a margin: ``  | Traceback …``.
_TRACEBACK = re.compile(r"^[ |+-]*(?=(?:Exception Group )?Traceback \(most recent call last\):)")
# R and shells print these after any error, below the line with its message.
_UNINFORMATIVE = re.compile(r"^\s*(?:Execution halted|Aborted|Calls: .*)\b.{0,20}$")
# A syntax error has no function.
_FRAME = re.compile(r'\s*File "(?P<path>.+?)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
# Packages, the standard library, and modules that are part of the interpreter.
_INSTALLED = re.compile(
    r"[\\/](?:site|dist)-packages[\\/]|[\\/]lib(?:64)?[\\/]python\d[\d.]*[\\/]"
    r"|[\\/]Lib[\\/]|^<frozen "
)
_MAX_NAME = 80  # characters of a function or a file name


class LogError(NamedTuple):
    """An error in a log: its ``message``, and the ``frame`` in which it occurred.

    The frame is that of a traceback in the innermost code that is not installed, such as
    ``fit() model.py:12``, or the function that R names, such as ``fit()``; "" if it is not known.
    """

    message: str
    frame: str = ""


def read_log_error(folder: int) -> LogError | None:
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
    return find_error(decoded(raw if begin == 0 else raw[raw.find(b"\n") + 1 :]))


def find_error(log: str) -> LogError | None:
    """Return the exception at the end of the last traceback.

    Without a traceback, the last line that is an error; else the last line. None for an empty log.
    """
    lines = [_CONTROL.sub("", line[:_MAX_LINE]).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return None
    for at in range(len(lines) - 1, -1, -1):
        if (found := _TRACEBACK.match(lines[at])) is not None:
            if (error := _find_exception(lines[at + 1 :], found.end())) is not None:
                return error
            break  # the log ends within the frames
    errors = [at for at, line in enumerate(lines) if severity_of(line) is Severity.ERROR]
    informative = [at for at in errors if not _UNINFORMATIVE.match(lines[at])] or errors or [-1]
    last = informative[-1]
    texts = [line.strip() for line in lines[last:][:2]]
    continues = texts[0].endswith(":") and len(texts) > 1 and lines[last + 1].startswith(" ")
    message = "\n".join(texts if continues else texts[:1])
    return LogError(message, label_in(texts[0]) or _find_frame(_indented_before(lines, last)))


def _find_exception(lines: Sequence[str], margin: int) -> LogError | None:
    """Return the line after the frames of a traceback: the first that is not indented."""
    for at, line in enumerate(lines):
        text = line[margin:]
        if text and not text.startswith(" "):
            return LogError(text, _find_frame([frame[margin:] for frame in lines[:at]]))
    return None


def _indented_before(lines: Sequence[str], end: int) -> Sequence[str]:
    """Return the indented lines directly above a line: the place of a syntax error, or the frames
    of a traceback of which the beginning was not read."""
    end %= len(lines)
    begin = end
    while begin and lines[begin - 1].startswith(" "):
        begin -= 1
    return lines[begin:end]


def _find_frame(lines: Sequence[str]) -> str:
    """Return the innermost frame of code that is not installed, else the innermost frame."""
    frames = [found for line in lines if (found := _FRAME.match(line)) is not None]
    own = [frame for frame in frames if not _INSTALLED.search(frame["path"])]
    return _frame_label((own or frames)[-1]) if frames else ""


def _frame_label(frame: re.Match[str]) -> str:
    """Return ``fit() model.py:12``; ``model.py:12`` for code in no named function."""
    file = truncate_middle(re.split(r"[\\/]", frame["path"])[-1], _MAX_NAME)
    name, place = frame["name"] or "<module>", f"{file}:{frame['line']}"
    return place if name.startswith("<") else f"{truncate_middle(name, _MAX_NAME)}() {place}"
