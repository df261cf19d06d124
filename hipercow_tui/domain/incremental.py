"""Update derived values incrementally from one snapshot to the next.

Of 100,000 tasks few change at a time, and in the first scan of a root they are added by thousands.
Deriving the columns of all tasks takes 0.1 s. Half of that is in two calls that no other thread can
interrupt, so the user notices it at the keys. An incremental update takes 2 µs a changed task.
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


def derive_incrementally(before: Snapshot, now: Snapshot, changed: Set[str]) -> None:
    """Set the cached properties of ``now`` from those of ``before``, if ``before`` has them.

    ``changed`` holds the ids of all tasks that were changed, added or removed between the two
    snapshots. A change of a task's bundles or chain is a change of the task.
    """
    for old_part, new_part in zip(before.by_language, now.by_language, strict=False):
        derive_incrementally(old_part, new_part, changed)
    known, derived = vars(before), vars(now)
    changes = [(i, before.tasks.get(i), now.tasks.get(i)) for i in changed]
    if "columns" in known and "columns" not in derived:
        derived["columns"] = _update_columns(before, changes)
    if before.bundles is not now.bundles or before.chains is not now.chains:
        return
    if "non_task_ids" in known:
        missing = [i for i, old, new in changes if new is None and _is_named(i, old, before)]
        derived["missing_ids"] = (before.missing_ids - changed).union(missing)
        non_tasks = [i for i, _, new in changes if new is not None and not new.exists]
        derived["non_task_ids"] = (before.non_task_ids - changed).union(missing, non_tasks)


_Changes: TypeAlias = Sequence[tuple[str, Task | None, Task | None]]  # id, old task, new task


def _is_named(task_id: str, old: Task | None, before: Snapshot) -> bool:
    """Return whether a bundle or a chain names the task."""
    return task_id in before.missing_ids if old is None else bool(old.bundles or old.chain)


def _update_columns(before: Snapshot, changes: _Changes) -> TaskColumns:
    columns = before.columns
    removed_rows = [_row_of(old, columns) for _, old, _ in changes if old is not None]
    added = TaskColumns.from_tasks(
        [new for _, _, new in changes if new is not None], columns.relation_kinds
    )
    edits: list[_Edit] = [
        *_insertions(added, before, changes),
        *[(row, None) for row in removed_rows],
    ]
    if removed_rows:
        edits.sort(key=itemgetter(0))
    return _splice(columns, added, edits)


def _row_of(task: Task, columns: TaskColumns) -> int:
    if task.finished is None:
        key, start, stop = -creation_time(task), 0, columns.unfinished_count
    else:
        key, start, stop = -task.finished, columns.unfinished_count, len(columns.ids)
    return columns.ids.index(task.id, bisect_left(columns.keys, key, start, stop))


# A row of the old columns, and the added row to insert before it; None removes the old row.
_Edit: TypeAlias = tuple[int, int | None]


def _insertions(added: TaskColumns, before: Snapshot, changes: _Changes) -> Iterator[_Edit]:
    """Yield where each added row is inserted; rows of equal key are in the order of creation."""
    columns, tasks, start = before.columns, before.tasks, 0
    keys, ids = columns.keys, columns.ids
    created = {task_id: creation_time(new) for task_id, _, new in changes if new is not None}
    stop = columns.unfinished_count
    for row, key in enumerate(added.keys):
        if row == added.unfinished_count:
            start = stop
            stop = len(ids)
        start = place = bisect_left(keys, key, start, stop)
        while row >= added.unfinished_count and place < stop and keys[place] == key:
            if creation_time(tasks[ids[place]]) <= created[added.ids[row]]:
                break
            place += 1
        yield place, row


def _splice(columns: TaskColumns, added: TaskColumns, edits: Sequence[_Edit]) -> TaskColumns:
    """Apply edits, which are sorted by row, to the columns."""
    ids: list[str] = []
    keys, status_codes, latest_codes = array("d"), bytearray(), bytearray()
    relation_codes = array("I")
    done = 0

    def copy(source: TaskColumns, start: int, stop: int) -> None:
        ids.extend(source.ids[start:stop])
        keys.extend(source.keys[start:stop])
        status_codes.extend(source.status_codes[start:stop])
        latest_codes.extend(source.latest_codes[start:stop])
        relation_codes.extend(source.relation_codes[start:stop])

    for old_row, added_row in edits:
        if done < old_row:
            copy(columns, done, old_row)
        done = old_row
        if added_row is None:
            done += 1
        else:
            copy(added, added_row, added_row + 1)
    copy(columns, done, len(columns.ids))
    removed = sum(1 for row, insert in edits if insert is None and row < columns.unfinished_count)
    unfinished_count = columns.unfinished_count - removed + added.unfinished_count
    return TaskColumns(
        ids=tuple(ids),
        unfinished_count=unfinished_count,
        keys=keys,
        status_codes=bytes(status_codes),
        latest_codes=bytes(latest_codes),
        relation_codes=relation_codes,
        relation_kinds=added.relation_kinds,
    )
