"""Read the logs of a task by byte offsets: a log of a gigabyte opens at its end immediately.

Between two reads only offsets are kept. No file stays open: on NFS, an open file would leave a
``.nfs*`` file in the folder when the task is deleted.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.domain.task import TASK_ID, Status, Task
from hipercow_tui.formats.log_patterns import COLOUR, LogQuery
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_file, open_folder
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import LogError, os_error_text
from hipercow_tui.support.text import decoded, escape_controls, short_id

LOG_NAMES = ("log", "log.outer")

# Bytes. If a block has no newline, its end counts as the end of a line. So a line is shorter than
# two blocks, and the start of a line can be found anywhere in the file from two blocks.
BLOCK = 16384
_SEARCH_BLOCK = 1 << 20  # bytes of one read during a search
_TAB = 8

# What a progress bar writes to restart its line: a carriage return, perhaps with "erase line".
_LINE_RESTART = re.compile(r"\r(?:\x1b\[[012]?K)?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line, and its byte offsets ``start`` to ``end``.

    ``text`` has no control characters except the escape sequences of colours (SGR).
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class LogState:
    """The size of a log in bytes, and the inode of its file, which differs after a rotation.

    ``fetched`` is when it was fetched from the cluster, in seconds since the epoch; None if it is
    in the folder of the task.
    """

    size: int
    file: int
    fetched: float | None = None


def last_written(tasks: Path, task_id: str) -> float | None:
    """Return the modification time of a task's log below ``tasks``, in seconds since the epoch.

    None if there is no log. Costs one stat. Raises ValueError if ``task_id`` is not a task id.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    try:
        found = filesystem.lstat(f"{tasks}/{task_id[:2]}/{task_id[2:]}/{LOG_NAMES[0]}")
    except OSError:
        return None
    return found.st_mtime if stat.S_ISREG(found.st_mode) else None


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a task: ``log``, or ``log.outer`` of the job on the cluster.

    ``fetched`` is a copy that was fetched from the cluster; it is read if the folder of the task
    has no such file. ``task`` returns the present state of the task, None if it is unknown. It is
    called in the thread that reads, and only if there is no file. Every method opens and closes the
    file. It raises LogError, with a sentence, if the file can't be read.
    """

    root: Root
    task_id: str
    name: str = LOG_NAMES[0]
    task: Callable[[], Task | None] = lambda: None
    fetched: Path | None = None

    def state(self) -> LogState:
        """Return the current state."""
        with self._open_any() as (fd, is_copy):
            status = os.fstat(fd)
            fetched = status.st_mtime if is_copy else None
            return LogState(status.st_size, status.st_ino, fetched)

    def lines_after(self, offset: int, count: int) -> list[LogLine]:
        """Return at most ``count`` lines from ``offset`` on, where a line begins."""
        lines: list[LogLine] = []
        with self._open() as fd:
            while len(lines) < count:
                raw = filesystem.read_at(fd, 2 * BLOCK, offset)
                at_end = len(raw) < 2 * BLOCK
                more = list(_split_lines(raw, offset, at_end=at_end))
                lines += more
                if at_end or not more:
                    break
                offset = more[-1].end
        return lines[:count]

    def lines_before(self, offset: int, count: int) -> list[LogLine]:
        """Return the last ``count`` lines before ``offset``, in the order of the file.

        If ``offset`` is within a line, the last result is the beginning of that line.
        """
        with self._open() as fd:
            return _lines_before(fd, min(offset, os.fstat(fd).st_size), count)

    def find(
        self,
        query: LogQuery,
        begin: int,
        end: int,
        should_continue: Callable[[int], bool] = lambda offset: True,
    ) -> int | None:
        """Return the offset of the next line that matches, from ``begin`` on and before ``end``.

        Searches backwards if ``end`` is less than ``begin``. None if there is no match. Reads a
        gigabyte in a second at best. ``should_continue`` is called before each read with the offset
        reached so far; the search ends if it returns false.
        """
        backwards = end < begin
        with self._open() as fd:
            at, rejected = begin, LogLine(0, 0, "")
            while at != end and should_continue(at):
                low = max(end, at - _SEARCH_BLOCK) if backwards else at
                high = at if backwards else min(end, at + _SEARCH_BLOCK)
                raw = filesystem.read_at(fd, high - low + query.reach, low)
                found: Iterable[int] = query.find_candidates(raw, high - low)
                for place in reversed(list(found)) if backwards else found:
                    if rejected.start <= low + place < rejected.end:
                        continue
                    rejected = _line_at(fd, raw, low, place)
                    if query.matches(COLOUR.sub("", rejected.text)):
                        return rejected.start
                at = low if backwards else high
        return None

    @contextmanager
    def _open(self) -> Iterator[int]:
        with self._open_any() as (fd, _):
            yield fd

    @contextmanager
    def _open_any(self) -> Iterator[tuple[int, bool]]:
        """Open the file of the task, or the copy; also give whether it is the copy."""
        if not TASK_ID.match(self.task_id):
            raise LogError(f"'{escape_controls(self.task_id)}' is not the id of a task")
        open_fds: list[int] = []
        is_copy = False
        try:
            # Folder by folder, because none of them may be a symbolic link.
            open_fds.append(open_folder(self.root.tasks / self.task_id[:2]))
            open_fds.append(open_folder(self.task_id[2:], dir_fd=open_fds[-1]))
            try:
                open_fds.append(open_file(self.name, dir_fd=open_fds[-1]))
            except FileNotFoundError:
                if self.fetched is None:
                    raise
                open_fds.append(open_file(self.fetched))
                is_copy = True
            yield open_fds[-1], is_copy
        except FileNotFoundError:
            raise LogError(self._missing_text(task_gone=len(open_fds) < 2)) from None
        except OSError as error:
            reason = os_error_text(error)
            raise LogError(f"'{self.name}' of task {short_id(self.task_id)}: {reason}") from None
        finally:
            for fd in open_fds:
                os.close(fd)

    def _missing_text(self, *, task_gone: bool) -> str:
        if task_gone:
            return f"Task {short_id(self.task_id)} and its logs are gone"
        task = self.task()
        reason = "" if task is None or self.name != LOG_NAMES[0] else _reason_for_no_log(task)
        return f"Task {short_id(self.task_id)} has no '{self.name}'{reason}"


def _reason_for_no_log(task: Task) -> str:
    """Return why a task has no log, to follow ``has no log``; empty if its status doesn't say.

    The driver writes the log while the task runs. A task that runs by R's ``task_eval``, or by
    ``hipercow task eval`` of Python, prints to its terminal.
    """
    match task.status:
        case Status.CREATED:
            return " yet: it has not been submitted. The log begins when the task runs."
        case Status.SUBMITTED:
            return " yet: it waits in the queue. The log begins when the task runs."
        case Status.RUNNING:
            return (
                " yet: it runs, but its driver has written nothing. A task that runs outside the"
                " cluster has no log."
            )
        case Status.CANCELLED if task.started is None:
            return ": it was cancelled before it started, or its driver wrote no log."
        case Status.SUCCESS | Status.FAILURE | Status.CANCELLED:
            ran = f"it ran ({task.status}), but"
            where = " Its details show its error." if task.status is Status.FAILURE else ""
            return (
                f": {ran} its driver wrote no log, or the log was deleted. A task that runs"
                f" outside the cluster has no log.{where}"
            )
    return ""


def _lines_before(fd: int, offset: int, count: int) -> list[LogLine]:
    blocks = 1
    while True:
        edge = max(0, (offset - 1) // BLOCK - blocks + 1) * BLOCK
        begin = max(0, edge - BLOCK)
        raw = filesystem.read_at(fd, offset - begin, begin)
        start = _find_line_start(raw, begin, edge)
        lines = list(_split_lines(raw[start - begin :], start, at_end=True, last=count))
        if len(lines) >= count or start == 0:
            return lines
        blocks *= 2


def sanitize_line(raw: bytes) -> str:
    """Return one line as text that is safe for a terminal.

    Of a progress bar, the last state remains. Colours are kept; other control characters become
    visible.
    """
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
    """Yield the lines of ``raw``, which begins with a line at offset ``base`` of the file.

    An unfinished last line is included only ``at_end`` of the file. With ``last``, only that
    number of lines from the end.
    """
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
    """Return an offset where a line begins, at or shortly before ``edge``, a multiple of BLOCK.

    ``raw`` has the block before ``edge``, from offset ``begin`` on.
    """
    newline = raw.rfind(b"\n", 0, edge - begin)
    return begin + newline + 1 if newline >= 0 else edge


def _line_at(fd: int, raw: bytes, begin: int, place: int) -> LogLine:
    """Return the line of the byte at ``place`` in ``raw``, which was read from ``begin`` on."""
    start, end = raw.rfind(b"\n", 0, place) + 1, raw.find(b"\n", place) + 1
    if not start or not end or end - start > BLOCK:
        begin = _lines_before(fd, begin + place + 1, 1)[-1].start
        raw = filesystem.read_at(fd, 2 * BLOCK, begin)
        return next(_split_lines(raw, begin, at_end=True))
    return LogLine(begin + start, begin + end, sanitize_line(raw[start:end]))
