"""The logs of a task, read by byte offsets: a log of a gigabyte opens at its end at once.

Nothing is kept between two readings but offsets, and no file is held open: on NFS that would
leave ``.nfs*`` files in the way of whoever deletes the task.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.formats.log_patterns import COLOUR, LogQuery
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_file, open_folder
from hipercow_tui.support.errors import LogError
from hipercow_tui.support.text import decoded, escape_controls, short_id

LOG_NAMES = ("log", "log.outer")

# Where a whole block has no newline, its end counts as the end of a line: so lines have a length
# (under two blocks), and where they begin can be told anywhere in the file from two blocks.
BLOCK = 16384
_SEARCH_BLOCK = 1 << 20  # bytes of one reading while searching
_TAB = 8

# What a progress bar writes to begin its line anew: a carriage return, and perhaps "erase".
_LINE_RESTART = re.compile(r"\r(?:\x1b\[[012]?K)?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line and the bytes it stands in, ``start`` to ``end``.

    ``text`` has no control characters but the escape sequences of colours (SGR).
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class LogState:
    """How many bytes a log holds, and which file it is: a log that was rotated is another."""

    size: int
    file: int


def last_written(tasks: Path, task_id: str) -> float | None:
    """When something was last written to the log of a task below ``tasks``, in seconds since the
    epoch; None where there is no log. Costs one stat.

    Raises ValueError where ``task_id`` is no task id.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    try:
        found = os.stat(
            f"{tasks}/{task_id[:2]}/{task_id[2:]}/{LOG_NAMES[0]}", follow_symlinks=False
        )
    except OSError:
        return None
    return found.st_mtime if stat.S_ISREG(found.st_mode) else None


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a task: ``log``, or ``log.outer`` of the cluster's own job.

    Every method opens the file anew, and raises LogError, a sentence, where that can't be done.
    """

    root: Root
    task_id: str
    name: str = LOG_NAMES[0]

    def state(self) -> LogState:
        """How it stands now."""
        with self._open() as fd:
            status = os.fstat(fd)
            return LogState(status.st_size, status.st_ino)

    def lines_after(self, offset: int, count: int) -> list[LogLine]:
        """Up to ``count`` lines from ``offset`` on, which is where a line begins."""
        lines: list[LogLine] = []
        with self._open() as fd:
            while len(lines) < count:
                raw = os.pread(fd, 2 * BLOCK, offset)
                at_end = len(raw) < 2 * BLOCK
                fresh = list(_split_lines(raw, offset, at_end=at_end))
                lines += fresh
                if at_end or not fresh:
                    break
                offset = fresh[-1].end
        return lines[:count]

    def lines_before(self, offset: int, count: int) -> list[LogLine]:
        """The last ``count`` lines before ``offset``, in the order of the file; if that is within
        a line, the last of them is its beginning."""
        with self._open() as fd:
            return _lines_before(fd, min(offset, os.fstat(fd).st_size), count)

    def find(
        self,
        query: LogQuery,
        begin: int,
        end: int,
        should_continue: Callable[[int], bool] = lambda offset: True,
    ) -> int | None:
        """Where the next line begins that holds what is sought, from ``begin`` on and before
        ``end``; or the one before, where ``end`` is the smaller of both. None if there is none.

        Reads the file until found, a gigabyte in about a second at best. ``goes_on`` is asked
        before each reading, and given the offset that was reached.
        """
        backwards = end < begin
        with self._open() as fd:
            at, rejected = begin, LogLine(0, 0, "")
            while at != end and should_continue(at):
                low = max(end, at - _SEARCH_BLOCK) if backwards else at
                high = at if backwards else min(end, at + _SEARCH_BLOCK)
                raw = os.pread(fd, high - low + query.reach, low)
                places: Iterable[int] = query.find_candidates(raw, high - low)
                for place in reversed(list(places)) if backwards else places:
                    if rejected.start <= low + place < rejected.end:
                        continue
                    rejected = _line_at(fd, raw, low, place)
                    if query.matches(COLOUR.sub("", rejected.text)):
                        return rejected.start
                at = low if backwards else high
        return None

    @contextmanager
    def _open(self) -> Iterator[int]:
        if not TASK_ID.match(self.task_id):
            raise LogError(f"'{escape_controls(self.task_id)}' is not the id of a task")
        open_fds: list[int] = []
        try:
            # One step at a time: none of them may be a symbolic link to elsewhere.
            open_fds.append(open_folder(self.root.tasks / self.task_id[:2]))
            open_fds.append(open_folder(self.task_id[2:], dir_fd=open_fds[-1]))
            open_fds.append(open_file(self.name, dir_fd=open_fds[-1]))
            yield open_fds[-1]
        except FileNotFoundError:
            raise LogError(self._missing_text(task_gone=len(open_fds) < 2)) from None
        except OSError as error:
            why = escape_controls(error.strerror or str(error))
            raise LogError(f"'{self.name}' of task {short_id(self.task_id)}: {why}") from None
        finally:
            for fd in open_fds:
                os.close(fd)

    def _missing_text(self, *, task_gone: bool) -> str:
        if task_gone:
            return f"Task {short_id(self.task_id)} is gone, and its logs with it"
        return (
            f"Task {short_id(self.task_id)} has no '{self.name}':"
            " it has not started, or its driver writes none"
        )


def _lines_before(fd: int, offset: int, count: int) -> list[LogLine]:
    blocks = 1
    while True:
        edge = max(0, (offset - 1) // BLOCK - blocks + 1) * BLOCK
        begin = max(0, edge - BLOCK)
        raw = os.pread(fd, offset - begin, begin)
        start = _find_line_start(raw, begin, edge)
        lines = list(_split_lines(raw[start - begin :], start, at_end=True, last=count))
        if len(lines) >= count or start == 0:
            return lines
        blocks *= 2


def sanitize_line(raw: bytes) -> str:
    """One line as it may reach a terminal: a progress bar in its last state, colours kept, all
    else that a terminal would obey made visible."""
    line = decoded(raw.rstrip(b"\r\n"))
    if "\r" in line:
        states = [state for state in _LINE_RESTART.split(line) if COLOUR.sub("", state).strip()]
        line = states[-1] if states else ""
    line = line.expandtabs(_TAB)
    if "\x1b" not in line:
        return escape_controls(line)
    parts = COLOUR.split(line)
    return "".join(part if odd % 2 else escape_controls(part) for odd, part in enumerate(parts))


def _split_lines(
    raw: bytes, base: int, *, at_end: bool, last: int | None = None
) -> Iterator[LogLine]:
    """The lines of ``raw``, which begins with a line at offset ``base``; an unfinished one at the
    end only ``at_end`` of what there is. With ``last`` only so many of the last lines."""
    spans = []
    start = 0
    while start < len(raw):
        limit = -(-(base + start) // BLOCK) * BLOCK + BLOCK - base
        end = raw.find(b"\n", start, limit) + 1 or limit
        if end > len(raw):
            if not at_end:
                break
            end = len(raw)
        spans.append((start, end))
        start = end
    for start, end in spans[-last:] if last is not None else spans:
        yield LogLine(base + start, base + end, sanitize_line(raw[start:end]))


def _find_line_start(raw: bytes, begin: int, edge: int) -> int:
    """A place where a line begins, at or shortly before ``edge``, which is a multiple of BLOCK;
    ``raw`` holds the block before it, from offset ``begin`` on."""
    newline = raw.rfind(b"\n", 0, edge - begin)
    return begin + newline + 1 if newline >= 0 else edge


def _line_at(fd: int, raw: bytes, begin: int, place: int) -> LogLine:
    """The line that holds the byte at ``place`` in ``raw``, which was read from ``begin`` on."""
    start, end = raw.rfind(b"\n", 0, place) + 1, raw.find(b"\n", place) + 1
    if not start or not end or end - start > BLOCK:
        begin = _lines_before(fd, begin + place + 1, 1)[-1].start
        raw = os.pread(fd, 2 * BLOCK, begin)
        return next(_split_lines(raw, begin, at_end=True))
    return LogLine(begin + start, begin + end, sanitize_line(raw[start:end]))
