from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import IDS, NOW, snapshot_of, successions, task_id

from hipercow_tui import orders, succession
from hipercow_tui.bundle_lines import BundleLines, with_matches
from hipercow_tui.model import Snapshot, Status, Task, moved_tasks
from hipercow_tui.orders import UNSETTLED, Key, Sort, ordered, reordered
from hipercow_tui.succession import take_over

WORKED_OUT = ("by_status", "by_tip_status", "gone", "absent")


@given(successions(), st.sets(st.sampled_from([*WORKED_OUT, "finished_order"])))
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
    times, ids = now.finished_order
    assert times == fresh.finished_order[0]
    assert sorted(zip(times, ids, strict=True)) == sorted(zip(*fresh.finished_order, strict=True))


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
        return orders._KEYS[key](task), task.created or 0.0

    assert list(map(place, found)) == list(map(place, wanted))


@given(successions())
def test_lines_of_bundles_are_made_anew_where_their_tasks_changed(
    both: tuple[Snapshot, Snapshot],
) -> None:
    before, now = both
    lines = BundleLines()
    lines.of(before, {})
    moved = moved_tasks(before.tasks, now.tasks)
    changed = [tasks[i] for tasks in (before.tasks, now.tasks) for i in moved if i in tasks]
    assert lines.of(now, {}, changed) == BundleLines().of(now, {})


def test_of_many_changes_nothing_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "FEW", 1)
    before = snapshot_of([Task(i, Status.CREATED, 1) for i in IDS])
    now = snapshot_of([Task(i, Status.SUCCESS, 1) for i in IDS])
    before.by_status  # noqa: B018
    take_over(before, now, frozenset(IDS))
    assert "by_status" not in vars(now)


def test_bundles_match_by_the_tasks_of_their_own() -> None:
    a, b = task_id(0), task_id(1)
    tasks = [Task(a, Status.SUCCESS, 1), Task(b, Status.FAILURE, 1)]
    snapshot = snapshot_of(tasks, {"one": (a,), "both": (a, b), "none": ()})
    assert {name for _, name in with_matches(snapshot, {b})} == {"both"}
