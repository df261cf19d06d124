"""Tasks and bundles as frozen values, without input or output.

Times are floats in seconds since the epoch; None if they are not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import chain, compress, islice
from operator import is_, is_not
from typing import NamedTuple, TypeAlias

TASK_ID = re.compile(r"[0-9a-f]{32}\Z")

# Files of a task folder, as bits of ``Task.files_mask``. A purge compares the mask with the plan
# (docs/spec.md, rule 13). QUEUED: dide_id, run.bat or run.sh, which the driver writes before the
# marker.
DATA = 1
INFO = 2
MARK_SUBMITTED = 4
MARK_RUNNING = 8
MARK_SUCCESS = 16
MARK_FAILURE = 32
MARK_CANCELLED = 64
QUEUED = 128


class Status(StrEnum):
    """The status of a task as hipercow names it. BROKEN is not a status of hipercow: it is for a
    folder that is not a readable task."""

    CREATED = "created"
    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    BROKEN = "broken"

    # Enum.__hash__ is a Python function, and a hash is needed several times a task.
    __hash__ = str.__hash__


# Before Python 3.12 each access to a member of an enum takes 0.14 µs.
_BROKEN = Status.BROKEN

PURGEABLE = (Status.CREATED, Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
FILTERABLE_STATUSES = (
    Status.FAILURE,
    Status.CANCELLED,
    Status.SUCCESS,
    Status.CREATED,
    Status.SUBMITTED,
    Status.RUNNING,
)


class Lang(StrEnum):
    """The hipercow package that wrote a task or bundle: the one of R or the one of Python."""

    R = "r"
    PY = "py"

    __hash__ = str.__hash__

    @property
    def shown(self) -> str:
        """The name for users: "R" or "Python"."""
        return "R" if self is Lang.R else "Python"


class Task(NamedTuple):
    """One task as its folder describes it (docs/spec.md, section 2).

    A tuple, because there can be a million: it is made in 0.1 µs, a frozen dataclass in 1.6.

    Attributes:
        id: 32 lower-case hex digits.
        status: The task's own status.
        files_mask: The files in its folder, as bits such as DATA; UNREADABLE if it can't be listed.
        created, started, finished: Times in seconds since the epoch.
        finished_estimated: Whether ``finished`` is the modification time of a marker file.
        latest_status: The status of its latest attempt: its own if it was never retried, None if
            the chain is a cycle or its end is missing.
        bundles: The names of the bundles that list it.
        chain: The ids of its retry chain, the first attempt first, missing ones included; () if it
            is in none.
        problem: A sentence on what could not be read, or None.
        lang: The language of the root.
    """

    id: str
    status: Status
    files_mask: int = 0
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    finished_estimated: bool = False
    latest_status: Status | None = None
    bundles: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    problem: str | None = None
    lang: Lang = Lang.R

    @property
    def exists(self) -> bool:
        """Whether it is a task for lists, filters and chains (docs/spec.md, section 2).

        A folder without ``data`` and marker is not. A folder that can't be listed is: it may hold
        a running task.
        """
        return self.status is not _BROKEN or self.files_mask < 0


def tasks_from_rows(values: Iterable[Iterable[object]]) -> list[Task]:
    """Make tasks from rows of all their fields, in order; 0.1 µs a task."""
    return list(map(partial(tuple.__new__, Task), values))


def creation_time(task: Task) -> float:
    """Return the time of creation for sorting; 0 if it is unknown, so that it sorts as oldest."""
    return task.created or 0.0


COMPARED_AT_ONCE = 8192  # tasks


def changed_ids(before: Mapping[str, Task], now: Mapping[str, Task]) -> frozenset[str]:
    """Return the ids of tasks that were changed, added or removed.

    Tasks are compared by identity: an unchanged task is the same object in both. Costs 0.03 µs a
    task if no task was removed and new ones were appended, else 0.3.
    """
    if before is now:
        return frozenset()
    if len(before) <= len(now) and (changed := _changed_in_order(before, now)) is not None:
        return changed
    known = before.get
    others = {task_id for task_id, task in now.items() if known(task_id) is not task}
    return frozenset(others).union([task_id for task_id in before if task_id not in now])


def _changed_in_order(before: Mapping[str, Task], now: Mapping[str, Task]) -> frozenset[str] | None:
    """Return the changed ids if ``now`` begins with the ids of ``before`` in order; else None.

    Compares in pieces, because the thread can't be interrupted within one: 100,000 tasks at a time
    would stop the others for 20 ms.
    """
    changed: list[str] = []
    new, new_tasks, old_tasks = iter(now), iter(now.values()), iter(before.values())
    old = iter(before)
    while ids := tuple(islice(old, COMPARED_AT_ONCE)):
        if not all(map(is_, ids, islice(new, len(ids)))):
            return None
        differ = map(is_not, islice(old_tasks, len(ids)), islice(new_tasks, len(ids)))
        changed += compress(ids, differ)
    return frozenset(chain(changed, new))


# The ``files_mask`` of a folder that can't be listed. It may hold anything, so the task exists.
UNREADABLE = -1

NO_FILE_STAMP = (0, 0, 0, 0)  # of a file that was not examined


@dataclass(frozen=True, slots=True)
class Bundle:
    """A named list of task ids, from the file ``bundles/NAME``.

    Attributes:
        name: The name of the file; in Python its path below ``bundles/``.
        task_ids: Each id once, in the order of the file.
        changed: The modification time of the file, in seconds since the epoch.
        stamp: The state of the file: inode, size, mtime and ctime in nanoseconds.
        problem: A sentence on entries that are not task ids, or None.
        lang: The language of the root.
        link: The target if the file is a symbolic link, else empty.
    """

    name: str
    task_ids: tuple[str, ...]
    changed: float | None = None
    stamp: tuple[int, int, int, int] = NO_FILE_STAMP
    problem: str | None = None
    lang: Lang = Lang.R
    link: str = ""


# A language and a name: R and Python can have bundles with the same name.
BundleId: TypeAlias = tuple[Lang, str]


def is_bundle_name(name: str, lang: Lang) -> bool:
    """Return whether a bundle can have that name without being outside ``bundles/``.

    In Python the name can contain folders.
    """
    steps = name.split("/") if lang is Lang.PY else [name]
    return all(step not in ("", ".", "..") and not {"/", "\0"} & set(step) for step in steps)
