"""What was worked out of a snapshot, kept for the one that follows it.

Of 100,000 tasks few change at a time; to group and order all of them again takes 0.3 s of pure
work, which is felt at the keys.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Set

from hipercow_tui.model import Snapshot, Status, Task

FEW = 2000  # tasks that are taken out and put in one by one, at some 60 µs each


def take_over(before: Snapshot, now: Snapshot, moved: Set[str]) -> None:
    """Give ``now`` what ``before`` has worked out, brought up to date by the tasks ``moved``: all
    that have changed, come or gone, also in how they hang together."""
    if len(moved) > FEW:
        return
    known, found = vars(before), vars(now)
    if "by_status" in known:
        found["by_status"] = _regrouped(before, now, moved)
    if "finished_order" in known:
        found["finished_order"] = _reordered(before, now, moved)
    if before.bundles is not now.bundles or before.chains is not now.chains:
        return
    if "absent" in known:
        found["gone"] = frozenset(before.gone - moved).union(
            [i for i in moved if i not in now.tasks and _named(i, before)]
        )
        found["absent"] = frozenset(before.absent - moved).union(
            [i for i in moved if i in now.gone or _is_no_task(now.tasks.get(i))]
        )


def _own(task: Task) -> Status | None:
    return task.status if task.exists else None


def _is_no_task(task: Task | None) -> bool:
    return task is not None and not task.exists


def _named(task_id: str, before: Snapshot) -> bool:
    """Whether a bundle or a chain names it."""
    task = before.tasks.get(task_id)
    return task_id in before.gone or (task is not None and bool(task.bundles or task.chain))


def _regrouped(before: Snapshot, now: Snapshot, moved: Set[str]) -> Mapping[Status, frozenset[str]]:
    leaving: dict[Status, list[str]] = {}
    coming: dict[Status, list[str]] = {}
    for task_id in moved:
        for snapshot, changes in ((before, leaving), (now, coming)):
            task = snapshot.tasks.get(task_id)
            if task is not None and (status := _own(task)) is not None:
                changes.setdefault(status, []).append(task_id)
    same = leaving.keys() | coming.keys()
    return {
        status: ids.difference(leaving.get(status, ())).union(coming.get(status, ()))
        if status in same
        else ids
        for status, ids in before.by_status.items()
    }


def _reordered(
    before: Snapshot, now: Snapshot, moved: Set[str]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    old_times, old_ids = before.finished_order
    times, ids = list(old_times), list(old_ids)
    for task_id in moved:
        was, task = before.tasks.get(task_id), now.tasks.get(task_id)
        then = None if was is None else was.finished
        moment = None if task is None else task.finished
        if then == moment:
            continue
        if then is not None:
            at = ids.index(task_id, bisect_left(times, then))
            del times[at], ids[at]
        if moment is not None:
            at = _place(times, ids, now, task_id, moment)
            times.insert(at, moment)
            ids.insert(at, task_id)
    return tuple(times), tuple(ids)


def _place(times: list[float], ids: list[str], now: Snapshot, task_id: str, moment: float) -> int:
    """What finished at the same time stands in the order of creation."""
    at = bisect_left(times, moment)
    created = now.tasks[task_id].created or 0.0
    while at < len(times) and times[at] == moment and (now.tasks[ids[at]].created or 0.0) < created:
        at += 1
    return at
