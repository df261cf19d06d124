"""Restore, empty or finish batches and loose tasks of a root, for R and Python."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import reduce

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.purging.batch import list_batch_names
from hipercow_tui.purging.batch_lifecycle import create_batch, ensure_owner_gone, take_over
from hipercow_tui.purging.batch_name import AT_REST, BatchName, BatchState
from hipercow_tui.purging.history import record_empty, record_restore
from hipercow_tui.purging.loose_tasks import claim_loose_tasks, erase_loose_task
from hipercow_tui.purging.manifest import Manifest, load_manifest
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.recent_list import remove_ids
from hipercow_tui.purging.recovery import (
    erase_batch,
    finish_erasing,
    finish_loose_tasks,
    restore_batch,
    restore_loose_task,
    resume,
)
from hipercow_tui.purging.results import (
    EmptyReport,
    Progress,
    PurgeReport,
    RestoreReport,
    merge_reports,
)
from hipercow_tui.purging.root_dirs import RootDirs, open_dir, open_root_dirs
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.purging.trash_listing import (
    TrashEntry,
    as_purge_error,
    list_loose_task_ids,
    list_names,
    read_contents,
    read_manifest_of,
)
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls, pluralize

_LOGGER = logging.getLogger(__name__)


def restore(
    root: Root, batch_id: str, *, on_progress: Callable[[Progress], None] = ignore_progress
) -> RestoreReport:
    """Put back the complete tasks and the bundles of a batch id, never onto anything that exists.

    If the later attempts of a chain are erased, the earlier ones are put back. A bundle of which
    some tasks are erased is quarantined. Raises PurgeError if there is no such batch, or if a
    process works in it.
    """
    progress = ProgressReporter(on_progress)
    _LOGGER.info("restore batch %s of %s", batch_id, root.path)
    with as_purge_error(_incomplete("restored", [batch_id])):
        parts = _parts_holding(root, batch_id)
        reports = [_restore_in(part, batch_id, progress) for part in parts]
    return reduce(RestoreReport.followed_by, reports)


def empty(
    root: Root,
    entries: Sequence[TrashEntry],
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> EmptyReport:
    """Erase batches or loose tasks that ``list_trash`` listed, the latest attempt of a chain first.

    Nothing of a batch is erased if its contents differ from the listing. Setting ``stop`` ends this
    between two tasks; ``jobs`` chains are erased at a time. Raises PurgeError if a batch differs
    from the listing, must be finished or restored first, or if a process works in it. The history
    has the tasks that were erased before the error.
    """
    _refuse_unpurgeable(root)
    refuse_unerasable(entries)
    _LOGGER.info("empty %d batches of %s", len(entries), root.path)
    progress = ProgressReporter(on_progress, stop, jobs)
    report = EmptyReport()
    for part in root.parts:
        listed = [entry for entry in entries if entry.lang is part.lang]
        with as_purge_error(_incomplete("erased", [entry.batch_id for entry in listed])):
            try:
                if listed:
                    report = report.followed_by(_empty_in(part, listed, progress))
            except PurgeError as error:
                raise _with_count(error, len(report.removed)) from None
    return report


def finish(
    root: Root,
    batch_id: str,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport | RestoreReport:
    """Finish the interrupted work in the batches of a batch id.

    A purge or a move to the trash is carried out by its plan, with all checks, for both languages.
    An erasing or a restoring is continued. Raises PurgeError as these do, and if there is no record
    that the purge was confirmed.
    """
    progress = ProgressReporter(on_progress, stop, jobs)
    _LOGGER.info("finish batch %s of %s", batch_id, root.path)
    with as_purge_error(_incomplete("finished", [batch_id])):
        parts = _parts_holding(root, batch_id)
        for part in parts:
            _ensure_unused(part, batch_id, progress)
        states = {part.lang: _states(part, batch_id) for part in parts}
        if any(BatchState.RESTORING in found for found in states.values()):
            return restore(root, batch_id, on_progress=on_progress)
        unfinished = [
            part for part in parts if states[part.lang] & {BatchState.MOVING, BatchState.ERASING}
        ]
        if manifest := _manifest_without_python_batch(root, batch_id, unfinished):
            python = root.part(Lang.PY)
            _create_missing_batch(python, manifest, batch_id)
            unfinished.append(python)
        reports: list[PurgeReport] = []
        for part in unfinished or parts:
            try:
                reports.append(_finish_in(part, batch_id, progress))
            except PurgeError as error:
                raise _with_count(error, sum(len(one.removed) for one in reports)) from None
    return merge_reports(_merge_plans([report.plan for report in reports]), reports)


def refuse_unerasable(entries: Iterable[TrashEntry]) -> None:
    """Raise PurgeError if an entry can't be erased: its work was interrupted, or it
    can't be read."""
    for entry in entries:
        if entry.problem:
            raise PurgeError(f"{entry.batch_id} can't be erased: {entry.problem}")
        if not entry.erasable:
            command = "hipercow-tui trash"
            raise PurgeError(
                f"{entry.batch_id} can't be erased: it was interrupted while {entry.state}. Run"
                f" '{command} --finish {entry.batch_id}' or '{command} --restore {entry.batch_id}'"
                " first"
            )


def _restore_in(part: Root, batch_id: str, progress: ProgressReporter) -> RestoreReport:
    """Restore the batches or loose tasks of one language. Raises PurgeError, and OSError."""
    began = time.monotonic()
    report = RestoreReport(batch_id)
    with open_root_dirs(part) as dirs:
        loose_tasks = tuple(claim_loose_tasks(dirs, batch_id, progress))
        try:
            for task in loose_tasks:
                report = report.followed_by(restore_loose_task(dirs, task))
            for name in () if loose_tasks else _find_batches(dirs, batch_id):
                erasing = name.state is BatchState.ERASING
                state = BatchState.ERASING if erasing else BatchState.RESTORING
                interrupted = name.state is not BatchState.TRASH
                with take_over(dirs, name, state, progress) as batch:
                    restored = restore_batch(batch, progress, interrupted=interrupted)
                    report = report.followed_by(restored)
        finally:
            report = replace(report, seconds=time.monotonic() - began)
            if report.restored or report.restored_bundles or report.missing_ids or report.failed:
                record_restore(dirs, report)
    if report.lost:
        raise PurgeError(
            f"{report.lost}. {pluralize(len(report.restored), 'task')} had been restored."
        )
    return report


def _empty_in(part: Root, entries: Sequence[TrashEntry], progress: ProgressReporter) -> EmptyReport:
    """Erase the entries of one language. Raises PurgeError, and OSError."""
    began = time.monotonic()
    record = RunRecord()
    batch_ids: list[str] = []
    report = EmptyReport()
    with open_root_dirs(part) as dirs:
        try:
            for entry in entries:
                if not progress.stopped:
                    batch_ids.append(entry.batch_id)
                    _erase_entry(dirs, entry, record, progress)
        except PurgeError as error:
            raise _with_count(error, len(record.removed)) from None
        finally:
            if failed := remove_ids(dirs, record.removed):
                record.failed.append(failed)
            report = EmptyReport(
                tuple(dict.fromkeys(batch_ids)),
                tuple(sorted(record.removed)),
                tuple(record.removed_bundles),
                tuple(record.failed),
                record.bytes,
                record.files,
                record.disk_bytes,
                time.monotonic() - began,
                progress.stopped,
            )
            if report.removed or report.removed_bundles or report.failed:
                record_empty(dirs, report)
    return report


def _erase_entry(
    dirs: RootDirs, entry: TrashEntry, record: RunRecord, progress: ProgressReporter
) -> None:
    """Erase a batch or loose task, if its contents are those of the listing. Raises PurgeError."""
    if loose_tasks := tuple(claim_loose_tasks(dirs, entry.batch_id, progress)):
        for task in loose_tasks:
            erase_loose_task(dirs, task, record, progress)
        return
    # In a state at rest another process could take the batch over during the comparison.
    with take_over(dirs, entry.name, BatchState.ERASING, progress) as batch:
        if read_contents(batch.folder) != entry.contents:
            batch.set_state(entry.state)
            raise PurgeError(
                f"{entry.batch_id} changed since it was listed, so nothing of it was erased."
                " List it again"
            )
        erase_batch(batch, entry.state, record, progress)


def _finish_in(part: Root, batch_id: str, progress: ProgressReporter) -> PurgeReport:
    """Finish a purge, a move to the trash or an erasing of one language. Raises PurgeError, and
    OSError."""
    with open_root_dirs(part) as dirs:
        if loose_tasks := tuple(claim_loose_tasks(dirs, batch_id, progress)):
            return finish_loose_tasks(dirs, loose_tasks, progress)
        names = _find_batches(dirs, batch_id)
        unfinished = (BatchState.MOVING, BatchState.ERASING)
        name = next((one for one in names if one.state in unfinished), None)
        if name is None:
            state = names[-1].state.name.lower()
            raise PurgeError(
                f"There is nothing to finish in {batch_id}: its state is {state}."
                f" 'hipercow-tui trash --restore {batch_id}' puts back its tasks and bundles"
            )
        with take_over(dirs, name, name.state, progress) as batch:
            manifest = load_manifest(batch.folder)
            if name.state is BatchState.MOVING:
                return resume(batch, manifest, progress)
            return finish_erasing(batch, manifest, progress)


def _find_batches(dirs: RootDirs, batch_id: str) -> list[BatchName]:
    """Find the batches of a batch id in one language: that of the purge, and its quarantines.
    Raises PurgeError if there is none, and OSError."""
    with ExitStack() as stack:
        names: list[BatchName] = []
        with suppress(FileNotFoundError):
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            names = [name for name in list_batch_names(tui) if name.batch_id == batch_id]
    # Quarantines first: items of the other batches that can't be put back are added to them.
    names.sort(key=lambda name: name.state is not BatchState.QUARANTINED)
    if not names:
        shown = escape_controls(str(dirs.path / TUI_FOLDER))
        raise PurgeError(
            f"There is no '{escape_controls(batch_id)}' in {shown}: 'hipercow-tui trash' lists"
            " the batches"
        )
    return names


def _parts_holding(root: Root, batch_id: str) -> list[Root]:
    """Return the roots of the languages that hold a batch or loose task of this id. If none does,
    return the last one, in which the search for it fails. Raises PurgeError if the root can't be
    purged, and OSError."""
    _refuse_unpurgeable(root)
    parts = root.parts
    return [part for part in parts if _holds(part, batch_id)] or [parts[-1]]


def _holds(part: Root, batch_id: str) -> bool:
    return batch_id in list_loose_task_ids(part) or bool(_names_of(part, batch_id))


def _names_of(part: Root, batch_id: str) -> list[BatchName]:
    return [name for name in list_names(part) if name.batch_id == batch_id]


def _states(part: Root, batch_id: str) -> set[BatchState]:
    return {name.state for name in _names_of(part, batch_id)}


def _ensure_unused(part: Root, batch_id: str, progress: ProgressReporter) -> None:
    """Return once no process works in the batches of this id. Raises PurgeError if one does, and
    OSError."""
    with open_root_dirs(part) as dirs, ExitStack() as stack, suppress(FileNotFoundError):
        tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
        for name in list_batch_names(tui):
            if name.batch_id == batch_id and name.state not in AT_REST:
                ensure_owner_gone(dirs, tui, name, progress)


def _manifest_without_python_batch(
    root: Root, batch_id: str, unfinished: Sequence[Root]
) -> Manifest | None:
    """Return the manifest of a confirmed purge of both languages that died before it made the batch
    of Python. By then nothing had been moved."""
    if [part.lang for part in unfinished] != [Lang.R]:
        return None
    names = _names_of(unfinished[0], batch_id)
    name = next((name for name in names if name.state is BatchState.MOVING), None)
    manifest = read_manifest_of(unfinished[0], name) if name else None
    if manifest is None or not manifest.confirmed or manifest.plan.of_lang(Lang.PY).empty:
        return None
    has_batch = _states(root.part(Lang.PY), batch_id) - {BatchState.PREPARING}
    return None if has_batch else manifest


def _create_missing_batch(part: Root, manifest: Manifest, batch_id: str) -> None:
    with open_root_dirs(part) as dirs, create_batch(dirs, manifest.plan, manifest.mode, batch_id):
        pass


def _merge_plans(parts: Sequence[PurgePlan]) -> PurgePlan:
    """Return the plan that was divided by language into these parts."""
    return replace(
        parts[0],
        tasks=tuple(task for part in parts for task in part.tasks),
        bundles=tuple(bundle for part in parts for bundle in part.bundles),
        kept=tuple(task for part in parts for task in part.kept),
    )


def _refuse_unpurgeable(root: Root) -> None:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)


def _with_count(error: PurgeError, erased: int) -> PurgeError:
    """Add the number of tasks that were erased before the error."""
    if not erased:
        return error
    return PurgeError(f"{error}. Before that {pluralize(erased, 'task')} had been erased.")


def _incomplete(done: str, batch_ids: Sequence[str]) -> str:
    shown = ", ".join(map(escape_controls, batch_ids))
    return f"{shown} could not be {done} completely, and the rest is still there"
