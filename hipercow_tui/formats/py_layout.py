"""The layout of a Python root under ``hipercow/py/`` (docs/spec.md, section 3).

Source: ``hipercow.task`` and ``hipercow.bundle`` of hipercow 0.2.4. ``result`` is a pickle, which
runs whatever it holds when it is loaded: nothing here opens it.
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
from hipercow_tui.formats.r_layout import Row, Stamp, folder_times, read_head, status_of
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import escape_controls, pluralize

RECENT = "recent"  # the ids in the order in which the tasks were made, one a line

_BITS = {
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
_ENDED = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
_DEPTH = 32  # folders in the name of a bundle; a descent holds one descriptor a level
# Left by systems, not by hipercow: of deleted files that are still open, and by the Finder.
_OF_A_SYSTEM = re.compile(r"\.nfs[0-9a-f]{16,}\Z|\.fuse_hidden[0-9a-f]+\Z|\.DS_Store\Z")
_TIMES_WORK = 1000  # as load_json counts it: a file has three keys
_BUNDLE_WORK = 8_000_000  # that many ids
_FAR = 1e15  # seconds: no time of a task lies beyond

# When a task was created, started and finished.
Times: TypeAlias = tuple[float, float | None, float | None]


def listing_of(names: Iterable[str]) -> int:
    """The bits of what a task folder holds, from the names in it; ``times`` stands for ``info``."""
    listing = 0
    for name in names:
        listing |= _BITS.get(name, 0)
    return listing


def read_tasks(
    tasks: str, ids: Iterable[str], retried: Collection[str] = ()
) -> Iterator[Row | None]:
    """What the folders of these tasks under ``tasks`` say; None for one that is gone.

    ``retried`` is there for likeness to R: there are no retries. A task that has ended costs one
    listing, five calls, and one read of ``times``, three. One without ``times`` costs a stat for
    each of ``data``, its marker and its folder instead.
    """
    for task_id in ids:
        yield _read_task(f"{tasks}/{task_id[:2]}/{task_id[2:]}")


def _read_task(folder: str) -> Row | None:
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
    status = status_of(listing)
    if status is Status.BROKEN:
        return _broken(folder, listing, "; ".join(odd.values()))
    times = _times(folder, odd) if listing & INFO and "times" not in odd else None
    problem = "; ".join(odd.values()) or None
    if times is None:
        return _estimated(folder, status, listing, problem)
    ended = status in _ENDED
    changed = None if ended and status is not Status.CANCELLED else folder_times(folder)
    finished = times[2] if ended else None
    return (listing, times[0], times[1], finished, False, changed, problem, None)


def _broken(folder: str, listing: int, problem: str) -> Row:
    return (listing, None, None, None, False, folder_times(folder), problem, None)


def _times(folder: str, odd: dict[str, str]) -> Times | None:
    try:
        return parse_times(read_head(f"{folder}/times"))
    except OSError as error:
        odd["times"] = f"'times': {os_error_text(error)}"
    except ValueError as error:
        odd["times"] = f"'times' {error}"
    return None


def _estimated(folder: str, status: Status, listing: int, problem: str | None) -> Row:
    """Without ``times`` the files' own count: ctimes, as hipercow takes them
    (``_read_task_times``), and for the end, of which it says nothing, when the marker was made."""
    created = _changed(f"{folder}/data") if listing & DATA else None
    started = _changed(f"{folder}/status-running") if listing & MARK_RUNNING else None
    finished = _modified(f"{folder}/status-{status}") if status in _ENDED else None
    estimate = finished is not None
    return (listing, created, started, finished, estimate, folder_times(folder), problem, None)


def _changed(path: str) -> float | None:
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return None


def _modified(path: str) -> float | None:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return None


def parse_times(raw: bytes) -> Times:
    """The three times of a file ``times``, in seconds since the epoch; raises ValueError."""
    value = load_json(raw, work=_TIMES_WORK)
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    created, started, finished = (
        _seconds(value.get(name)) for name in ("created", "started", "finished")
    )
    if created is None:
        raise ValueError("'created' is missing")
    return created, started, finished


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    # An int of hundreds of digits has no float, so it is compared before.
    if type(value) not in (int, float) or not -_FAR < value < _FAR or not math.isfinite(value):
        raise ValueError("a time in it is none")
    return float(value)


def parse_bundle(
    raw: bytes, name: str, changed: float = 0.0, stamp: Stamp = NO_FILE_STAMP
) -> Bundle:
    """A bundle from the bytes of its file; entries that are no ids are counted as a problem.

    Raises ValueError, the end of a sentence, if it is not the JSON of a bundle.
    """
    value = load_json(raw, work=_BUNDLE_WORK)
    listed = value.get("task_ids") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise ValueError("has no list 'task_ids'")
    ids = dict.fromkeys(i for i in listed if isinstance(i, str) and TASK_ID.match(i))
    wrong = sum(1 for i in listed if not isinstance(i, str) or i not in ids)
    shown = f"bundle '{escape_controls(name)}'"
    problem = f"{pluralize(wrong, 'entry', 'entries')} of {shown} no task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem, Lang.PY)


def bundle_files(
    bundles: str | int, unread: dict[str, str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, os.DirEntry[str], int | None]]:
    """The files in ``bundles/``, a path or an open folder, and in the folders in it.

    Gives the name of each, its entry, and the open folder that the entry's path is relative to.
    Links and pipes are among them. For a folder that can't be listed, by its name, the reason is
    added to ``unread``. No link is followed. Costs six calls a folder. Raises OSError.
    """
    folder = bundles if isinstance(bundles, int) else None
    with os.scandir(bundles) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = prefix + entry.name
        if _OF_A_SYSTEM.match(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield name, entry, folder
        elif depth == _DEPTH:
            unread[name] = f"there are more than {_DEPTH} folders in its name"
        else:
            yield from _bundle_files_in(entry.path, folder, unread, name, depth + 1)


def _bundle_files_in(
    path: str, parent: int | None, unread: dict[str, str], name: str, depth: int
) -> Iterator[tuple[str, os.DirEntry[str], int | None]]:
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
