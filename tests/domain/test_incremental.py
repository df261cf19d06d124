from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from small_root import NOW, snapshot_of, successions, task_id

from hipercow_tui.analysis import task_sorting
from hipercow_tui.analysis.bundle_rows import BundleRowBuilder
from hipercow_tui.analysis.task_sorting import (
    CHANGING_KEYS,
    SortKey,
    TaskSort,
    resort_changed,
    sort_tasks,
)
from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.incremental import derive_incrementally
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task, changed_ids

WORKED_OUT = ("missing_ids", "non_task_ids")


@given(successions(), st.sets(st.sampled_from([*WORKED_OUT, "columns"])))
def test_incremental_values_equal_derived_values(
    both: tuple[Snapshot, Snapshot], asked: set[str]
) -> None:
    before, now = both
    for name in asked:
        getattr(before, name)
    fresh = replace(now)
    derive_incrementally(before, now, changed_ids(before.tasks, now.tasks))
    for name in WORKED_OUT:
        assert getattr(now, name) == getattr(fresh, name), name
    assert now.columns.unfinished_count == fresh.columns.unfinished_count
    assert now.columns.keys == fresh.columns.keys
    assert _rows(now) == _rows(fresh)


def _rows(snapshot: Snapshot) -> list[tuple[float, str, int, int]]:
    """Return the rows in an order that does not depend on the order of equal rows."""
    found = snapshot.columns
    return sorted(zip(found.keys, found.ids, found.status_codes, found.latest_codes, strict=True))


@given(successions())
def test_changed_ids_are_those_of_tasks_that_differ(both: tuple[Snapshot, Snapshot]) -> None:
    before, now = (dict(snapshot.tasks) for snapshot in both)
    differing = {i for i in before.keys() | now.keys() if before.get(i) != now.get(i)}
    assert changed_ids(before, now) == differing


settled = st.sampled_from([key for key in SortKey if key not in CHANGING_KEYS])


@given(successions(), settled, st.booleans())
def test_resorted_tasks_are_where_sorting_puts_them(
    both: tuple[Snapshot, Snapshot], key: SortKey, reverse: bool
) -> None:
    before, now = both
    sort = TaskSort(key, reverse)
    first = sort_tasks(before, sort, {}, {}, NOW)
    moved = changed_ids(before.tasks, now.tasks)
    found = resort_changed(first, now, sort, moved)
    wanted = sort_tasks(now, sort, {}, {}, NOW)
    assert sorted(found) == sorted(wanted)

    def place(i: str) -> tuple[object, float]:
        task = now.tasks[i]
        return task_sorting._SORT_VALUES[key](task), task.created or 0.0

    assert list(map(place, found)) == list(map(place, wanted))


@given(successions())
def test_bundle_rows_are_rebuilt_only_for_changed_tasks(
    both: tuple[Snapshot, Snapshot],
) -> None:
    before, now = both
    lines = BundleRowBuilder()
    lines.build(before, {})
    moved = changed_ids(before.tasks, now.tasks)
    moves = [(before.tasks.get(i), now.tasks.get(i)) for i in moved]
    assert lines.build(now, {}, moves) == BundleRowBuilder().build(now, {})


def test_tasks_with_equal_times_stay_in_the_order_of_creation() -> None:
    first, second, third, fourth = map(task_id, range(4))

    def ended(i: str, created: float) -> Task:
        return Task(i, Status.SUCCESS, 1, created=created, finished=100.0)

    before = snapshot_of([ended(first, 1.0), ended(second, 2.0), ended(third, 4.0)])
    now = snapshot_of([ended(second, 2.0), ended(fourth, 3.0), ended(third, 4.0)])
    assert before.columns.ids == (third, second, first)
    derive_incrementally(before, now, changed_ids(before.tasks, now.tasks))
    assert vars(now)["columns"].ids == (third, fourth, second)


def test_each_language_is_updated_by_itself() -> None:
    before, now = [
        combine_snapshots(
            snapshot_of([Task(task_id(0), status, 1)]),
            replace(snapshot_of([Task(task_id(1), status, 1, lang=Lang.PY)]), lang=Lang.PY),
        )
        for status in (Status.RUNNING, Status.SUCCESS)
    ]
    for part in before.by_language:
        part.columns  # noqa: B018
    derive_incrementally(before, now, changed_ids(before.tasks, now.tasks))
    for place, part in enumerate(now.by_language):
        assert vars(part)["columns"].count_status(Status.SUCCESS) == 1
        assert vars(part)["columns"].ids == (task_id(place),)
