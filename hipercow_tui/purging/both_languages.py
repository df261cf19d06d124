"""The trash and the history of a root: those of R, in ``hipercow/tui/``, and of Python, in
``hipercow/py/tui/``, as one. A purge of both has a lot in each, of the same stamp."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import reduce

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import trash_listing
from hipercow_tui.purging.batch import lot_names
from hipercow_tui.purging.batch_name import TUI, LotName, State
from hipercow_tui.purging.full_disk import aside
from hipercow_tui.purging.history import HistoryEntry
from hipercow_tui.purging.history import history as history_of
from hipercow_tui.purging.manifest import Manifest
from hipercow_tui.purging.progress import Watch, unheard
from hipercow_tui.purging.results import (
    EmptyReport,
    Progress,
    PurgeReport,
    RestoreReport,
    beside,
)
from hipercow_tui.purging.root_dirs import because, opened
from hipercow_tui.purging.trash_actions import after_erasing, begin, ensure_idle, refuse_unerasable
from hipercow_tui.purging.trash_actions import empty as empty_in
from hipercow_tui.purging.trash_actions import finish as finish_in
from hipercow_tui.purging.trash_actions import restore as restore_in
from hipercow_tui.purging.trash_listing import TrashLot
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import visible


def trash(root: Root, states: Collection[State] = tuple(State)) -> tuple[TrashLot, ...]:
    """Every lot that is in one of these states, the oldest first. Raises PurgeError if they can't
    be read."""
    with _in_words("The trash can't be read"):
        return _both(root, lambda part: trash_listing.trash(part, states))


def interrupted(root: Root) -> tuple[TrashLot, ...]:
    """The lots in which something was interrupted, for ``finish`` or ``restore``. Raises
    PurgeError."""
    with _in_words("The trash can't be read"):
        return _both(root, trash_listing.interrupted)


def trash_size(root: Root, lot: TrashLot) -> Size | None:
    """How much a lot holds; None if it is gone or can't all be read. Costs a stat a file."""
    try:
        return trash_listing.trash_size(root.part(lot.lang), lot)
    except OSError:
        return None


def is_at_work(root: Root, lot: TrashLot) -> bool:
    """Whether a process seems to work in that lot, for six calls; False if it is gone."""
    return trash_listing.is_at_work(root.part(lot.lang), lot)


def restore(
    root: Root, stamp: str, *, on_progress: Callable[[Progress], None] = unheard
) -> RestoreReport:
    """Put back what the lots of that stamp hold, as far as it is whole; never onto anything that
    exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or a process works in it.
    """
    with _in_words(_broken_off("restored", stamp)):
        parts = _holding(root, stamp)
        reports = [restore_in(part, stamp, on_progress=on_progress) for part in parts]
    return reduce(RestoreReport.then, reports)


def empty(
    root: Root,
    lots: Sequence[TrashLot],
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> EmptyReport:
    """Erase these lots for good, as ``trash`` listed them; the last attempt of a chain goes first.

    Nothing of a lot is erased if it is not as listed. Setting ``stop`` ends it between two tasks;
    ``jobs`` chains go at a time. Raises PurgeError if a lot is not as listed, if something was
    interrupted in it that is to be finished or restored first, or if a process works in it.
    """
    _refuse(root)
    refuse_unerasable(lots)
    report = EmptyReport()
    for part in root.parts:
        listed = [_as_stored(lot) for lot in lots if lot.lang is part.lang]
        with _in_words(_broken_off("erased", *(lot.stamp for lot in listed))):
            try:
                if listed:
                    more = empty_in(part, listed, on_progress=on_progress, stop=stop, jobs=jobs)
                    report = report.then(more)
            except PurgeError as error:
                raise after_erasing(len(report.removed), error) from None
    return report


def finish(
    root: Root,
    stamp: str,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport | RestoreReport:
    """Bring to its end what was interrupted in the lots of that stamp: a purge or a move to the
    trash, by its plan and with all its checks; an erasing; a restoring.

    A purge of tasks of both languages is finished in both. Raises PurgeError as these do, and if
    nothing says that the purge was confirmed.
    """
    watch = Watch(on_progress, stop)
    with _in_words(_broken_off("finished", stamp)):
        parts = _holding(root, stamp)
        for part in parts:
            ensure_idle(part, stamp, watch)
        states = {part.lang: _states(part, stamp) for part in parts}
        if any(State.RESTORING in found for found in states.values()):
            return restore(root, stamp, on_progress=on_progress)
        broken = [part for part in parts if states[part.lang] & {State.MOVING, State.ERASING}]
        if left := _not_begun(root, stamp, broken):
            begin(root.part(Lang.PY), left, stamp)
            broken.append(root.part(Lang.PY))
        reports: list[PurgeReport] = []
        for part in broken or parts:
            try:
                reports.append(
                    finish_in(part, stamp, on_progress=on_progress, stop=stop, jobs=jobs)
                )
            except PurgeError as error:
                raise after_erasing(sum(len(one.removed) for one in reports), error) from None
    return beside(_together([report.plan for report in reports]), reports)


def _together(parts: Sequence[PurgePlan]) -> PurgePlan:
    """The plan of which these are the parts by language."""
    return replace(
        parts[0],
        tasks=tuple(task for part in parts for task in part.tasks),
        bundles=tuple(bundle for part in parts for bundle in part.bundles),
    )


def _states(part: Root, stamp: str) -> set[State]:
    """The states of the lots of that stamp in a part of a root."""
    return {name.state for name in _lots(part) if name.stamp == stamp}


def _not_begun(root: Root, stamp: str, broken: Sequence[Root]) -> Manifest | None:
    """The manifest of a purge of both languages that died before it had a lot in Python's part: no
    more than the lots had been made by then."""
    if [part.lang for part in broken] != [Lang.R]:
        return None
    named = (name for name in _lots(broken[0]) if name.stamp == stamp)
    name = next((name for name in named if name.state is State.MOVING), None)
    manifest = trash_listing.manifest_in(broken[0], name) if name else None
    if manifest is None or not manifest.confirmed or manifest.plan.of_lang(Lang.PY).empty:
        return None
    begun = _states(root.part(Lang.PY), stamp) - {State.PREPARING}
    return None if begun else manifest


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Raise PurgeError instead of OSError: that ``what`` failed, and why."""
    try:
        yield
    except OSError as error:
        raise PurgeError(f"{what}: {because(error)}") from None


def _broken_off(done: str, *stamps: str) -> str:
    return f"Not all of {', '.join(map(visible, stamps))} could be {done}; the rest is still there"


def history(root: Root) -> tuple[HistoryEntry, ...]:
    """What was done in the root, the latest first. Raises PurgeError if that can't be read."""
    with _in_words("The history can't be read"):
        entries = [entry for part in root.parts for entry in history_of(part)]
    return tuple(sorted(entries, key=lambda entry: entry.when, reverse=True))


def _both(root: Root, of: Callable[[Root], tuple[TrashLot, ...]]) -> tuple[TrashLot, ...]:
    r, *python = root.parts
    found = of(r)
    for part in python:
        found += tuple(map(_as_python, of(part)))
    # Tasks aside come first, as each of them says: their names begin with a letter.
    return tuple(sorted(found, key=lambda lot: (lot.stamp[0].isdigit(), str(lot.name))))


def _as_python(lot: TrashLot) -> TrashLot:
    return replace(lot, lang=Lang.PY)


def _as_stored(lot: TrashLot) -> TrashLot:
    """A lot as the part of the root of its language lists it."""
    return replace(lot, lang=Lang.R)


def _holding(root: Root, stamp: str) -> list[Root]:
    """The parts in which something of that stamp stands; one that can say that nothing does, if
    there is none. Raises PurgeError if the root can't be purged."""
    _refuse(root)
    parts = root.parts
    return [part for part in parts if _holds(part, stamp)] or [parts[-1]]


def _refuse(root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)


def _holds(part: Root, stamp: str) -> bool:
    with ExitStack() as stack:
        asides = aside(opened(stack, part.hipercow))
        return stamp in {one.stamp for one in asides} | {one.stamp for one in _lots(part)}


def _lots(part: Root) -> Iterator[LotName]:
    """The names alone: a manifest of a million tasks takes seconds to read."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        parent = opened(stack, part.hipercow)
        yield from lot_names(opened(stack, part.hipercow / TUI, parent))
