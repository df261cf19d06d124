"""The orders in which the tasks of a table stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any

from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.task_summary import NO_GIST, Gists
from hipercow_tui.domain.durations import ran, waited
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task, created

FEW = 2000  # tasks that are put in their new place one by one, at 60 µs each


class Key(StrEnum):
    """What the tasks can be sorted by."""

    STATUS = "status"
    WHAT = "what"
    INPUTS = "inputs"
    BUNDLE = "bundle"
    CREATED = "created"
    WAITED = "waited"
    RAN = "ran"
    FINISHED = "finished"
    ATTEMPTS = "attempts"
    LANG = "lang"
    ID = "id"
    SIZE = "size"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the tasks; ``reverse`` puts the largest, the newest, first. What is equal stands
    newest first either way."""

    key: Key = Key.FINISHED
    reverse: bool = True

    def turned(self, key: Key) -> Sort:
        """By this key, or if it is by that already, the other way round. Times and numbers begin
        with the newest and largest, words with the first."""
        if key is self.key:
            return Sort(key, not self.reverse)
        largest_first = (Key.FINISHED, Key.CREATED, Key.ATTEMPTS, *BY_SPAN, *BY_SIZE)
        return Sort(key, key in largest_first)


BY_SIZE = (Key.SIZE, Key.FILES)
BY_SPAN = (Key.WAITED, Key.RAN)
# Orders that change while more is read of the tasks, or as time goes by.
UNSETTLED = (Key.WHAT, Key.INPUTS, *BY_SIZE, *BY_SPAN)


def ordered(
    snapshot: Snapshot, sort: Sort, gists: Gists, sizes: Sizes, now: float
) -> tuple[str, ...]:
    """Every task of the snapshot in this order at the time ``now``, in seconds since the epoch."""
    if sort == Sort():
        return snapshot.lineup.ids
    ids, tasks = list(snapshot.tasks), list(snapshot.tasks.values())
    made = list(map(created, tasks))
    values = list(map(_sort_key(sort.key, gists, sizes, now), tasks))
    # Twice by plain values, which are compared without a call of ours: a fifth of the time that
    # pairs of them take.
    places = list(range(len(ids)))
    places.sort(key=made.__getitem__, reverse=True)
    places.sort(key=values.__getitem__, reverse=sort.reverse)
    return tuple(map(ids.__getitem__, places))


def reordered(
    before: tuple[str, ...], snapshot: Snapshot, sort: Sort, moved: Set[str]
) -> tuple[str, ...]:
    """The order ``before``, with the tasks ``moved`` put where they belong now: changed ones, new
    ones and gone ones. For a few of them, and settled orders."""
    key_of = _sort_key(sort.key, {}, {}, 0.0)
    sign = 1.0 if sort.reverse else -1.0

    def key(task_id: str) -> tuple[Any, float]:
        task = snapshot.tasks[task_id]
        return key_of(task), sign * created(task)

    order = [task_id for task_id in before if task_id not in moved]
    for task_id in moved & snapshot.tasks.keys():
        order.insert(_place(order, key, key(task_id), reverse=sort.reverse), task_id)
    return tuple(order)


def _place(
    order: list[str],
    key: Callable[[str], tuple[Any, float]],
    wanted: tuple[Any, float],
    *,
    reverse: bool,
) -> int:
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        found = key(order[middle])
        if found >= wanted if reverse else found <= wanted:
            low = middle + 1
        else:
            high = middle
    return low


def _finished(task: Task) -> float:
    """What has not ended counts as ending last of all: it is the newest there is."""
    return inf if task.finished is None else task.finished


_RANK = {status: rank for rank, status in enumerate(Status)}


def _sort_key(key: Key, gists: Gists, sizes: Sizes, now: float) -> Callable[[Task], Any]:
    if key in BY_SPAN:
        span = waited if key is Key.WAITED else ran
        return lambda task: -1.0 if (found := span(task, now)) is None else found
    if key is Key.SIZE:
        return lambda task: one.size.bytes if (one := sizes.get(task.id)) else -1
    if key is Key.FILES:
        return lambda task: one.size.files if (one := sizes.get(task.id)) else -1
    if key is Key.WHAT:
        return lambda task: gists.get(task.id, NO_GIST).what.casefold()
    if key is Key.INPUTS:
        return lambda task: _natural(gists.get(task.id, NO_GIST).varies)
    return _KEYS[key]


_KEYS: Mapping[Key, Callable[[Task], Any]] = {
    Key.STATUS: lambda task: _RANK[task.status],
    Key.BUNDLE: lambda task: " ".join(task.bundles),
    Key.CREATED: created,
    Key.FINISHED: _finished,
    Key.ATTEMPTS: lambda task: len(task.chain),
    Key.LANG: lambda task: task.lang.shown,
    Key.ID: lambda task: task.id,
}


def _natural(varies: str) -> tuple[str, float, str]:
    """``n = 9`` before ``n = 10``: by name, then by number, then by letter."""
    name, _, value = varies.partition(" = ")
    try:
        return name, float(value.partition(",")[0].rstrip("L")), value
    except ValueError:
        return name, inf, value
