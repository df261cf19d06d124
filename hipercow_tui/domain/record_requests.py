"""Which pins and notes are meant by ids of tasks and names of bundles, and the tasks of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from hipercow_tui.domain.filters import TaskIds
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin, Pins
from hipercow_tui.domain.records import Record, RecordTarget, TargetKind
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls, first_of

_R = TypeVar("_R", bound=Record)
_Records: TypeAlias = Callable[[Snapshot], Sequence[_R]]


def _pins(part: Snapshot) -> Sequence[Pin]:
    return part.pins.pins


def _notes(part: Snapshot) -> Sequence[Note]:
    return part.notes.notes


@dataclass(frozen=True, slots=True)
class RecordItem(Generic[_R]):
    """A pin or a note, and the ids of the existing tasks that it is about, whole chains.

    ``gone`` says whether its chain or bundle does not exist any more.
    """

    record: _R
    task_ids: tuple[str, ...]
    gone: bool


def pinned_items(snapshot: Snapshot) -> list[RecordItem[Pin]]:
    """Return every pin of a snapshot with the tasks that it holds."""
    return _items(snapshot, _pins)


def noted_items(snapshot: Snapshot) -> list[RecordItem[Note]]:
    """Return every note of a snapshot with the tasks that it is about."""
    return _items(snapshot, _notes)


def _items(snapshot: Snapshot, records: _Records[_R]) -> list[RecordItem[_R]]:
    return [_item(part, one) for part in snapshot.language_parts for one in records(part)]


def _item(part: Snapshot, record: _R) -> RecordItem[_R]:
    named = dict.fromkeys(record.ids(part.chains, part.bundles))
    ids = tuple(task.id for task in part.existing(named))
    name = record.target.name
    if record.target.kind is TargetKind.BUNDLE:
        exists = part.bundle(name, part.lang) is not None or name in part.unread.bundles
    else:
        exists = bool(ids) or any(map(part.may_exist, named))
    return RecordItem(record, ids, not exists)


def chain_targets(snapshot: Snapshot, ids: Collection[str]) -> list[RecordTarget]:
    """Return a target for the chain of each task, once for each chain.

    If a chain is pinned, it is the target of that pin, so that pinning again replaces the note.
    """
    return _chain_targets(snapshot, ids, _pins)


def note_targets(snapshot: Snapshot, targets: Iterable[RecordTarget]) -> list[RecordTarget]:
    """Return the same chains and bundles; if a chain has a note, as the target of that note."""
    found: list[RecordTarget] = []
    for target in targets:
        is_chain = target.kind is TargetKind.CHAIN
        found += _chain_targets(snapshot, [target.name], _notes) if is_chain else [target]
    return found


def _chain_targets(
    snapshot: Snapshot, ids: Collection[str], records: _Records[_R]
) -> list[RecordTarget]:
    found: dict[tuple[str, str], RecordTarget] = {}
    for part in snapshot.language_parts:
        targets = (record.target for record in records(part))
        known = {target.name for target in targets if target.kind is TargetKind.CHAIN}
        for task_id in ids:
            if task_id in part.tasks or part.may_exist(task_id):
                chain = part.chains.chain(task_id) or (task_id,)
                name = next((one for one in chain if one in known), task_id)
                target = RecordTarget(TargetKind.CHAIN, part.lang, name)
                found.setdefault((part.lang, chain[0]), target)
    return list(found.values())


def named_targets(
    snapshot: Snapshot, ids: Collection[str], names: Collection[str]
) -> list[RecordTarget]:
    """Return the chains of tasks and the bundles with the given names, in every language.

    Raises UnknownTasksError and FilterError if some do not exist.
    """
    TaskIds(frozenset(ids)).check(snapshot)
    bundles = [
        RecordTarget(TargetKind.BUNDLE, bundle.lang, bundle.name)
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
    return _to_remove(snapshot, ids, names, _pins)


def notes_to_remove(snapshot: Snapshot, ids: Collection[str], names: Collection[str]) -> list[Note]:
    """Return the notes of the chains of tasks and of the bundles with the given names.

    They may be gone. Raises UnknownTasksError and FilterError for what does not exist and has no
    note.
    """
    return _to_remove(snapshot, ids, names, _notes)


def _to_remove(
    snapshot: Snapshot, ids: Collection[str], names: Collection[str], records: _Records[_R]
) -> list[_R]:
    found = [one for part in snapshot.language_parts for one in _among(part, ids, names, records)]
    known = {one.target.name for one in found}
    TaskIds(frozenset(ids) - known).check(snapshot)
    _check_names(snapshot, names, known.union(bundle.name for bundle in snapshot.bundles))
    return found


def pins_on(snapshot: Snapshot, targets: Collection[RecordTarget]) -> list[Pin]:
    """Return the pins of chains and bundles, all pins of a chain included."""
    return _records_on(snapshot, targets, _pins)


def notes_on(snapshot: Snapshot, targets: Collection[RecordTarget]) -> list[Note]:
    """Return the notes of chains and bundles, all notes of a chain included."""
    return _records_on(snapshot, targets, _notes)


def _records_on(
    snapshot: Snapshot, targets: Collection[RecordTarget], records: _Records[_R]
) -> list[_R]:
    found: list[_R] = []
    for part in snapshot.language_parts:
        own = [target for target in targets if target.lang is part.lang]
        ids = [target.name for target in own if target.kind is TargetKind.CHAIN]
        names = [target.name for target in own if target.kind is TargetKind.BUNDLE]
        found += _among(part, ids, names, records)
    return found


def _among(
    part: Snapshot, ids: Collection[str], names: Collection[str], records: _Records[_R]
) -> Iterator[_R]:
    """Yield the records on the chains of tasks, and on bundles, of one language."""
    members = {one for task_id in ids for one in part.chains.chain(task_id) or (task_id,)}
    for one in records(part):
        if one.target.name in (members if one.target.kind is TargetKind.CHAIN else names):
            yield one


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
