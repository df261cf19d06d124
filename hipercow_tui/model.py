"""Tasks, bundles and the snapshot that holds them: frozen values, no input or output.

Times are seconds since the epoch, as floats; None where nothing is known.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial, reduce
from itertools import chain, compress, count, islice
from operator import and_, attrgetter, is_, is_not, neg
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar, cast

from hipercow_tui.chains import Chains
from hipercow_tui.errors import FilterError
from hipercow_tui.text import visible

TASK_ID = re.compile(r"[0-9a-f]{32}\Z")

# What a task folder holds, as bits: one small number a task, compared when a plan is carried out
# (SPEC rule 13). QUEUED: dide_id, run.bat or run.sh, which the driver writes before the marker.
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
SIX_STATUSES = (
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
    """One task as its folder shows it (SPEC section 2). A tuple, because there are a million of
    them: it is made in 0.1 µs, a frozen dataclass in 1.6.

    ``status`` is its own, ``tip_status`` that of the end of its retry chain (its own where it was
    never retried; None where the chain has no end or the end is gone). ``finished_estimated`` says
    that ``finished`` is the time of a marker file. ``chain`` holds the ids of its retry chain, the
    first attempt first, gone ones included; () if it was never retried. ``listing`` is the bits of
    what its folder holds. ``problem`` is a sentence on what could not be read, or None.
    """

    id: str
    status: Status
    listing: int = 0
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    finished_estimated: bool = False
    tip_status: Status | None = None
    bundles: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    problem: str | None = None
    lang: Lang = Lang.R

    @property
    def exists(self) -> bool:
        """Whether lists, filters and chains know it: a folder without ``data`` or marker they do
        not (SPEC section 2), one that can't be read they must."""
        return self.status is not Status.BROKEN or self.listing < 0


def quick_tasks(values: Iterable[Iterable[object]]) -> list[Task]:
    """Tasks from the values of all their fields, in order."""
    return list(map(partial(tuple.__new__, Task), values))


def moved_tasks(before: Mapping[str, Task], now: Mapping[str, Task]) -> frozenset[str]:
    """The ids of tasks that have changed, come or gone: what did not change is the same object.

    Where nothing is gone, what is new stands behind what was there: 0.03 µs a task; else 0.3.
    """
    if before is now:
        return frozenset()
    if len(before) <= len(now) and all(map(is_, before, now)):
        others = compress(now, map(is_not, before.values(), now.values()))
        return frozenset(chain(others, islice(now, len(before), None)))
    known = before.get
    moved = {task_id for task_id, task in now.items() if known(task_id) is not task}
    return frozenset(moved).union([task_id for task_id in before if task_id not in now])


# The listing of a folder that can't be listed: it may hold anything, so it counts as existing.
UNREADABLE = -1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A named list of task ids (``bundles/NAME``), each once, in the order of the file.

    ``changed`` is the file's modification time. ``stamp`` tells one state of the file from another
    (inode, size, modification time in nanoseconds). ``problem`` says what in it was no task id.
    """

    name: str
    task_ids: tuple[str, ...]
    changed: float | None = None
    stamp: tuple[int, int, int] = (0, 0, 0)
    problem: str | None = None
    lang: Lang = Lang.R


def is_bundle_name(name: str, lang: Lang) -> bool:
    """Whether a bundle of that language can have that name without leading out of ``bundles/``. In
    Python it may have folders in it."""
    steps = name.split("/") if lang is Lang.PY else [name]
    return all(step not in ("", ".", "..") and not {"/", "\0"} & set(step) for step in steps)


_T = TypeVar("_T")
_ID, _FINISHED, _TIP = attrgetter("id"), attrgetter("finished"), attrgetter("tip_status")


def created(task: Task) -> float:
    """When it was made, for an order; what that is not known of is the oldest."""
    return task.created or 0.0


# One byte a task, 1 or 0: which of them are meant. A million are combined in 2 ms, where two sets
# of their ids take 0.1 s and 60 bytes an id.
Flags: TypeAlias = bytes

_NO_STATUS = len(Status)
_CODES: Mapping[Status | None, int] = {
    **{status: code for code, status in enumerate(Status)},
    None: _NO_STATUS,
}


class Bond(NamedTuple):
    """What ties a task to others: the bundles that name it, and whether it is in a retry chain.
    Many tasks have the same."""

    lang: Lang
    bundles: tuple[str, ...]
    chained: bool


def _bond(task: Task) -> Bond:
    return tuple.__new__(Bond, (task.lang, task.bundles, bool(task.chain)))


def _own_code(task: Task) -> int:
    """That of no status for a folder that is no task."""
    return _CODES[task.status] if task.exists else _NO_STATUS


def flags_of(column: bytes, statuses: Iterable[Status]) -> Flags:
    """Where in the column one of these statuses stands."""
    return _flags_of(column, map(_CODES.__getitem__, statuses))


def _flags_of(column: bytes, codes: Iterable[int]) -> Flags:
    meant = bytearray(256)
    for code in codes:
        meant[code] = 1
    return column.translate(meant)


def flagged_by_all(several: Sequence[Flags]) -> Flags:
    """Where all of them, of which there is at least one, are 1."""
    first, *others = several
    if not others:
        return first
    numbers = (int.from_bytes(flags, "little") for flags in others)
    both = reduce(and_, numbers, int.from_bytes(first, "little"))
    return both.to_bytes(len(first), "little")


def _at(column: Iterable[_T], flags: Flags) -> Iterator[_T]:
    """What stands where there is a 1; often nothing does."""
    return compress(column, flags) if 1 in flags else iter(())


@dataclass(frozen=True, slots=True)
class Lineup:
    """All tasks of a snapshot, the newest first, column by column: what filters look at.

    What has not finished, ``under_way`` of them, comes first by when it was made, then the others
    by when they finished, those of the same time in the order of creation. ``keys`` are these
    times, negative, so that they ascend. ``own`` and ``tips`` are statuses
    as numbers, a byte each: a task's own, and that of the end of its retry chain. ``bonds`` are
    numbers too, which ``kinds`` gives, in their order.
    """

    ids: tuple[str, ...]
    under_way: int
    keys: array[float]
    own: bytes
    tips: bytes
    bonds: array[int]
    kinds: Mapping[Bond, int]

    @classmethod
    def of(cls, tasks: Collection[Task], kinds: Mapping[Bond, int] | None = None) -> Lineup:
        """Those tasks, put in order: 1 µs a task. ``kinds`` are bonds that have a number."""
        under_way = [task for task in tasks if task.finished is None]
        finished = [task for task in tasks if task.finished is not None]
        for some in (under_way, finished):
            some.sort(key=created, reverse=True)
        finished.sort(key=_FINISHED, reverse=True)
        ordered = under_way + finished
        times = chain(map(created, under_way), map(_FINISHED, finished))
        known = kinds or {}
        numbers = defaultdict(count(len(known)).__next__, known)
        return cls(
            ids=tuple(map(_ID, ordered)),
            under_way=len(under_way),
            keys=array("d", map(neg, times)),
            own=bytes(map(_own_code, ordered)),
            tips=bytes(map(_CODES.__getitem__, map(_TIP, ordered))),
            bonds=array("I", map(numbers.__getitem__, map(_bond, ordered))),
            kinds=dict(numbers),
        )

    def number_of(self, status: Status) -> int:
        """How many have that status themselves."""
        return self.own.count(_CODES[status])

    def older_than(self, moment: float) -> int:
        """How many, from the end, finished before that time, in seconds since the epoch."""
        size = len(self.ids)
        return size - bisect_right(self.keys, -moment, self.under_way, size)

    @property
    def no_tasks(self) -> Flags:
        """The folders that are none."""
        return _flags_of(self.own, [_NO_STATUS])

    def bonded(self, meant: Callable[[Bond], bool]) -> Flags:
        """The tasks whose bond is meant."""
        told = list(map(meant, self.kinds))
        return bytes(map(told.__getitem__, self.bonds))

    def bonds_of(self, flags: Flags) -> list[Bond]:
        """What ties the tasks at a 1 to others."""
        kinds = tuple(self.kinds)
        return [kinds[number] for number in set(_at(self.bonds, flags))]

    def flagged(self, flags: Flags) -> Iterator[str]:
        """The ids where there is a 1."""
        return _at(self.ids, flags)


@dataclass(frozen=True)
class Snapshot:
    """A root at one moment: every task by id, every bundle by name, the retry chains.

    ``problems`` are sentences about what could not be read outside the tasks: bundles, ``retry``.
    ``parts`` are what it was put together from where one folder is a root of R and of Python, each
    of one ``lang``; no rule ever looks from one part into the other.
    """

    root: Path
    tasks: Mapping[str, Task] = field(default_factory=dict)
    bundles: tuple[Bundle, ...] = ()
    chains: Chains = field(default_factory=Chains)
    problems: tuple[str, ...] = ()
    lang: Lang = Lang.R
    parts: tuple[Snapshot, ...] = ()

    @property
    def by_lang(self) -> tuple[Snapshot, ...]:
        """The part of each language; itself where there is but one."""
        return self.parts or (self,)

    @cached_property
    def lineup(self) -> Lineup:
        """All tasks, the newest first."""
        return Lineup.of(self.tasks.values())

    @cached_property
    def chained(self) -> Flags:
        """The tasks that are in a retry chain."""
        return self.lineup.bonded(attrgetter("chained"))

    def with_status(self, *statuses: Status) -> Iterator[str]:
        """The ids of the tasks that have one of these statuses themselves."""
        return self.lineup.flagged(flags_of(self.lineup.own, statuses))

    @cached_property
    def gone(self) -> frozenset[str]:
        """The ids that bundles and chains name though there is nothing of that name."""
        named = (bundle.task_ids for bundle in self.bundles)
        chained = (part.chains.members() for part in self.by_lang)
        return frozenset().union(*named, *chained).difference(self.tasks)

    @cached_property
    def absent(self) -> frozenset[str]:
        """The ids of which lists, filters and chains know no task: gone ones, and folders that are
        none."""
        broken = Status.BROKEN
        return self.gone.union(
            [t.id for t in self.tasks.values() if t.status is broken and not t.exists]
        )

    def worked_out(self, what: str, of: object, make: Callable[[], _T]) -> _T:
        """What ``make`` gives, or gave the last time if that was for the same ``of``: counts and
        views ask the same filters for the same."""
        known = self._worked_out.get(what)
        if known is None or known[0] != of:
            known = self._worked_out[what] = (of, make())
        return cast(_T, known[1])

    @cached_property
    def _worked_out(self) -> dict[str, tuple[object, object]]:
        return {}

    def of_lang(self, lang: str | None) -> Snapshot:
        """The part that hipercow of that language wrote; None is both.

        Raises FilterError for a language that is neither.
        """
        if lang is None:
            return self
        if lang not in tuple(Lang):
            raise FilterError(
                f"lang can't be '{visible(lang)}': use 'r', 'py', or neither for both"
            )
        for part in self.by_lang:
            if part.lang == lang:
                return part
        return Snapshot(self.root, lang=Lang(lang))

    def bundle(self, name: str, lang: Lang) -> Bundle | None:
        """The bundle of that name and language; None if there is none."""
        named = (one for one in self.bundles if one.name == name and one.lang is lang)
        return next(named, None)

    def existing(self, ids: Collection[str]) -> Iterator[Task]:
        """The tasks among these ids that lists, filters and chains know."""
        tasks = self.tasks
        for task_id in ids:
            task = tasks.get(task_id)
            if task is not None and task.exists:
                yield task

    def tip_status(self, task_id: str) -> Status | None:
        """The status of the end of a task's retry chain; None where there is none."""
        tip = self.chains.tip(task_id)
        task = self.tasks.get(tip) if tip else None
        return task.status if task is not None and task.exists else None
