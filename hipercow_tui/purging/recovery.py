"""Restore, resume or erase a batch or loose tasks that this process has taken over.

The last owner may have died at any step. So everything here starts from the contents of the batch,
and from its manifest if it can be read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import TASK_ID, Bundle, Status, Task, is_bundle_name
from hipercow_tui.formats.bundles import read_bundle
from hipercow_tui.purging.batch import Batch, TakenOverError
from hipercow_tui.purging.batch_name import BatchState, bundle_file, bundle_name
from hipercow_tui.purging.chain_units import chain_units
from hipercow_tui.purging.eraser import erase
from hipercow_tui.purging.executor import remove_from_recent, run_in_batch
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.history import HistoryKind, record_empty, record_purge
from hipercow_tui.purging.incomplete import (
    quarantine_in_batch,
    quarantine_in_place,
    with_quarantined,
    without_quarantined,
)
from hipercow_tui.purging.loose_tasks import (
    LooseTask,
    erase_loose_task,
    missing_data_reason,
    put_back_loose_task,
)
from hipercow_tui.purging.manifest import Manifest, PurgeMode, read_manifest
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.recent_list import remove_ids
from hipercow_tui.purging.results import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.purging.rollback import restore_bundle
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.purging.transaction import PurgeTransaction
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text


def restore_batch(batch: Batch, progress: ProgressReporter, *, interrupted: bool) -> RestoreReport:
    """Put back complete items, and quarantine incomplete ones. ``interrupted`` is false for a batch
    that was in the trash.

    Raises PurgeError and OSError. If another process takes the batch over, the report says so.
    """
    tasks, bundles = filesystem.list_names(batch.tasks), _bundles_in(batch)
    partly_erased = [name for name in filesystem.list_names(batch.erasing) if TASK_ID.match(name)]
    manifest = read_manifest(batch.folder)
    planned = [one.task for one in manifest.plan.tasks] if manifest else []
    plan = _plan_for(batch, manifest)
    erasing = batch.name.state is BatchState.ERASING
    incomplete = quarantine_in_batch(batch, plan) if interrupted else []
    if erasing:
        incomplete += quarantine_in_place(batch, plan)
    plan = without_quarantined(plan, incomplete)
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress)
    record = purge.record
    record.failed += incomplete
    if erasing:
        record.partly_erased.update(i for i in plan.ids if not _is_present(batch, i))
    lost = ""
    try:
        purge.roll_back()
        if erasing:
            erase(batch, [partly_erased], (), record, ProgressReporter(ignore_progress))
        else:  # they were quarantined, and an undo must not erase them
            _quarantine_partly_erased(batch, partly_erased, record)
        batch.discard()
    except TakenOverError as error:
        lost = str(error)
    restored = {one.name for one in record.put_back if not one.is_bundle}
    restored_bundles = {one.name for one in record.put_back if one.is_bundle}
    vanished = {one.name for one in record.vanished if not one.is_bundle}
    return RestoreReport(
        batch.batch_id,
        tuple(sorted(restored.intersection(tasks))),
        tuple(sorted(restored_bundles.intersection(bundles))),
        tuple(sorted(record.partly_erased | vanished)),
        tuple(record.failed),
        lost=lost,
        tasks=tuple(task for task in planned if task.id in restored),
    )


def resume(batch: Batch, manifest: Manifest | None, progress: ProgressReporter) -> PurgeReport:
    """Finish a purge or a move to the trash that was interrupted before erasing began.

    Everything is put back first, and the plan is carried out from its beginning: tasks that were
    compared with the plan before the interruption may have changed since. Raises PurgeError, also
    if the manifest does not say that the plan was confirmed.
    """
    if manifest is None or not manifest.confirmed:
        raise PurgeError(
            f"The purge in {batch.batch_id} can't be finished: there is no record that it was"
            " confirmed. Restore it"
        )
    plan = _plan_for(batch, manifest)
    incomplete = quarantine_in_batch(batch, plan)
    complete = without_quarantined(plan, incomplete)
    silent = ProgressReporter(ignore_progress)
    before = PurgeTransaction(complete, batch, chain_units(complete), silent)
    before.roll_back("the purge begins again")
    report = with_quarantined(run_in_batch(batch, plan, manifest.mode, progress), incomplete, batch)
    quarantined = tuple(one for one in before.record.failed if one.where is not None)
    report = replace(report, failed=(*quarantined, *report.failed))
    if manifest.mode is PurgeMode.PURGE:
        report = remove_from_recent(batch.dirs, report)
    kind = HistoryKind.TRASH if manifest.mode is PurgeMode.TRASH else HistoryKind.PURGE
    record_purge(batch.dirs, kind, report)
    return report


def finish_erasing(
    batch: Batch, manifest: Manifest | None, progress: ProgressReporter
) -> PurgeReport:
    """Continue an interrupted erasing. Raises PurgeError and OSError."""
    began = time.monotonic()
    plan = _plan_for(batch, manifest)
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress)
    try:
        purge.record.failed += quarantine_in_place(batch, plan)
        _record_tasks_in_place(batch, plan, purge.record)
        _erase(batch, plan, purge.record, progress)
    finally:
        purge.stopped = progress.stopped
        discarded = batch.discard()
        report = purge.report(time.monotonic() - began, discarded=discarded)
        report = remove_from_recent(batch.dirs, report)
        if manifest is not None and manifest.mode is PurgeMode.TRASH:
            record_empty(batch.dirs, _as_empty_report(batch.batch_id, report))
        else:
            record_purge(batch.dirs, HistoryKind.PURGE, report)
    return report


def erase_batch(
    batch: Batch, listed_state: BatchState, record: RunRecord, progress: ProgressReporter
) -> None:
    """Erase all contents of a batch, and record the results. ``listed_state`` is its state before
    it was taken over. Raises PurgeError and OSError."""
    plan = _plan_for(batch, read_manifest(batch.folder))
    if listed_state is BatchState.ERASING:
        record.failed += quarantine_in_place(batch, plan)
    _erase(batch, plan, record, progress)
    batch.discard()


def restore_loose_task(dirs: RootDirs, task: LooseTask) -> RestoreReport:
    """Put back a complete loose task; erase the rest of a partly erased one."""
    record = RunRecord()
    if not task.complete:
        erase_loose_task(dirs, task, record, ProgressReporter(ignore_progress))
        if failed := remove_ids(dirs, record.removed):
            record.failed.append(failed)
    elif reason := missing_data_reason(dirs, task):
        record.failed.append(ItemResult(task.id, reason, dirs.path / task.name))
    else:
        _put_back(dirs, task, record)
    return RestoreReport(
        task.batch_id,
        restored=tuple(one.name for one in record.put_back),
        missing_ids=() if task.complete else (task.id,),
        failed=tuple(record.failed),
    )


def finish_loose_tasks(
    dirs: RootDirs, loose_tasks: Sequence[LooseTask], progress: ProgressReporter
) -> PurgeReport:
    """Erase loose tasks that are partly erased or lack ``data``. Put back the others: they may not
    have been compared with their plan."""
    began, record = time.monotonic(), RunRecord()
    for task in loose_tasks:
        if task.complete and not missing_data_reason(dirs, task):
            _put_back(dirs, task, record)
        else:
            erase_loose_task(dirs, task, record, progress)
    report = PurgeReport(
        PurgePlan(dirs.project, time.time(), FilterStack()),
        removed=tuple(sorted(record.removed)),
        put_back=tuple(record.put_back),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        disk_bytes=record.disk_bytes,
        seconds=time.monotonic() - began,
    )
    report = remove_from_recent(dirs, report)
    record_purge(dirs, HistoryKind.PURGE, report)
    return report


def _put_back(dirs: RootDirs, task: LooseTask, record: RunRecord) -> None:
    try:
        put_back_loose_task(dirs, task)
    except OSError as error:
        reason = f"it can't be put back: {os_error_text(error)}"
        record.failed.append(ItemResult(task.id, reason, dirs.path / task.name))
    else:
        reason = "it was moved on a full disk, and there is no record of its plan"
        record.put_back.append(ItemResult(task.id, reason))


def _erase(batch: Batch, plan: PurgePlan, record: RunRecord, progress: ProgressReporter) -> None:
    held = {*filesystem.list_names(batch.tasks), *filesystem.list_names(batch.erasing)}
    chains = ([i for i in reversed(unit.ids) if i in held] for unit in chain_units(plan))
    held_bundles = set(_bundles_in(batch))
    bundles = [one.bundle for one in plan.bundles if one.bundle.name in held_bundles]
    erase(batch, list(filter(None, chains)), bundles, record, progress)


def _record_tasks_in_place(batch: Batch, plan: PurgePlan, record: RunRecord) -> None:
    """Record the planned tasks that are in their places, because they were put back before the
    interruption, and keep the bundles that list them."""
    reason = "it was put back before the purge was interrupted"
    in_place = {task_id for task_id in plan.ids if batch.dirs.has_task(task_id)}
    record.put_back += [ItemResult(task_id, reason) for task_id in plan.ids if task_id in in_place]
    held = set(_bundles_in(batch))
    for bundle in (one.bundle for one in plan.bundles if one.bundle.name in held):
        listed = set(plan.ids).intersection(bundle.task_ids)
        if listed and listed <= in_place:
            restore_bundle(batch, bundle.name, reason, record)
        elif listed & in_place:
            record.finished_bundles.add(bundle.name)
            where = batch.quarantine("bundles", bundle_file(bundle.name))
            why = "some of its tasks are erased, others are in their places"
            record.failed.append(ItemResult(bundle.name, why, where, is_bundle=True))


def _quarantine_partly_erased(batch: Batch, ids: list[str], record: RunRecord) -> None:
    for task_id in ids:
        where = batch.quarantine("erasing", task_id)
        record.failed.append(ItemResult(task_id, "it is partly erased", where))


def _as_empty_report(batch_id: str, report: PurgeReport) -> EmptyReport:
    return EmptyReport(
        (batch_id,),
        report.removed,
        report.removed_bundles,
        report.failed,
        report.bytes,
        report.files,
        report.disk_bytes,
        report.seconds,
        report.stopped,
    )


def _is_present(batch: Batch, task_id: str) -> bool:
    """Return whether a task is in the batch or in its place; also True if that can't be found
    out."""
    return exists(task_id, batch.tasks) or batch.dirs.has_task(task_id)


def _plan_for(batch: Batch, manifest: Manifest | None) -> PurgePlan:
    """Return the plan in the manifest, extended by everything else that the batch holds. A task
    without a manifest is a chain by itself."""
    plan = PurgePlan(batch.dirs.project, time.time(), FilterStack())
    if manifest is not None:
        plan = replace(manifest.plan.part_for_purge(batch.dirs.lang), root=plan.root)
    held = {*filesystem.list_names(batch.tasks), *filesystem.list_names(batch.erasing)}
    unplanned = sorted(name for name in held - set(plan.ids) if TASK_ID.match(name))
    tasks = (
        PlannedTask(Task(i, Status.BROKEN, lang=batch.dirs.lang), Reason.MATCHED) for i in unplanned
    )
    planned_bundles = {one.bundle.name for one in plan.bundles}
    unplanned_bundles = sorted(set(_bundles_in(batch)) - planned_bundles)
    bundles = (PlannedBundle(_read_bundle(batch, name), 0, 0) for name in unplanned_bundles)
    return replace(plan, tasks=(*plan.tasks, *tasks), bundles=(*plan.bundles, *bundles))


def _read_bundle(batch: Batch, name: str) -> Bundle:
    try:
        return read_bundle(name, bundle_file(name), batch.dirs.lang, dir_fd=batch.bundles)
    except OSError:
        return Bundle(name, (), lang=batch.dirs.lang)


def _bundles_in(batch: Batch) -> list[str]:
    """List the names of the bundles in a batch. Files that no purge can have put there are left
    out."""
    lang = batch.dirs.lang
    names = ((bundle_name(file), file) for file in filesystem.list_names(batch.bundles))
    return [
        name for name, file in names if bundle_file(name) == file and is_bundle_name(name, lang)
    ]
