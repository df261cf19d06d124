from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import DAY, IDS, NOW, snapshot_of, snapshots

from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.filters import (
    FilterStack,
    FinishedBefore,
    InBundle,
    OfLang,
    TaskIds,
    WithStatus,
)
from hipercow_tui.domain.narrowing import Narrowing, Selection, add_step, among, narrow
from hipercow_tui.domain.plan import Reason, make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task

A, B, C, D = IDS[:4]

some_ids = st.sets(st.sampled_from(IDS)).map(frozenset)
some_statuses = st.sets(st.sampled_from(list(Status))).map(frozenset)
stacks = st.builds(
    FilterStack,
    task_ids=st.none() | st.builds(TaskIds, some_ids),
    finished_before=st.none()
    | st.integers(0, 100).map(lambda days: FinishedBefore(NOW - days * DAY, f"{days} days")),
    in_bundle=st.none() | st.sampled_from(["sweep_*", "fit-?", "mine", "*"]).map(InBundle.of),
    with_status=st.none() | st.builds(WithStatus, some_statuses, st.booleans()),
    lang=st.none() | st.sampled_from(list(Lang)).map(OfLang),
)


@st.composite
def both_languages(draw: st.DrawFn) -> Snapshot:
    """A root of R and of Python, in which bundles have the same names."""
    r, other = draw(snapshots()), draw(snapshots())
    tasks = [task for i, task in other.tasks.items() if i not in r.tasks]
    python = snapshot_of(tasks, {one.name: one.task_ids for one in other.bundles})
    return combine_snapshots(
        r,
        replace(
            python,
            lang=Lang.PY,
            tasks={i: task._replace(lang=Lang.PY) for i, task in python.tasks.items()},
            bundles=tuple(replace(one, lang=Lang.PY) for one in python.bundles),
        ),
    )


def four() -> Snapshot:
    tasks = (Task(i, Status.SUCCESS, 1, NOW, None, NOW) for i in (A, B, C, D))
    return snapshot_of(tasks, {"one": (A, B), "two": (B, C), "three": (D,)})


def step(snapshot: Snapshot, name: str) -> Narrowing:
    bundle = snapshot.bundle(name, snapshot.bundles[0].lang)
    assert bundle is not None
    return Narrowing.to_bundle(bundle, snapshot)


def existing(stack: FilterStack, snapshot: Snapshot) -> frozenset[str]:
    return frozenset(task.id for task in snapshot.existing(stack.matched(snapshot)))


@st.composite
def steps_in(draw: st.DrawFn, snapshot: Snapshot) -> tuple[Narrowing, ...]:
    bundles = [Narrowing.to_bundle(bundle, snapshot) for bundle in snapshot.bundles]
    tasks = st.builds(Narrowing.to_tasks, st.just("tasks"), some_ids)
    one = st.sampled_from(bundles) | tasks if bundles else tasks
    return tuple(draw(st.lists(one, max_size=3)))


@given(snapshots() | both_languages(), stacks, st.none() | some_ids, st.data())
@settings(max_examples=150, deadline=None)
def test_a_plan_takes_the_intersection_of_filters_steps_and_marks(
    snapshot: Snapshot, stack: FilterStack, marks: frozenset[str] | None, data: st.DataObject
) -> None:
    steps = data.draw(steps_in(snapshot))
    filters = Selection(stack, steps, marks).purge_filters(snapshot)
    expected = frozenset(task.id for task in snapshot.tasks.values() if task.exists)
    if not filters.given:
        expected = frozenset()
    if stack.given:
        expected &= existing(stack, snapshot)
    for one in steps:
        expected &= one.ids(snapshot)
    if marks is not None:
        expected &= marks
    assert existing(filters, snapshot) == expected
    plan = make_plan(snapshot, filters, now=NOW)
    matched = {one.task.id for one in plan.tasks if one.reason is Reason.MATCHED}
    assert {task.id for task in snapshot.existing(matched)} == expected


@given(snapshots(), st.data())
def test_added_steps_have_tasks_in_common(snapshot: Snapshot, data: st.DataObject) -> None:
    steps: tuple[Narrowing, ...] = ()
    for one in data.draw(steps_in(snapshot)):
        if one.ids(snapshot):
            steps = add_step(steps, one, snapshot)
            assert steps[-1] == one
            assert existing(narrow(FilterStack(), steps, snapshot), snapshot)


def test_a_step_narrows_further_or_takes_the_place_of_another() -> None:
    snapshot = four()
    one, two, three = (step(snapshot, name) for name in ("one", "two", "three"))
    assert add_step((one,), two, snapshot) == (one, two)
    assert existing(narrow(FilterStack(), (one, two), snapshot), snapshot) == {B}
    assert add_step((one, two), three, snapshot) == (three,)
    assert add_step((one, two), one, snapshot) == (two, one)


def test_a_bundle_step_contains_tasks_that_are_added_later() -> None:
    snapshot = four()
    steps = (step(snapshot, "one"),)
    later = snapshot_of(snapshot.tasks.values(), {"one": (A, B, C)})
    assert existing(narrow(FilterStack(), steps, later), later) == {A, B, C}


def test_filters_of_a_narrowed_list_name_the_bundle() -> None:
    snapshot = four()
    failed = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE})))
    steps = (step(snapshot, "one"),)
    assert str(narrow(failed, steps, snapshot)) == "status is failure · in bundle one"
    matching = FilterStack(in_bundle=InBundle.of("o*"))
    assert narrow(matching, steps, snapshot) == narrow(FilterStack(), steps, snapshot)
    other = FilterStack(in_bundle=InBundle.of("two"))
    assert existing(narrow(other, steps, snapshot), snapshot) == {B}


def test_among_intersects_ids_and_names_them() -> None:
    stack = narrow(FilterStack(), [Narrowing.to_tasks("error 'no'", {A, B})], four())
    assert str(stack) == "error 'no', 2 tasks"
    both = among(stack, {B, C}, "marked")
    assert both.task_ids == TaskIds(frozenset({B}))
    assert str(both) == "error 'no' · marked, 1 task"
    assert str(among(FilterStack(), {B}, "marked")) == "marked, 1 task"


@pytest.mark.parametrize(
    "name", ["a", "a*?[]{}", "!a", "!!a b\\", "{a,b}", "[ab]", "a\n\x1bb", "é*", "-|~()", "a/b"]
)
def test_named_matches_only_the_bundle_of_that_name(name: str) -> None:
    bundle = InBundle.named(name)
    assert bundle.matches(name)
    for other in ("ab", "b", name + "x", name[1:], name.replace("*", "z").replace("?", "z")):
        assert bundle.matches(other) is (other == name)


@given(st.text("ab*?[]{}!,\\^-|~()\n", min_size=1, max_size=9), st.text("ab*?[]{}!,\\", max_size=9))
def test_named_matches_only_equal_names(name: str, other: str) -> None:
    assert InBundle.named(name).matches(name)
    assert InBundle.named(name).matches(other) is (name == other)
