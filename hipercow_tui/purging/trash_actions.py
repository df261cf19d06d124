"""What can be done with the lots in ``hipercow/tui/``: restore, empty, finish."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import TASK_ID, Bundle, Status, Task, is_bundle_name
from hipercow_tui.formats.bundles import read_bundle
from hipercow_tui.formats.root import Root
from hipercow_tui.purging.batch import (
    Batch,
    TakenOverError,
    batch_names,
    create_batch,
    ensure_owner_gone,
    take_over,
)
from hipercow_tui.purging.batch_name import (
    AT_REST,
    TUI_FOLDER,
    BatchName,
    BatchState,
    bundle_file,
    bundle_name,
)
from hipercow_tui.purging.chain_units import chain_units
from hipercow_tui.purging.eraser import erase
from hipercow_tui.purging.executor import remove_from_recent, run_in_batch
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.full_disk import (
    LooseTask,
    claim_loose_tasks,
    erase_loose_task,
    missing_data,
    put_back,
)
from hipercow_tui.purging.history import HistoryKind, record_empty, record_purge, record_restore
from hipercow_tui.purging.incomplete import (
    quarantine_in_batch,
    quarantine_in_place,
    with_quarantined,
    without_quarantined,
)
from hipercow_tui.purging.manifest import Manifest, PurgeMode, load_manifest, read_manifest
from hipercow_tui.purging.progress import ProgressReporter, ignore_progress
from hipercow_tui.purging.recent_list import remove_ids
from hipercow_tui.purging.results import (
    EmptyReport,
    ItemResult,
    Progress,
    PurgeReport,
    RestoreReport,
)
from hipercow_tui.purging.rollback import restore_bundle
from hipercow_tui.purging.root_dirs import RootDirs, open_dir, open_root_dirs
from hipercow_tui.purging.run_log import RunRecord
from hipercow_tui.purging.transaction import PurgeTransaction
from hipercow_tui.purging.trash_listing import TrashEntry, contents_of
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, pluralize


def restore(
    root: Root, batch_id: str, *, on_progress: Callable[[Progress], None] = ignore_progress
) -> RestoreReport:
    """Put back what a lot holds, as far as it is whole; never onto anything that exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or a process works in it,
    and OSError.
    """
    began = time.monotonic()
    report, progress = RestoreReport(batch_id), ProgressReporter(on_progress)
    with _open_dirs(root) as dirs:
        loose_tasks = tuple(claim_loose_tasks(dirs, batch_id, progress))
        try:
            for task in loose_tasks:
                report = report.followed_by(_restore_loose_task(dirs, task))
            for name in () if loose_tasks else _find_batches(dirs, batch_id):
                state = (
                    BatchState.ERASING if name.state is BatchState.ERASING else BatchState.RESTORING
                )
                with take_over(dirs, name, state, progress) as batch:
                    died = name.state is not BatchState.TRASH
                    report = report.followed_by(_restore(batch, progress, died=died))
        finally:
            report = replace(report, seconds=time.monotonic() - began)
            if report.restored or report.restored_bundles or report.missing_ids or report.failed:
                record_restore(dirs, report)
    if report.lost:
        raise PurgeError(
            f"{report.lost}. {pluralize(len(report.restored), 'task')} had been restored."
        )
    return report


def empty(
    root: Root,
    batches: Iterable[TrashEntry],
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> EmptyReport:
    """Erase these lots for good, the last attempt of a chain first: those that are in the trash or
    kept aside, and those of which some is erased already.

    Nothing of a lot is erased if it is not as it was listed. Setting ``stop`` ends it between two
    tasks; ``jobs`` chains go at a time. Raises PurgeError if a lot is not as listed or a process
    works in it, and OSError; what was erased before that is in the history.
    """
    began = time.monotonic()
    record, progress = RunRecord(), ProgressReporter(on_progress, stop, jobs)
    batch_ids: list[str] = []
    report = EmptyReport()
    with _open_dirs(root) as dirs:
        try:
            for batch in batches:
                if not progress.stopped:
                    batch_ids.append(batch.batch_id)
                    _empty(dirs, batch, record, progress)
        except PurgeError as error:
            raise after_erasing(len(record.removed), error) from None
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
                time.monotonic() - began,
                progress.stopped,
            )
            if report.removed or report.removed_bundles or report.failed:
                record_empty(dirs, report)
    return report


def after_erasing(erased: int, error: PurgeError) -> PurgeError:
    """The error, with what was erased before it."""
    if not erased:
        return error
    return PurgeError(f"{error}. Before that {pluralize(erased, 'task')} had been erased.")


def finish(
    root: Root,
    batch_id: str,
    *,
    on_progress: Callable[[Progress], None] = ignore_progress,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport:
    """Bring to its end what was interrupted in a lot: a purge or a move to the trash, by its plan
    and with all its checks, or an erasing.

    Raises PurgeError if nothing says that it was confirmed, or as ``execute`` does, and OSError.
    """
    progress = ProgressReporter(on_progress, stop, jobs)
    with _open_dirs(root) as dirs:
        if loose_tasks := tuple(claim_loose_tasks(dirs, batch_id, progress)):
            return _finish_loose_tasks(dirs, loose_tasks, progress)
        names = _find_batches(dirs, batch_id)
        name = next(
            (one for one in names if one.state in (BatchState.MOVING, BatchState.ERASING)), None
        )
        if name is None:
            raise PurgeError(
                f"There is nothing to finish in {batch_id}: it is {names[-1].state}. 'hipercow-tui"
                f" trash --restore {batch_id}' puts back what it holds"
            )
        with take_over(dirs, name, name.state, progress) as batch:
            manifest = load_manifest(batch.folder)
            if name.state is BatchState.MOVING:
                return _resume(batch, manifest, progress)
            return _finish_erasing(batch, manifest, progress)


def create_missing_batch(root: Root, manifest: Manifest, batch_id: str) -> None:
    """Make the lot of a part of a confirmed purge that died before it had one, for ``finish``."""
    with _open_dirs(root) as dirs, create_batch(dirs, manifest.plan, manifest.mode, batch_id):
        pass


def ensure_idle(root: Root, batch_id: str, progress: ProgressReporter) -> None:
    """Return once no process works in the lots of that stamp; raises PurgeError if one does, and
    OSError."""
    with _open_dirs(root) as dirs, ExitStack() as stack, suppress(FileNotFoundError):
        tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
        for name in batch_names(tui):
            if name.batch_id == batch_id and name.state not in AT_REST:
                ensure_owner_gone(dirs, tui, name, progress)


def _resume(batch: Batch, manifest: Manifest | None, progress: ProgressReporter) -> PurgeReport:
    """Everything back into its place, and from the beginning: what was compared with the plan
    before the purge was interrupted may be different now."""
    if manifest is None or not manifest.confirmed:
        raise PurgeError(
            f"Nothing in {batch.batch_id} says that its purge was confirmed, so that it can't be"
            " finished: restore it"
        )
    plan = _plan_in(batch, manifest)
    incomplete = quarantine_in_batch(batch, plan)
    complete = without_quarantined(plan, incomplete)
    before = PurgeTransaction(
        complete, batch, chain_units(complete), ProgressReporter(ignore_progress)
    )
    before.roll_back("the purge begins again")
    report = with_quarantined(run_in_batch(batch, plan, manifest.mode, progress), incomplete, batch)
    loose_task = tuple(one for one in before.record.failed if one.where is not None)
    report = replace(report, failed=(*loose_task, *report.failed))
    if manifest.mode is PurgeMode.PURGE:
        report = remove_from_recent(batch.dirs, report)
    kind = HistoryKind.TRASH if manifest.mode is PurgeMode.TRASH else HistoryKind.PURGE
    record_purge(batch.dirs, kind, report)
    return report


def _finish_erasing(
    batch: Batch, manifest: Manifest | None, progress: ProgressReporter
) -> PurgeReport:
    began = time.monotonic()
    plan = _plan_in(batch, manifest)
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress)
    try:
        purge.record.failed += quarantine_in_place(batch, plan)
        _leave_in_place(batch, plan, purge.record)
        _erase(batch, plan, purge.record, progress)
    finally:
        purge.stopped = progress.stopped
        discarded = batch.discard()
        report = purge.report(time.monotonic() - began, discarded=discarded)
        report = remove_from_recent(batch.dirs, report)
        if manifest is not None and manifest.mode is PurgeMode.TRASH:
            record_empty(batch.dirs, _as_emptying(batch.batch_id, report))
        else:
            record_purge(batch.dirs, HistoryKind.PURGE, report)
    return report


def _leave_in_place(batch: Batch, plan: PurgePlan, record: RunRecord) -> None:
    """Record the planned tasks that are in their places, because they were put back before the
    purge died, and keep the bundles that list them."""
    reason = "it was put back before the purge was interrupted"
    there = [task_id for task_id in plan.ids if batch.dirs.has_task(task_id)]
    record.put_back += [ItemResult(task_id, reason) for task_id in there]
    held = set(_bundles_in(batch))
    for bundle in (one.bundle for one in plan.bundles if one.bundle.name in held):
        left = set(plan.ids).intersection(bundle.task_ids)
        if left and left <= set(there):
            restore_bundle(batch, bundle.name, reason, record)
        elif left & set(there):
            record.bundles_settled.add(bundle.name)
            where = batch.quarantine("bundles", bundle_file(bundle.name))
            why = "some of its tasks are erased, others are in their places"
            record.failed.append(ItemResult(bundle.name, why, where, is_bundle=True))


def _as_emptying(batch_id: str, report: PurgeReport) -> EmptyReport:
    return EmptyReport(
        (batch_id,),
        report.removed,
        report.removed_bundles,
        report.failed,
        report.bytes,
        report.files,
        report.seconds,
        report.stopped,
    )


def _finish_loose_tasks(
    dirs: RootDirs, loose_tasks: Sequence[LooseTask], progress: ProgressReporter
) -> PurgeReport:
    began, record = time.monotonic(), RunRecord()
    for task in loose_tasks:
        if task.complete and not missing_data(dirs, task):
            _put_back(dirs, task, record)  # what was moved is erased only after it was compared
        else:
            erase_loose_task(dirs, task, record, progress)
    report = PurgeReport(
        PurgePlan(dirs.project, time.time(), FilterStack()),
        removed=tuple(sorted(record.removed)),
        put_back=tuple(record.put_back),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        seconds=time.monotonic() - began,
    )
    report = remove_from_recent(dirs, report)
    record_purge(dirs, HistoryKind.PURGE, report)
    return report


def _restore(batch: Batch, progress: ProgressReporter, *, died: bool) -> RestoreReport:
    """Put back what is complete; ``died`` says that a process ended while it used the batch."""
    tasks, bundles = os.listdir(batch.tasks), _bundles_in(batch)
    remains = [name for name in os.listdir(batch.erasing) if TASK_ID.match(name)]
    plan = _plan_in(batch, read_manifest(batch.folder))
    erasing = batch.name.state is BatchState.ERASING
    incomplete = quarantine_in_batch(batch, plan) if died else []
    if erasing:
        incomplete += quarantine_in_place(batch, plan)
    plan = without_quarantined(plan, incomplete)
    purge = PurgeTransaction(plan, batch, chain_units(plan), progress)
    record = purge.record
    record.failed += incomplete
    if erasing:
        record.partially_erased.update(i for i in plan.ids if not _is_in_batch(batch, i))
    lost = ""
    try:
        purge.roll_back("it was restored")
        if erasing:
            erase(batch, [remains], (), record, ProgressReporter(ignore_progress))
        else:  # in quarantine, which an undo must not erase
            for task_id in remains:
                where = batch.quarantine("erasing", task_id)
                record.failed.append(ItemResult(task_id, "it is no longer whole", where))
        batch.discard()
    except TakenOverError as error:
        lost = str(error)
    back = {one.name for one in record.put_back if not one.is_bundle}
    back_bundles = {one.name for one in record.put_back if one.is_bundle}
    vanished = {one.name for one in record.missing if not one.is_bundle}
    return RestoreReport(
        batch.batch_id,
        tuple(sorted(back.intersection(tasks))),
        tuple(sorted(back_bundles.intersection(bundles))),
        tuple(sorted(record.partially_erased | vanished)),
        tuple(record.failed),
        lost=lost,
    )


def refuse_unerasable(batches: Iterable[TrashEntry]) -> None:
    """Raises PurgeError if one of these lots can't be erased: something was interrupted in it, or
    it can't be read."""
    for batch in batches:
        if batch.problem:
            raise PurgeError(f"{batch.batch_id} can't be erased: {batch.problem}")
        if not batch.erasable:
            raise PurgeError(
                f"{batch.batch_id} was interrupted while {batch.state}: 'hipercow-tui trash --finish"
                f" {batch.batch_id}' or 'hipercow-tui trash --restore {batch.batch_id}' it first"
            )


def _empty(
    dirs: RootDirs, listed: TrashEntry, record: RunRecord, progress: ProgressReporter
) -> None:
    """Erase one lot, if it is as it was listed."""
    batch_id = listed.batch_id
    refuse_unerasable([listed])
    if loose_tasks := tuple(claim_loose_tasks(dirs, batch_id, progress)):
        for task in loose_tasks:
            erase_loose_task(dirs, task, record, progress)
        return
    # In a state at rest another process could take the batch over during the check.
    with take_over(dirs, listed.name, BatchState.ERASING, progress) as batch:
        if contents_of(batch.folder) != listed.contents:
            batch.set_state(listed.state)
            raise PurgeError(
                f"What {batch_id} holds changed since it was listed, so that nothing of it was erased:"
                " list it again"
            )
        plan = _plan_in(batch, read_manifest(batch.folder))
        if listed.state is BatchState.ERASING:
            record.failed += quarantine_in_place(batch, plan)
        _erase(batch, plan, record, progress)
        batch.discard()


def _erase(batch: Batch, plan: PurgePlan, record: RunRecord, progress: ProgressReporter) -> None:
    held = {*os.listdir(batch.tasks), *os.listdir(batch.erasing)}
    chains = ([i for i in reversed(unit.ids) if i in held] for unit in chain_units(plan))
    bundles_held = set(_bundles_in(batch))
    bundles = [one.bundle for one in plan.bundles if one.bundle.name in bundles_held]
    erase(batch, list(filter(None, chains)), bundles, record, progress)


def _is_in_batch(batch: Batch, task_id: str) -> bool:
    """Whether a task is in the lot or in its place, or may be."""
    return exists(task_id, batch.tasks) or batch.dirs.has_task(task_id)


def _plan_in(batch: Batch, manifest: Manifest | None) -> PurgePlan:
    """The plan that a lot was made for, and whatever else it holds; without a manifest each task
    is taken for itself."""
    plan = _no_plan(batch)
    if manifest is not None:
        plan = replace(manifest.plan.of_lang(batch.dirs.lang), root=plan.root)
    known = set(plan.ids)
    found = {*os.listdir(batch.tasks), *os.listdir(batch.erasing)}
    strange = sorted(name for name in found - known if TASK_ID.match(name))
    tasks = (
        PlannedTask(Task(i, Status.BROKEN, lang=batch.dirs.lang), Reason.MATCHED) for i in strange
    )
    named = {one.bundle.name for one in plan.bundles}
    others = sorted(set(_bundles_in(batch)) - named)
    bundles = (PlannedBundle(_bundle_in(batch, name), 0, 0) for name in others)
    return replace(plan, tasks=(*plan.tasks, *tasks), bundles=(*plan.bundles, *bundles))


def _no_plan(batch: Batch) -> PurgePlan:
    return PurgePlan(batch.dirs.project, time.time(), FilterStack())


def _bundle_in(batch: Batch, name: str) -> Bundle:
    try:
        return read_bundle(name, bundle_file(name), batch.dirs.lang, dir_fd=batch.bundles)
    except OSError:
        return Bundle(name, (), lang=batch.dirs.lang)


def _bundles_in(batch: Batch) -> list[str]:
    """The names of the bundles in a lot, as far as we can have put them there."""
    lang = batch.dirs.lang
    names = ((bundle_name(file), file) for file in os.listdir(batch.bundles))
    return [
        name for name, file in names if bundle_file(name) == file and is_bundle_name(name, lang)
    ]


def _restore_loose_task(dirs: RootDirs, task: LooseTask) -> RestoreReport:
    record = RunRecord()
    back: tuple[str, ...] = ()
    if task.complete and (reason := missing_data(dirs, task)):
        record.failed.append(ItemResult(task.id, reason, dirs.path / task.name))
    elif task.complete:
        _put_back(dirs, task, record)
        back = tuple(one.name for one in record.put_back)
    else:
        erase_loose_task(dirs, task, record, ProgressReporter(ignore_progress))
        if failed := remove_ids(dirs, record.removed):
            record.failed.append(failed)
    gone = () if task.complete else (task.id,)
    return RestoreReport(task.batch_id, back, (), gone, tuple(record.failed))


def _put_back(dirs: RootDirs, task: LooseTask, record: RunRecord) -> None:
    try:
        put_back(dirs, task)
    except OSError as error:
        reason = f"it can't be put back: {os_error_text(error)}"
        record.failed.append(ItemResult(task.id, reason, dirs.path / task.name))
    else:
        reason = "it was moved aside on a full disk, and not compared with its plan any more"
        record.put_back.append(ItemResult(task.id, reason))


@contextmanager
def _open_dirs(root: Root) -> Iterator[RootDirs]:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    with open_root_dirs(root) as dirs:
        yield dirs


def _find_batches(dirs: RootDirs, batch_id: str) -> list[BatchName]:
    """The lots of one purge: the one it was in, and what was kept aside of it."""
    with ExitStack() as stack:
        names: list[BatchName] = []
        with suppress(FileNotFoundError):
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            names = [name for name in batch_names(tui) if name.batch_id == batch_id]
    # What is kept aside first: what can't be put back from the others joins it.
    names.sort(key=lambda name: name.state is not BatchState.QUARANTINED)
    if not names:
        shown = escape_controls(str(dirs.path / TUI_FOLDER))
        raise PurgeError(
            f"There is no '{escape_controls(batch_id)}' in {shown}: 'hipercow-tui trash' lists"
        )
    return names
