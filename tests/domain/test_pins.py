"""What pins hold: whole chains, and all chains of a pinned bundle."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_plans import by_ids, ended, kept_sets, stacks
from small_root import NOW, snapshot_of, snapshots, task_id, unread_snapshots

from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.plan import PlanTotals, make_plan, plan_totals
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.retry_chains import RetryChains, RetryLink
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.domain.unread import Unread

A, B, C, D = map(task_id, range(4))


def pin(kind: TargetKind, name: str) -> Pin:
    return Pin(RecordTarget(kind, Lang.R, name), "", "ada", "node1", 0.0)


def test_a_pinned_task_holds_its_whole_chain() -> None:
    chains = RetryChains((RetryLink(B, A, A), RetryLink(C, B, A)))
    held = Pins((pin(TargetKind.CHAIN, B),)).held(chains, ())
    assert held.keys() == {A, B, C}


def test_a_pinned_task_without_a_chain_holds_itself() -> None:
    assert Pins((pin(TargetKind.CHAIN, D),)).held(RetryChains(), ()).keys() == {D}


def test_a_pinned_bundle_holds_the_chains_of_its_tasks() -> None:
    chains = RetryChains((RetryLink(B, A, A),))
    bundles = (Bundle("sweep", (A, D)), Bundle("other", (C,)))
    held = Pins((pin(TargetKind.BUNDLE, "sweep"),)).held(chains, bundles)
    assert held.keys() == {A, B, D}


def test_a_pinned_bundle_that_is_gone_holds_nothing() -> None:
    assert Pins((pin(TargetKind.BUNDLE, "gone"),)).held(RetryChains(), ()) == {}


def pinned(snapshot: Snapshot, names: frozenset[str], bundles: frozenset[str]) -> Snapshot:
    pins = [pin(TargetKind.CHAIN, name) for name in sorted(names)]
    pins += [pin(TargetKind.BUNDLE, name) for name in sorted(bundles)]
    return replace(snapshot, pins=Pins(tuple(pins)))


bundle_names = st.frozensets(st.sampled_from(["sweep_1", "fit-a", "mine"]), max_size=2)


@settings(max_examples=150, deadline=None)
@given(snapshots() | unread_snapshots(), stacks, kept_sets, bundle_names, st.booleans())
def test_a_plan_with_pins_is_the_plan_that_keeps_what_they_hold(
    snapshot: Snapshot,
    stack: FilterStack,
    names: frozenset[str],
    bundles: frozenset[str],
    ignore: bool,
) -> None:
    with_pins = pinned(snapshot, names, bundles)
    held = frozenset(with_pins.held)
    plan = make_plan(with_pins, stack, now=NOW, ignore_unreadable_bundles=ignore)
    same = make_plan(
        snapshot,
        stack,
        now=NOW,
        ignore_unreadable_bundles=ignore and bundles.isdisjoint(snapshot.unread.bundles),
        kept_ids=held,
    )
    assert replace(plan, pinned=()) == replace(same, kept=())
    assert {one.task.id for one in plan.pinned} >= {one.task.id for one in same.kept}
    assert held.isdisjoint(plan.ids)
    assert (
        not {name for _, name in ((b.bundle.lang, b.bundle.name) for b in plan.bundles)} & bundles
    )


@settings(max_examples=150, deadline=None)
@given(snapshots() | unread_snapshots(), stacks, kept_sets, bundle_names)
def test_totals_with_pins_equal_the_numbers_of_the_plan(
    snapshot: Snapshot, stack: FilterStack, names: frozenset[str], bundles: frozenset[str]
) -> None:
    with_pins = pinned(snapshot, names, bundles)
    plan = make_plan(with_pins, stack, now=NOW)
    counts = (plan.matched, plan.cascaded, plan.bundles, plan.blocked, plan.pinned)
    assert plan_totals(with_pins, stack, now=NOW) == PlanTotals(*map(len, counts))


def test_an_unreadable_pinned_bundle_blocks_although_unreadable_bundles_are_ignored() -> None:
    snapshot = replace(
        snapshot_of([ended(A)]),
        unread=Unread(bundles={"sweep": "Permission denied"}),
        pins=Pins((pin(TargetKind.BUNDLE, "sweep"),)),
    )
    plan = make_plan(snapshot, by_ids(A), now=NOW, ignore_unreadable_bundles=True)
    assert plan.refused
    assert not make_plan(
        replace(snapshot, pins=Pins()), by_ids(A), now=NOW, ignore_unreadable_bundles=True
    ).refused
