from __future__ import annotations

import itertools
import time
from dataclasses import replace

from hypothesis import given, settings
from small_plans import by_ids, ended, failures, kept_sets, stacks
from small_root import IDS, NOW, snapshot_of, snapshots, task_id

from hipercow_tui.domain.filters import FilterStack, InBundle
from hipercow_tui.domain.plan import Reason, make_plan
from hipercow_tui.domain.plan_chains import number_of_chains, planned_chains
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status

A, B, C, D, E = IDS[:5]


def test_chain_has_the_matched_tasks_first_then_those_drawn_in_by_attempt() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B), ended(C), ended(D)], links=[(C, D, D), (B, C, D), (A, B, D)]
    )
    chains = planned_chains(make_plan(snapshot, by_ids(C, A), now=NOW))
    (chain,) = chains
    assert [one.task.id for one in chain.tasks] == [C, A, D, B]
    assert [one.cause_id for one in chain.tasks] == [None, None, C, C]
    assert chain.key == D and not chain.kept and not chain.bundles


def test_chain_costs_the_bundles_that_list_any_of_its_ids_deleted_ones_included() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(C), ended(D)],
        bundles={"one": (A, D), "gone": (B,), "other": (D,), "all": (A, B, C)},
        links=[(B, A, A), (C, B, A)],
    )
    first, second = planned_chains(make_plan(snapshot, by_ids(A, D), now=NOW))
    assert first.bundles == ((Lang.R, "all"), (Lang.R, "gone"), (Lang.R, "one"))
    assert second.bundles == ((Lang.R, "one"), (Lang.R, "other"))


def test_kept_chain_has_the_same_key_and_tasks() -> None:
    snapshot = snapshot_of(
        [ended(A), ended(B), ended(C)], bundles={"one": (A, C)}, links=[(B, A, A)]
    )
    going = planned_chains(make_plan(snapshot, by_ids(B, C), now=NOW))
    kept = planned_chains(make_plan(snapshot, by_ids(B, C), now=NOW, kept_ids=frozenset({A})))
    assert [chain.key for chain in kept] == [C, A]
    assert kept[1] == going[0]._replace(kept=True)


def test_bundle_of_deleted_tasks_belongs_to_no_chain() -> None:
    snapshot = snapshot_of([], bundles={"one": (A,)})
    plan = make_plan(snapshot, FilterStack(in_bundle=InBundle.of("one")), now=NOW)
    assert plan.bundles and planned_chains(plan) == ()


def test_bundles_of_the_other_language_are_not_costs() -> None:
    r = snapshot_of([ended(A)], bundles={"one": (A,)})
    python = replace(r, lang=Lang.PY, bundles=(replace(r.bundles[0], lang=Lang.PY),))
    plan = make_plan(r, by_ids(A), now=NOW)
    both = replace(
        plan, bundles=(*plan.bundles, replace(plan.bundles[0], bundle=python.bundles[0]))
    )
    assert planned_chains(both)[0].bundles == ((Lang.R, "one"),)


@settings(max_examples=150, deadline=None)
@given(snapshots(), stacks, kept_sets)
def test_each_task_is_in_one_chain_and_each_chain_is_whole(
    snapshot: Snapshot, stack: FilterStack, kept_ids: frozenset[str]
) -> None:
    plan = make_plan(snapshot, stack, now=NOW, kept_ids=kept_ids)
    chains = planned_chains(plan)
    for kept, tasks in ((False, plan.tasks), (True, plan.kept)):
        found = [one for chain in chains if chain.kept is kept for one in chain.tasks]
        assert sorted(found, key=lambda one: one.task.id) == sorted(
            tasks, key=lambda one: one.task.id
        )
        assert number_of_chains(tasks) == sum(chain.kept is kept for chain in chains)
    assert len({chain.key for chain in chains}) == len(chains)
    for chain in chains:
        assert len({one.task.chain or one.task.id for one in chain.tasks}) == 1
        reasons = [one.reason for one in chain.tasks]
        assert reasons == sorted(reasons, key=lambda reason: reason is not Reason.MATCHED)
    names = {(one.bundle.lang, one.bundle.name) for one in plan.bundles}
    assert all(set(chain.bundles) <= names for chain in chains if not chain.kept)


def test_chains_take_linear_time() -> None:
    number = 10_000
    ids = list(map(task_id, range(1000, 1000 + number)))
    links = [(after, before, ids[0]) for before, after in itertools.pairwise(ids)]
    snapshot = snapshot_of(
        [ended(i, Status.FAILURE) for i in ids], bundles={"one": tuple(ids)}, links=links
    )
    plan = make_plan(snapshot, failures(), now=NOW)
    start = time.process_time()
    (chain,) = planned_chains(plan)
    assert time.process_time() - start < 2.0  # quadratic time would be minutes
    assert len(chain.tasks) == number and chain.bundles == ((Lang.R, "one"),)
