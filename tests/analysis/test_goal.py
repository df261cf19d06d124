"""Goals: as few chains as the order allows, whole, and never more than what matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_plans import by_ids, ended, failures, stacks
from small_root import IDS, NOW, snapshot_of, snapshots, task_id

from hipercow_tui.analysis.goal import Goal, GoalChoice, GoalOrder, choose_chains, plan_for_goal
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.plan_chains import PlannedChain, planned_chains
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.folder_size import SharedFile, Size, SizeKind, freed_size

A, B, C, D = map(task_id, range(4))

shared_files = st.lists(
    st.builds(
        SharedFile,
        st.tuples(st.just(1), st.integers(1, 12)),
        st.just(1),
        st.just(1),
        st.just(50),
        st.just(4096),
    ),
    max_size=2,
    unique_by=lambda one: one.file,
).map(tuple)
task_sizes = st.builds(
    Size, st.integers(0, 1000), st.integers(0, 9), st.integers(0, 9000), shared_files
)


def with_all_names(sizes: dict[str, Size], elsewhere: bool) -> dict[str, Size]:
    """Count the names of each shared file: one in each task that has it, and perhaps one elsewhere.
    A file never has more names than it says."""
    names = Counter(one.file for size in sizes.values() for one in size.shared)

    def counted(size: Size) -> Size:
        shared = (replace(one, names=names[one.file] + elsewhere) for one in size.shared)
        return freed_size([replace(size, shared=tuple(shared))])

    return {task_id: counted(size) for task_id, size in sizes.items()}


sizes_of_all = st.builds(
    with_all_names, st.fixed_dictionaries(dict.fromkeys(IDS, task_sizes)), st.booleans()
)
goals = st.builds(
    Goal,
    st.integers(0, 4000),
    st.integers(0, 20),
    st.sampled_from(SizeKind),
    st.sampled_from(GoalOrder),
    st.booleans(),
)


def unblocked(snapshot: Snapshot, stack: FilterStack) -> PurgePlan:
    return make_plan(snapshot, stack, now=NOW, skip_blocked=True)


def figures(sizes: dict[str, Size], ids: Iterable[str]) -> tuple[int, int, int]:
    total = freed_size(sizes[task_id] for task_id in ids)
    return total.bytes, total.files, total.disk_bytes


def in_order(chains: Iterable[PlannedChain], sizes: dict[str, Size], goal: Goal) -> list[list[str]]:
    """The ids of each chain, in the order of the goal."""

    def place(chain: PlannedChain) -> tuple[object, ...]:
        tasks = [one.task for one in chain.tasks]
        last = max(task.finished if task.finished is not None else task.created for task in tasks)  # type: ignore[type-var]
        if goal.order is GoalOrder.LARGEST:
            return -freed_size(sizes[task.id] for task in tasks).of(goal.kind), chain.key
        words = ["failure", "cancelled", "success"]
        latest = str(tasks[0].latest_status or tasks[-1].status)
        rank = words.index(latest) if latest in words else 3
        return (rank if goal.order is GoalOrder.STATUS else 0), last, chain.key

    return [[one.task.id for one in chain.tasks] for chain in sorted(chains, key=place)]


@settings(max_examples=100, deadline=None)
@given(snapshots(), stacks, sizes_of_all, goals)
def test_the_first_chains_are_chosen_that_reach_the_goal_and_no_more(
    snapshot: Snapshot, stack: FilterStack, sizes: dict[str, Size], goal: Goal
) -> None:
    plan = unblocked(snapshot, stack)
    choice = choose_chains(plan, sizes, replace(goal, recent=True))
    chains = in_order(planned_chains(plan), sizes, goal)
    number = 0
    while number < len(chains) and not goal.is_met(size_of(sizes, chains[:number])):
        number += 1
    assert choice.ids == {task_id for chain in chains[:number] for task_id in chain}
    assert choice.met == goal.is_met(size_of(sizes, chains[:number]))
    freed = choice.freed
    assert (freed.bytes, freed.files, freed.disk_bytes) == figures(sizes, choice.ids)


def size_of(sizes: dict[str, Size], chains: Iterable[Iterable[str]]) -> Size:
    return freed_size(sizes[task_id] for chain in chains for task_id in chain)


@settings(max_examples=100, deadline=None)
@given(snapshots(), stacks, sizes_of_all, goals)
def test_a_larger_goal_chooses_the_same_chains_and_more(
    snapshot: Snapshot, stack: FilterStack, sizes: dict[str, Size], goal: Goal
) -> None:
    plan = unblocked(snapshot, stack)
    less = choose_chains(plan, sizes, goal)
    more = choose_chains(plan, sizes, replace(goal, bytes=goal.bytes + 500, files=goal.files + 3))
    assert less.ids <= more.ids


@settings(max_examples=100, deadline=None)
@given(snapshots(), stacks, sizes_of_all, goals, st.sampled_from(IDS))
def test_a_goal_plans_only_chosen_chains_whole_and_nothing_pinned(
    snapshot: Snapshot, stack: FilterStack, sizes: dict[str, Size], goal: Goal, pinned: str
) -> None:
    pin = Pin(RecordTarget(TargetKind.CHAIN, Lang.R, pinned), "", "ada", "node", 0.0)
    with_pin = replace(snapshot, pins=Pins((pin,)))
    whole = unblocked(with_pin, stack)
    choice = choose_chains(whole, sizes, goal)
    plan = make_plan(with_pin, stack, now=NOW, skip_blocked=True, only_ids=choice.ids)
    assert set(plan.ids) == choice.ids
    assert set(with_pin.held).isdisjoint(plan.ids)
    matched = stack.matched(with_pin)
    for chain in planned_chains(plan):
        ids = {one.task.id for one in chain.tasks}
        first = chain.tasks[0].task
        # A task whose folder is damaged is planned by its id only, and has no chain.
        assert ids == {first.id, *(one.id for one in with_pin.existing(first.chain))}
        # It can be matched only by an id of the chain that is gone.
        assert not matched.isdisjoint({first.id, *first.chain})
    assert [one for one in whole.tasks if one.task.id in choice.ids] == list(plan.tasks)
    assert {one.bundle.name for one in plan.bundles} <= {one.bundle.name for one in whole.bundles}


def choice_of(goal: Goal, *, sizes: dict[str, Size] | None = None) -> GoalChoice:
    snapshot = snapshot_of(
        [
            ended(A, days=30),
            ended(B, days=20),
            ended(C, days=10),
            ended(D, days=0.01),
        ]
    )
    known = {A: Size(10, 1, 4096), B: Size(500, 2, 4096), C: Size(20, 1, 8192), D: Size(900, 1, 0)}
    return choose_chains(unblocked(snapshot, failures()), known if sizes is None else sizes, goal)


def test_oldest_and_largest_first() -> None:
    assert choice_of(Goal(bytes=15)).ids == {A, B}
    assert choice_of(Goal(bytes=15, order=GoalOrder.LARGEST)).ids == {B}
    assert choice_of(Goal(bytes=5000, kind=SizeKind.ON_DISK, order=GoalOrder.LARGEST)).ids == {C}
    assert choice_of(Goal(files=3)).ids == {A, B}


def test_one_more_filter_can_add_a_later_chain_but_only_of_those_that_could_go() -> None:
    snapshot = snapshot_of([ended(A, days=30), ended(B, days=20), ended(C, days=10)])
    sizes = dict.fromkeys((A, B, C), Size(10, 1, 0))
    goal = Goal(bytes=15)
    wide, narrow = (unblocked(snapshot, by_ids(*ids)) for ids in ((A, B, C), (A, C)))
    assert choose_chains(wide, sizes, goal).ids == {A, B}
    assert choose_chains(narrow, sizes, goal).ids == {A, C} <= set(wide.ids)


def test_failures_come_before_cancelled_before_successes() -> None:
    snapshot = snapshot_of(
        [ended(A, Status.SUCCESS, 30), ended(B, Status.CANCELLED, 20), ended(C, days=10)]
    )
    sizes = dict.fromkeys((A, B, C), Size(10, 1, 0))
    plan = unblocked(snapshot, by_ids(A, B, C))
    for bytes_, chosen in ((5, {C}), (15, {C, B}), (25, {C, B, A})):
        goal = Goal(bytes=bytes_, order=GoalOrder.STATUS)
        assert choose_chains(plan, sizes, goal).ids == chosen


def test_a_goal_that_is_met_already_chooses_nothing_and_says_so() -> None:
    choice = choice_of(Goal())
    assert choice.met and not choice.ids
    assert str(choice) == "the goal of 0 is met already, so nothing goes"


def test_tasks_of_the_last_hour_are_chosen_only_on_request() -> None:
    choice = choice_of(Goal(bytes=1000))
    assert not choice.met and D not in choice.ids and choice.recent == 1
    assert str(choice) == (
        "the goal of 1.0 kB can't be reached: only 530 B can go; chain left out: 1 created within"
        " the last hour"
    )
    assert D in choice_of(Goal(bytes=1000, recent=True)).ids


def test_unmeasured_chains_are_never_chosen() -> None:
    choice = choice_of(Goal(bytes=500), sizes={A: Size(10, 1), C: Size(20, 1)})
    assert choice.unmeasured == 1 and not choice.met
    assert "1 not measured" in str(choice)


def test_a_met_goal_says_where_it_stops() -> None:
    assert str(choice_of(Goal(bytes=15))) == (
        "the goal of 15 B, oldest first, stops at 510 B of 530 B that match"
    )
    assert str(choice_of(Goal(files=3, order=GoalOrder.STATUS))) == (
        "the goal of 3 files, failures first, stops at 510 B in 3 files of 530 B in 4 files that"
        " match"
    )
    assert str(choice_of(Goal(5000, kind=SizeKind.ON_DISK, percent=12.5))).startswith(
        "the goal of 12.5 % free (5.0 kB on disk), oldest first"
    )


def test_an_unreachable_goal_counts_pinned_and_blocked_chains() -> None:
    pin = Pin(RecordTarget(TargetKind.CHAIN, Lang.R, B), "", "ada", "node", 0.0)
    snapshot = replace(
        snapshot_of([ended(A), ended(B), ended(C)._replace(status=Status.RUNNING)]),
        pins=Pins((pin,)),
    )
    plan = unblocked(snapshot, by_ids(A, B, C))
    sizes = dict.fromkeys((A, B, C), Size(10, 1, 0))
    limited, choice = plan_for_goal(plan, snapshot, sizes, Goal(bytes=11))
    assert not choice.met and limited.empty and not limited.refused
    assert limited.goal == (
        "The goal of 11 B can't be reached: only 10 B can go; chains left out: 1 blocked, 1 pinned"
    )
    assert limited.pinned == plan.pinned and limited.blocked == plan.blocked


@settings(max_examples=100, deadline=None)
@given(snapshots(), stacks, sizes_of_all, goals)
def test_the_plan_of_a_goal_has_only_chosen_chains_whole_or_is_empty(
    snapshot: Snapshot, stack: FilterStack, sizes: dict[str, Size], goal: Goal
) -> None:
    whole = unblocked(snapshot, stack)
    plan, choice = plan_for_goal(whole, snapshot, sizes, goal)
    assert set(plan.ids) == (choice.ids if choice.met else set())
    assert set(plan.tasks) <= set(whole.tasks) and not plan.refused
    names = {(one.bundle.lang, one.bundle.name) for one in whole.bundles}
    assert {(one.bundle.lang, one.bundle.name) for one in plan.bundles} <= names
    if choice.met:  # without the last chain the goal is not reached
        chains = planned_chains(plan)
        freed = {chain: freed_size(sizes[i.task.id] for i in chain.tasks) for chain in chains}
        assert goal.is_met(freed_size(freed.values()))
        assert not chains or any(
            not goal.is_met(freed_size(size for other, size in freed.items() if other != chain))
            for chain in chains
        )
