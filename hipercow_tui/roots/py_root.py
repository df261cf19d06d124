"""The layout of a Python root under ``hipercow/py/`` (SPEC section 3): names, files, meaning.

Source: ``hipercow.task`` and ``hipercow.bundle`` of hipercow 0.2.4. ``result`` is a pickle, which
runs whatever it holds when it is loaded: nothing here opens it.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeAlias

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
    Lang,
    Status,
)
from hipercow_tui.roots.files import open_folder
from hipercow_tui.roots.json_reader import load_json
from hipercow_tui.roots.r_root import Row, Stamp, moments_of, read_head, status_of
from hipercow_tui.text import count, visible

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
_DELETED = re.compile(r"\.nfs[0-9a-f]{16,}\Z")  # on NFS, while someone has it open
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
        return _broken(folder, UNREADABLE, f"its folder: {_reason(error)}")
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
    changed = None if ended and status is not Status.CANCELLED else moments_of(folder)
    finished = times[2] if ended else None
    return (listing, times[0], times[1], finished, False, changed, problem, None)


def _broken(folder: str, listing: int, problem: str) -> Row:
    return (listing, None, None, None, False, moments_of(folder), problem, None)


def _times(folder: str, odd: dict[str, str]) -> Times | None:
    try:
        return parse_times(read_head(f"{folder}/times"))
    except OSError as error:
        odd["times"] = f"'times': {_reason(error)}"
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
    return (listing, created, started, finished, estimate, moments_of(folder), problem, None)


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


def parse_bundle(raw: bytes, name: str, changed: float, stamp: Stamp) -> Bundle:
    """A bundle from the bytes of its file; what is wrong with it is its ``problem``."""
    shown = f"bundle '{visible(name)}'"
    try:
        value = load_json(raw, work=_BUNDLE_WORK)
    except ValueError as error:
        return Bundle(name, (), changed, stamp, f"{shown} {error}", Lang.PY)
    listed = value.get("task_ids") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        return Bundle(name, (), changed, stamp, f"{shown} has no list 'task_ids'", Lang.PY)
    ids = dict.fromkeys(i for i in listed if isinstance(i, str) and TASK_ID.match(i))
    wrong = sum(1 for i in listed if not isinstance(i, str) or i not in ids)
    problem = f"{count(wrong, 'entry', 'entries')} of {shown} no task id" if wrong else None
    return Bundle(name, tuple(ids), changed, stamp, problem, Lang.PY)


def bundle_files(
    folder: int, problems: dict[str, str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, int, os.stat_result]]:
    """The files in the open ``bundles/`` and in the folders in it: the name of each bundle, the
    open folder that it stands in, and its stat. Raises OSError.

    A sentence on what is neither file nor folder is added to ``problems``. No link is followed.
    Costs a stat a bundle, and six calls a folder.
    """
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = prefix + entry.name
        if _DELETED.match(entry.name):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield name, folder, status
            elif stat.S_ISDIR(status.st_mode) and depth < _DEPTH:
                inside = open_folder(entry.name, dir_fd=folder)
                try:
                    yield from bundle_files(inside, problems, f"{name}/", depth + 1)
                finally:
                    os.close(inside)
            else:
                problems[name] = f"'bundles/{visible(name)}' is no bundle, passed over"
        except FileNotFoundError:
            continue
        except OSError as error:
            problems[name] = f"'bundles/{visible(name)}' can't be read: {_reason(error)}"


def _reason(error: OSError) -> str:
    return visible(error.strerror or str(error))
