"""The layout of a Python root under ``hipercow/py/`` (docs/spec.md, section 3).

Source: ``hipercow.task`` and ``hipercow.bundle`` of hipercow 0.2.4. ``result`` is a pickle, and
loading a pickle can run any code: nothing here opens it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeAlias

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
    Lang,
    Status,
)
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.r_layout import Stamp
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.formats.task_row import (
    STATUS_BY_MASK,
    TaskRow,
    broken_row,
    folder_error,
    folder_times,
    list_task_folder,
    mtime,
    read_beginning,
)
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.filesystem import Entry
from hipercow_tui.support.text import escape_controls, pluralize

RECENT = "recent"  # the file with the ids in the order of creation, one a line

_MASK_BY_NAME = {
    "data": DATA,
    "times": INFO,
    "status-submitted": MARK_SUBMITTED,
    "status-running": MARK_RUNNING,
    "status-success": MARK_SUCCESS,
    "status-failure": MARK_FAILURE,
    "status-cancelled": MARK_CANCELLED,
    "dide_id": QUEUED,
    "task_run.bat": QUEUED,
    "task_run.sh": QUEUED,
}
_TERMINAL = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
_MAX_DEPTH = 32  # folders in the name of a bundle; each level needs an open descriptor
# Not written by hipercow: deleted files that are still open, and files of the Finder.
_SYSTEM_FILE = re.compile(r"\.nfs[0-9a-f]{16,}\Z|\.fuse_hidden[0-9a-f]+\Z|\.DS_Store\Z")
_TIMES_WORK = 1000  # the ``work`` of load_json; a file has three keys
_BUNDLE_WORK = 8_000_000  # about the number of ids
_MAX_TIME = 1e15  # seconds since the epoch; a larger number is not a time

# The times of creation, start and end, in seconds since the epoch.
Times: TypeAlias = tuple[float, float | None, float | None]


def files_mask_of(names: Iterable[str]) -> int:
    """Return the ``files_mask`` of a task folder that contains these names; ``times`` is INFO."""
    mask = 0
    for name in names:
        mask |= _MASK_BY_NAME.get(name, 0)
    return mask


def read_tasks(
    tasks: str, ids: Iterable[str], retried: Collection[str] = ()
) -> Iterator[TaskRow | None]:
    """Yield the content of each task's folder below ``tasks``; None if there is no folder.

    ``retried`` is not used: Python has no retries. A final task costs one listing (five system
    calls) and one read of ``times`` (three). A task without ``times`` costs a stat for each of
    ``data``, its marker and its folder instead.
    """
    for task_id in ids:
        yield _read_task(f"{tasks}/{task_id[:2]}/{task_id[2:]}")


def _read_task(folder: str) -> TaskRow | None:
    problems: dict[str, str] = {}
    try:
        mask = list_task_folder(folder, _MASK_BY_NAME, problems)
    except FileNotFoundError:
        return None
    except OSError as error:
        return broken_row(folder, UNREADABLE, folder_error(error))
    status = STATUS_BY_MASK[mask]
    if status is Status.BROKEN:
        return broken_row(folder, mask, "; ".join(problems.values()))
    times = _read_times(folder, problems) if mask & INFO and "times" not in problems else None
    problem = "; ".join(problems.values()) or None
    if times is None:
        return _estimated_row(folder, status, mask, problem)
    terminal = status in _TERMINAL
    changed = None if terminal and status is not Status.CANCELLED else folder_times(folder)
    finished = times[2] if terminal else None
    return TaskRow(mask, times[0], times[1], finished, False, changed, problem)


def _read_times(folder: str, problems: dict[str, str]) -> Times | None:
    try:
        return parse_times(read_beginning(f"{folder}/times"))
    except OSError as error:
        problems["times"] = f"'times': {os_error_text(error)}"
    except ValueError as error:
        problems["times"] = f"'times' {error}"
    return None


def _estimated_row(folder: str, status: Status, mask: int, problem: str | None) -> TaskRow:
    """Estimate the times of a task without ``times``.

    Creation and start are ctimes, as in hipercow (``_read_task_times``). It has no rule for the
    end: that is the modification time of the marker.
    """
    created = _ctime(f"{folder}/data") if mask & DATA else None
    started = _ctime(f"{folder}/status-running") if mask & MARK_RUNNING else None
    finished = mtime(f"{folder}/status-{status}") if status in _TERMINAL else None
    estimated = finished is not None
    return TaskRow(mask, created, started, finished, estimated, folder_times(folder), problem)


def _ctime(path: str) -> float | None:
    try:
        return filesystem.lstat(path).st_ctime
    except OSError:
        return None


def parse_times(raw: bytes) -> Times:
    """Parse a file ``times``. Raises ValueError with the end of a sentence on the file."""
    value = load_json(raw, work=_TIMES_WORK)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    created, started, finished = (
        _seconds(value.get(name)) for name in ("created", "started", "finished")
    )
    if created is None:
        raise ValueError("'created' is missing")
    return created, started, finished


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    # A large int can't be converted to a float, so it is compared first.
    if (
        type(value) not in (int, float)
        or not -_MAX_TIME < value < _MAX_TIME
        or not math.isfinite(value)
    ):
        raise ValueError("has a value that is not a time")
    return float(value)


def parse_bundle(
    raw: bytes, name: str, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """Parse a bundle. Entries that are not ids are counted in ``problem``.

    ``changed`` and ``stamp`` are copied to the bundle. Raises ValueError, with the end of a
    sentence on the file, if it is not the JSON of a bundle.
    """
    value = load_json(raw, work=_BUNDLE_WORK)
    listed = value.get("task_ids") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise ValueError("has no list 'task_ids'")
    ids = dict.fromkeys(i for i in listed if isinstance(i, str) and TASK_ID.match(i))
    wrong = sum(1 for i in listed if not isinstance(i, str) or i not in ids)
    shown = f"bundle '{escape_controls(name)}'"
    problem = f"{pluralize(wrong, 'entry', 'entries')} of {shown} not a task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem, Lang.PY)


def bundle_files(
    bundles: str | int, unread: dict[str, str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, Entry, int | None]]:
    """Yield the files in ``bundles/`` and in its subfolders.

    ``bundles`` is a path or an open folder. Each result is a name, its entry, and the open folder
    to which the entry's path is relative. Links and pipes are included; no link is followed. The
    reason why a subfolder can't be listed is added to ``unread`` by its name. ``prefix`` and
    ``depth`` are those of a subfolder. Costs six system calls a folder. Raises OSError.
    """
    folder = bundles if isinstance(bundles, int) else None
    with filesystem.scan(bundles) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = prefix + entry.name
        if _SYSTEM_FILE.match(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield name, entry, folder
        elif depth == _MAX_DEPTH:
            unread[name] = f"its name has more than {_MAX_DEPTH} folders"
        else:
            yield from _bundle_files_in(entry.path, folder, unread, name, depth + 1)


def _bundle_files_in(
    path: str, parent: int | None, unread: dict[str, str], name: str, depth: int
) -> Iterator[tuple[str, Entry, int | None]]:
    try:
        inside = open_folder(path, dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as error:
        unread[name] = os_error_text(error)
        return
    try:
        yield from bundle_files(inside, unread, f"{name}/", depth)
    except OSError as error:
        unread[name] = os_error_text(error)
    finally:
        os.close(inside)
