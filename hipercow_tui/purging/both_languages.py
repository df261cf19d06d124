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
from hipercow_tui.purging.batch import batch_names
from hipercow_tui.purging.batch_name import TUI_FOLDER, BatchName, BatchState
from hipercow_tui.purging.full_disk import find_loose_tasks
from hipercow_tui.purging.history import HistoryEntry
from hipercow_tui.purging.history import history as history_of
from hipercow_tui.purging.manifest import Manifest
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.results import (
    EmptyReport,
    Progress,
    PurgeReport,
    RestoreReport,
    merge_reports,
)
from hipercow_tui.purging.root_dirs import open_dir
from hipercow_tui.purging.trash_actions import (
    after_erasing,
    create_missing_batch,
    ensure_idle,
    refuse_unerasable,
)
from hipercow_tui.purging.trash_actions import empty as empty_in
from hipercow_tui.purging.trash_actions import finish as finish_in
from hipercow_tui.purging.trash_actions import restore as restore_in
from hipercow_tui.purging.trash_listing import TrashEntry
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls


def list_trash(
    root: Root, states: Collection[BatchState] = tuple(BatchState)
) -> tuple[TrashEntry, ...]:
    """Every lot that is in one of these states, the oldest first. Raises PurgeError if they can't
    be read."""
    with _in_words("The trash can't be read"):
        return _both(root, lambda part: trash_listing.list_trash(part, states))


def list_interrupted(root: Root) -> tuple[TrashEntry, ...]:
    """The lots in which something was interrupted, for ``finish`` or ``restore``. Raises
    PurgeError."""
    with _in_words("The trash can't be read"):
        return _both(root, trash_listing.list_interrupted)


def trash_size(root: Root, batch: TrashEntry) -> Size | None:
    """How much a lot holds; None if it is gone or can't all be read. Costs a stat a file."""
    try:
        return trash_listing.trash_size(root.part(batch.lang), batch)
    except OSError:
        return None


def is_batch_in_use(root: Root, batch: TrashEntry) -> bool:
    """Whether a process seems to work in that lot, for six calls; False if it is gone."""
    return trash_listing.is_batch_in_use(root.part(batch.lang), batch)


def restore(
    root: Root, batch_id: str, *, on_progress: Callable[[Progress], None] = ignore_progress
) -> RestoreReport:
    """Put back what the lots of that stamp hold, as far as it is whole; never onto anything that
    exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or a process works in it.
    """
    with _in_words(_broken_off("restored", batch_id)):
        parts = _holding(root, batch_id)
        reports = [restore_in(part, batch_id, on_progress=on_progress) for part in parts]
    return reduce(RestoreReport.followed_by, reports)


def empty(
    root: Root,
    batches: Sequence[TrashEntry],
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> EmptyReport:
    """Erase these lots for good, as ``trash`` listed them; the last attempt of a chain goes first.

    Nothing of a lot is erased if it is not as listed. Setting ``stop`` ends it between two tasks;
    ``jobs`` chains go at a time. Raises PurgeError if a lot is not as listed, if something was
    interrupted in it that is to be finished or restored first, or if a process works in it.
    """
    _refuse(root)
    refuse_unerasable(batches)
    report = EmptyReport()
    for part in root.parts:
        listed = [_as_stored(batch) for batch in batches if batch.lang is part.lang]
        with _in_words(_broken_off("erased", *(batch.batch_id for batch in listed))):
            try:
                if listed:
                    more = empty_in(part, listed, on_progress=on_progress, stop=stop, jobs=jobs)
                    report = report.followed_by(more)
            except PurgeError as error:
                raise after_erasing(len(report.removed), error) from None
    return report


def finish(
    root: Root,
    batch_id: str,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport | RestoreReport:
    """Bring to its end what was interrupted in the lots of that stamp: a purge or a move to the
    trash, by its plan and with all its checks; an erasing; a restoring.

    A purge of tasks of both languages is finished in both. Raises PurgeError as these do, and if
    nothing says that the purge was confirmed.
    """
    progress = ProgressReporter(on_progress, stop)
    with _in_words(_broken_off("finished", batch_id)):
        parts = _holding(root, batch_id)
        for part in parts:
            ensure_idle(part, batch_id, progress)
        states = {part.lang: _states(part, batch_id) for part in parts}
        if any(BatchState.RESTORING in found for found in states.values()):
            return restore(root, batch_id, on_progress=on_progress)
        broken = [
            part for part in parts if states[part.lang] & {BatchState.MOVING, BatchState.ERASING}
        ]
        if left := _not_begun(root, batch_id, broken):
            create_missing_batch(root.part(Lang.PY), left, batch_id)
            broken.append(root.part(Lang.PY))
        reports: list[PurgeReport] = []
        for part in broken or parts:
            try:
                reports.append(
                    finish_in(part, batch_id, on_progress=on_progress, stop=stop, jobs=jobs)
                )
            except PurgeError as error:
                raise after_erasing(sum(len(one.removed) for one in reports), error) from None
    return merge_reports(_together([report.plan for report in reports]), reports)


def _together(parts: Sequence[PurgePlan]) -> PurgePlan:
    """The plan of which these are the parts by language."""
    return replace(
        parts[0],
        tasks=tuple(task for part in parts for task in part.tasks),
        bundles=tuple(bundle for part in parts for bundle in part.bundles),
    )


def _states(part: Root, batch_id: str) -> set[BatchState]:
    """The states of the lots of that stamp in a part of a root."""
    return {name.state for name in _batch_names(part) if name.batch_id == batch_id}


def _not_begun(root: Root, batch_id: str, broken: Sequence[Root]) -> Manifest | None:
    """The manifest of a purge of both languages that died before it had a lot in Python's part: no
    more than the lots had been made by then."""
    if [part.lang for part in broken] != [Lang.R]:
        return None
    named = (name for name in _batch_names(broken[0]) if name.batch_id == batch_id)
    name = next((name for name in named if name.state is BatchState.MOVING), None)
    manifest = trash_listing.manifest_in(broken[0], name) if name else None
    if manifest is None or not manifest.confirmed or manifest.plan.of_lang(Lang.PY).empty:
        return None
    begun = _states(root.part(Lang.PY), batch_id) - {BatchState.PREPARING}
    return None if begun else manifest


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Raise PurgeError instead of OSError: that ``what`` failed, and why."""
    try:
        yield
    except OSError as error:
        raise PurgeError(f"{what}: {os_error_text(error)}") from None


def _broken_off(done: str, *batch_ids: str) -> str:
    return f"Not all of {', '.join(map(escape_controls, batch_ids))} could be {done}; the rest is still there"


def history(root: Root) -> tuple[HistoryEntry, ...]:
    """What was done in the root, the latest first. Raises PurgeError if that can't be read."""
    with _in_words("The history can't be read"):
        entries = [entry for part in root.parts for entry in history_of(part)]
    return tuple(sorted(entries, key=lambda entry: entry.time, reverse=True))


def _both(root: Root, of: Callable[[Root], tuple[TrashEntry, ...]]) -> tuple[TrashEntry, ...]:
    r, *python = root.parts
    found = of(r)
    for part in python:
        found += tuple(map(_as_python, of(part)))
    # Tasks aside come first, as each of them says: their names begin with a letter.
    return tuple(sorted(found, key=lambda batch: (batch.batch_id[0].isdigit(), str(batch.name))))


def _as_python(batch: TrashEntry) -> TrashEntry:
    return replace(batch, lang=Lang.PY)


def _as_stored(batch: TrashEntry) -> TrashEntry:
    """A lot as the part of the root of its language lists it."""
    return replace(batch, lang=Lang.R)


def _holding(root: Root, batch_id: str) -> list[Root]:
    """The parts in which something of that stamp stands; one that can say that nothing does, if
    there is none. Raises PurgeError if the root can't be purged."""
    _refuse(root)
    parts = root.parts
    return [part for part in parts if _holds(part, batch_id)] or [parts[-1]]


def _refuse(root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)


def _holds(part: Root, batch_id: str) -> bool:
    with ExitStack() as stack:
        loose_tasks = find_loose_tasks(open_dir(stack, part.hipercow))
        return batch_id in {one.batch_id for one in loose_tasks} | {
            one.batch_id for one in _batch_names(part)
        }


def _batch_names(part: Root) -> Iterator[BatchName]:
    """The names alone: a manifest of a million tasks takes seconds to read."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        parent = open_dir(stack, part.hipercow)
        yield from batch_names(open_dir(stack, part.hipercow / TUI_FOLDER, parent))
