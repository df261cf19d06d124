"""What the pins of chains and bundles hold, and which pins go when these are unpinned."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_plans import kept_sets
from small_root import snapshots

from hipercow_tui.domain.combined_snapshot import with_pins
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.record_requests import chain_targets, pinned_items, pins_on, still_held
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang

bundle_names = st.frozensets(st.sampled_from(["sweep_1", "fit-a", "gone"]), max_size=2)


def pin(target: RecordTarget) -> Pin:
    return Pin(target, "", "ada", "node1", 0.0)


def pinned(snapshot: Snapshot, targets: list[RecordTarget]) -> Snapshot:
    return with_pins(snapshot, {Lang.R: Pins(tuple(map(pin, targets)))})


@settings(max_examples=150, deadline=None)
@given(snapshots(), kept_sets, kept_sets)
def test_the_targets_of_tasks_hold_their_chains_and_are_found_again_by_any_task(
    snapshot: Snapshot, ids: frozenset[str], others: frozenset[str]
) -> None:
    existing = ids & snapshot.tasks.keys()
    targets = chain_targets(snapshot, sorted(ids))
    with_them = pinned(snapshot, targets)
    whole = existing.union(*map(snapshot.chains.chain, existing))
    assert with_them.held.keys() == whole
    again = chain_targets(with_them, sorted(others & whole & snapshot.tasks.keys()))
    assert set(again) <= set(targets)
    assert len(set(targets)) == len(targets)


@settings(max_examples=150, deadline=None)
@given(snapshots(), kept_sets, bundle_names, kept_sets)
def test_only_bundles_hold_a_chain_after_its_pins_are_removed(
    snapshot: Snapshot, names: frozenset[str], bundles: frozenset[str], ids: frozenset[str]
) -> None:
    targets = [RecordTarget(TargetKind.CHAIN, Lang.R, name) for name in sorted(names)]
    targets += [RecordTarget(TargetKind.BUNDLE, Lang.R, name) for name in sorted(bundles)]
    with_them = pinned(snapshot, targets)
    removed = pins_on(with_them, chain_targets(with_them, sorted(ids)))
    left = still_held(with_them, ids & snapshot.tasks.keys(), removed)
    assert {one.target.kind for one in left.values()} <= {TargetKind.BUNDLE}
    rest = replace(with_them, pins=Pins(tuple(set(with_them.pins.pins) - set(removed))))
    assert left.keys() == rest.held.keys() & ids & snapshot.tasks.keys()


@settings(max_examples=150, deadline=None)
@given(snapshots(), kept_sets, bundle_names)
def test_the_items_name_every_held_task_and_only_what_is_gone_holds_none(
    snapshot: Snapshot, names: frozenset[str], bundles: frozenset[str]
) -> None:
    targets = [RecordTarget(TargetKind.CHAIN, Lang.R, name) for name in sorted(names)]
    targets += [RecordTarget(TargetKind.BUNDLE, Lang.R, name) for name in sorted(bundles)]
    with_them = pinned(snapshot, targets)
    items = pinned_items(with_them)
    named = {task_id for item in items for task_id in item.task_ids}
    assert named == {task.id for task in snapshot.existing(with_them.held)}
    for item in items:
        if item.record.target.kind is TargetKind.CHAIN:
            assert item.gone is not bool(item.task_ids)
        else:
            assert item.gone is (snapshot.bundle(item.record.target.name, Lang.R) is None)
