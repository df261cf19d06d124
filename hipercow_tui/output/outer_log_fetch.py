"""Fetch outer logs from the cluster: by R, or by the command line of hipercow for Python.

Nothing in the root is changed. A log can have any size, of which a part is kept.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.formats.log_file import sanitize_line
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_programs import LOG_ANSWER, OUTER_LOGS, id_lines
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.support.text import format_size

HEAD_LIMIT = 1 << 16  # bytes kept of the beginning of a log, which names the node
TAIL_LIMIT = 1 << 20  # bytes kept of its end
MAX_MESSAGE = 4000  # characters kept of an error

PROGRAM = "hipercow"  # the command line of hipercow for Python
_WORD = LOG_ANSWER.encode() + b" "


class AnswerKind(StrEnum):
    """What the cluster has of an outer log."""

    LOG = "log"
    NONE = "none"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """The answer on one task: its outer log, that there is none, or the message of an error.

    ``log`` can be empty. It says where it is cut.
    """

    task_id: str
    kind: AnswerKind
    log: bytes = b""
    error: str = ""


class CutText:
    """Collects a text, of which the first ``HEAD_LIMIT`` and the last ``TAIL_LIMIT`` bytes are
    kept."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._omitted = 0

    def add(self, piece: bytes) -> None:
        """Append a line, or a piece of it."""
        free = HEAD_LIMIT - len(self._head)
        self._head += piece[:free]
        self._tail.append(piece[free:])
        self._tail_size += len(self._tail[-1])
        while self._tail_size > TAIL_LIMIT:
            size = len(self._tail.popleft())
            self._tail_size -= size
            self._omitted += size

    def text(self) -> bytes:
        """Return the text; a line says how much is left out, if it is too long."""
        notice = b""
        if self._omitted:
            size = format_size(self._omitted)
            notice = f"\n… {size} of this log are not kept by hipercow-tui …\n".encode()
        return bytes(self._head) + notice + b"".join(self._tail)


class _RAnswers:
    """Reads the answers on ``ids`` from the lines that R prints; others are R's own messages."""

    def __init__(
        self,
        ids: Collection[str],
        on_answer: Callable[[LogAnswer], object],
        on_message: Callable[[str], object],
    ) -> None:
        self._ids = ids
        self._on_answer = on_answer
        self._on_message = on_message
        self._task_id = ""
        self._kind = AnswerKind.NONE
        self._text: CutText | None = None  # of the present answer
        self._line_continues = False

    def take(self, line: bytes) -> None:
        """Take a line, or a piece of a long one."""
        continues, self._line_continues = self._line_continues, not line.endswith(b"\n")
        text = self._text
        if text is not None and continues:
            text.add(line)
        elif text is not None and line.startswith(b"|"):
            text.add(line[1:])
        elif line.startswith(_WORD) and not continues:
            self._take_answer(line[len(_WORD) :].decode("ascii", "replace").split())
        elif message := sanitize_line(line).strip():
            self._on_message(message)

    def _take_answer(self, words: Sequence[str]) -> None:
        if words == ["end"] and self._text is not None:
            self._on_answer(_make_answer(self._task_id, self._kind, self._text.text()))
            self._text = None
        elif len(words) == 2 and words[0] in self._ids and words[1] in tuple(AnswerKind):
            self._task_id, self._kind = words[0], AnswerKind(words[1])
            self._text = CutText()


def _make_answer(task_id: str, kind: AnswerKind, text: bytes) -> LogAnswer:
    if kind is AnswerKind.ERROR:
        lines = (sanitize_line(line) for line in text.splitlines())
        return LogAnswer(task_id, kind, error="\n".join(lines)[:MAX_MESSAGE])
    return LogAnswer(task_id, kind, log=text)


def check_programs(languages: Collection[Lang]) -> None:
    """Raise RscriptError if there is no program for one of the languages."""
    if Lang.R in languages:
        r_runner.find_rscript()
    if Lang.PY in languages:
        _find_hipercow()


def _find_hipercow() -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        raise RscriptError(
            f"There is no '{PROGRAM}' on the PATH: start the app where hipercow for Python is"
        )
    return program


def fetch_outer_logs(
    tasks: Sequence[Task],
    root: Root,
    on_answer: Callable[[LogAnswer], object],
    on_message: Callable[[str], object],
    stop: threading.Event,
) -> None:
    """Fetch the outer logs of tasks of R and of Python, and pass on each answer when it is there.

    ``on_message`` is called with each line that R prints itself, safe for a terminal. Setting
    ``stop`` ends R; the remaining tasks get no answer. Raises RscriptError if a program is missing
    or ends with an error.
    """
    by_r = [task.id for task in tasks if task.lang is Lang.R]
    by_python = [task.id for task in tasks if task.lang is Lang.PY]
    project = root.part(Lang.R)
    if by_r:
        answers = _RAnswers(frozenset(by_r), on_answer, on_message)
        ended = r_runner.run(OUTER_LOGS, id_lines(by_r), project, answers.take, stop)
        if ended.status and not ended.stopped:
            raise RscriptError(f"R failed with status {ended.status}")
    for task_id in id_lines(by_python):
        if stop.is_set():
            break
        for answer in _fetch_by_python(task_id, project, stop):
            on_answer(answer)


def _fetch_by_python(task_id: str, project: Root, stop: threading.Event) -> Iterator[LogAnswer]:
    """Yield the answer on a Python task, unless it is stopped."""
    command = [_find_hipercow(), "task", "log", "--outer", task_id]
    log = CutText()
    with tempfile.TemporaryFile() as messages:
        ended = r_runner.run_command(command, (), project, log.add, stop, stderr=messages.fileno())
        messages.seek(0)
        printed = messages.read(MAX_MESSAGE)
    text = log.text()
    if ended.stopped:
        return
    if ended.status:
        yield _make_answer(task_id, AnswerKind.ERROR, _error_of_python(text + printed))
    else:
        # The command ends a log with a newline, and prints nothing if there is none.
        kind = AnswerKind.LOG if text else AnswerKind.NONE
        yield _make_answer(task_id, kind, text.removesuffix(b"\n"))


def _error_of_python(printed: bytes) -> bytes:
    """Return what the command printed, without the hint for its developers."""
    lines = [line for line in printed.splitlines() if not line.startswith(b"For more information")]
    return b"\n".join(lines).removeprefix(b"Error: ")
