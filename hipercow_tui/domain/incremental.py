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
from hipercow_tui.domain.task import Task, created
from hipercow_tui.domain.task_columns import Lineup


def take_over(before: Snapshot, now: Snapshot, moved: Set[str]) -> None:
    """Give ``now`` what ``before`` has worked out, brought up to date by the tasks ``moved``: all
    that have changed, come or gone, also in how they hang together."""
    for was, part in zip(before.parts, now.parts, strict=False):
        take_over(was, part, moved)
    known, found = vars(before), vars(now)
    moves = [(i, before.tasks.get(i), now.tasks.get(i)) for i in moved]
    if "lineup" in known and "lineup" not in found:
        found["lineup"] = _lined_up(before, moves)
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


def _lined_up(before: Snapshot, moves: _Moves) -> Lineup:
    """The lineup without what has left its place, and with what has come to one."""
    lineup = before.lineup
    leaving = [_place_of(was, lineup) for _, was, _ in moves if was is not None]
    coming = Lineup.of([task for _, _, task in moves if task is not None], lineup.kinds)
    cuts: list[_Cut] = [*_places_for(coming, before, moves), *[(at, None) for at in leaving]]
    if leaving:
        cuts.sort(key=itemgetter(0))
    return _spliced(lineup, coming, cuts)


def _place_of(task: Task, lineup: Lineup) -> int:
    if task.finished is None:
        key, start, stop = -created(task), 0, lineup.under_way
    else:
        key, start, stop = -task.finished, lineup.under_way, len(lineup.ids)
    return lineup.ids.index(task.id, bisect_left(lineup.keys, key, start, stop))


# Before which row of the lineup a row of what comes is put in, or, without one, which is left out.
_Cut: TypeAlias = tuple[int, int | None]


def _places_for(coming: Lineup, before: Snapshot, moves: _Moves) -> Iterator[_Cut]:
    """Before what each belongs; what finished at the same time stands in the order of creation."""
    lineup, tasks, at = before.lineup, before.tasks, 0
    keys, ids = lineup.keys, lineup.ids
    made = {task_id: created(task) for task_id, _, task in moves if task is not None}
    stop = lineup.under_way
    for row, key in enumerate(coming.keys):
        if row == coming.under_way:
            at = stop
            stop = len(ids)
        at = place = bisect_left(keys, key, at, stop)
        while row >= coming.under_way and place < stop and keys[place] == key:
            if created(tasks[ids[place]]) <= made[coming.ids[row]]:
                break
            place += 1
        yield place, row


def _spliced(lineup: Lineup, coming: Lineup, cuts: Sequence[_Cut]) -> Lineup:
    ids: list[str] = []
    keys, own, tips, bonds = array("d"), bytearray(), bytearray(), array("I")
    done = 0

    def take(source: Lineup, start: int, stop: int) -> None:
        ids.extend(source.ids[start:stop])
        keys.extend(source.keys[start:stop])
        own.extend(source.own[start:stop])
        tips.extend(source.tips[start:stop])
        bonds.extend(source.bonds[start:stop])

    for at, row in cuts:
        if done < at:
            take(lineup, done, at)
        done = at
        if row is None:
            done += 1
        else:
            take(coming, row, row + 1)
    take(lineup, done, len(lineup.ids))
    left = sum(1 for at, row in cuts if row is None and at < lineup.under_way)
    under_way = lineup.under_way - left + coming.under_way
    return Lineup(tuple(ids), under_way, keys, bytes(own), bytes(tips), bonds, coming.kinds)
