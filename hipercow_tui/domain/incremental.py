"""What was worked out of a snapshot, kept for the one that follows it.

Of 100,000 tasks few change at a time, and while a root is first read they come in by thousands: to
group and order all of them again takes 0.1 s, half of it in two calls that no other thread can
break in upon, which is felt at the keys. Here it costs 2 µs for each that moved.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from operator import itemgetter
from typing import TypeAlias

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task, creation_time
from hipercow_tui.domain.task_columns import TaskColumns


def derive_incrementally(before: Snapshot, now: Snapshot, moved: Set[str]) -> None:
    """Give ``now`` what ``before`` has worked out, brought up to date by the tasks ``moved``: all
    that have changed, come or gone, also in how they hang together."""
    for was, part in zip(before.by_language, now.by_language, strict=False):
        derive_incrementally(was, part, moved)
    known, found = vars(before), vars(now)
    moves = [(i, before.tasks.get(i), now.tasks.get(i)) for i in moved]
    if "columns" in known and "columns" not in found:
        found["columns"] = _update_columns(before, moves)
    if before.bundles is not now.bundles or before.chains is not now.chains:
        return
    if "non_task_ids" in known:
        gone = [i for i, was, task in moves if task is None and _is_named(i, was, before)]
        found["missing_ids"] = (before.missing_ids - moved).union(gone)
        no_tasks = [i for i, _, task in moves if task is not None and not task.exists]
        found["non_task_ids"] = (before.non_task_ids - moved).union(gone, no_tasks)


_Changes: TypeAlias = Sequence[tuple[str, Task | None, Task | None]]  # id, as it was, as it is


def _is_named(task_id: str, was: Task | None, before: Snapshot) -> bool:
    """Whether a bundle or a chain names it."""
    return task_id in before.missing_ids if was is None else bool(was.bundles or was.chain)


def _update_columns(before: Snapshot, moves: _Changes) -> TaskColumns:
    """The lineup without what has left its place, and with what has come to one."""
    columns = before.columns
    leaving = [_row_of(was, columns) for _, was, _ in moves if was is not None]
    coming = TaskColumns.from_tasks(
        [task for _, _, task in moves if task is not None], columns.relation_kinds
    )
    cuts: list[_Edit] = [*_insertions(coming, before, moves), *[(at, None) for at in leaving]]
    if leaving:
        cuts.sort(key=itemgetter(0))
    return _splice(columns, coming, cuts)


def _row_of(task: Task, columns: TaskColumns) -> int:
    if task.finished is None:
        key, start, stop = -creation_time(task), 0, columns.unfinished_count
    else:
        key, start, stop = -task.finished, columns.unfinished_count, len(columns.ids)
    return columns.ids.index(task.id, bisect_left(columns.keys, key, start, stop))


# Before which row of the lineup a row of what comes is put in, or, without one, which is left out.
_Edit: TypeAlias = tuple[int, int | None]


def _insertions(coming: TaskColumns, before: Snapshot, moves: _Changes) -> Iterator[_Edit]:
    """Before what each belongs; what finished at the same time stands in the order of creation."""
    columns, tasks, at = before.columns, before.tasks, 0
    keys, ids = columns.keys, columns.ids
    made = {task_id: creation_time(task) for task_id, _, task in moves if task is not None}
    stop = columns.unfinished_count
    for row, key in enumerate(coming.keys):
        if row == coming.unfinished_count:
            at = stop
            stop = len(ids)
        at = place = bisect_left(keys, key, at, stop)
        while row >= coming.unfinished_count and place < stop and keys[place] == key:
            if creation_time(tasks[ids[place]]) <= made[coming.ids[row]]:
                break
            place += 1
        yield place, row


def _splice(columns: TaskColumns, coming: TaskColumns, cuts: Sequence[_Edit]) -> TaskColumns:
    ids: list[str] = []
    keys, own, tips, bonds = array("d"), bytearray(), bytearray(), array("I")
    done = 0

    def take(source: TaskColumns, start: int, stop: int) -> None:
        ids.extend(source.ids[start:stop])
        keys.extend(source.keys[start:stop])
        own.extend(source.status_codes[start:stop])
        tips.extend(source.latest_codes[start:stop])
        bonds.extend(source.relation_codes[start:stop])

    for at, row in cuts:
        if done < at:
            take(columns, done, at)
        done = at
        if row is None:
            done += 1
        else:
            take(coming, row, row + 1)
    take(columns, done, len(columns.ids))
    left = sum(1 for at, row in cuts if row is None and at < columns.unfinished_count)
    under_way = columns.unfinished_count - left + coming.unfinished_count
    return TaskColumns(
        tuple(ids), under_way, keys, bytes(own), bytes(tips), bonds, coming.relation_kinds
    )
