"""What was worked out of a snapshot, kept for the one that follows it.

Of 100,000 tasks few change at a time, and while a root is first read they come in by thousands: to
group and order all of them again takes 0.1 s, half of it in two calls that no other thread can
break in upon, which is felt at the keys. Here it costs 2 µs for each that moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from operator import itemgetter
from typing import TypeAlias

from hipercow_tui.model import (
    FinishedOrder,
    Snapshot,
    Status,
    StatusGroups,
    Task,
    created,
    in_order_of_finishing,
)


def take_over(before: Snapshot, now: Snapshot, moved: Set[str]) -> None:
    """Give ``now`` what ``before`` has worked out, brought up to date by the tasks ``moved``: all
    that have changed, come or gone, also in how they hang together."""
    for was, part in zip(before.parts, now.parts, strict=False):
        take_over(was, part, moved)
    known, found = vars(before), vars(now)
    moves = [(i, before.tasks.get(i), now.tasks.get(i)) for i in moved]
    if "by_status" in known and "by_status" not in found:
        found["by_status"] = _regrouped(before.by_status, moves)
    if "finished_order" in known and "finished_order" not in found:
        found["finished_order"] = _reordered(before, moves)
    if before.bundles is not now.bundles or before.chains is not now.chains:
        return
    if "absent" in known:
        gone = [i for i, was, task in moves if task is None and _is_named(i, was, before)]
        found["gone"] = (before.gone - moved).union(gone)
        no_tasks = [i for i, _, task in moves if task is not None and not task.exists]
        found["absent"] = (before.absent - moved).union(gone, no_tasks)


_Moves: TypeAlias = Sequence[tuple[str, Task | None, Task | None]]  # id, as it was, as it is


def _is_named(task_id: str, was: Task | None, before: Snapshot) -> bool:
    """Whether a bundle or a chain names it."""
    return task_id in before.gone if was is None else bool(was.bundles or was.chain)


def _regrouped(before: StatusGroups, moves: _Moves) -> StatusGroups:
    leaving: dict[Status, set[str]] = {status: set() for status in Status}
    coming: dict[Status, list[str]] = {status: [] for status in Status}
    for task_id, was, task in moves:
        if was is not None and was.exists:
            leaving[was.status].add(task_id)
        if task is not None and task.exists:
            coming[task.status].append(task_id)
    groups = {}
    for status, ids in before.ids.items():
        gone = leaving[status]
        staying = [i for i in ids if i not in gone] if gone else ids
        groups[status] = (*staying, *coming[status]) if gone or coming[status] else ids
    return StatusGroups(groups)


def _reordered(before: Snapshot, moves: _Moves) -> FinishedOrder:
    times, ids = before.finished_order
    leaving: list[int] = []
    coming: list[Task] = []
    for task_id, was, task in moves:
        then = None if was is None else was.finished
        if then == (None if task is None else task.finished):
            continue
        if then is not None:
            leaving.append(ids.index(task_id, bisect_left(times, then)))
        if task is not None and task.finished is not None:
            coming.append(task)
    return _spliced(before.finished_order, leaving, _placed(before, in_order_of_finishing(coming)))


def _placed(before: Snapshot, coming: Sequence[Task]) -> Iterator[tuple[int, Task]]:
    """Before what each belongs; what finished at the same time stands in the order of creation."""
    times, ids = before.finished_order
    tasks, size, at = before.tasks, len(ids), 0
    for task in coming:
        finished = task.finished or 0.0
        at = bisect_left(times, finished, at)
        place = at
        while place < size and times[place] == finished:
            if created(tasks[ids[place]]) >= created(task):
                break
            place += 1
        yield place, task


def _spliced(
    order: FinishedOrder, leaving: Sequence[int], coming: Iterable[tuple[int, Task]]
) -> FinishedOrder:
    """The order without what stands at these places, and with others put in before them."""
    cuts: list[tuple[int, Task | None]] = [*coming, *[(at, None) for at in leaving]]
    if leaving:
        cuts.sort(key=itemgetter(0))
    old_times, old_ids = order
    times: list[float] = []
    ids: list[str] = []
    done = 0
    for at, task in cuts:
        if done < at:
            times += old_times[done:at]
            ids += old_ids[done:at]
        done = at
        if task is None:
            done += 1
        elif task.finished is not None:
            times.append(task.finished)
            ids.append(task.id)
    return (*times, *old_times[done:]), (*ids, *old_ids[done:])
