from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from small_root import NOW, snapshot_of, successions, task_id

from hipercow_tui.analysis import task_sorting
from hipercow_tui.analysis.bundle_rows import BundleLines
from hipercow_tui.analysis.task_sorting import UNSETTLED, Key, Sort, ordered, reordered
from hipercow_tui.domain.combined_snapshot import together
from hipercow_tui.domain.incremental import take_over
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task, moved_tasks

WORKED_OUT = ("gone", "absent")


@given(successions(), st.sets(st.sampled_from([*WORKED_OUT, "lineup"])))
def test_what_is_taken_over_is_what_would_be_worked_out(
    both: tuple[Snapshot, Snapshot], asked: set[str]
) -> None:
    before, now = both
    for name in asked:
        getattr(before, name)
    fresh = replace(now)
    take_over(before, now, moved_tasks(before.tasks, now.tasks))
    for name in WORKED_OUT:
        assert getattr(now, name) == getattr(fresh, name), name
    assert now.lineup.under_way == fresh.lineup.under_way
    assert now.lineup.keys == fresh.lineup.keys
    assert _rows(now) == _rows(fresh)


def _rows(snapshot: Snapshot) -> list[tuple[float, str, int, int]]:
    """What stands in the rows, whichever comes first of those that nothing puts in order."""
    found = snapshot.lineup
    return sorted(zip(found.keys, found.ids, found.own, found.tips, strict=True))


@given(successions())
def test_tasks_that_moved_are_those_that_differ(both: tuple[Snapshot, Snapshot]) -> None:
    before, now = (dict(snapshot.tasks) for snapshot in both)
    differing = {i for i in before.keys() | now.keys() if before.get(i) != now.get(i)}
    assert moved_tasks(before, now) == differing


settled = st.sampled_from([key for key in Key if key not in UNSETTLED])


@given(successions(), settled, st.booleans())
def test_who_moved_stands_where_a_new_order_would_put_it(
    both: tuple[Snapshot, Snapshot], key: Key, reverse: bool
) -> None:
    before, now = both
    sort = Sort(key, reverse)
    first = ordered(before, sort, {}, {}, NOW)
    moved = moved_tasks(before.tasks, now.tasks)
    found = reordered(first, now, sort, moved)
    wanted = ordered(now, sort, {}, {}, NOW)
    assert sorted(found) == sorted(wanted)

    def place(i: str) -> tuple[object, float]:
        task = now.tasks[i]
        return task_sorting._KEYS[key](task), task.created or 0.0

    assert list(map(place, found)) == list(map(place, wanted))


@given(successions())
def test_lines_of_bundles_are_made_anew_where_their_tasks_changed(
    both: tuple[Snapshot, Snapshot],
) -> None:
    before, now = both
    lines = BundleLines()
    lines.of(before, {})
    moved = moved_tasks(before.tasks, now.tasks)
    moves = [(before.tasks.get(i), now.tasks.get(i)) for i in moved]
    assert lines.of(now, {}, moves) == BundleLines().of(now, {})


def test_what_leaves_and_what_comes_at_the_same_time_stand_in_the_order_of_creation() -> None:
    first, second, third, fourth = map(task_id, range(4))

    def ended(i: str, created: float) -> Task:
        return Task(i, Status.SUCCESS, 1, created=created, finished=100.0)

    before = snapshot_of([ended(first, 1.0), ended(second, 2.0), ended(third, 4.0)])
    now = snapshot_of([ended(second, 2.0), ended(fourth, 3.0), ended(third, 4.0)])
    assert before.lineup.ids == (third, second, first)
    take_over(before, now, moved_tasks(before.tasks, now.tasks))
    assert vars(now)["lineup"].ids == (third, fourth, second)


def test_each_language_takes_over_its_own() -> None:
    before, now = [
        together(
            snapshot_of([Task(task_id(0), status, 1)]),
            replace(snapshot_of([Task(task_id(1), status, 1, lang=Lang.PY)]), lang=Lang.PY),
        )
        for status in (Status.RUNNING, Status.SUCCESS)
    ]
    for part in before.parts:
        part.lineup  # noqa: B018
    take_over(before, now, moved_tasks(before.tasks, now.tasks))
    for place, part in enumerate(now.parts):
        assert vars(part)["lineup"].number_of(Status.SUCCESS) == 1
        assert vars(part)["lineup"].ids == (task_id(place),)
