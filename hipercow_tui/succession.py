"""What was worked out of a snapshot, kept for the one that follows it.

Of 100,000 tasks few change at a time, and while a root is first read they come in by thousands: to
group and order all of them again takes 0.1 s, half of it in two calls that no other thread can
break in upon, which is felt at the keys. Here it costs 2 µs for each that moved.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from operator import itemgetter, neg
from typing import TypeAlias

from hipercow_tui.model import Lineup, Snapshot, Task, created, in_order, own_code, tip_code


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
    coming = in_order([task for _, _, task in moves if task is not None])
    cuts: list[_Cut] = [*_places_for(coming, before), *[(at, None) for at in leaving]]
    if leaving:
        cuts.sort(key=itemgetter(0))
    return _spliced(lineup, cuts)


# Before which row a task is put in, or, without one, which row is left out.
_Cut: TypeAlias = tuple[int, Task | None]


def _section(task: Task, lineup: Lineup) -> tuple[float, int, int]:
    """The time that gives a task its place, and the rows among which that is."""
    if task.finished is None:
        return created(task), 0, lineup.under_way
    return task.finished, lineup.under_way, len(lineup.ids)


def _place_of(task: Task, lineup: Lineup) -> int:
    time, start, stop = _section(task, lineup)
    return lineup.ids.index(task.id, bisect_left(lineup.times, -time, start, stop, key=neg))


def _places_for(coming: Iterable[Task], before: Snapshot) -> Iterator[_Cut]:
    """Before what each of these, the newest first, belongs; what finished at the same time stands
    in the order of creation."""
    lineup, tasks, at = before.lineup, before.tasks, 0
    for task in coming:
        time, start, stop = _section(task, lineup)
        at = bisect_left(lineup.times, -time, max(at, start), stop, key=neg)
        place = at
        while place < stop and lineup.times[place] == time:
            if created(tasks[lineup.ids[place]]) <= created(task):
                break
            place += 1
        yield place, task


def _spliced(lineup: Lineup, cuts: Iterable[_Cut]) -> Lineup:
    ids: list[str] = []
    times, own, tips = array("d"), bytearray(), bytearray()
    under_way, done = lineup.under_way, 0

    def keep(stop: int | None) -> None:
        ids.extend(lineup.ids[done:stop])
        times.extend(lineup.times[done:stop])
        own.extend(lineup.own[done:stop])
        tips.extend(lineup.tips[done:stop])

    for at, task in cuts:
        if done < at:
            keep(at)
        done = at
        if task is None:
            under_way -= at < lineup.under_way
            done += 1
        else:
            under_way += task.finished is None
            ids.append(task.id)
            times.append(created(task) if task.finished is None else task.finished)
            own.append(own_code(task))
            tips.append(tip_code(task))
    keep(None)
    return Lineup(tuple(ids), under_way, times, bytes(own), bytes(tips))
