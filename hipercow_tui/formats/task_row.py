"""What both languages have in common in a task folder (docs/spec.md, sections 2 and 3)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from hipercow_tui.domain.task import (
    DATA,
    INFO,
    MARK_CANCELLED,
    MARK_FAILURE,
    MARK_RUNNING,
    MARK_SUBMITTED,
    MARK_SUCCESS,
    Status,
)
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text

# The first marker that exists is the status (docs/spec.md, section 2); created needs ``data``.
_STATUS_ORDER = (
    (MARK_SUCCESS, Status.SUCCESS),
    (MARK_FAILURE, Status.FAILURE),
    (MARK_CANCELLED, Status.CANCELLED),
    (MARK_RUNNING, Status.RUNNING),
    (MARK_SUBMITTED, Status.SUBMITTED),
    (DATA, Status.CREATED),
)
# The status by ``files_mask``. UNREADABLE is -1, so the last item is for it.
STATUS_BY_MASK = (
    *(
        next((status for bit, status in _STATUS_ORDER if mask & bit), Status.BROKEN)
        for mask in range(256)
    ),
    Status.BROKEN,
)
# The same for the latest attempt of a chain: a folder that is not a task has no status.
LATEST_STATUS_BY_MASK = (
    *(None if status is Status.BROKEN else status for status in STATUS_BY_MASK[:-1]),
    Status.BROKEN,
)

_HEAD_SIZE = 16384  # bytes

# When a folder last changed: mtime and ctime, in nanoseconds.
FolderTimes: TypeAlias = tuple[int, int]


class TaskRow(NamedTuple):
    """The content of one task folder, without relations to other tasks.

    Attributes:
        files_mask: The files in the folder, as ``Task.files_mask``.
        created, started, finished: Times in seconds since the epoch, or None.
        finished_estimated: Whether ``finished`` is the modification time of a marker.
        folder_times: The times of the folder, read after everything else; None if the task is final
            and can only be removed.
        problem: A sentence on what could not be read, or None.
        retry: ``parent`` and ``base`` if ``data`` was read and is of a retry.
    """

    files_mask: int
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    finished_estimated: bool = False
    folder_times: FolderTimes | None = None
    problem: str | None = None
    retry: tuple[str, str] | None = None


def row_from_values(values: Iterable[object]) -> TaskRow:
    """Make a row from the values of all its fields, in order: half the time of the constructor."""
    return tuple.__new__(TaskRow, values)


class Columns(NamedTuple):
    """The rows of many tasks as columns: the fields of TaskRow, each with a value per task."""

    files_mask: Sequence[int]
    created: Sequence[float | None]
    started: Sequence[float | None]
    finished: Sequence[float | None]
    finished_estimated: Sequence[bool]
    folder_times: Sequence[FolderTimes | None]
    problem: Sequence[str | None]
    retry: Sequence[tuple[str, str] | None]


def status_from_mask(mask: int) -> Status:
    """Return a task's own status from its ``files_mask``; BROKEN if it has none."""
    return STATUS_BY_MASK[mask]


def list_task_folder(folder: str, mask_by_name: Mapping[str, int], problems: dict[str, str]) -> int:
    """Return the ``files_mask`` of a task folder: one listing, five system calls.

    Adds a sentence to ``problems``, by file name, if ``data`` is missing, or if ``data``, ``info``
    or ``times`` is not a regular file. Raises OSError.
    """
    mask, find_bit = 0, mask_by_name.get
    with filesystem.scan(folder) as entries:
        for entry in entries:
            bit = find_bit(entry.name)
            if bit is not None:
                mask |= bit
                if bit <= INFO and not entry.is_file(follow_symlinks=False):
                    problems[entry.name] = f"'{entry.name}' is not a regular file, not read"
    if not mask & DATA:
        problems["data"] = "there is no 'data' in its folder"
    return mask


def broken_row(folder: str, files_mask: int, problem: str) -> TaskRow:
    """Return the row of a folder that has no status."""
    return TaskRow(files_mask, folder_times=folder_times(folder), problem=problem)


def folder_error(error: OSError) -> str:
    """Return the problem of a task folder that can't be listed."""
    return f"its folder: {os_error_text(error)}"


def folder_times(folder: str) -> FolderTimes:
    """Return the times of a folder; zeros if it can't be examined. Costs one stat."""
    try:
        found = filesystem.lstat(folder)
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ctime_ns)


def mtime(path: str) -> float | None:
    """Return the modification time of a file, in seconds since the epoch; None if it has none."""
    try:
        return filesystem.lstat(path).st_mtime
    except OSError:
        return None


def read_beginning(path: str) -> bytes:
    """Return the first 16 kB of a file. Follows no link, and does not wait for a pipe.

    ``info`` has some 400 bytes, and the start of ``data`` is enough. Raises OSError.
    """
    fd = filesystem.open_file(path)
    try:
        return os.read(fd, _HEAD_SIZE)
    finally:
        os.close(fd)
