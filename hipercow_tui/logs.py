"""The logs of a task, read by byte offsets: a log of a gigabyte opens at its end at once.

Nothing is kept between two readings but offsets, and no file is held open: on NFS that would
leave ``.nfs*`` files in the way of whoever deletes the task.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hipercow_tui.errors import LogError
from hipercow_tui.model import TASK_ID
from hipercow_tui.roots import Root
from hipercow_tui.roots.files import open_file, open_folder
from hipercow_tui.text import decoded, short_id, visible

NAMES = ("log", "log.outer")

# Where a whole block has no newline, its end counts as the end of a line: so lines have a length
# (under two blocks), and where they begin can be told anywhere in the file from two blocks.
BLOCK = 65536
_SEARCH = 1 << 20  # bytes of one reading while searching
_TAB = 8

# Colours are kept. The digits are bounded since a number of thousands of them is no colour.
_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,64}m)")
# What a progress bar writes to begin its line anew: a carriage return, and perhaps "erase".
_ANEW = re.compile(r"\r(?:\x1b\[[012]?K)?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line and the bytes it stands in, ``start`` to ``end``.

    ``text`` has no control characters but the escape sequences of colours (SGR).
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a task: ``log``, or ``log.outer`` of the cluster's own job.

    Every method opens the file anew, and raises LogError, a sentence, where that can't be done.
    """

    root: Root
    task_id: str
    name: str = NAMES[0]

    def size(self) -> int:
        """Its length in bytes."""
        with self._opened() as fd:
            return os.fstat(fd).st_size

    def after(self, offset: int, count: int) -> list[LogLine]:
        """Up to ``count`` lines from ``offset`` on, which is where a line begins."""
        lines: list[LogLine] = []
        with self._opened() as fd:
            while len(lines) < count:
                raw = os.pread(fd, 2 * BLOCK, offset)
                at_end = len(raw) < 2 * BLOCK
                fresh = list(_split(raw, offset, at_end=at_end))
                lines += fresh
                if at_end or not fresh:
                    break
                offset = fresh[-1].end
        return lines[:count]

    def before(self, offset: int, count: int) -> list[LogLine]:
        """The last ``count`` lines before ``offset``, in the order of the file."""
        blocks = 1
        with self._opened() as fd:
            offset = min(offset, os.fstat(fd).st_size)
            while True:
                edge = max(0, (offset - 1) // BLOCK - blocks + 1) * BLOCK
                begin = max(0, edge - BLOCK)
                raw = os.pread(fd, offset - begin, begin)
                start = _line_start(raw, begin, edge)
                lines = list(_split(raw[start - begin :], start, at_end=True, last=count))
                if len(lines) >= count or start == 0:
                    return lines
                blocks *= 2

    def find(
        self,
        wanted: str,
        offset: int,
        *,
        backwards: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> int | None:
        """Where the next line begins that contains ``wanted``, from ``offset`` on, or with
        ``backwards`` before it; None if there is none or once ``stopped`` says so.

        Letters of ASCII match in either case. Reads the file until found, about 1 GB/s at best.
        """
        needle = wanted.encode("utf-8", "surrogateescape").lower()
        if not needle:
            return None
        with self._opened() as fd:
            found = _find(fd, needle, offset, backwards, stopped)
        return None if found is None else self.before(found + 1, 1)[-1].start

    @contextmanager
    def _opened(self) -> Iterator[int]:
        if not TASK_ID.match(self.task_id):
            raise LogError(f"'{visible(self.task_id)}' is not the id of a task")
        open_fds: list[int] = []
        try:
            # One step at a time: none of them may be a symbolic link to elsewhere.
            open_fds.append(open_folder(self.root.tasks / self.task_id[:2]))
            open_fds.append(open_folder(self.task_id[2:], dir_fd=open_fds[-1]))
            open_fds.append(open_file(self.name, dir_fd=open_fds[-1]))
            yield open_fds[-1]
        except FileNotFoundError:
            raise LogError(self._missing(task_gone=len(open_fds) < 2)) from None
        except OSError as error:
            why = visible(error.strerror or str(error))
            raise LogError(f"'{self.name}' of task {short_id(self.task_id)}: {why}") from None
        finally:
            for fd in open_fds:
                os.close(fd)

    def _missing(self, *, task_gone: bool) -> str:
        if task_gone:
            return f"Task {short_id(self.task_id)} is gone, and its logs with it"
        return (
            f"Task {short_id(self.task_id)} has no '{self.name}':"
            " it has not started, or its driver writes none"
        )


def harmless(raw: bytes) -> str:
    """One line as it may reach a terminal: a progress bar in its last state, colours kept, all
    else that a terminal would obey made visible."""
    line = decoded(raw.rstrip(b"\r\n"))
    if "\r" in line:
        states = [state for state in _ANEW.split(line) if _COLOUR.sub("", state).strip()]
        line = states[-1] if states else ""
    line = line.expandtabs(_TAB)
    if "\x1b" not in line:
        return visible(line)
    parts = _COLOUR.split(line)
    return "".join(part if odd % 2 else visible(part) for odd, part in enumerate(parts))


def _split(raw: bytes, base: int, *, at_end: bool, last: int | None = None) -> Iterator[LogLine]:
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
        yield LogLine(base + start, base + end, harmless(raw[start:end]))


def _line_start(raw: bytes, begin: int, edge: int) -> int:
    """A place where a line begins, at or shortly before ``edge``, which is a multiple of BLOCK;
    ``raw`` holds the block before it, from offset ``begin`` on."""
    newline = raw.rfind(b"\n", 0, edge - begin)
    return begin + newline + 1 if newline >= 0 else edge


def _find(
    fd: int, needle: bytes, offset: int, backwards: bool, stopped: Callable[[], bool]
) -> int | None:
    """The offset of a match. Readings overlap, since a match may lie across their border."""
    overlap = len(needle) - 1
    while not stopped():
        begin = max(0, offset - _SEARCH) if backwards else offset
        wanted = (offset - begin if backwards else _SEARCH) + overlap
        raw = os.pread(fd, wanted, begin).lower()
        found = raw.rfind(needle) if backwards else raw.find(needle)
        if found >= 0:
            return begin + found
        if begin == 0 if backwards else len(raw) < wanted:
            return None
        offset = begin if backwards else begin + _SEARCH
    return None
