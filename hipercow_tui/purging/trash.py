"""What to do with what stands in ``hipercow/tui/``: restore, empty, finish."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from hipercow_tui.errors import PurgeError
from hipercow_tui.filters import FilterStack
from hipercow_tui.model import TASK_ID, Bundle, Lang, Status, Task, is_bundle_name
from hipercow_tui.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.purging.carrying_out import forgotten, run_in
from hipercow_tui.purging.erase import erase, erase_bundle
from hipercow_tui.purging.history import Kind, remember_empty, remember_purge, remember_restore
from hipercow_tui.purging.lot import Lot, taken_over
from hipercow_tui.purging.manifest import Aim, Manifest, read_manifest
from hipercow_tui.purging.names import TUI, LotName, State, bundle_file, bundle_name, parse
from hipercow_tui.purging.outcome import EmptyReport, Outcome, Progress, PurgeReport, RestoreReport
from hipercow_tui.purging.places import Places, because, exists, open_places, opened
from hipercow_tui.purging.purge import Purge
from hipercow_tui.purging.recent import remove_ids
from hipercow_tui.purging.record import Record
from hipercow_tui.purging.units import units_of
from hipercow_tui.purging.watch import Watch, unheard
from hipercow_tui.purging.without_lot import Aside, claimed, erase_aside, put_back
from hipercow_tui.roots import Root
from hipercow_tui.roots.files import read_file
from hipercow_tui.roots.layouts import LAYOUTS
from hipercow_tui.roots.r_root import BUNDLE_NAME
from hipercow_tui.roots.relations import LIMIT
from hipercow_tui.text import visible


def restore(
    root: Root, stamp: str, *, on_progress: Callable[[Progress], None] = unheard
) -> RestoreReport:
    """Put back what a lot holds, as far as it is whole; never onto anything that exists.

    Of a chain whose last attempts are erased the others come back; a bundle of which some tasks
    are erased is kept aside. Raises PurgeError if there is no such lot or someone works in it.
    """
    began = time.monotonic()
    report = RestoreReport(stamp)
    with _working(root) as places:
        asides = tuple(claimed(places, stamp))
        for task in asides:
            report = _restore_aside(places, task, began)
        for name in () if asides else _named(places, stamp):
            state = State.ERASING if name.state is State.ERASING else State.RESTORING
            with taken_over(places, name, state) as lot:
                one = _restore(lot, Watch(on_progress))
            report = replace(
                report,
                restored=report.restored + one.restored,
                restored_bundles=report.restored_bundles + one.restored_bundles,
                gone=report.gone + one.gone,
                failed=report.failed + one.failed,
            )
        report = replace(report, seconds=time.monotonic() - began)
        remember_restore(places, report)
    return report


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
    began = time.monotonic()
    record, watch = Record(), Watch(on_progress, stop, jobs)
    stamps: list[str] = []
    with _working(root) as places:
        asides = () if stamp is None else tuple(claimed(places, stamp))
        for task in asides:
            erase_aside(places, task, record, watch)
            stamps.append(task.stamp)
        names = _lots(places) if stamp is None else _named(places, stamp) if not asides else []
        for name in names:
            if watch.stopped or (stamp is None and name.state is not State.TRASH):
                continue
            with taken_over(places, name, State.ERASING) as lot:
                stamps.append(lot.stamp)
                _erase(lot, record, watch)
                lot.discard()
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
        if stamps:
            remember_empty(places, report)
    return report


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
    with _working(root) as places:
        name = None if any(claimed(places, stamp)) else _named(places, stamp)[-1]
        if name is not None and name.state is State.MOVING:
            with taken_over(places, name, State.MOVING) as lot:
                return _resume(lot, Watch(on_progress, stop, jobs))
    if name is not None and name.state is State.RESTORING:
        return restore(root, stamp, on_progress=on_progress)
    return empty(root, stamp, on_progress=on_progress, stop=stop, jobs=jobs)


def _resume(lot: Lot, watch: Watch) -> PurgeReport:
    """Everything back into its place, and from the beginning: what was compared with the plan
    before the purge broke off may be different now."""
    manifest = read_manifest(lot.folder)
    if manifest is None:
        if lot.discard():  # it died before anything was moved
            return PurgeReport(PurgePlan(lot.places.project, time.time(), FilterStack()))
        raise PurgeError(
            f"What {lot.stamp} was to do is not written in it, so that it can't be finished:"
            " restore it"
        )
    plan = _plan_in(lot, manifest)
    Purge(plan, lot, units_of(plan), Watch(unheard)).bring_back("the purge begins anew")
    report = run_in(lot, plan, manifest.aim, watch)
    if manifest.aim is Aim.PURGE:
        report = forgotten(lot.places, report)
    kind = Kind.TRASH if manifest.aim is Aim.TRASH else Kind.PURGE
    remember_purge(lot.places, kind, report)
    return report


def _restore(lot: Lot, watch: Watch) -> RestoreReport:
    tasks, bundles = os.listdir(lot.tasks), _bundles_in(lot)
    plan = _plan_in(lot, read_manifest(lot.folder))
    purge = Purge(plan, lot, units_of(plan), watch)
    if lot.name.state is State.ERASING:
        purge.record.begun.update(i for i in plan.ids if not _stands(lot, i))
    purge.bring_back("it was restored")
    remains = [name for name in os.listdir(lot.erasing) if TASK_ID.match(name)]
    erase(lot, [remains], purge.record, Watch(unheard))
    lot.discard()
    back = {one.name for one in purge.record.put_back if not one.is_bundle}
    back_bundles = {one.name for one in purge.record.put_back if one.is_bundle}
    return RestoreReport(
        lot.stamp,
        tuple(sorted(back.intersection(tasks))),
        tuple(sorted(back_bundles.intersection(bundles))),
        tuple(sorted(purge.record.begun)),
        tuple(purge.record.failed),
    )


def _erase(lot: Lot, record: Record, watch: Watch) -> None:
    held = {*os.listdir(lot.tasks), *os.listdir(lot.erasing)}
    plan = _plan_in(lot, read_manifest(lot.folder))
    chains = ([i for i in reversed(unit.ids) if i in held] for unit in units_of(plan))
    erase(lot, list(filter(None, chains)), record, watch)
    if not watch.stopped:
        for name in _bundles_in(lot):
            erase_bundle(lot, name, record)


def _stands(lot: Lot, task_id: str) -> bool:
    if exists(task_id, lot.tasks):
        return True
    try:
        return exists(task_id[2:], lot.places.shard(task_id))
    except OSError:
        return False


def _plan_in(lot: Lot, manifest: Manifest | None) -> PurgePlan:
    """The plan that a lot was made for, and whatever else it holds; without a manifest each task
    is taken for itself."""
    plan = PurgePlan(lot.places.project, time.time(), FilterStack())
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


def _bundle_in(lot: Lot, name: str) -> Bundle:
    try:
        raw = read_file(bundle_file(name), limit=LIMIT, dir_fd=lot.bundles)
    except OSError:
        raw = b""
    return LAYOUTS[lot.places.lang].parse_bundle(raw, name, 0.0, (0, 0, 0))


def _bundles_in(lot: Lot) -> list[str]:
    """The names of the bundles in a lot, as far as we can have put them there."""
    files = os.listdir(lot.bundles)
    if lot.places.lang is Lang.R:
        return list(filter(BUNDLE_NAME.match, files))
    names = ((bundle_name(file), file) for file in files)
    return [
        name for name, file in names if bundle_file(name) == file and is_bundle_name(name, Lang.PY)
    ]


def _restore_aside(places: Places, task: Aside, began: float) -> RestoreReport:
    record = Record()
    if task.whole:
        try:
            put_back(places, task)
        except OSError as error:
            reason = f"it can't be put back: {because(error)}"
            record.failed.append(Outcome(task.id, reason, places.path / task.name))
            back: tuple[str, ...] = ()
        else:
            back = (task.id,)
    else:
        erase_aside(places, task, record, Watch(unheard))
        if failed := remove_ids(places, record.removed):
            record.failed.append(failed)
        back = ()
    gone = () if task.whole else (task.id,)
    seconds = time.monotonic() - began
    return RestoreReport(task.stamp, back, (), gone, tuple(record.failed), seconds)


@contextmanager
def _working(root: Root) -> Iterator[Places]:
    if root.purge_refusal:
        raise PurgeError(root.purge_refusal)
    with open_places(root) as places:
        yield places


def _lots(places: Places) -> list[LotName]:
    with ExitStack() as stack:
        try:
            tui = opened(stack, places.path / TUI, places.hipercow, places.device)
        except FileNotFoundError:
            return []
        return sorted(filter(None, map(parse, os.listdir(tui))), key=str)


def _named(places: Places, stamp: str) -> list[LotName]:
    """The lots of one purge: the one it was in, and what was kept aside of it."""
    names = [name for name in _lots(places) if name.stamp == stamp]
    # What is kept aside first: what can't be put back from the others joins it.
    names.sort(key=lambda name: name.state is not State.KEPT)
    if not names:
        shown = visible(str(places.path / TUI))
        raise PurgeError(f"There is no '{visible(stamp)}' in {shown}: 'hipercow-tui trash' lists")
    return names
