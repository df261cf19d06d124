"""The layout of an R root under ``hipercow/`` (SPEC section 2): names, files, what they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from hipercow_tui.chains import Retry
from hipercow_tui.errors import RdsError
from hipercow_tui.model import (
    DATA,
    INFO,
    MARK_CANCELLED,
    MARK_FAILURE,
    MARK_RUNNING,
    MARK_SUBMITTED,
    MARK_SUCCESS,
    QUEUED,
    TASK_ID,
    UNREADABLE,
    Bundle,
    Status,
)
from hipercow_tui.roots import rds
from hipercow_tui.text import count, decoded, visible

PREFIX = re.compile(r"[0-9a-f]{2}\Z")
REST = re.compile(r"[0-9a-f]{30}\Z")
BUNDLE_NAME = re.compile(r"[a-zA-Z0-9_-]+\Z")

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
# The first marker that is there is the status (SPEC section 2); created needs ``data``.
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
_FINAL_MARKERS = {
    Status.SUCCESS: "status-success",
    Status.FAILURE: "status-failure",
    Status.CANCELLED: "status-cancelled",
}

_HEAD = 16384
_OPEN = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_T = TypeVar("_T")
Stamp: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What a task's own folder says; how it stands to chains and bundles is not in it.

    ``retry`` is the link in the task's own ``data``, where that was read and is a retry's.
    ``final`` says that the folder can't change any more, only vanish.
    """

    status: Status
    listing: int
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    finished_estimated: bool = False
    problem: str | None = None
    retry: Retry | None = None
    final: bool = False


def listing_of(names: Iterable[str]) -> int:
    """The bits of what a task folder holds, from the names in it."""
    listing = 0
    for name in names:
        listing |= _BITS.get(name, 0)
    return listing


def status_of(listing: int) -> Status:
    """A task's own status, from the bits of its listing; broken if it has none."""
    return _STATUS[listing] if listing >= 0 else Status.BROKEN


def read_task(folder: str, task_id: str, *, retried: bool) -> TaskRecord | None:
    """What the task folder says; None if it is gone.

    ``retried`` says that the task is a new attempt of another, whose time of creation stands in
    its own ``data`` alone. Costs one listing, and one read of ``info`` for what has ended.
    """
    try:
        with os.scandir(folder) as entries:
            listing, odd = _examined(entries)
    except FileNotFoundError:
        return None
    except OSError as error:
        return TaskRecord(Status.BROKEN, UNREADABLE, problem=f"its folder: {_reason(error)}")
    if not listing & DATA:
        odd["data"] = "there is no 'data' in its folder"
    status = status_of(listing)
    if status is Status.BROKEN:
        return TaskRecord(status, listing, problem="; ".join(odd.values()))
    return _with_times(_Reader(folder, odd), task_id, status, listing, retried=retried)


def _examined(entries: Iterable[os.DirEntry[str]]) -> tuple[int, dict[str, str]]:
    """The bits of a listing, and the files that must not be opened, with the reason."""
    listing = 0
    odd = {}
    for entry in entries:
        bit = _BITS.get(entry.name, 0)
        listing |= bit
        if bit & (DATA | INFO) and not entry.is_file(follow_symlinks=False):
            odd[entry.name] = f"'{entry.name}' is no ordinary file and is not read"
    return listing, odd


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
            self.problems[name] = f"'{name}': {_reason(error)}"
        return None

    def mtime(self, name: str) -> float | None:
        try:
            return os.lstat(f"{self.folder}/{name}").st_mtime
        except OSError:
            return None


def _with_times(
    reader: _Reader, task_id: str, status: Status, listing: int, *, retried: bool
) -> TaskRecord:
    """The record with its times: from ``info``, else estimated (SPEC section 2, "Times")."""
    ended = _FINAL_MARKERS.get(status)
    times = reader.read("info", rds.read_times) if listing & INFO else None
    if times is not None:
        created, started = times.created, times.started
        finished = times.finished if ended else None
    else:
        created = None
        started = reader.mtime("status-running") if listing & MARK_RUNNING else None
        finished = reader.mtime(ended) if ended else None
    retry = None
    if times is None or retried:
        origin = reader.read("data", rds.read_origin)
        created = origin.created if origin else created
        if origin and origin.parent and origin.base:
            retry = Retry(task_id, origin.parent, origin.base)
    return TaskRecord(
        status,
        listing,
        created,
        started,
        finished,
        finished_estimated=times is None and finished is not None,
        problem="; ".join(reader.problems.values()) or None,
        retry=retry,
        final=times is not None and status in (Status.SUCCESS, Status.FAILURE),
    )


def read_head(path: str) -> bytes:
    """The beginning of a file, never more than 16 kB; no link is followed, no pipe waited for.

    ``info`` is some 400 bytes, and what is asked of ``data`` stands at its beginning.
    """
    fd = os.open(path, _OPEN)
    try:
        return os.read(fd, _HEAD)
    finally:
        os.close(fd)


def parse_bundle(raw: bytes, name: str, changed: float, stamp: Stamp) -> Bundle:
    """A bundle from the bytes of its file: an id a line; other lines are counted as a problem."""
    ids: dict[str, None] = {}
    wrong = 0
    for line in decoded(raw).splitlines():
        word = line.strip()
        if TASK_ID.match(word):
            ids[word] = None
        elif word:
            wrong += 1
    problem = f"{count(wrong, 'line')} of bundle '{name}' no task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem)


def parse_retry(raw: bytes) -> tuple[tuple[Retry, ...], str | None]:
    """The links of ``retry``, and what in it is no link: a last line may be half written."""
    links = []
    wrong = 0
    for line in decoded(raw).splitlines():
        fields = [field.strip().strip('"') for field in line.split(",")]
        if len(fields) == 3 and all(map(TASK_ID.match, fields)):
            links.append(Retry(*fields))
        elif line.strip():
            wrong += 1
    problem = f"{count(wrong, 'line')} of 'retry' not three task ids, skipped" if wrong else None
    return tuple(links), problem


def _reason(error: OSError) -> str:
    return visible(error.strerror or str(error))
