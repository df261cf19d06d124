from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_plans import by_ids, ended, failures, kept_sets, stacks
from small_root import DAY, IDS, NOW, snapshot_of, snapshots, unread_snapshots

from hipercow_tui.domain.blocked import BlockedError, block_reason
from hipercow_tui.domain.cautions import CautionKind
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, TaskIds, WithStatus
from hipercow_tui.domain.plan import (
    PlanTotals,
    PurgePlan,
    Reason,
    gone_keys,
    make_plan,
    plan_totals,
)
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import DATA, INFO, MARK_SUBMITTED, QUEUED, Lang, Status, Task
from hipercow_tui.domain.unread import UnfinishedLine, Unread
from hipercow_tui.support.errors import UnknownTasksError

A, B, C, D, E = IDS[:5]


def reasons(plan: PurgePlan) -> dict[str, tuple[str, str | None]]:
    return {one.task.id: (one.reason.value, one.cause_id) for one in plan.tasks}


@given(snapshots(), stacks, st.booleans())
@settings(max_examples=150, deadline=None)
def test_plan_splits_no_chain_leaves_no_dangling_bundle_and_takes_no_live_task(
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
@settings(max_examples=150, deadline=None)
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
@settings(max_examples=150, deadline=None)
def test_plan_with_skip_blocked_has_no_blocked_chain(
    snapshot: Snapshot, stack: FilterStack
) -> None:
    whole = make_plan(snapshot, stack, now=NOW)
    rest = make_plan(snapshot, stack, now=NOW, skip_blocked=True)
    held = {i for one in whole.blocked for i in (one.task.id, *one.task.chain)}
    assert set(rest.ids) == set(whole.ids) - held
    assert not rest.refused
    assert {one.bundle.name for one in rest.bundles} <= {one.bundle.name for one in whole.bundles}


def test_matched_task_cascades_to_its_chain_with_a_reason() -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A), (C, B, A)])
    plan = make_plan(snapshot, by_ids(B), now=NOW)
    assert reasons(plan) == {A: ("retry chain", B), B: ("matched", None), C: ("retry chain", B)}


def test_missing_members_connect_the_others() -> None:
    snapshot = snapshot_of([ended(A), ended(C)], links=[(B, A, A), (C, B, A)])
    assert set(make_plan(snapshot, by_ids(A), now=NOW).ids) == {A, C}


def test_forks_and_cycles_go_completely() -> None:
    fork = snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A), (C, A, A)])
    assert set(make_plan(fork, by_ids(C), now=NOW).ids) == {A, B, C}
    cycle = snapshot_of([ended(A), ended(B)], links=[(B, A, A), (A, B, A)])
    assert set(make_plan(cycle, by_ids(A), now=NOW).ids) == {A, B}


def test_retried_task_counts_by_latest_status_and_by_its_own_age() -> None:
    snapshot = snapshot_of(
        [ended(A, Status.FAILURE, days=20), ended(B, Status.SUCCESS, days=1)], links=[(B, A, A)]
    )
    assert failures().matched(snapshot) == set()
    assert failures(follow=False).matched(snapshot) == {A}
    old = FilterStack(finished_before=FinishedBefore(NOW - 10 * DAY, "10 days"))
    assert old.matched(snapshot) == {A}


def test_missing_latest_attempt_has_no_status() -> None:
    snapshot = snapshot_of([ended(A)], links=[(B, A, A)])
    assert snapshot.tasks[A].latest_status is None
    assert failures().matched(snapshot) == set()


def test_missing_id_of_a_matched_bundle_cascades_to_its_chain_and_bundles() -> None:
    snapshot = snapshot_of(
        [ended(B)], bundles={"one": (A,), "two": (A, C), "three": (D,)}, links=[(B, A, A)]
    )
    plan = make_plan(snapshot, FilterStack(in_bundle=InBundle.of("one")), now=NOW)
    assert plan.ids == (B,)
    assert [one.bundle.name for one in plan.bundles] == ["one", "two"]


def test_totals_count_the_bundles_of_tasks_that_are_drawn_in() -> None:
    snapshot = snapshot_of(
        [ended(A, Status.SUCCESS), ended(B), ended(C)],
        bundles={"one": (A,), "two": (C,), "three": (D,)},
        links=[(B, A, A), (C, D, D)],
    )
    totals = PlanTotals(matched=1, cascaded=1, bundles=1)
    assert plan_totals(snapshot, by_ids(B), now=NOW) == totals
    assert plan_totals(snapshot, by_ids(C), now=NOW) == PlanTotals(matched=1, bundles=2)


def test_bundle_with_only_missing_tasks_goes() -> None:
    snapshot = snapshot_of([], bundles={"one": (A,)})
    plan = make_plan(snapshot, FilterStack(in_bundle=InBundle.of("one")), now=NOW)
    assert plan.ids == () and not plan.empty


def test_a_bundle_stays_if_its_gone_ids_are_kept_beside_its_tasks() -> None:
    bundles = {"one": (A, B), "two": (C,), "three": (D, E)}
    snapshot = snapshot_of([ended(A)], bundles=bundles, links=[(C, B, B)])
    one, three, two = snapshot.bundles
    filters = FilterStack(in_bundle=InBundle.of("one"))
    for bundle, keys in ((one, [B]), (two, [B]), (three, [])):  # those of "three" do not go
        assert list(gone_keys(snapshot, filters, [bundle])) == keys
    plan = make_plan(snapshot, filters, now=NOW, kept_ids=frozenset({A, B}))
    assert plan.empty and [one.task.id for one in plan.kept] == [A]


def test_planned_bundles_count_deleted_and_surviving_tasks() -> None:
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
        (Task(A, Status.RUNNING, DATA | INFO), "has ended: it has 'info'"),
        (Task(A, Status.CREATED, DATA | QUEUED), "queued"),
        (Task(A, Status.BROKEN, QUEUED), "queued"),
        (Task(A, Status.BROKEN, -1, problem="Permission denied"), "Permission denied"),
    ],
)
def test_live_or_unreadable_task_blocks_with_a_reason(task: Task, word: str) -> None:
    snapshot = snapshot_of([task, ended(B), ended(C)], links=[(B, A, A)])
    plan = make_plan(snapshot, by_ids(B, C), now=NOW)
    assert plan.refused
    assert [one.task.id for one in plan.blocked] == [A]
    assert word in plan.blocked[0].reason
    rest = make_plan(snapshot, by_ids(B, C), now=NOW, skip_blocked=True)
    assert rest.ids == (C,) and not rest.refused


def test_python_task_that_ended_without_its_marker_blocks_with_the_files_to_make() -> None:
    reason = block_reason(Task(A, Status.SUBMITTED, DATA | INFO, lang=Lang.PY)) or ""
    assert "it has 'times'" in reason and "'status-success' or 'status-failure'" in reason


def test_folder_without_data_goes_only_by_its_id() -> None:
    bare = Task(A, Status.BROKEN, 0, problem="no data")
    snapshot = snapshot_of([bare, ended(B)], bundles={"one": (A, B)}, links=[(B, A, A)])
    assert set(make_plan(snapshot, by_ids(A), now=NOW).ids) == {A, B}
    assert make_plan(snapshot, failures(), now=NOW).ids == (B,)
    in_bundle = FilterStack(in_bundle=InBundle.of("one"))
    assert make_plan(snapshot, in_bundle, now=NOW).ids == (B,)


def test_folder_without_data_that_may_be_queued_blocks_even_by_its_id() -> None:
    snapshot = snapshot_of([Task(A, Status.BROKEN, QUEUED), ended(B)], bundles={"one": (A, B)})
    for stack in (by_ids(A), FilterStack(in_bundle=InBundle.of("one"))):
        plan = make_plan(snapshot, stack, now=NOW)
        assert [one.task.id for one in plan.blocked] == [A] and plan.refused
        assert plan_totals(snapshot, stack, now=NOW).blocked == 1
    assert make_plan(snapshot, failures(), now=NOW).ids == (B,)


# What could not be read


def unread(snapshot: Snapshot, **what: object) -> Snapshot:
    return replace(snapshot, unread=Unread(**what))  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [B[:2], B])
def test_chain_is_blocked_by_a_member_with_an_unreadable_folder(place: str) -> None:
    snapshot = snapshot_of([ended(A), ended(C)], links=[(B, A, A)])
    assert set(make_plan(snapshot, failures(follow=False), now=NOW).ids) == {A, C}
    plan = make_plan(unread(snapshot, places={place: "x is a link"}), by_ids(A, C), now=NOW)
    (one,) = plan.blocked
    assert (one.task.id, one.task.status, one.chain) == (B, Status.BROKEN, (A, B))
    assert "x is a link" in one.reason and plan.refused
    rest = make_plan(
        unread(snapshot, places={place: "x"}), by_ids(A, C), now=NOW, skip_blocked=True
    )
    assert rest.ids == (C,)


def test_id_with_an_unreadable_folder_does_not_count_as_missing() -> None:
    snapshot = unread(snapshot_of([ended(A)], bundles={"one": (A, B)}), places={B[:2]: "x"})
    by_ids(A, B).check(snapshot)
    with pytest.raises(UnknownTasksError, match="1 / 3 tasks"):
        by_ids(A, B, C).check(snapshot)
    for stack in (by_ids(A, B), FilterStack(in_bundle=InBundle.of("one"))):
        plan = make_plan(snapshot, stack, now=NOW)
        assert [one.task.id for one in plan.blocked] == [B]
    plan = make_plan(snapshot, failures(), now=NOW)
    assert plan.ids == (A,) and plan.bundles[0].surviving == 1


def test_tasks_of_the_other_language_are_not_blocked() -> None:
    r = unread(Snapshot(snapshot_of([]).root), places={B[:2]: "x"})
    task = ended(B)._replace(lang=Lang.PY)
    python = Snapshot(r.root, {B: task}, lang=Lang.PY)
    whole = Snapshot(r.root, {B: task}, by_language=(r, python))
    by_ids(B).check(whole)
    plan = make_plan(whole, by_ids(B), now=NOW)
    assert plan.ids == (B,) and not plan.blocked
    assert plan_totals(whole, by_ids(B), now=NOW) == PlanTotals(matched=1)


def test_unreadable_bundle_blocks_every_task_until_it_is_ignored() -> None:
    snapshot = unread(
        snapshot_of([ended(A), ended(B)], bundles={"one": (A,)}),
        bundles={"a\x1b": "Permission denied", "b": "a pipe"},
    )
    plan = make_plan(snapshot, failures(), now=NOW)
    assert [one.task.id for one in plan.blocked] == [A, B] and not plan.ignored_bundles
    assert "2 bundles can't be read (first 'a␛': Permission denied)" in plan.blocked[0].reason
    assert "--ignore-unreadable-bundles" in plan.blocked[0].reason
    assert make_plan(snapshot, failures(), now=NOW, skip_blocked=True).empty
    plan = make_plan(snapshot, failures(), now=NOW, ignore_unreadable_bundles=True)
    assert plan.ids == (A, B) and not plan.refused
    assert plan.ignored_bundles == ((Lang.R, "a\x1b"), (Lang.R, "b"))
    assert "they stay, and may list tasks that are gone" in plan.warnings[0]
    none = make_plan(snapshot, by_ids(), now=NOW, ignore_unreadable_bundles=True)
    assert none.empty and not none.ignored_bundles and not none.warnings


def test_unreadable_bundle_is_reported_as_unreadable_and_not_as_missing() -> None:
    snapshot = unread(snapshot_of([ended(A)]), bundles={"mine": "Permission denied"})
    with pytest.raises(BlockedError, match="Bundle 'mine' can't be read"):
        InBundle.of("m*").check(snapshot)


@pytest.mark.parametrize(
    ("age", "blocks"), [(0.0, True), (59.0, True), (60.0, False), (-1e9, True), (1e9, False)]
)
def test_ids_in_an_unfinished_line_block_for_a_minute(age: float, blocks: bool) -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C)])
    line = UnfinishedLine((A, B[:7]), NOW - age)
    plan = make_plan(unread(snapshot, unfinished=line), failures(), now=NOW)
    assert [one.task.id for one in plan.blocked] == ([A, B] if blocks else [])


@settings(max_examples=150, deadline=None)
@given(unread_snapshots(), stacks, st.booleans())
def test_no_task_goes_that_an_unread_file_may_name(
    snapshot: Snapshot, stack: FilterStack, ignore: bool
) -> None:
    plan = make_plan(snapshot, stack, now=NOW, skip_blocked=True, ignore_unreadable_bundles=ignore)
    unread = snapshot.unread
    for one in plan.tasks:
        assert not unread.files and (ignore or not unread.bundles)
        assert not any(map(unread.place, (one.task.id, *one.task.chain)))
        assert not any(unread.blocks(i, NOW) for i in (one.task.id, *one.task.chain))
    assert not plan.tasks or bool(plan.ignored_bundles) == (ignore and bool(unread.bundles))


def test_no_filter_and_an_empty_list_match_no_task() -> None:
    snapshot = snapshot_of([ended(A)])
    assert FilterStack().matched(snapshot) == set()
    assert make_plan(snapshot, by_ids(), now=NOW).empty
    empty = FilterStack(in_bundle=InBundle.of([]), with_status=WithStatus(frozenset()))
    assert make_plan(snapshot, empty, now=NOW).empty


def test_task_in_a_chain_has_a_warning_for_each_filter_that_it_does_not_pass() -> None:
    snapshot = snapshot_of([ended(A, days=20), ended(B, Status.SUCCESS, days=1)], links=[(B, A, A)])
    stack = FilterStack(
        finished_before=FinishedBefore(NOW - 10 * DAY, "10 days"),
        with_status=WithStatus(frozenset({Status.FAILURE}), follow=False),
    )
    plan = make_plan(snapshot, stack, now=NOW)
    assert [one.task.id for one in plan.cascaded] == [B]
    assert plan.warnings == (
        "1 task with status success included: a retry chain goes as a whole",
        "1 task newer than 10 days included: a retry chain goes as a whole",
    )


def test_new_task_and_estimated_time_give_warnings() -> None:
    fresh = Task(A, Status.FAILURE, 1, NOW - 60, None, NOW - 30, finished_estimated=True)
    stack = FilterStack(finished_before=FinishedBefore(NOW, "0 days"))
    plan = make_plan(snapshot_of([fresh]), stack, now=NOW)
    (planned,) = plan.tasks
    assert plan.warnings == (
        "1 task created within the last hour included: you may still need it",
        "1 task with an estimated time of finishing included: none was recorded",
    )
    assert planned.reason is Reason.MATCHED
    assert [caution.text for caution in planned.cautions] == [
        "created within the last hour",
        "its time of finishing is estimated",
    ]


def test_failure_that_counts_as_a_success_gives_no_kept_warning() -> None:
    snapshot = snapshot_of([ended(A), ended(B, Status.SUCCESS)], links=[(B, A, A)])
    stack = FilterStack(with_status=WithStatus(frozenset({Status.SUCCESS})))
    plan = make_plan(snapshot, stack, now=NOW)
    assert len(plan.matched) == 2 and not plan.cascaded and not plan.warnings
    assert [one.task.id for one in plan.matched_by_last_attempt] == [A]


def test_success_that_matches_by_its_last_attempt_gives_a_warning() -> None:
    snapshot = snapshot_of([ended(A, Status.SUCCESS), ended(B)], links=[(B, A, A)])
    plan = make_plan(snapshot, failures(), now=NOW)
    assert len(plan.matched) == 2 and not plan.cascaded
    assert [one.task.id for one in plan.matched_by_last_attempt] == [A]
    assert plan.warnings == ("1 successful attempt included: its chain ends in failure",)
    assert [one.text for one in plan.tasks[0].cautions] == [
        "successful attempt: its chain ends in failure"
    ]


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        (by_ids(A), "1 task not selected by id included"),
        (FilterStack(task_ids=TaskIds(frozenset({A}), ("marked",))), "1 task not marked included"),
        (
            FilterStack(task_ids=TaskIds(frozenset({A}), ("error 'no'",))),
            "1 task outside of error 'no' included",
        ),
        (FilterStack(in_bundle=InBundle.of("one")), "1 task not in bundle one included"),
        (failures(follow=False), "1 task with status success included"),
        (FilterStack(finished_before=FinishedBefore(NOW - 10 * DAY, "10 days")), "newer than"),
    ],
)
def test_chain_member_that_one_filter_would_have_kept_gives_a_warning(
    stack: FilterStack, says: str
) -> None:
    tasks = [ended(A, days=20), ended(B, Status.SUCCESS, days=1)]
    snapshot = snapshot_of(tasks, bundles={"one": (A,)}, links=[(B, A, A)])
    plan = make_plan(snapshot, stack, now=NOW)
    assert [one.task.id for one in plan.cascaded] == [B]
    assert says in plan.warnings[0] and "a retry chain goes as a whole" in plan.warnings[0]


@given(snapshots(), stacks)
@settings(max_examples=150, deadline=None)
def test_cascaded_tasks_and_no_others_have_a_caution_about_their_chain(
    snapshot: Snapshot, stack: FilterStack
) -> None:
    plan = make_plan(snapshot, stack, now=NOW)
    cautioned = tuple(
        one
        for one in plan.tasks
        if any(caution.kind is CautionKind.RETRY_CHAIN for caution in one.cautions)
    )
    assert cautioned == plan.cascaded


def test_age_in_the_future_gives_a_warning() -> None:
    snapshot = snapshot_of([ended(A)])
    for moment, warned in ((NOW + 1, True), (NOW, False)):
        stack = FilterStack(finished_before=FinishedBefore(moment, "2099-01-01"))
        plan = make_plan(snapshot, stack, now=NOW)
        assert ("2099-01-01 is in the future" in " ".join(plan.warnings)) is warned
        assert not make_plan(snapshot_of([]), stack, now=NOW).warnings


@settings(max_examples=150, deadline=None)
@given(snapshots() | unread_snapshots(), stacks)
def test_totals_equal_the_numbers_of_the_plan(snapshot: Snapshot, stack: FilterStack) -> None:
    plan = make_plan(snapshot, stack, now=NOW)
    counts = (plan.matched, plan.cascaded, plan.bundles, plan.blocked)
    assert plan_totals(snapshot, stack, now=NOW) == PlanTotals(*map(len, counts))


# Chains that the user keeps


def chains_of(snapshot: Snapshot, ids: Iterable[str]) -> set[str]:
    return {i for one in ids for i in (one, *snapshot.chains.chain(one))}


@settings(max_examples=150, deadline=None)
@given(snapshots(), stacks, kept_sets)
def test_kept_chains_leave_the_plan_and_nothing_else_changes(
    snapshot: Snapshot, stack: FilterStack, kept_ids: frozenset[str]
) -> None:
    # Tasks of a snapshot are not sorted by id.
    snapshot = replace(snapshot, tasks=dict(reversed(list(snapshot.tasks.items()))))
    whole = make_plan(snapshot, stack, now=NOW)
    plan = make_plan(snapshot, stack, now=NOW, kept_ids=kept_ids)
    kept = chains_of(snapshot, kept_ids)
    assert plan.tasks == tuple(one for one in whole.tasks if one.task.id not in kept)
    assert plan.kept == tuple(one for one in whole.tasks if one.task.id in kept)
    assert plan.blocked == tuple(one for one in whole.blocked if one.task.id not in kept)
    wanted = stack.matched(snapshot) - kept
    going = chains_of(snapshot, wanted)
    assert [one.bundle for one in plan.bundles] == [
        bundle for bundle in snapshot.bundles if not going.isdisjoint(bundle.task_ids)
    ]
    assert make_plan(snapshot, stack, now=NOW, kept_ids=frozenset()) == whole


def test_order_of_the_tasks_does_not_depend_on_how_many_are_kept() -> None:
    ids = tuple(reversed(IDS))
    snapshot = snapshot_of(map(ended, ids))
    for number in range(len(ids)):
        plan = make_plan(snapshot, failures(), now=NOW, kept_ids=frozenset(ids[:number]))
        assert plan.ids == ids[number:]
        assert tuple(one.task.id for one in plan.kept) == ids[:number]


@settings(max_examples=150, deadline=None)
@given(snapshots() | unread_snapshots(), stacks, kept_sets, st.sampled_from(IDS))
def test_taking_back_a_kept_id_gives_the_plan_before(
    snapshot: Snapshot, stack: FilterStack, kept_ids: frozenset[str], one: str
) -> None:
    before = make_plan(snapshot, stack, now=NOW, kept_ids=kept_ids - {one}, skip_blocked=True)
    more = make_plan(snapshot, stack, now=NOW, kept_ids=kept_ids | {one}, skip_blocked=True)
    chain = chains_of(snapshot, [one])
    assert set(more.ids) == set(before.ids) - chain
    assert not chain & {blocked.task.id for blocked in more.blocked}
    assert {b.bundle.name for b in more.bundles} <= {b.bundle.name for b in before.bundles}
    after = make_plan(snapshot, stack, now=NOW, kept_ids=kept_ids - {one}, skip_blocked=True)
    assert after == before


def test_kept_chain_takes_its_warnings_and_bundles_with_it() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B, Status.SUCCESS), ended(C)],
        bundles={"both": (A, C), "one": (A,)},
        links=[(B, A, A)],
    )
    plan = make_plan(snapshot, by_ids(A, C), now=NOW, kept_ids=frozenset({B}))
    assert plan.ids == (C,) and not plan.warnings
    assert reasons(replace(plan, tasks=plan.kept)) == {
        A: ("matched", None),
        B: ("retry chain", A),
    }
    (bundle,) = plan.bundles
    assert (bundle.bundle.name, bundle.deleted, bundle.surviving) == ("both", 1, 1)
    assert plan.surviving == 1


def test_kept_chain_blocks_nothing() -> None:
    running = Task(A, Status.RUNNING, DATA)
    snapshot = snapshot_of([running, ended(B), ended(C)], links=[(B, A, A)])
    for skip in (False, True):
        plan = make_plan(
            snapshot, by_ids(B, C), now=NOW, kept_ids=frozenset({B}), skip_blocked=skip
        )
        assert plan.ids == (C,) and not plan.refused and not plan.blocked
        assert [one.task.id for one in plan.kept] == [A, B]


def test_plan_in_which_everything_is_kept_is_empty() -> None:
    snapshot = unread(snapshot_of([ended(A)], bundles={"one": (A,)}), bundles={"b": "a pipe"})
    plan = make_plan(
        snapshot, failures(), now=NOW, kept_ids=frozenset({A}), ignore_unreadable_bundles=True
    )
    assert plan.empty and not plan.refused and not plan.warnings and not plan.ignored_bundles
    assert [one.task.id for one in plan.kept] == [A]
