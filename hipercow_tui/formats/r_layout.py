"""The layout of an R root under ``hipercow/`` (docs/spec.md, section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias, TypeVar

from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.task import (
    DATA,
    INFO,
    MARK_CANCELLED,
    MARK_FAILURE,
    MARK_RUNNING,
    MARK_SUBMITTED,
    MARK_SUCCESS,
    NO_FILE_STAMP,
    QUEUED,
    TASK_ID,
    UNREADABLE,
    Bundle,
    Status,
)
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.task_row import (
    STATUS_BY_MASK,
    TaskRow,
    broken_row,
    folder_error,
    folder_times,
    list_task_folder,
    mtime,
    read_beginning,
    row_from_values,
)
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import RdsError, os_error_text
from hipercow_tui.support.filesystem import Entry
from hipercow_tui.support.text import decoded, escape_controls, pluralize

SHARD_NAME = re.compile(r"[0-9a-f]{2}\Z")
TASK_FOLDER_NAME = re.compile(r"[0-9a-f]{30}\Z")
_LINK = re.compile(r"([0-9a-f]{32}),([0-9a-f]{32}),([0-9a-f]{32})\n")
_HEX = b"0123456789abcdef"
_ID_PREFIX = re.compile(r"[0-9a-f]{1,32}\Z")
_MAX_RETRY_LINE = 1000  # bytes; a line of ``retry`` has 99, or 107 with quotes and CR

_MASK_BY_NAME = {
    "data": DATA,
    "info": INFO,
    "status-submitted": MARK_SUBMITTED,
    "status-running": MARK_RUNNING,
    "status-success": MARK_SUCCESS,
    "status-failure": MARK_FAILURE,
    "status-cancelled": MARK_CANCELLED,
    "dide_id": QUEUED,
    "run.bat": QUEUED,
    "run.sh": QUEUED,
}
_TERMINAL_MARKERS = {
    Status.SUCCESS: "status-success",
    Status.FAILURE: "status-failure",
    Status.CANCELLED: "status-cancelled",
}

# Before Python 3.12 each access to a member of an enum takes 0.14 µs.
_BROKEN, _CANCELLED = Status.BROKEN, Status.CANCELLED

_T = TypeVar("_T")
# The state of a file: inode, size, mtime and ctime in nanoseconds.
Stamp: TypeAlias = tuple[int, int, int, int]


def files_mask_of(names: Iterable[str]) -> int:
    """Return the ``files_mask`` of a task folder that contains these names."""
    mask = 0
    for name in names:
        mask |= _MASK_BY_NAME.get(name, 0)
    return mask


def read_tasks(
    tasks: str, ids: Iterable[str], retried: Collection[str]
) -> Iterator[TaskRow | None]:
    """Yield the content of each task's folder below ``tasks``; None if there is no folder.

    ``retried`` are the ids of retries: only their own ``data`` has their time of creation. A final
    task costs one listing (five system calls) and one read of ``info`` (three): 24 µs, of which 20
    are in the kernel and in zlib. A task that can still change costs another stat.
    """
    for task_id in ids:
        yield _read_task(f"{tasks}/{task_id[:2]}/{task_id[2:]}", task_id in retried)


def _read_task(folder: str, retried: bool) -> TaskRow | None:
    problems: dict[str, str] = {}
    try:
        mask = list_task_folder(folder, _MASK_BY_NAME, problems)
    except FileNotFoundError:
        return None
    except OSError as error:
        return broken_row(folder, UNREADABLE, folder_error(error))
    status = STATUS_BY_MASK[mask]
    if status is _BROKEN:
        return broken_row(folder, mask, "; ".join(problems.values()))
    if mask & INFO and not retried and not problems and status in _TERMINAL_MARKERS:
        try:
            times = files.quick_times(read_beginning(f"{folder}/info"))
        except OSError:
            times = None
        if times is not None:
            changed = folder_times(folder) if status is _CANCELLED else None
            return row_from_values((mask, *times, False, changed, None, None))
    return _row_with_times(_TaskFiles(folder, problems), status, mask, retried=retried)


class _TaskFiles:
    """Reads the files of one task folder; a file that can't be read adds to ``problems``."""

    def __init__(self, folder: str, problems: dict[str, str]) -> None:
        self.folder = folder
        self.problems = problems

    def read(self, name: str, parse: Callable[[bytes], _T]) -> _T | None:
        if name in self.problems:
            return None
        try:
            return parse(read_beginning(f"{self.folder}/{name}"))
        except RdsError as error:
            self.problems[name] = f"'{name}': {error}"
        except OSError as error:
            self.problems[name] = f"'{name}': {os_error_text(error)}"
        return None

    def mtime(self, name: str) -> float | None:
        return mtime(f"{self.folder}/{name}")


def _row_with_times(task: _TaskFiles, status: Status, mask: int, *, retried: bool) -> TaskRow:
    """Read the times from ``info``, or else estimate them (docs/spec.md, section 2, "Times")."""
    marker = _TERMINAL_MARKERS.get(status)
    times = task.read("info", files.read_times) if mask & INFO else None
    if times is not None:
        created, started = times.created, times.started
        finished = times.finished if marker else None
    else:
        created = None
        started = task.mtime("status-running") if mask & MARK_RUNNING else None
        finished = task.mtime(marker) if marker else None
    retry = None
    if times is None or retried:
        origin = task.read("data", files.read_origin)
        created = origin.created if origin else created
        if origin and origin.parent and origin.base:
            retry = (origin.parent, origin.base)
    final = times is not None and status in (Status.SUCCESS, Status.FAILURE)
    return TaskRow(
        files_mask=mask,
        created=created,
        started=started,
        finished=finished,
        finished_estimated=times is None and finished is not None,
        folder_times=None if final else folder_times(task.folder),
        problem="; ".join(task.problems.values()) or None,
        retry=retry,
    )


def bundle_files(
    bundles: str | int, unread: dict[str, str]
) -> Iterator[tuple[str, Entry, int | None]]:
    """Return the entries of ``bundles/`` that R's ``dir()`` lists; R reads each as a bundle.

    ``bundles`` is a path or an open folder. Each result is a name, its entry, and the open folder
    to which the entry's path is relative. Links, folders and pipes are included. ``unread`` is not
    used; Python needs it. Raises OSError.
    """
    folder = bundles if isinstance(bundles, int) else None
    with filesystem.scan(bundles) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    return ((one.name, one, folder) for one in listed if not one.name.startswith("."))


def parse_bundle(
    raw: bytes, name: str, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """Parse a bundle: one id a line. Other lines are counted in ``problem``.

    ``changed`` and ``stamp`` are copied to the bundle.
    """
    raw = _with_plain_ends(raw)
    lines, rest = divmod(len(raw), 33)
    if rest or not raw.translate(None, _HEX) == raw[32::33] == b"\n" * lines:
        return _parse_irregular_bundle(raw, name, changed, stamp)
    ids = dict.fromkeys(raw.decode("ascii").split())
    return Bundle(name, tuple(ids), changed, stamp)


def _parse_irregular_bundle(raw: bytes, name: str, changed: float, stamp: Stamp) -> Bundle:
    ids: dict[str, None] = {}
    wrong = 0
    for line in decoded(raw).splitlines():
        word = line.strip()
        if TASK_ID.match(word):
            ids[word] = None
        elif word:
            wrong += 1
    shown = f"bundle '{escape_controls(name)}'"
    problem = f"{pluralize(wrong, 'line')} of {shown} not a task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem)


def parse_retry(raw: bytes) -> tuple[tuple[RetryLink, ...], str | None]:
    """Parse ``retry``: return its links, and a sentence on other lines or None.

    The last line may be half written.
    """
    text = decoded(_with_plain_ends(raw))
    plain = _LINK.findall(text)
    if len(plain) * 99 == len(text):
        # An id is in the file three times or more; all links share one object.
        interned: dict[str, str] = {}
        columns = [map(interned.setdefault, ids, ids) for ids in zip(*plain, strict=True)]
        return tuple(map(RetryLink, *columns)) if plain else (), None
    links = []
    wrong = 0
    for line in text.splitlines():
        fields = [field.strip().strip('"') for field in line.split(",")]
        if len(fields) == 3 and all(map(TASK_ID.match, fields)):
            links.append(RetryLink(*fields))
        elif line.strip():
            wrong += 1
    problem = (
        f"{pluralize(wrong, 'line')} of 'retry' not three task ids, skipped" if wrong else None
    )
    return tuple(links), problem


def _with_plain_ends(raw: bytes) -> bytes:
    """Return a text in which each line ends in LF: R on Windows writes CRLF, and lines of both can
    follow each other in one file."""
    return raw.replace(b"\r\n", b"\n") if b"\r" in raw else raw


def unfinished_ids(raw: bytes) -> tuple[str, ...]:
    """Return the ids in the last line of ``retry`` if it may be half written; () if it is complete.

    A line may be half written if it has no newline or is not three ids. One of the ids may be
    truncated.
    """
    *_, last, rest = (b"\n" + raw[-_MAX_RETRY_LINE:]).split(b"\n")
    fields = [field.strip().strip('"') for field in decoded(rest or last).split(",")]
    if not rest and (fields == [""] or (len(fields) == 3 and all(map(TASK_ID.match, fields)))):
        return ()
    return tuple(filter(_ID_PREFIX.match, fields))
