"""What to pin and to unpin for ids of tasks and names of bundles, and what each pin holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hipercow_tui.domain.filters import TaskIds
from hipercow_tui.domain.pins import Pin, PinKind, Pins, PinTarget
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls, first_of


@dataclass(frozen=True, slots=True)
class PinnedItem:
    """A pin, and the ids of the existing tasks that it holds.

    ``gone`` says whether its chain or bundle does not exist any more.
    """

    pin: Pin
    task_ids: tuple[str, ...]
    gone: bool


def pinned_items(snapshot: Snapshot) -> list[PinnedItem]:
    """Return every pin of a snapshot with the tasks that it holds."""
    return [_item(part, pin) for part in snapshot.language_parts for pin in part.pins.pins]


def _item(part: Snapshot, pin: Pin) -> PinnedItem:
    held = Pins((pin,)).held(part.chains, part.bundles)
    ids = tuple(task.id for task in part.existing(held))
    name = pin.target.name
    if pin.target.kind is PinKind.BUNDLE:
        exists = part.bundle(name, part.lang) is not None or name in part.unread.bundles
    else:
        exists = bool(ids) or any(map(part.may_exist, held))
    return PinnedItem(pin, ids, not exists)


def chain_targets(snapshot: Snapshot, ids: Collection[str]) -> list[PinTarget]:
    """Return a target for the chain of each task, once for each chain.

    If a chain is pinned, it is the target of that pin, so that pinning again replaces the note.
    """
    found: dict[tuple[str, str], PinTarget] = {}
    for part in snapshot.language_parts:
        pinned = _pinned_chains(part)
        for task_id in ids:
            if task_id in part.tasks or part.may_exist(task_id):
                chain = part.chains.chain(task_id) or (task_id,)
                name = next((one for one in chain if one in pinned), task_id)
                target = PinTarget(PinKind.CHAIN, part.lang, name)
                found.setdefault((part.lang, chain[0]), target)
    return list(found.values())


def _pinned_chains(part: Snapshot) -> set[str]:
    """Return the ids that chains are pinned by."""
    targets = (pin.target for pin in part.pins.pins)
    return {target.name for target in targets if target.kind is PinKind.CHAIN}


def targets_to_pin(
    snapshot: Snapshot, ids: Collection[str], names: Collection[str]
) -> list[PinTarget]:
    """Return the chains of tasks and the bundles with the given names, in every language.

    Raises UnknownTasksError and FilterError if some do not exist.
    """
    TaskIds(frozenset(ids)).check(snapshot)
    bundles = [
        PinTarget(PinKind.BUNDLE, bundle.lang, bundle.name)
        for bundle in snapshot.bundles
        if bundle.name in names
    ]
    _check_names(snapshot, names, {target.name for target in bundles})
    return [*chain_targets(snapshot, ids), *bundles]


def pins_to_remove(snapshot: Snapshot, ids: Collection[str], names: Collection[str]) -> list[Pin]:
    """Return the pins of the chains of tasks and of the bundles with the given names.

    Chains and bundles that are gone can be unpinned too. Raises UnknownTasksError and FilterError
    for what does not exist and is not pinned.
    """
    pins = [pin for part in snapshot.language_parts for pin in _pins_of(part, ids, names)]
    pinned = {pin.target.name for pin in pins}
    TaskIds(frozenset(ids) - pinned).check(snapshot)
    _check_names(snapshot, names, pinned.union(bundle.name for bundle in snapshot.bundles))
    return pins


def pins_on(snapshot: Snapshot, targets: Collection[PinTarget]) -> list[Pin]:
    """Return the pins of chains and bundles, all pins of a chain included."""
    found: list[Pin] = []
    for part in snapshot.language_parts:
        own = [target for target in targets if target.lang is part.lang]
        ids = [target.name for target in own if target.kind is PinKind.CHAIN]
        found += _pins_of(part, ids, [one.name for one in own if one.kind is PinKind.BUNDLE])
    return found


def _pins_of(part: Snapshot, ids: Collection[str], names: Collection[str]) -> Iterator[Pin]:
    """Yield the pins of the chains of tasks, and of bundles, of one language."""
    members = {one for task_id in ids for one in part.chains.chain(task_id) or (task_id,)}
    for pin in part.pins.pins:
        if pin.target.name in (members if pin.target.kind is PinKind.CHAIN else names):
            yield pin


def _check_names(snapshot: Snapshot, names: Iterable[str], known: Collection[str]) -> None:
    """Raise FilterError if a name is not known."""
    missing = [escape_controls(name) for name in names if name not in known]
    if missing:
        bundles = sorted(escape_controls(bundle.name) for bundle in snapshot.bundles)
        are = "is" if len(bundles) == 1 else "are"
        raise FilterError(
            f"There is no bundle '{first_of(missing, 3)}' in {escape_controls(str(snapshot.root))}"
            + (f": there {are} {first_of(bundles, 5)}" if bundles else ": it has no bundles")
        )


def still_held(snapshot: Snapshot, ids: Iterable[str], removed: Collection[Pin]) -> dict[str, Pin]:
    """Return those of the ids that pins hold after some pins are removed, each with its pin."""
    held: dict[str, Pin] = {}
    for part in snapshot.language_parts:
        rest = Pins(tuple(pin for pin in part.pins.pins if pin not in removed))
        held |= rest.held(part.chains, part.bundles)
    return {task_id: held[task_id] for task_id in ids if task_id in held}
