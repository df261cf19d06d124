"""The trash and the history of a root: those of R, in ``hipercow/tui/``, and of Python, in
``hipercow/py/tui/``, as one. A purge of both has a lot in each, of the same stamp."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import reduce

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Lang
from hipercow_tui.purging import looking
from hipercow_tui.purging.history import HistoryEntry
from hipercow_tui.purging.history import history as history_of
from hipercow_tui.purging.looking import TrashLot
from hipercow_tui.purging.names import TUI, LotName, State, parse
from hipercow_tui.purging.outcome import EmptyReport, Progress, PurgeReport, RestoreReport
from hipercow_tui.purging.places import opened
from hipercow_tui.purging.trash import empty as empty_in
from hipercow_tui.purging.trash import finish as finish_in
from hipercow_tui.purging.trash import restore as restore_in
from hipercow_tui.purging.watch import unheard
from hipercow_tui.purging.without_lot import aside
from hipercow_tui.roots import Root
from hipercow_tui.roots.sizes import Size


def trash(root: Root, states: Collection[State] = tuple(State)) -> tuple[TrashLot, ...]:
    """Every lot that is in one of these states, the oldest first. Raises PurgeError if they can't
    be read."""
    return _both(root, lambda part: looking.trash(part, states))


def interrupted(root: Root) -> tuple[TrashLot, ...]:
    """The lots in which something broke off, for ``finish`` or ``restore``. Raises PurgeError."""
    return _both(root, looking.interrupted)


def trash_size(root: Root, lot: TrashLot) -> Size | None:
    """How much a lot holds; None if it is gone or can't all be read. Costs a stat a file."""
    return looking.trash_size(root.part(lot.lang), lot)


def is_at_work(root: Root, lot: TrashLot) -> bool:
    """Whether someone works in that lot still, at the cost of six calls; False if it is gone."""
    return looking.is_at_work(root.part(lot.lang), lot)


def restore(
    root: Root, stamp: str, *, on_progress: Callable[[Progress], None] = unheard
) -> RestoreReport:
    """Put back what the lots of that stamp hold, as far as it is whole; never onto anything that
    exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or someone works in it.
    """
    parts = _holding(root, stamp)
    reports = [restore_in(part, stamp, on_progress=on_progress) for part in parts]
    return reduce(RestoreReport.then, reports)


def empty(
    root: Root,
    stamp: str | None = None,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> EmptyReport:
    """Erase a lot for good, or all that are in the trash; the last attempt of a chain goes first.

    Setting ``stop`` ends it between two tasks; ``jobs`` chains go at a time. Raises PurgeError if
    there is no such lot or someone works in it.
    """
    if stamp is None:
        _refuse(root)
        parts = [part for part in root.parts if State.TRASH in {one.state for one in _lots(part)}]
    else:
        parts = _holding(root, stamp)
    reports = [
        empty_in(part, stamp, on_progress=on_progress, stop=stop, jobs=jobs) for part in parts
    ]
    return reduce(EmptyReport.then, reports, EmptyReport())


def finish(
    root: Root,
    stamp: str,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport | RestoreReport | EmptyReport:
    """Bring to its end what broke off in a lot: a purge or a move to the trash, by its plan and
    with all its checks; an erasing; a restoring. Raises PurgeError as these do."""
    parts = _holding(root, stamp)
    # Of a purge of both, what is done in one of them is not to be touched.
    broken = [part for part in parts if stamp in {lot.stamp for lot in looking.interrupted(part)}]
    part = (broken or parts)[0]
    return finish_in(part, stamp, on_progress=on_progress, stop=stop, jobs=jobs)


def history(root: Root) -> tuple[HistoryEntry, ...]:
    """What was done in the root, the latest first. Raises PurgeError if that can't be read."""
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
        tui = opened(stack, part.hipercow / TUI, parent)
        yield from filter(None, map(parse, os.listdir(tui)))
