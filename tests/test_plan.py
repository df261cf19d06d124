from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import DAY, IDS, NOW, ages, snapshot_of, snapshots

from hipercow_tui.filters import FilterStack, FinishedBefore, InBundle, TaskIds, WithStatus
from hipercow_tui.model import DATA, MARK_SUBMITTED, QUEUED, Status, Task
from hipercow_tui.plan import PurgePlan, Reason, Tally, make_plan, tally
from hipercow_tui.snapshot import Snapshot

A, B, C, D, E = IDS[:5]

id_filters = st.frozensets(st.sampled_from(IDS), max_size=6).map(TaskIds)
age_filters = ages.map(lambda moment: FinishedBefore(moment, "then"))
bundle_filters = st.sampled_from(["*", "sweep_*", "fit-?", "{mine,fit-a}", "none*"]).map(
    InBundle.of
)
status_filters = st.builds(
    WithStatus,
    st.frozensets(st.sampled_from(["created", "success", "failure", "cancelled"])).map(
        lambda words: frozenset(map(Status, words))
    ),
    st.booleans(),
)
stacks = st.builds(
    FilterStack,
    st.none() | id_filters,
    st.none() | age_filters,
    st.none() | bundle_filters,
    st.none() | status_filters,
)


def ended(identity: str, status: Status = Status.FAILURE, days: float = 20, **more: object) -> Task:
    finished = NOW - days * DAY
    return Task(identity, status, 1, finished - 60, None, finished, **more)  # type: ignore[arg-type]


def by_ids(*ids: str) -> FilterStack:
    return FilterStack(task_ids=TaskIds(frozenset(ids)))


def failures(follow: bool = True) -> FilterStack:
    return FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow))


def reasons(plan: PurgePlan) -> dict[str, tuple[str, str | None]]:
    return {one.task.id: (one.reason.value, one.of) for one in plan.tasks}


@given(snapshots(), stacks, st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_chain_is_split_no_bundle_dangles_nothing_alive_is_touched(
    snapshot: Snapshot, stack: FilterStack, skip: bool
) -> None:
    plan = make_plan(snapshot, stack, now=NOW, skip_blocked=skip)
    going = set(plan.ids)
    for one in plan.tasks:
        others = {member for member in one.task.chain if any(snapshot.existing((member,)))}
        assert others <= going
        if skip:
            assert one.task.status not in (Status.SUBMITTED, Status.RUNNING)
    staying = {bundle.name for bundle in snapshot.bundles} - {
        one.bundle.name for one in plan.bundles
    }
    for bundle in snapshot.bundles:
        assert bundle.name not in staying or going.isdisjoint(bundle.task_ids)
    if not skip:
        alive = {t.id for t in plan_tasks(plan) if t.status in (Status.SUBMITTED, Status.RUNNING)}
        assert alive <= {one.task.id for one in plan.blocked}


def plan_tasks(plan: PurgePlan) -> list[Task]:
    return [one.task for one in plan.tasks]


@given(snapshots(), stacks, stacks)
@settings(max_examples=200, deadline=None)
def test_adding_a_filter_never_adds_a_task(
    snapshot: Snapshot, stack: FilterStack, more: FilterStack
) -> None:
    fields = ("task_ids", "finished_before", "in_bundle", "with_status")
    both = FilterStack(**{name: getattr(stack, name) or getattr(more, name) for name in fields})
    if stack.given:
        assert both.matched(snapshot) <= stack.matched(snapshot)
        fewer = make_plan(snapshot, both, now=NOW)
        assert set(fewer.ids) <= set(make_plan(snapshot, stack, now=NOW).ids)


@given(snapshots(), stacks)
@settings(max_examples=200, deadline=None)
def test_skipping_what_blocks_leaves_a_plan_without_it(
    snapshot: Snapshot, stack: FilterStack
) -> None:
    whole = make_plan(snapshot, stack, now=NOW)
    rest = make_plan(snapshot, stack, now=NOW, skip_blocked=True)
    held = {i for one in whole.blocked for i in (one.task.id, *one.task.chain)}
    assert set(rest.ids) == set(whole.ids) - held
    assert not rest.refused
    assert {one.bundle.name for one in rest.bundles} <= {one.bundle.name for one in whole.bundles}


def test_a_matched_task_draws_in_its_chain_and_says_so() -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A), (C, B, A)])
    plan = make_plan(snapshot, by_ids(B), now=NOW)
    assert reasons(plan) == {A: ("retry chain", B), B: ("matched", None), C: ("retry chain", B)}


def test_gone_members_tie_the_others_together() -> None:
    snapshot = snapshot_of([ended(A), ended(C)], links=[(B, A, A), (C, B, A)])
    assert set(make_plan(snapshot, by_ids(A), now=NOW).ids) == {A, C}


def test_forks_and_cycles_go_whole() -> None:
    fork = snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A), (C, A, A)])
    assert set(make_plan(fork, by_ids(C), now=NOW).ids) == {A, B, C}
    cycle = snapshot_of([ended(A), ended(B)], links=[(B, A, A), (A, B, A)])
    assert set(make_plan(cycle, by_ids(A), now=NOW).ids) == {A, B}


def test_a_retried_task_counts_as_its_tip_by_status_and_as_itself_by_age() -> None:
    snapshot = snapshot_of(
        [ended(A, Status.FAILURE, days=20), ended(B, Status.SUCCESS, days=1)], links=[(B, A, A)]
    )
    assert failures().matched(snapshot) == set()
    assert failures(follow=False).matched(snapshot) == {A}
    old = FilterStack(finished_before=FinishedBefore(NOW - 10 * DAY, "10 days"))
    assert old.matched(snapshot) == {A}


def test_a_tip_that_is_gone_has_no_status() -> None:
    snapshot = snapshot_of([ended(A)], links=[(B, A, A)])
    assert snapshot.tasks[A].tip_status is None
    assert failures().matched(snapshot) == set()


def test_a_gone_id_of_a_matched_bundle_draws_in_its_chain_and_bundles() -> None:
    snapshot = snapshot_of(
        [ended(B)], bundles={"one": (A,), "two": (A, C), "three": (D,)}, links=[(B, A, A)]
    )
    plan = make_plan(snapshot, FilterStack(in_bundle=InBundle.of("one")), now=NOW)
    assert plan.ids == (B,)
    assert [one.bundle.name for one in plan.bundles] == ["one", "two"]


def test_a_bundle_of_gone_tasks_alone_goes_and_is_not_nothing() -> None:
    snapshot = snapshot_of([], bundles={"one": (A,)})
    plan = make_plan(snapshot, FilterStack(in_bundle=InBundle.of("one")), now=NOW)
    assert plan.ids == () and not plan.empty


def test_bundles_say_what_they_lose_and_what_survives() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B, Status.SUCCESS), ended(C)], bundles={"mix": (A, B, D), "other": (C,)}
    )
    (bundle,) = make_plan(snapshot, by_ids(A), now=NOW).bundles
    assert (bundle.bundle.name, bundle.deleted, bundle.surviving) == ("mix", 1, 1)


@pytest.mark.parametrize(
    ("task", "word"),
    [
        (Task(A, Status.SUBMITTED, DATA | MARK_SUBMITTED), "submitted"),
        (Task(A, Status.RUNNING, DATA), "task_info()"),
        (Task(A, Status.CREATED, DATA | QUEUED), "queued"),
        (Task(A, Status.BROKEN, -1, problem="Permission denied"), "Permission denied"),
    ],
)
def test_what_is_alive_or_unreadable_blocks_with_its_reason(task: Task, word: str) -> None:
    snapshot = snapshot_of([task, ended(B), ended(C)], links=[(B, A, A)])
    plan = make_plan(snapshot, by_ids(B, C), now=NOW)
    assert plan.refused
    assert [one.task.id for one in plan.blocked] == [A]
    assert word in plan.blocked[0].reason
    rest = make_plan(snapshot, by_ids(B, C), now=NOW, skip_blocked=True)
    assert rest.ids == (C,) and not rest.refused


def test_a_folder_without_data_goes_only_by_its_own_id() -> None:
    bare = Task(A, Status.BROKEN, 0, problem="no data")
    snapshot = snapshot_of([bare, ended(B)], bundles={"one": (A, B)}, links=[(B, A, A)])
    assert set(make_plan(snapshot, by_ids(A), now=NOW).ids) == {A, B}
    assert make_plan(snapshot, failures(), now=NOW).ids == (B,)
    in_bundle = FilterStack(in_bundle=InBundle.of("one"))
    assert make_plan(snapshot, in_bundle, now=NOW).ids == (B,)


def test_nothing_given_matches_nothing_and_an_empty_list_passes_nothing() -> None:
    snapshot = snapshot_of([ended(A)])
    assert FilterStack().matched(snapshot) == set()
    assert make_plan(snapshot, by_ids(), now=NOW).empty
    empty = FilterStack(in_bundle=InBundle.of([]), with_status=WithStatus(frozenset()))
    assert make_plan(snapshot, empty, now=NOW).empty


def test_what_the_filters_would_have_kept_stands_out() -> None:
    snapshot = snapshot_of([ended(A, days=20), ended(B, Status.SUCCESS, days=1)], links=[(B, A, A)])
    stack = FilterStack(
        finished_before=FinishedBefore(NOW - 10 * DAY, "10 days"),
        with_status=WithStatus(frozenset({Status.FAILURE}), follow=False),
    )
    plan = make_plan(snapshot, stack, now=NOW)
    assert [one.task.id for one in plan.regretted] == [B]
    assert any("success" in text for text in plan.warnings)
    assert any("newer than 10 days" in text for text in plan.warnings)


def test_a_new_task_and_an_estimated_time_are_warned_of() -> None:
    fresh = Task(A, Status.FAILURE, 1, NOW - 60, None, NOW - 30, finished_estimated=True)
    stack = FilterStack(finished_before=FinishedBefore(NOW, "0 days"))
    (planned,) = make_plan(snapshot_of([fresh]), stack, now=NOW).tasks
    assert planned.reason is Reason.MATCHED
    assert planned.regrets == (
        "created within the last hour",
        "its time of finishing is estimated",
    )


@settings(max_examples=200, deadline=None)
@given(snapshots(), stacks)
def test_a_tally_is_what_the_plan_comes_to(snapshot: Snapshot, stack: FilterStack) -> None:
    plan = make_plan(snapshot, stack, now=NOW)
    counts = (plan.matched, plan.cascaded, plan.bundles, plan.blocked)
    assert tally(snapshot, stack, now=NOW) == Tally(*map(len, counts))
