"""The tasks of a snapshot as columns, for filters, counts and table rows.

A set of tasks is a mask with one byte a task. Two masks of a million tasks are combined in 2 ms;
two sets of ids take 0.1 s to make, and 60 bytes an id. See docs/decisions/column-table.md.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, compress, count
from operator import and_, attrgetter, neg
from typing import NamedTuple, TypeAlias, TypeVar

from hipercow_tui.domain.task import Lang, Status, Task, creation_time

_T = TypeVar("_T")
_ID, _FINISHED, _LATEST_STATUS = (
    attrgetter("id"),
    attrgetter("finished"),
    attrgetter("latest_status"),
)

# One byte a task, in the order of TaskColumns.ids: 1 if the task is in the set, else 0.
TaskMask: TypeAlias = bytes

_NO_STATUS = len(Status)
_CODES: Mapping[Status | None, int] = {
    **{status: code for code, status in enumerate(Status)},
    None: _NO_STATUS,
}


class TaskRelations(NamedTuple):
    """The relations of a task to others; many tasks have the same.

    ``bundles`` are the names of its bundles, ``chained`` is whether it is in a retry chain.
    """

    lang: Lang
    bundles: tuple[str, ...]
    chained: bool


def _relations_of(task: Task) -> TaskRelations:
    return tuple.__new__(TaskRelations, (task.lang, task.bundles, bool(task.chain)))


def _status_code(task: Task) -> int:
    return _CODES[task.status] if task.exists else _NO_STATUS


def mask_where(column: bytes, statuses: Iterable[Status]) -> TaskMask:
    """Return the mask of the tasks that have one of the statuses in a column of status codes."""
    return _mask_where_codes(column, map(_CODES.__getitem__, statuses))


def _mask_where_codes(column: bytes, codes: Iterable[int]) -> TaskMask:
    table = bytearray(256)
    for code in codes:
        table[code] = 1
    return column.translate(table)


def mask_and(masks: Sequence[TaskMask]) -> TaskMask:
    """Return the intersection of at least one mask."""
    first, *others = masks
    if not others:
        return first
    numbers = (int.from_bytes(mask, "little") for mask in others)
    both = reduce(and_, numbers, int.from_bytes(first, "little"))
    return both.to_bytes(len(first), "little")


def _compress(column: Iterable[_T], mask: TaskMask) -> Iterator[_T]:
    """Return the values of the tasks in the mask; fast if it is empty, as it often is."""
    return compress(column, mask) if 1 in mask else iter(())


@dataclass(frozen=True, slots=True)
class TaskColumns:
    """All tasks of a snapshot as columns, the newest task first.

    Unfinished tasks come first, ordered by creation, then the finished ones, ordered by the time
    they finished and, if that is equal, by creation.

    Attributes:
        ids: The ids of the tasks.
        unfinished_count: How many of the first tasks have not finished.
        keys: The times by which they are ordered, negative, so that each of the two parts ascends.
        status_codes: A byte for the status of each task.
        latest_codes: A byte for the status of each task's latest attempt.
        relation_codes: A number for the relations of each task.
        relation_kinds: The number of each kind of relations, in ascending order.
    """

    ids: tuple[str, ...]
    unfinished_count: int
    keys: array[float]
    status_codes: bytes
    latest_codes: bytes
    relation_codes: array[int]
    relation_kinds: Mapping[TaskRelations, int]

    @classmethod
    def from_tasks(
        cls, tasks: Collection[Task], kinds: Mapping[TaskRelations, int] | None = None
    ) -> TaskColumns:
        """Sort tasks and make their columns: 1 µs a task.

        ``kinds`` are relations that have a number already; others get the next numbers.
        """
        unfinished = [task for task in tasks if task.finished is None]
        finished = [task for task in tasks if task.finished is not None]
        for part in (unfinished, finished):
            part.sort(key=creation_time, reverse=True)
        finished.sort(key=_FINISHED, reverse=True)
        ordered = unfinished + finished
        times = chain(map(creation_time, unfinished), map(_FINISHED, finished))
        known = kinds or {}
        numbers = defaultdict(count(len(known)).__next__, known)
        return cls(
            ids=tuple(map(_ID, ordered)),
            unfinished_count=len(unfinished),
            keys=array("d", map(neg, times)),
            status_codes=bytes(map(_status_code, ordered)),
            latest_codes=bytes(map(_CODES.__getitem__, map(_LATEST_STATUS, ordered))),
            relation_codes=array("I", map(numbers.__getitem__, map(_relations_of, ordered))),
            relation_kinds=dict(numbers),
        )

    def count_status(self, status: Status) -> int:
        """Return the number of tasks with that status; retries do not count."""
        return self.status_codes.count(_CODES[status])

    def count_older_than(self, moment: float) -> int:
        """Return how many tasks, the last ones, finished before ``moment`` (epoch seconds)."""
        size = len(self.ids)
        return size - bisect_right(self.keys, -moment, self.unfinished_count, size)

    @property
    def non_task_mask(self) -> TaskMask:
        """The folders that are not tasks (``Task.exists``)."""
        return _mask_where_codes(self.status_codes, [_NO_STATUS])

    def where_relations(self, predicate: Callable[[TaskRelations], bool]) -> TaskMask:
        """Return the tasks with relations that fulfil a predicate, called once for each kind."""
        fulfilled = list(map(predicate, self.relation_kinds))
        return bytes(map(fulfilled.__getitem__, self.relation_codes))

    def relations_of(self, mask: TaskMask) -> list[TaskRelations]:
        """Return the different relations of the tasks in a mask."""
        kinds = tuple(self.relation_kinds)
        return [kinds[number] for number in set(_compress(self.relation_codes, mask))]

    def select(self, mask: TaskMask) -> Iterator[str]:
        """Return the ids of the tasks in a mask."""
        return _compress(self.ids, mask)
