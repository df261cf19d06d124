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
    Lot,
    TakenOverError,
    ensure_owner_gone,
    lot_names,
    new_lot,
    taken_over,
)
from hipercow_tui.purging.batch_name import AT_REST, TUI, LotName, State, bundle_file, bundle_name
from hipercow_tui.purging.chain_units import units_of
from hipercow_tui.purging.eraser import erase
from hipercow_tui.purging.executor import forgotten, run_in
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.full_disk import Aside, claimed, erase_aside, missing_data, put_back
from hipercow_tui.purging.history import Kind, remember_empty, remember_purge, remember_restore
from hipercow_tui.purging.incomplete import (
    quarantine_in_batch,
    quarantine_in_place,
    with_quarantined,
    without_quarantined,
)
from hipercow_tui.purging.manifest import Aim, Manifest, load_manifest, read_manifest
from hipercow_tui.purging.progress import Watch, unheard
from hipercow_tui.purging.recent_list import remove_ids
from hipercow_tui.purging.results import EmptyReport, Outcome, Progress, PurgeReport, RestoreReport
from hipercow_tui.purging.rollback import restore_bundle
from hipercow_tui.purging.root_dirs import Places, because, open_places, opened
from hipercow_tui.purging.run_log import Record
from hipercow_tui.purging.transaction import Purge
from hipercow_tui.purging.trash_listing import TrashLot, contents_of
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import count, visible


def restore(
    root: Root, stamp: str, *, on_progress: Callable[[Progress], None] = unheard
) -> RestoreReport:
    """Put back what a lot holds, as far as it is whole; never onto anything that exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or a process works in it,
    and OSError.
    """
    began = time.monotonic()
    report, watch = RestoreReport(stamp), Watch(on_progress)
    with _working(root) as places:
        asides = tuple(claimed(places, stamp, watch))
        try:
            for task in asides:
                report = report.then(_restore_aside(places, task))
            for name in () if asides else _named(places, stamp):
                state = State.ERASING if name.state is State.ERASING else State.RESTORING
                with taken_over(places, name, state, watch) as lot:
                    died = name.state is not State.TRASH
                    report = report.then(_restore(lot, watch, died=died))
        finally:
            report = replace(report, seconds=time.monotonic() - began)
            if report.restored or report.restored_bundles or report.gone or report.failed:
                remember_restore(places, report)
    if report.lost:
        raise PurgeError(f"{report.lost}. {count(len(report.restored), 'task')} had been restored.")
    return report


def empty(
    root: Root,
    lots: Iterable[TrashLot],
    *,
    on_progress: Callable[[Progress], None] = unheard,
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
    record, watch = Record(), Watch(on_progress, stop, jobs)
    stamps: list[str] = []
    report = EmptyReport()
    with _working(root) as places:
        try:
            for lot in lots:
                if not watch.stopped:
                    stamps.append(lot.stamp)
                    _empty(places, lot, record, watch)
        except PurgeError as error:
            raise after_erasing(len(record.removed), error) from None
        finally:
            if failed := remove_ids(places, record.removed):
                record.failed.append(failed)
            report = EmptyReport(
                tuple(dict.fromkeys(stamps)),
                tuple(sorted(record.removed)),
                tuple(record.removed_bundles),
                tuple(record.failed),
                record.bytes,
                record.files,
                time.monotonic() - began,
                watch.stopped,
            )
            if report.removed or report.removed_bundles or report.failed:
                remember_empty(places, report)
    return report


def after_erasing(erased: int, error: PurgeError) -> PurgeError:
    """The error, with what was erased before it."""
    if not erased:
        return error
    return PurgeError(f"{error}. Before that {count(erased, 'task')} had been erased.")


def finish(
    root: Root,
    stamp: str,
    *,
    on_progress: Callable[[Progress], None] = unheard,
    stop: threading.Event | None = None,
    jobs: int = 1,
) -> PurgeReport:
    """Bring to its end what was interrupted in a lot: a purge or a move to the trash, by its plan
    and with all its checks, or an erasing.

    Raises PurgeError if nothing says that it was confirmed, or as ``carry_out`` does, and OSError.
    """
    watch = Watch(on_progress, stop, jobs)
    with _working(root) as places:
        if asides := tuple(claimed(places, stamp, watch)):
            return _finish_asides(places, asides, watch)
        names = _named(places, stamp)
        name = next((one for one in names if one.state in (State.MOVING, State.ERASING)), None)
        if name is None:
            raise PurgeError(
                f"There is nothing to finish in {stamp}: it is {names[-1].state}. 'hipercow-tui"
                f" trash --restore {stamp}' puts back what it holds"
            )
        with taken_over(places, name, name.state, watch) as lot:
            manifest = load_manifest(lot.folder)
            if name.state is State.MOVING:
                return _resume(lot, manifest, watch)
            return _finish_erasing(lot, manifest, watch)


def begin(root: Root, manifest: Manifest, stamp: str) -> None:
    """Make the lot of a part of a confirmed purge that died before it had one, for ``finish``."""
    with _working(root) as places, new_lot(places, manifest.plan, manifest.aim, stamp):
        pass


def ensure_idle(root: Root, stamp: str, watch: Watch) -> None:
    """Return once no process works in the lots of that stamp; raises PurgeError if one does, and
    OSError."""
    with _working(root) as places, ExitStack() as stack, suppress(FileNotFoundError):
        tui = opened(stack, places.path / TUI, places.hipercow, places.mount)
        for name in lot_names(tui):
            if name.stamp == stamp and name.state not in AT_REST:
                ensure_owner_gone(places, tui, name, watch)


def _resume(lot: Lot, manifest: Manifest | None, watch: Watch) -> PurgeReport:
    """Everything back into its place, and from the beginning: what was compared with the plan
    before the purge was interrupted may be different now."""
    if manifest is None or not manifest.confirmed:
        raise PurgeError(
            f"Nothing in {lot.stamp} says that its purge was confirmed, so that it can't be"
            " finished: restore it"
        )
    plan = _plan_in(lot, manifest)
    incomplete = quarantine_in_batch(lot, plan)
    complete = without_quarantined(plan, incomplete)
    before = Purge(complete, lot, units_of(complete), Watch(unheard))
    before.bring_back("the purge begins again")
    report = with_quarantined(run_in(lot, plan, manifest.aim, watch), incomplete, lot)
    aside = tuple(one for one in before.record.failed if one.where is not None)
    report = replace(report, failed=(*aside, *report.failed))
    if manifest.aim is Aim.PURGE:
        report = forgotten(lot.places, report)
    kind = Kind.TRASH if manifest.aim is Aim.TRASH else Kind.PURGE
    remember_purge(lot.places, kind, report)
    return report


def _finish_erasing(lot: Lot, manifest: Manifest | None, watch: Watch) -> PurgeReport:
    began = time.monotonic()
    plan = _plan_in(lot, manifest)
    purge = Purge(plan, lot, units_of(plan), watch)
    try:
        purge.record.failed += quarantine_in_place(lot, plan)
        _leave_in_place(lot, plan, purge.record)
        _erase(lot, plan, purge.record, watch)
    finally:
        purge.stopped = watch.stopped
        discarded = lot.discard()
        report = purge.report(time.monotonic() - began, discarded=discarded)
        report = forgotten(lot.places, report)
        if manifest is not None and manifest.aim is Aim.TRASH:
            remember_empty(lot.places, _as_emptying(lot.stamp, report))
        else:
            remember_purge(lot.places, Kind.PURGE, report)
    return report


def _leave_in_place(lot: Lot, plan: PurgePlan, record: Record) -> None:
    """Record the planned tasks that are in their places, because they were put back before the
    purge died, and keep the bundles that list them."""
    reason = "it was put back before the purge was interrupted"
    there = [task_id for task_id in plan.ids if lot.places.has_task(task_id)]
    record.put_back += [Outcome(task_id, reason) for task_id in there]
    held = set(_bundles_in(lot))
    for bundle in (one.bundle for one in plan.bundles if one.bundle.name in held):
        left = set(plan.ids).intersection(bundle.task_ids)
        if left and left <= set(there):
            restore_bundle(lot, bundle.name, reason, record)
        elif left & set(there):
            record.bundles_settled.add(bundle.name)
            where = lot.keep_aside("bundles", bundle_file(bundle.name))
            why = "some of its tasks are erased, others are in their places"
            record.failed.append(Outcome(bundle.name, why, where, is_bundle=True))


def _as_emptying(stamp: str, report: PurgeReport) -> EmptyReport:
    return EmptyReport(
        (stamp,),
        report.removed,
        report.removed_bundles,
        report.failed,
        report.bytes,
        report.files,
        report.seconds,
        report.stopped,
    )


def _finish_asides(places: Places, asides: Sequence[Aside], watch: Watch) -> PurgeReport:
    began, record = time.monotonic(), Record()
    for task in asides:
        if task.whole and not missing_data(places, task):
            _put_back(places, task, record)  # what was moved is erased only after it was compared
        else:
            erase_aside(places, task, record, watch)
    report = PurgeReport(
        PurgePlan(places.project, time.time(), FilterStack()),
        removed=tuple(sorted(record.removed)),
        put_back=tuple(record.put_back),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        seconds=time.monotonic() - began,
    )
    report = forgotten(places, report)
    remember_purge(places, Kind.PURGE, report)
    return report


def _restore(lot: Lot, watch: Watch, *, died: bool) -> RestoreReport:
    """Put back what is complete; ``died`` says that a process ended while it used the batch."""
    tasks, bundles = os.listdir(lot.tasks), _bundles_in(lot)
    remains = [name for name in os.listdir(lot.erasing) if TASK_ID.match(name)]
    plan = _plan_in(lot, read_manifest(lot.folder))
    erasing = lot.name.state is State.ERASING
    incomplete = quarantine_in_batch(lot, plan) if died else []
    if erasing:
        incomplete += quarantine_in_place(lot, plan)
    plan = without_quarantined(plan, incomplete)
    purge = Purge(plan, lot, units_of(plan), watch)
    record = purge.record
    record.failed += incomplete
    if erasing:
        record.begun.update(i for i in plan.ids if not _stands(lot, i))
    lost = ""
    try:
        purge.bring_back("it was restored")
        if erasing:
            erase(lot, [remains], (), record, Watch(unheard))
        else:  # in quarantine, which an undo must not erase
            for task_id in remains:
                where = lot.keep_aside("erasing", task_id)
                record.failed.append(Outcome(task_id, "it is no longer whole", where))
        lot.discard()
    except TakenOverError as error:
        lost = str(error)
    back = {one.name for one in record.put_back if not one.is_bundle}
    back_bundles = {one.name for one in record.put_back if one.is_bundle}
    vanished = {one.name for one in record.vanished if not one.is_bundle}
    return RestoreReport(
        lot.stamp,
        tuple(sorted(back.intersection(tasks))),
        tuple(sorted(back_bundles.intersection(bundles))),
        tuple(sorted(record.begun | vanished)),
        tuple(record.failed),
        lost=lost,
    )


def refuse_unerasable(lots: Iterable[TrashLot]) -> None:
    """Raises PurgeError if one of these lots can't be erased: something was interrupted in it, or
    it can't be read."""
    for lot in lots:
        if lot.problem:
            raise PurgeError(f"{lot.stamp} can't be erased: {lot.problem}")
        if not lot.erasable:
            raise PurgeError(
                f"{lot.stamp} was interrupted while {lot.state}: 'hipercow-tui trash --finish"
                f" {lot.stamp}' or 'hipercow-tui trash --restore {lot.stamp}' it first"
            )


def _empty(places: Places, listed: TrashLot, record: Record, watch: Watch) -> None:
    """Erase one lot, if it is as it was listed."""
    stamp = listed.stamp
    refuse_unerasable([listed])
    if asides := tuple(claimed(places, stamp, watch)):
        for task in asides:
            erase_aside(places, task, record, watch)
        return
    # In a state at rest another process could take the batch over during the check.
    with taken_over(places, listed.name, State.ERASING, watch) as lot:
        if contents_of(lot.folder) != listed.contents:
            lot.mark(listed.state)
            raise PurgeError(
                f"What {stamp} holds changed since it was listed, so that nothing of it was erased:"
                " list it again"
            )
        plan = _plan_in(lot, read_manifest(lot.folder))
        if listed.state is State.ERASING:
            record.failed += quarantine_in_place(lot, plan)
        _erase(lot, plan, record, watch)
        lot.discard()


def _erase(lot: Lot, plan: PurgePlan, record: Record, watch: Watch) -> None:
    held = {*os.listdir(lot.tasks), *os.listdir(lot.erasing)}
    chains = ([i for i in reversed(unit.ids) if i in held] for unit in units_of(plan))
    bundles_held = set(_bundles_in(lot))
    bundles = [one.bundle for one in plan.bundles if one.bundle.name in bundles_held]
    erase(lot, list(filter(None, chains)), bundles, record, watch)


def _stands(lot: Lot, task_id: str) -> bool:
    """Whether a task is in the lot or in its place, or may be."""
    return exists(task_id, lot.tasks) or lot.places.has_task(task_id)


def _plan_in(lot: Lot, manifest: Manifest | None) -> PurgePlan:
    """The plan that a lot was made for, and whatever else it holds; without a manifest each task
    is taken for itself."""
    plan = _no_plan(lot)
    if manifest is not None:
        plan = replace(manifest.plan.of_lang(lot.places.lang), root=plan.root)
    known = set(plan.ids)
    found = {*os.listdir(lot.tasks), *os.listdir(lot.erasing)}
    strange = sorted(name for name in found - known if TASK_ID.match(name))
    tasks = (
        PlannedTask(Task(i, Status.BROKEN, lang=lot.places.lang), Reason.MATCHED) for i in strange
    )
    named = {one.bundle.name for one in plan.bundles}
    others = sorted(set(_bundles_in(lot)) - named)
    bundles = (PlannedBundle(_bundle_in(lot, name), 0, 0) for name in others)
    return replace(plan, tasks=(*plan.tasks, *tasks), bundles=(*plan.bundles, *bundles))


def _no_plan(lot: Lot) -> PurgePlan:
    return PurgePlan(lot.places.project, time.time(), FilterStack())


def _bundle_in(lot: Lot, name: str) -> Bundle:
    try:
        return read_bundle(name, bundle_file(name), lot.places.lang, dir_fd=lot.bundles)
    except OSError:
        return Bundle(name, (), lang=lot.places.lang)


def _bundles_in(lot: Lot) -> list[str]:
    """The names of the bundles in a lot, as far as we can have put them there."""
    lang = lot.places.lang
    names = ((bundle_name(file), file) for file in os.listdir(lot.bundles))
    return [
        name for name, file in names if bundle_file(name) == file and is_bundle_name(name, lang)
    ]


def _restore_aside(places: Places, task: Aside) -> RestoreReport:
    record = Record()
    back: tuple[str, ...] = ()
    if task.whole and (reason := missing_data(places, task)):
        record.failed.append(Outcome(task.id, reason, places.path / task.name))
    elif task.whole:
        _put_back(places, task, record)
        back = tuple(one.name for one in record.put_back)
    else:
        erase_aside(places, task, record, Watch(unheard))
        if failed := remove_ids(places, record.removed):
            record.failed.append(failed)
    gone = () if task.whole else (task.id,)
    return RestoreReport(task.stamp, back, (), gone, tuple(record.failed))


def _put_back(places: Places, task: Aside, record: Record) -> None:
    try:
        put_back(places, task)
    except OSError as error:
        reason = f"it can't be put back: {because(error)}"
        record.failed.append(Outcome(task.id, reason, places.path / task.name))
    else:
        reason = "it was moved aside on a full disk, and not compared with its plan any more"
        record.put_back.append(Outcome(task.id, reason))


@contextmanager
def _working(root: Root) -> Iterator[Places]:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    with open_places(root) as places:
        yield places


def _named(places: Places, stamp: str) -> list[LotName]:
    """The lots of one purge: the one it was in, and what was kept aside of it."""
    with ExitStack() as stack:
        names: list[LotName] = []
        with suppress(FileNotFoundError):
            tui = opened(stack, places.path / TUI, places.hipercow, places.mount)
            names = [name for name in lot_names(tui) if name.stamp == stamp]
    # What is kept aside first: what can't be put back from the others joins it.
    names.sort(key=lambda name: name.state is not State.KEPT)
    if not names:
        shown = visible(str(places.path / TUI))
        raise PurgeError(f"There is no '{visible(stamp)}' in {shown}: 'hipercow-tui trash' lists")
    return names
