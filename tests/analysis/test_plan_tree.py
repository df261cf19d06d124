from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_plans import by_ids, ended, failures, kept_sets, stacks
from small_root import DAY, IDS, NOW, snapshot_of, snapshots

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.plan_arrangement import Arrangement, ChainKey, Grouping
from hipercow_tui.analysis.plan_rows import (
    Member,
    Row,
    bundle_tasks,
    chain_ids,
    find_hits,
    group_figures,
    tree_rows,
)
from hipercow_tui.analysis.plan_tree import (
    BlockedChain,
    KnownFacts,
    PlanGroup,
    PlanTree,
    make_tree,
)
from hipercow_tui.analysis.task_summary import TaskSummary, pack_inputs
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.notes import Note, Notes
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.plan import PinnedTask, PurgePlan, make_plan
from hipercow_tui.domain.plan_chains import PlannedChain, planned_chains
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.folder_size import Size

A, B, C, D, E = IDS[:5]
NOTHING_KNOWN = KnownFacts({}, {}, {})
EVERYTHING = tuple(Status)

arrangements = st.builds(
    Arrangement, st.sampled_from(Grouping), st.sampled_from(ChainKey), st.booleans()
)
facts = st.builds(
    KnownFacts,
    st.dictionaries(
        st.sampled_from(IDS), st.sampled_from(["f(x)", "g(y)"]).map(lambda code: TaskSummary(code))
    ),
    st.dictionaries(st.sampled_from(IDS), st.sampled_from(["no 1", "no 2", "other"]).map(Failure)),
    st.dictionaries(st.sampled_from(IDS), st.integers(0, 99).map(lambda size: Size(size, 1))),
)


def tree_of(
    plan: PurgePlan,
    grouping: Grouping = Grouping.REASON,
    key: ChainKey = ChainKey.ID,
    known: KnownFacts = NOTHING_KNOWN,
    *,
    reverse: bool = False,
) -> PlanTree:
    return make_tree(plan, planned_chains(plan), Arrangement(grouping, key, reverse), known)


def task_ids(rows: list[Row]) -> list[str]:
    """The id on each line that is of a task."""
    ids = []
    for row in rows:
        if isinstance(row, PlannedChain):
            ids.append(row.tasks[0].task.id)
        elif isinstance(row, BlockedChain):
            ids.append(row.task.id)
        elif isinstance(row, Member):
            ids.append(row.planned.task.id)
    return ids


def shown(tree: PlanTree) -> list[tuple[str, list[str]]]:
    """The title and the first letters of the ids of each group."""
    return [(group.title, task_ids(tree_rows([group]))) for group in tree.groups]


@given(snapshots(), stacks, st.booleans(), arrangements, facts)
def test_every_task_is_on_one_line_in_every_arrangement(
    snapshot: Snapshot, stack: FilterStack, skip: bool, arrangement: Arrangement, known: KnownFacts
) -> None:
    plan = make_plan(snapshot, stack, now=NOW, skip_blocked=skip)
    tree = make_tree(plan, planned_chains(plan), arrangement, known)
    lines = Counter(task_ids(tree_rows(tree.groups)))
    assert lines.keys() == {*plan.ids, *(blocked.task.id for blocked in plan.blocked)}
    assert set(lines.values()) <= {1}
    keys = [group.key for group in tree.groups]
    assert len(set(keys)) == len(keys)


@given(snapshots(), stacks, kept_sets, arrangements, facts)
def test_the_figures_of_the_groups_add_up_to_the_plan(
    snapshot: Snapshot,
    stack: FilterStack,
    kept_ids: frozenset[str],
    arrangement: Arrangement,
    known: KnownFacts,
) -> None:
    whole = make_plan(snapshot, stack, now=NOW, skip_blocked=True)
    tree = make_tree(whole, planned_chains(whole), arrangement, known)
    kept = frozenset(
        chain.key for chain in tree.chains if not kept_ids.isdisjoint(chain_ids(chain))
    )
    plan = make_plan(snapshot, stack, now=NOW, skip_blocked=True, kept_ids=kept)
    groups = [group for group in tree.groups if group.key != "left out"]
    figures = [group_figures(group, kept, EVERYTHING, known.sizes) for group in groups]
    assert sum(one.tasks for one in figures) == len(plan.tasks)
    assert sum(one.drawn_in for one in figures) == len(plan.cascaded)
    assert sum(one.kept for one in figures) == len(whole.tasks) - len(plan.tasks)
    size = sum(known.sizes[i].bytes for i in plan.ids if i in known.sizes)
    assert sum(one.size.bytes for one in figures if one.size) == size


@pytest.mark.parametrize("grouping", Grouping)
def test_what_pins_hold_back_is_a_group_at_the_end_of_every_grouping(grouping: Grouping) -> None:
    pins = [
        Pin(RecordTarget(kind, Lang.R, name), "", "ada", "node1", NOW)
        for kind, name in ((TargetKind.BUNDLE, "one"), (TargetKind.CHAIN, C))
    ]
    tasks = [ended(task_id) for task_id in (A, B, C, D)]
    snapshot = snapshot_of(tasks, bundles={"one": (A, D)}, links=[(B, A, A)])
    plan = make_plan(replace(snapshot, pins=Pins(tuple(pins))), by_ids(A, C, D), now=NOW)
    *_, group = tree_of(plan, grouping).groups
    assert group.title == "held back by pins" and not list(group.chains)
    rows = tree_rows([group])[1:]
    assert [(row.task.id, row.pin) for row in rows if isinstance(row, PinnedTask)] == [
        (A, pins[0]),
        (B, pins[0]),
        (D, pins[0]),
        (C, pins[1]),
    ]


@given(snapshots(), stacks, arrangements, facts, st.data())
def test_a_folded_line_hides_what_is_under_it_and_nothing_else(
    snapshot: Snapshot,
    stack: FilterStack,
    arrangement: Arrangement,
    known: KnownFacts,
    data: st.DataObject,
) -> None:
    plan = make_plan(snapshot, stack, now=NOW)
    tree = make_tree(plan, planned_chains(plan), arrangement, known)
    rows = tree_rows(tree.groups)
    foldable = [row for row in rows if isinstance(row, PlanGroup | PlannedChain | BlockedChain)]
    folded = frozenset(
        row.key for row in foldable if data.draw(st.booleans(), label=f"fold {row.key}")
    )
    left = tree_rows(tree.groups, folded)
    expected: list[Row] = []
    group_folded = False
    for row in rows:
        if isinstance(row, PlanGroup):
            group_folded = row.key in folded
            expected.append(row)
        elif not group_folded and not (isinstance(row, Member) and row.chain.key in folded):
            expected.append(row)
    assert left == expected


def test_a_chain_has_the_matched_task_first_and_what_it_draws_in_below() -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C)], links=[(B, A, A)])
    tree = tree_of(make_plan(snapshot, by_ids(B, C), now=NOW))
    matched, chains = tree.groups
    assert (matched.title, chains.title) == ("matched", "with their retry chain")
    assert task_ids(tree_rows([matched])) == [C]
    assert task_ids(tree_rows([chains])) == [B, A]


def test_a_blocked_chain_is_under_its_reason_and_in_no_other_group() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B, Status.RUNNING), ended(C)],
        links=[(B, A, A)],
    )
    refused = make_plan(snapshot, by_ids(A, C), now=NOW)
    for grouping in Grouping:
        blocked, *others = tree_of(refused, grouping).groups
        assert blocked.title == "blocked" and blocked.alarming
        reason, *_ = tree_rows([blocked])[1:]
        assert isinstance(reason, str) and reason.startswith("it is running")
        assert task_ids(tree_rows([blocked])) == [B, A]
        assert task_ids(tree_rows(others)) == [C]
    left_out = make_plan(snapshot, by_ids(A, C), now=NOW, skip_blocked=True)
    assert [group.title for group in tree_of(left_out).groups] == ["matched", "left out"]


def test_groups_by_bundle_are_all_bundles_of_the_plan_then_the_tasks_without_one() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B), ended(C), ended(D)],
        bundles={"one": (A, B), "two": (B, E)},
    )
    tree = tree_of(make_plan(snapshot, by_ids(A, B, D), now=NOW), Grouping.BUNDLE)
    assert shown(tree) == [("one", [A, B]), ("two", []), ("in no bundle", [D])]
    assert set(tree.chains_of_bundle) == {(Lang.R, "one"), (Lang.R, "two")}
    assert [one.key for one in tree.chains_of_bundle[Lang.R, "two"]] == [B]


def test_groups_by_error_are_the_largest_first_then_what_is_not_known() -> None:
    tasks = [ended(A), ended(B), ended(C), ended(D, Status.CANCELLED), ended(E)]
    known = KnownFacts({}, {A: Failure("other"), B: Failure("no 1"), C: Failure("no 2")}, {})
    tree = tree_of(
        make_plan(snapshot_of(tasks), by_ids(A, B, C, D, E), now=NOW), Grouping.ERROR, known=known
    )
    assert shown(tree) == [
        ("no <n>", [B, C]),
        ("other", [A]),
        ("error not read yet", [E]),
        ("without an error", [D]),
    ]


def test_groups_by_age_are_the_newest_first() -> None:
    days = {A: 0.5, B: 400, C: 3, D: 20, E: 100}
    snapshot = snapshot_of([ended(i, days=age) for i, age in days.items()])
    tree = tree_of(make_plan(snapshot, by_ids(*days), now=NOW), Grouping.AGE)
    assert shown(tree) == [
        ("less than 1 day old", [A]),
        ("1 to 7 days old", [C]),
        ("1 to 4 weeks old", [D]),
        ("3 to 12 months old", [E]),
        ("more than 1 year old", [B]),
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (ChainKey.ID, [A, B, C]),
        (ChainKey.AGE, [C, B, A]),
        (ChainKey.SIZE, [B, C, A]),
        (ChainKey.WHAT, [A, C, B]),
    ],
)
def test_chains_are_sorted_by_their_first_task_and_by_the_size_of_all(
    key: ChainKey, expected: list[str]
) -> None:
    snapshot = snapshot_of(
        [ended(A, days=1), ended(B, days=2), ended(C, days=3), ended(D, days=0.1)],
        links=[(D, A, A)],
    )
    code = {A: ("f(x)", "n = 9"), B: ("g(x)", ""), C: ("f(x)", "n = 10"), D: ("a(x)", "")}
    known = KnownFacts(
        {i: TaskSummary(*texts) for i, texts in code.items()},
        {},
        {A: Size(1, 1), B: Size(5, 1), C: Size(7, 1), D: Size(9, 1)},
    )
    plan = make_plan(snapshot, by_ids(A, B, C), now=NOW)
    up = tree_of(plan, Grouping.NOTHING, key, known)
    down = tree_of(plan, Grouping.NOTHING, key, known, reverse=True)
    keys = [chain.key for chain in up.groups[0].chains]
    assert keys == expected
    assert [chain.key for chain in down.groups[0].chains] == expected[::-1]
    assert up.groups[0].title == "all"


def test_matches_by_the_last_attempt_are_counted_in_their_group() -> None:
    snapshot = snapshot_of([ended(A, Status.SUCCESS), ended(B)], links=[(B, A, A)])
    plan = make_plan(snapshot, failures(), now=NOW)
    (group,) = tree_of(plan).groups
    figures = group_figures(group, frozenset(), (Status.FAILURE,), None)
    assert (figures.tasks, figures.by_last_attempt, figures.drawn_in) == (2, 1, 0)
    assert figures.warned == 1 and figures.size is None


def test_a_search_finds_ids_calls_bundles_and_errors_of_all_tasks() -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C), ended(D)], bundles={"sweep": (C,)})
    known = KnownFacts({A: TaskSummary("run_sir(beta)")}, {B: Failure("Step size")}, {})
    tree = tree_of(make_plan(snapshot, by_ids(A, B, C, D), now=NOW))
    assert find_hits(tree, "SIR", known, snapshot).ids == {A}
    assert find_hits(tree, "step", known, snapshot).ids == {B}
    assert find_hits(tree, "swee", known, snapshot).ids == {C}
    assert find_hits(tree, D, known, snapshot).ids == {D}
    assert find_hits(tree, "nowhere", known, snapshot).ids == frozenset()
    assert find_hits(tree, "x", known, snapshot).unread == 3


def test_a_search_finds_the_chain_and_the_bundle_of_a_note() -> None:
    target = RecordTarget(TargetKind.BUNDLE, Lang.R, "sweep")
    notes = (
        Note(RecordTarget(TargetKind.CHAIN, Lang.R, B), "Wrong data", "ada", "node1", NOW),
        Note(target, "wrong grid", "ada", "node1", NOW),
    )
    tasks = [ended(A), ended(B), ended(C), ended(D)]
    snapshot = replace(
        snapshot_of(tasks, links=[(B, A, A)], bundles={"sweep": (C,)}), notes=Notes(notes)
    )
    tree = tree_of(make_plan(snapshot, by_ids(A, B, C, D), now=NOW))
    known = KnownFacts({}, {}, {})
    assert find_hits(tree, "wrong DATA", known, snapshot).ids == {A, B}
    assert find_hits(tree, "wrong", known, snapshot).ids == {A, B, C}


def test_a_search_compares_numbers_in_inputs_of_calls_and_failures() -> None:
    snapshot = snapshot_of([ended(A), ended(B), ended(C), ended(D)])
    known = KnownFacts(
        {
            A: TaskSummary("run_sir(beta)", packed_inputs=pack_inputs((("beta", "0.95"),))),
            C: TaskSummary("run_sir(beta)", packed_inputs=pack_inputs((("beta", "0.252"),))),
        },
        {B: Failure("no", code_text="run_sir(beta)", inputs=(("beta", "1e3"),))},
        {},
    )
    tree = tree_of(make_plan(snapshot, by_ids(A, B, C, D), now=NOW))
    assert find_hits(tree, "beta > 0.9", known, snapshot).ids == {A, B}
    assert find_hits(tree, "BETA = 0.950", known, snapshot).ids == {A}
    assert find_hits(tree, "beta = 0.25", known, snapshot).ids == frozenset()
    assert find_hits(tree, "beta < 1", known, snapshot).unread == 2


def test_inputs_are_of_the_bundle_of_a_line_else_of_its_group() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B), ended(C)], bundles={"sweep": (A, E)}, links=[(B, A, A)]
    )
    tree = tree_of(make_plan(snapshot, by_ids(A, C), now=NOW))
    alone, chains, bundles = tree.groups
    *_, member = tree_rows([chains])
    assert isinstance(member, Member)
    for row in (*chains.items, member, *bundles.items):
        assert bundle_tasks(tree, row, chains) == ("Bundle sweep", (A, E))
    assert bundle_tasks(tree, alone.items[0], alone) == ("Plan, matched", (C,))


def test_an_arrangement_cycles_through_groupings_and_keys_and_says_what_it_is() -> None:
    first = Arrangement()
    assert first.grouping_text == "by reason"
    groupings = list(itertools.accumulate(range(5), lambda one, _: one.regrouped(), initial=first))
    assert [one.grouping for one in groupings[:5]] == list(Grouping)
    assert groupings[5] == first
    assert groupings[4].grouping_text == "not grouped"
    assert [first.resorted(step) for step in (1, -1)] == [
        Arrangement(Grouping.REASON, ChainKey.SIZE, True),
        Arrangement(Grouping.REASON, ChainKey.ID, False),
    ]
    assert first.reversed() == Arrangement(Grouping.REASON, ChainKey.AGE, False)


def test_ages_begin_at_the_time_of_the_plan() -> None:
    snapshot = snapshot_of([ended(A, days=0.9)])
    later = make_plan(snapshot, by_ids(A), now=NOW + DAY)
    assert [group.title for group in tree_of(later, Grouping.AGE).groups] == ["1 to 7 days old"]
