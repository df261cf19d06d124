from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import DAY, NOW, snapshot_of, snapshots, task_id

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleRowBuilder, BundleSort, sort_rows
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.analysis.task_view import TaskView, make_view, next_hit
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, TaskIds, WithStatus
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Status, Task

A, B, C, D = map(task_id, range(4))
NO_FILTER = FilterStack()
FAILURES = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE})))

sorts = st.builds(TaskSort, st.sampled_from(list(SortKey)), st.booleans())
stacks = st.one_of(
    st.just(NO_FILTER),
    st.builds(
        FilterStack,
        with_status=st.one_of(
            st.none(),
            st.sets(st.sampled_from(FILTERABLE_STATUSES)).map(
                lambda some: WithStatus(frozenset(some))
            ),
        ),
        task_ids=st.one_of(
            st.none(),
            st.sets(st.sampled_from([A, B, C, D])).map(lambda some: TaskIds(frozenset(some))),
        ),
        finished_before=st.one_of(st.none(), st.just(FinishedBefore(NOW - 30 * DAY, "30 days"))),
    ),
)
queries = st.sampled_from(["", "00", "sweep", "BETA", "beta = 2", "beta > 9", "fit-a"])
summaries = {task_id(n): TaskSummary("run_sir(beta)", f"beta = {n}") for n in range(0, 24, 2)}


def four() -> Snapshot:
    return snapshot_of(
        [
            Task(A, Status.SUCCESS, 1, NOW - 9 * DAY, None, NOW - 8 * DAY),
            Task(B, Status.FAILURE, 1, NOW - 7 * DAY, None, NOW - 2 * DAY),
            Task(C, Status.RUNNING, 1, NOW - 6 * DAY),
            Task(D, Status.FAILURE, 1, NOW - 5 * DAY, None, NOW - 4 * DAY),
        ],
        {"fit": (A, C), "sweep": (B, A)},
        [(B, A, A)],
    )


def view_of(snapshot: Snapshot, stack: FilterStack = NO_FILTER, **how: object) -> TaskView:
    sort = how.pop("sort", TaskSort())
    return make_view(snapshot, stack, sort, **how)  # type: ignore[arg-type]


def test_default_order_is_newest_first_with_unfinished_tasks_first() -> None:
    assert view_of(four()).ids == (C, B, D, A)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (TaskSort(SortKey.CREATED, True), (D, C, B, A)),
        (TaskSort(SortKey.CREATED, False), (A, B, C, D)),
        (TaskSort(SortKey.FINISHED, False), (A, D, B, C)),
        (TaskSort(SortKey.ID, False), (A, B, C, D)),
        (TaskSort(SortKey.STATUS, False), (C, A, D, B)),
        (TaskSort(SortKey.BUNDLE, False), (D, C, A, B)),
        (TaskSort(SortKey.ATTEMPTS, True), (B, A, D, C)),
    ],
)
def test_each_order(sort: TaskSort, expected: tuple[str, ...]) -> None:
    assert view_of(four(), sort=sort).ids == expected


def test_inputs_are_sorted_as_numbers_and_code_as_text() -> None:
    known = {
        A: TaskSummary("b", "n = 10L"),
        B: TaskSummary("a", "n = 9L"),
        C: TaskSummary("c", "n = -1"),
        D: TaskSummary("A", 'n = "x"'),
    }
    assert view_of(four(), sort=TaskSort(SortKey.INPUTS, False), summaries=known).ids == (
        C,
        B,
        A,
        D,
    )
    assert view_of(four(), sort=TaskSort(SortKey.WHAT, False), summaries=known).ids == (D, B, A, C)


def test_unfinished_tasks_have_waited_and_run_until_now() -> None:
    spans = snapshot_of(
        [
            Task(A, Status.SUCCESS, 1, NOW - 90, NOW - 80, NOW - 50),  # waited 10, ran 30
            Task(B, Status.RUNNING, 1, NOW - 90, NOW - 20),  # 70, 20
            Task(C, Status.SUBMITTED, 1, NOW - 60),  # 60
            Task(D, Status.CREATED, 1, NOW - 5),
        ]
    )
    longest = TaskSort().toggled(SortKey.WAITED), TaskSort().toggled(SortKey.RAN)
    assert [one.reverse for one in longest] == [True, True]
    by_wait = view_of(spans, sort=longest[0], now=NOW)
    assert by_wait.ids == (B, C, A, D)
    by_run = view_of(spans, sort=longest[1], now=NOW)
    assert by_run.ids == (A, B, D, C)
    later = view_of(spans, sort=longest[1], now=NOW + 30, before=by_run)
    assert later.ids == (B, A, D, C), "the snapshot is the same, the time is not"


def test_tasks_that_pass_all_filters_are_matched_and_others_dimmed() -> None:
    view = view_of(four(), FAILURES)
    assert view.matched == {A, B, D}, "a retried task counts as its tip"
    assert view.matches == 3
    assert [view.is_dimmed(row) for row in range(4)] == [True, False, False, False]
    assert view_of(four(), FAILURES, only_matched=True).ids == (B, D, A)


def test_without_a_filter_nothing_is_dimmed_and_all_are_shown() -> None:
    view = view_of(four(), only_matched=True)
    assert len(view.ids) == 4
    assert not any(map(view.is_dimmed, range(4)))


def test_mark_all_marks_tasks_that_pass_all_filters() -> None:
    assert view_of(four()).markable == {A, B, C, D}
    assert view_of(four(), FAILURES).markable == {A, B, D}


def test_only_tasks_of_the_narrowing_are_rows() -> None:
    two = FilterStack(task_ids=TaskIds(frozenset({A, C})))
    view = view_of(four(), two, narrowing=two)
    assert view.ids == (C, A) and view.matched == {A, C}
    assert not any(map(view.is_dimmed, range(2)))
    assert [view.row_of(i) for i in (A, B, C)] == [1, None, 0]
    failed = replace(FAILURES, task_ids=two.task_ids)
    view = view_of(four(), failed, narrowing=two)
    assert view.ids == (C, A) and view.matched == {A}
    assert [view.is_dimmed(row) for row in range(2)] == [True, False]
    assert view.nearest_match(range(1)) == 1 and view.nearest_match(range(2)) is None
    assert view_of(four(), failed, narrowing=two, only_matched=True).ids == (A,)


def test_search_ignores_case_in_ids_code_inputs_and_bundles() -> None:
    known = {A: TaskSummary("Run_SIR(beta)", "beta = 1"), B: TaskSummary("fit(x)", "x = 'ß'")}
    assert view_of(four(), query="run_sir", summaries=known).hits == (3,)
    assert view_of(four(), query="SS", summaries=known).hits == (1,)
    assert view_of(four(), query="SWEEP", summaries=known).hits == (1, 3)
    assert view_of(four(), query="00000", summaries=known).hits == (0, 1, 2, 3)
    assert view_of(four(), query=D).hits == (2,)


def test_search_looks_at_messages_but_not_at_the_reasons_for_missing_ones() -> None:
    failed = {A: Failure("Step Size\ntoo small"), B: Failure("", problem="no step to read")}
    assert view_of(four(), query="step", failures=failed).hits == (3,)
    assert view_of(four(), query="TOO", failures=failed).hits == (3,)


def test_a_comparison_finds_inputs_as_numbers() -> None:
    known = {A: TaskSummary("run", "beta = 0.252"), B: TaskSummary("run", "beta = 0.25")}
    failed = {D: Failure("no", inputs=(("beta", "0.250"),))}
    found = {
        query: view_of(four(), query=query, summaries=known, failures=failed)
        for query in ("beta = 0.25", "beta > 0.25", "beta = 0.2")
    }
    rows = {query: [view.ids[row] for row in view.hits] for query, view in found.items()}
    assert rows == {"beta = 0.25": [B, D], "beta > 0.25": [A], "beta = 0.2": []}
    assert found["beta = 0.25"].failed_hits == {D}
    assert view_of(four(), query="run", summaries=known, failures=failed).failed_hits == frozenset()


def test_mark_all_during_a_search_marks_hits_that_pass_the_filters() -> None:
    known = {A: TaskSummary("fit(x)"), C: TaskSummary("fit(y)")}
    view = view_of(four(), FAILURES, query="fit", summaries=known)
    assert len(view.hits) == 2 and view.markable_rows == {A}
    assert view_of(four(), FAILURES).markable_rows == {A, B, D}
    assert view_of(four(), query="nowhere").markable_rows == set()
    alone = view_of(four(), FAILURES, only_matched=True)
    assert alone.markable_rows == set(alone.ids)


def test_next_hit_wraps_around() -> None:
    view = TaskView(four(), hits=(2, 5, 9))
    assert [next_hit(view.hits, row, 1) for row in (-1, 1, 2, 8, 9)] == [2, 2, 5, 9, 2]
    assert [next_hit(view.hits, row, -1) for row in (0, 2, 8, 9)] == [9, 9, 5, 5]
    assert next_hit((), 0, 1) is next_hit((), 0, -1) is None


@given(snapshots(), stacks, stacks, sorts, sorts, queries, st.booleans(), st.booleans())
def test_view_does_not_depend_on_the_previous_view(
    snapshot: Snapshot,
    stack: FilterStack,
    earlier_stack: FilterStack,
    sort: TaskSort,
    earlier_sort: TaskSort,
    query: str,
    only: bool,
    narrowed: bool,
) -> None:
    narrowing = FilterStack(in_bundle=stack.in_bundle) if narrowed else FilterStack()
    same = {"narrowing": narrowing, "only_matched": only, "query": query}
    before = view_of(snapshot, earlier_stack, sort=earlier_sort, query=query, summaries=summaries)
    alone = view_of(snapshot, stack, sort=sort, **same, summaries=summaries)
    after = view_of(snapshot, stack, sort=sort, **same, summaries=summaries, before=before)
    assert after == alone
    assert sorted(alone.order) == sorted(snapshot.tasks)
    assert [alone.row_of(i, 3) for i in alone.ids] == list(range(len(alone.ids)))
    assert not [i for i in alone.order if i not in alone.ids and alone.row_of(i) is not None]
    assert alone.matched == stack.matched(snapshot) & snapshot.tasks.keys()
    assert alone.matches == len(alone.matched)
    if not only:
        passing = narrowing.matched(snapshot) if narrowing.given else snapshot.tasks.keys()
        assert set(alone.ids) == passing & snapshot.tasks.keys()
    if stack.given:
        dimmed = [alone.is_dimmed(row) for row in range(len(alone.ids))]
        assert dimmed == [i not in alone.matched for i in alone.ids]


def test_bundle_counts_tasks_by_their_latest_attempt() -> None:
    (fit, sweep) = sort_rows(
        BundleRowBuilder().build(four(), {}), BundleSort(BundleKey.NAME, False)
    )
    assert (fit.name, fit.task_count, fit.status_counts) == (
        "fit",
        2,
        {Status.FAILURE: 1, Status.RUNNING: 1},
    )
    assert fit.overall_status is Status.FAILURE
    assert sweep.status_counts == {Status.FAILURE: 2}


@pytest.mark.parametrize(
    ("statuses", "reduced"),
    [
        ((Status.SUCCESS, Status.CREATED, Status.FAILURE), Status.CREATED),
        ((Status.SUCCESS, Status.FAILURE, Status.CANCELLED), Status.FAILURE),
        ((Status.RUNNING, Status.CANCELLED), Status.CANCELLED),
        ((Status.SUBMITTED, Status.RUNNING, Status.SUCCESS), Status.RUNNING),
        ((Status.SUBMITTED, Status.SUCCESS), Status.SUBMITTED),
        ((Status.SUCCESS, Status.SUCCESS), Status.SUCCESS),
        ((), None),
    ],
)
def test_the_statuses_of_a_bundle_are_reduced_in_the_order_of_hipercow(
    statuses: tuple[Status, ...], reduced: Status | None
) -> None:
    tasks = [Task(task_id(n), status, 1) for n, status in enumerate(statuses)]
    snapshot = snapshot_of(tasks, {"b": (*(task.id for task in tasks), task_id(200))})
    (line,) = BundleRowBuilder().build(snapshot, {})
    assert (line.overall_status, line.task_count, line.missing_count) == (reduced, len(tasks), 1)


@given(snapshots(), stacks, st.booleans(), st.integers(0, 30), st.sampled_from([1, -1]))
def test_next_match_is_the_nearest_matched_row_in_its_direction(
    snapshot: Snapshot, stack: FilterStack, only: bool, row: int, step: int
) -> None:
    view = view_of(snapshot, stack, only_matched=only)
    row = min(row, max(0, len(view.ids) - 1))
    found = view.next_match(row, step)
    rows = [at for at, task_id in enumerate(view.ids) if task_id in view.matched]
    ahead = [at for at in rows if (at > row if step > 0 else at < row)]
    expected = ahead or rows
    assert found == ((expected[0] if step > 0 else expected[-1]) if expected else None)
