"""Sort the tasks of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, TypeAlias

from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task, creation_time
from hipercow_tui.formats.task_usage import TaskUsage

Usages: TypeAlias = Mapping[str, TaskUsage]
NO_USAGES: Usages = {}
MAX_RESORTED = 2000  # tasks that are inserted one by one, at 60 µs each


class SortKey(StrEnum):
    """The keys by which tasks can be sorted."""

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
    CORES = "cores"
    CPU = "cpu"
    USED_CORES = "used_cores"
    MEMORY = "memory"
    USED_MEMORY = "used_memory"
    EFFICIENCY = "efficiency"
    SIZE = "size"
    DISK = "disk"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class TaskSort:
    """An order of the tasks; with ``reverse`` the largest or newest first.

    Equal tasks are always in the order of creation, the newest first.
    """

    key: SortKey = SortKey.FINISHED
    reverse: bool = True

    def toggled(self, key: SortKey) -> TaskSort:
        """Return the order by ``key``: reversed if it is the key already.

        Otherwise times and numbers begin with the newest and largest, texts with the first.
        """
        if key is self.key:
            return TaskSort(key, not self.reverse)
        largest_first = (
            SortKey.FINISHED,
            SortKey.CREATED,
            SortKey.ATTEMPTS,
            *DURATION_KEYS,
            *SIZE_KEYS,
            *USAGE_KEYS,
        )
        return TaskSort(key, key in largest_first)


SIZE_KEYS = (SortKey.SIZE, SortKey.DISK, SortKey.FILES)
USAGE_KEYS = (
    SortKey.CORES,
    SortKey.CPU,
    SortKey.USED_CORES,
    SortKey.MEMORY,
    SortKey.USED_MEMORY,
    SortKey.EFFICIENCY,
)
DURATION_KEYS = (SortKey.WAITED, SortKey.RAN)
# Keys with values that change while tasks are read or measured, and those that also change with the
# time.
READ_KEYS = (SortKey.WHAT, SortKey.INPUTS, *SIZE_KEYS, *USAGE_KEYS)
CHANGING_KEYS = (*READ_KEYS, *DURATION_KEYS)


def sort_tasks(
    snapshot: Snapshot,
    sort: TaskSort,
    summaries: Summaries,
    sizes: Sizes,
    now: float,
    usages: Usages = NO_USAGES,
) -> tuple[str, ...]:
    """Return the ids of all tasks in this order; ``now`` is in seconds since the epoch."""
    if sort == TaskSort():
        return snapshot.columns.ids
    ids, tasks = list(snapshot.tasks), list(snapshot.tasks.values())
    times = list(map(creation_time, tasks))
    values = list(map(_sort_value(sort, summaries, sizes, usages, now), tasks))
    # Sorting twice by plain values takes a fifth of the time of sorting by pairs.
    places = list(range(len(ids)))
    places.sort(key=times.__getitem__, reverse=True)
    places.sort(key=values.__getitem__, reverse=sort.reverse)
    return tuple(map(ids.__getitem__, places))


def resort_changed(
    before: tuple[str, ...], snapshot: Snapshot, sort: TaskSort, changed: Set[str]
) -> tuple[str, ...]:
    """Return the order ``before`` after the tasks ``changed`` were changed, added or removed.

    For at most ``MAX_RESORTED`` tasks, and for keys that are not in ``CHANGING_KEYS``.
    """
    key_of = _sort_value(sort, {}, {}, {}, 0.0)
    sign = 1.0 if sort.reverse else -1.0

    def key(task_id: str) -> tuple[Any, float]:
        task = snapshot.tasks[task_id]
        return key_of(task), sign * creation_time(task)

    order = [task_id for task_id in before if task_id not in changed]
    for task_id in changed & snapshot.tasks.keys():
        order.insert(_insertion_row(order, key, key(task_id), reverse=sort.reverse), task_id)
    return tuple(order)


def _insertion_row(
    order: list[str],
    key: Callable[[str], tuple[Any, float]],
    value: tuple[Any, float],
    *,
    reverse: bool,
) -> int:
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        found = key(order[middle])
        if found >= value if reverse else found <= value:
            low = middle + 1
        else:
            high = middle
    return low


def usage_value(usages: Usages, task_id: str, key: SortKey) -> float | None:
    """Return the number in a column of USAGE_KEYS; None if it is not known."""
    usage = usages.get(task_id)
    if usage is None:
        return None
    match key:
        case SortKey.CORES:
            return usage.cores
        case SortKey.CPU:
            return usage.cpu
        case SortKey.USED_CORES:
            return usage.used_cores
        case SortKey.MEMORY:
            return usage.memory
        case SortKey.USED_MEMORY:
            return usage.memory_used
        case _:
            return usage.efficiency


def _finished(task: Task) -> float:
    """Return when a task finished; an unfinished task sorts as the last to finish."""
    return inf if task.finished is None else task.finished


_RANK = {status: rank for rank, status in enumerate(Status)}


def _sort_value(
    sort: TaskSort, summaries: Summaries, sizes: Sizes, usages: Usages, now: float
) -> Callable[[Task], Any]:
    key = sort.key
    if key in DURATION_KEYS:
        duration = queue_time if key is SortKey.WAITED else run_time
        return lambda task: -1.0 if (found := duration(task, now)) is None else found
    if key is SortKey.SIZE:
        return lambda task: found.size.bytes if (found := sizes.get(task.id)) else -1
    if key is SortKey.DISK:
        return lambda task: found.size.disk_bytes if (found := sizes.get(task.id)) else -1
    if key is SortKey.FILES:
        return lambda task: found.size.files if (found := sizes.get(task.id)) else -1
    if key in USAGE_KEYS:
        last = -1.0 if sort.reverse else inf  # an unknown usage, in both directions
        return lambda task: last if (found := usage_value(usages, task.id, key)) is None else found
    if key is SortKey.WHAT:
        return lambda task: summaries.get(task.id, NO_SUMMARY).code_text.casefold()
    if key is SortKey.INPUTS:
        return lambda task: natural_key(summaries.get(task.id, NO_SUMMARY).inputs_text)
    return _SORT_VALUES[key]


_SORT_VALUES: Mapping[SortKey, Callable[[Task], Any]] = {
    SortKey.STATUS: lambda task: _RANK[task.status],
    SortKey.BUNDLE: lambda task: " ".join(task.bundles),
    SortKey.CREATED: creation_time,
    SortKey.FINISHED: _finished,
    SortKey.ATTEMPTS: lambda task: len(task.chain),
    SortKey.LANG: lambda task: task.lang.shown,
    SortKey.ID: lambda task: task.id,
}


def natural_key(inputs_text: str) -> tuple[str, float, str]:
    """Return a key by name, number and text, so that ``n = 9`` sorts before ``n = 10``."""
    name, _, value = inputs_text.partition(" = ")
    try:
        return name, float(value.partition(",")[0].rstrip("L")), value
    except ValueError:
        return name, inf, value
