"""The layout of an R root under ``hipercow/`` (docs/spec.md, section 2)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

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
from hipercow_tui.support.errors import RdsError, os_error_text
from hipercow_tui.support.text import decoded, escape_controls, pluralize

PREFIX = re.compile(r"[0-9a-f]{2}\Z")
REST = re.compile(r"[0-9a-f]{30}\Z")
_LINK = re.compile(r"([0-9a-f]{32}),([0-9a-f]{32}),([0-9a-f]{32})\n")
_HEX = b"0123456789abcdef"
_ID_OR_PART = re.compile(r"[0-9a-f]{1,32}\Z")
_LINE = 1000  # bytes; a line of ``retry`` has 99, or 107 with quotes and a carriage return

_BITS = {
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
# The first marker that is there is the status (docs/spec.md, section 2); created needs ``data``.
_ORDER = (
    (MARK_SUCCESS, Status.SUCCESS),
    (MARK_FAILURE, Status.FAILURE),
    (MARK_CANCELLED, Status.CANCELLED),
    (MARK_RUNNING, Status.RUNNING),
    (MARK_SUBMITTED, Status.SUBMITTED),
    (DATA, Status.CREATED),
)
_STATUS = tuple(
    next((status for bit, status in _ORDER if listing & bit), Status.BROKEN)
    for listing in range(256)
)
# The same with one more, the last, for UNREADABLE, which is -1; and what a task counts as that is
# the end of its chain: one that does not exist has no status.
STATUSES = (*_STATUS, Status.BROKEN)
LATEST_STATUS_BY_MASK = (
    *(None if status is Status.BROKEN else status for status in _STATUS),
    Status.BROKEN,
)
_FINAL_MARKERS = {
    Status.SUCCESS: "status-success",
    Status.FAILURE: "status-failure",
    Status.CANCELLED: "status-cancelled",
}

_HEAD = 16384
_OPEN = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_T = TypeVar("_T")
# One state of a file: inode, size, times of modification and of change in nanoseconds.
Stamp: TypeAlias = tuple[int, int, int, int]

# When a folder last changed: modification and change time, in nanoseconds.
FolderTimes: TypeAlias = tuple[int, int]
# What a task's own folder says; how it stands to chains and bundles is not in it: listing, created,
# started, finished, whether that is an estimate, the folder's moments, taken after all else was
# read, or None where it is final and can only vanish, a sentence on what could not be read, and
# parent and base where its ``data`` was read and is a retry's. A plain tuple, because it crosses
# from one process to another by ``marshal``, and because there are a million of them.
Row: TypeAlias = tuple[
    int,
    float | None,
    float | None,
    float | None,
    bool,
    FolderTimes | None,
    str | None,
    tuple[str, str] | None,
]
# The rows of many tasks, value by value.
Columns: TypeAlias = Sequence[Sequence[Any]]


def listing_of(names: Iterable[str]) -> int:
    """The bits of what a task folder holds, from the names in it."""
    listing = 0
    for name in names:
        listing |= _BITS.get(name, 0)
    return listing


def status_of(listing: int) -> Status:
    """A task's own status, from the bits of its listing; broken if it has none."""
    return _STATUS[listing] if listing >= 0 else Status.BROKEN


def read_tasks(tasks: str, ids: Iterable[str], retried: Collection[str]) -> Iterator[Row | None]:
    """What the folders of these tasks under ``tasks`` say; None for one that is gone.

    ``retried`` holds those that are a new attempt of another, whose time of creation stands in
    their own ``data`` alone. A task that has ended costs one listing, five calls, and one read of
    ``info``, three; it takes 24 µs, of which 20 are the kernel's and zlib's. One that can still
    change costs a stat more.
    """
    for task_id in ids:
        yield _read_task(f"{tasks}/{task_id[:2]}/{task_id[2:]}", task_id in retried)


def _read_task(folder: str, retried: bool) -> Row | None:
    listing = 0
    odd: dict[str, str] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                bit = _BITS.get(entry.name)
                if bit is not None:
                    listing |= bit
                    if bit <= INFO and not entry.is_file(follow_symlinks=False):
                        odd[entry.name] = f"'{entry.name}' is no ordinary file and is not read"
    except FileNotFoundError:
        return None
    except OSError as error:
        return _broken(folder, UNREADABLE, f"its folder: {os_error_text(error)}")
    if not listing & DATA:
        odd["data"] = "there is no 'data' in its folder"
    status = _STATUS[listing]
    if status is Status.BROKEN:
        return _broken(folder, listing, "; ".join(odd.values()))
    if listing & INFO and not retried and not odd and status in _FINAL_MARKERS:
        try:
            times = files.quick_times(read_head(f"{folder}/info"))
        except OSError:
            times = None
        if times is not None:
            changed = folder_times(folder) if status is Status.CANCELLED else None
            return (listing, *times, False, changed, None, None)
    return _with_times(_Reader(folder, odd), status, listing, retried=retried)


def _broken(folder: str, listing: int, problem: str) -> Row:
    return (listing, None, None, None, False, folder_times(folder), problem, None)


class _Reader:
    """Reads the files of one task folder; what can't be read becomes a problem, and None."""

    def __init__(self, folder: str, odd: dict[str, str]) -> None:
        self.folder = folder
        self.problems = odd

    def read(self, name: str, parse: Callable[[bytes], _T]) -> _T | None:
        if name in self.problems:
            return None
        try:
            return parse(read_head(f"{self.folder}/{name}"))
        except RdsError as error:
            self.problems[name] = f"'{name}': {error}"
        except OSError as error:
            self.problems[name] = f"'{name}': {os_error_text(error)}"
        return None

    def mtime(self, name: str) -> float | None:
        try:
            return os.lstat(f"{self.folder}/{name}").st_mtime
        except OSError:
            return None


def _with_times(reader: _Reader, status: Status, listing: int, *, retried: bool) -> Row:
    """The row with its times: from ``info``, else estimated (docs/spec.md, section 2, "Times")."""
    ended = _FINAL_MARKERS.get(status)
    times = reader.read("info", files.read_times) if listing & INFO else None
    if times is not None:
        created, started = times.created, times.started
        finished = times.finished if ended else None
    else:
        created = None
        started = reader.mtime("status-running") if listing & MARK_RUNNING else None
        finished = reader.mtime(ended) if ended else None
    retry = None
    if times is None or retried:
        origin = reader.read("data", files.read_origin)
        created = origin.created if origin else created
        if origin and origin.parent and origin.base:
            retry = (origin.parent, origin.base)
    estimated = times is None and finished is not None
    final = times is not None and status in (Status.SUCCESS, Status.FAILURE)
    changed = None if final else folder_times(reader.folder)
    problem = "; ".join(reader.problems.values()) or None
    return (listing, created, started, finished, estimated, changed, problem, retry)


def folder_times(folder: str) -> FolderTimes:
    """When the folder last changed; zeros where that can't be told."""
    try:
        found = os.lstat(folder)
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ctime_ns)


def read_head(path: str) -> bytes:
    """The beginning of a file, never more than 16 kB; no link is followed, no pipe waited for.

    ``info`` is some 400 bytes, and what is asked of ``data`` stands at its beginning.
    """
    fd = os.open(path, _OPEN)
    try:
        return os.read(fd, _HEAD)
    finally:
        os.close(fd)


def bundle_files(
    bundles: str | int, unread: dict[str, str]
) -> Iterator[tuple[str, os.DirEntry[str], int | None]]:
    """The files in ``bundles/``, a path or an open folder, that R's ``dir()`` lists: what R takes
    for bundles. Raises OSError.

    Gives the name of each, its entry, and the open folder that the entry's path is relative to.
    Links, folders and pipes are among them. ``unread`` is for likeness to Python.
    """
    folder = bundles if isinstance(bundles, int) else None
    with os.scandir(bundles) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    return ((one.name, one, folder) for one in listed if not one.name.startswith("."))


def parse_bundle(
    raw: bytes, name: str, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """A bundle from the bytes of its file: an id a line; other lines are counted as a problem."""
    lines, rest = divmod(len(raw), 33)
    if rest or not raw.translate(None, _HEX) == raw[32::33] == b"\n" * lines:
        return _parse_odd_bundle(raw, name, changed, stamp)
    ids = dict.fromkeys(raw.decode("ascii").split())
    return Bundle(name, tuple(ids), changed, stamp)


def _parse_odd_bundle(raw: bytes, name: str, changed: float, stamp: Stamp) -> Bundle:
    ids: dict[str, None] = {}
    wrong = 0
    for line in decoded(raw).splitlines():
        word = line.strip()
        if TASK_ID.match(word):
            ids[word] = None
        elif word:
            wrong += 1
    shown = f"bundle '{escape_controls(name)}'"
    problem = f"{pluralize(wrong, 'line')} of {shown} no task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem)


def parse_retry(raw: bytes) -> tuple[tuple[RetryLink, ...], str | None]:
    """The links of ``retry``, and what in it is no link: a last line may be half written."""
    text = decoded(raw)
    plain = _LINK.findall(text)
    if len(plain) * 99 == len(text):
        # Each id stands there up to three times and more: one object for all.
        same: dict[str, str] = {}
        once = [map(same.setdefault, ids, ids) for ids in zip(*plain, strict=True)]
        return tuple(map(RetryLink, *once)) if plain else (), None
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


def unfinished_ids(raw: bytes) -> tuple[str, ...]:
    """The task ids in the last line of ``retry``, of which one may be cut off, if that line may be
    half written: it has no newline or is not three ids. () if it is complete."""
    *_, last, rest = (b"\n" + raw[-_LINE:]).split(b"\n")
    fields = [field.strip().strip('"') for field in decoded(rest or last).split(",")]
    if not rest and (fields == [""] or (len(fields) == 3 and all(map(TASK_ID.match, fields)))):
        return ()
    return tuple(filter(_ID_OR_PART.match, fields))
