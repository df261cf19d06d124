"""Tasks and bundles: frozen values, no input or output.

Times are seconds since the epoch, as floats; None where nothing is known.
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

# What a task folder holds, as bits: one small number a task, compared when a plan is carried out
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
    """A task's status, in the words of hipercow; ``broken`` is ours, for what has none."""

    CREATED = "created"
    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    BROKEN = "broken"

    # That of an enum is written in Python, and is asked for several times a task.
    __hash__ = str.__hash__


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
    """Which hipercow wrote a task or bundle: the one of R or the one of Python."""

    R = "r"
    PY = "py"

    __hash__ = str.__hash__

    @property
    def shown(self) -> str:
        """As people say it."""
        return "R" if self is Lang.R else "Python"


class Task(NamedTuple):
    """One task as its folder shows it (docs/spec.md, section 2). A tuple, because there are a
    million of them: it is made in 0.1 µs, a frozen dataclass in 1.6.

    ``status`` is its own, ``latest_status`` that of the end of its retry chain (its own where it was
    never retried; None where the chain has no end or the end is gone). ``finished_estimated`` says
    that ``finished`` is the time of a marker file. ``chain`` holds the ids of its retry chain, the
    first attempt first, gone ones included; () if it was never retried. ``files_mask`` is the bits of
    what its folder holds. ``problem`` is a sentence on what could not be read, or None.
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
        """Whether lists, filters and chains know it: a folder without ``data`` or marker they do
        not (docs/spec.md, section 2), one that can't be read they must."""
        return self.status is not Status.BROKEN or self.files_mask < 0


def tasks_from_rows(values: Iterable[Iterable[object]]) -> list[Task]:
    """Tasks from the values of all their fields, in order."""
    return list(map(partial(tuple.__new__, Task), values))


def creation_time(task: Task) -> float:
    """When it was made, for an order; what that is not known of is the oldest."""
    return task.created or 0.0


COMPARED_AT_ONCE = 8192  # tasks that are compared at a time


def changed_ids(before: Mapping[str, Task], now: Mapping[str, Task]) -> frozenset[str]:
    """The ids of tasks that have changed, come or gone: what did not change is the same object.

    Where nothing is gone, what is new stands behind what was there: 0.03 µs a task; else 0.3.
    """
    if before is now:
        return frozenset()
    if len(before) <= len(now) and (moved := _changed_in_order(before, now)) is not None:
        return moved
    known = before.get
    others = {task_id for task_id, task in now.items() if known(task_id) is not task}
    return frozenset(others).union([task_id for task_id in before if task_id not in now])


def _changed_in_order(before: Mapping[str, Task], now: Mapping[str, Task]) -> frozenset[str] | None:
    """Where all that was there stands in its place still, what moved. In pieces, between which
    other threads may go first: 100,000 at a time would keep them waiting for 20 ms."""
    moved: list[str] = []
    new, new_tasks, old_tasks = iter(now), iter(now.values()), iter(before.values())
    old = iter(before)
    while ids := tuple(islice(old, COMPARED_AT_ONCE)):
        if not all(map(is_, ids, islice(new, len(ids)))):
            return None
        same = map(is_not, islice(old_tasks, len(ids)), islice(new_tasks, len(ids)))
        moved += compress(ids, same)
    return frozenset(chain(moved, new))


# The listing of a folder that can't be listed: it may hold anything, so it counts as existing.
UNREADABLE = -1


# The stamp of a file that was not examined.
NO_FILE_STAMP = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A named list of task ids (``bundles/NAME``), each once, in the order of the file.

    ``changed`` is the file's modification time. ``stamp`` tells one state of the file from another
    (inode, size, times of modification and of change in nanoseconds). ``problem`` says what in it
    was no task id. ``link`` is where it leads if it is a symbolic link, else empty.
    """

    name: str
    task_ids: tuple[str, ...]
    changed: float | None = None
    stamp: tuple[int, int, int, int] = NO_FILE_STAMP
    problem: str | None = None
    lang: Lang = Lang.R
    link: str = ""


# Both languages may have a bundle of one name.
BundleId: TypeAlias = tuple[Lang, str]


def is_bundle_name(name: str, lang: Lang) -> bool:
    """Whether a bundle of that language can have that name without leading out of ``bundles/``. In
    Python it may have folders in it."""
    steps = name.split("/") if lang is Lang.PY else [name]
    return all(step not in ("", ".", "..") and not {"/", "\0"} & set(step) for step in steps)
