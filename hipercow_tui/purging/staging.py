"""Staging: move bundles and tasks into a batch, and compare each with the plan after its move.

Bundles are moved first, then the tasks, chain by chain. A chain with a difference from the plan is
put back as a whole (docs/spec.md, rule 13).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Bundle, Task
from hipercow_tui.formats.bundles import read_bundle
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.formats.task_row import status_from_mask
from hipercow_tui.purging.batch import NO_SPACE, Batch
from hipercow_tui.purging.batch_name import bundle_file
from hipercow_tui.purging.chain_units import ChainUnit, by_member
from hipercow_tui.purging.conflict_check import link_difference
from hipercow_tui.purging.file_changes import rename
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult, Phase
from hipercow_tui.purging.rollback import DELETED_TEXT, restore_bundle, restore_task, restore_unit
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import escape_controls

NOT_MOVED = "the file system did not move it, although it reported success"


def stage(
    batch: Batch,
    plan: PurgePlan,
    units: Sequence[ChainUnit],
    record: RunRecord,
    progress: ProgressReporter,
) -> None:
    """Move the bundles and tasks of the plan into the batch, and put back those that differ.

    Units not in ``record.kept_units`` and bundles not in ``record.finished_bundles`` are then in
    the batch as planned. A stop of the purge ends this between two units; the rest is then not
    moved. Raises OSError if the batch itself fails.
    """
    held = _stage_bundles(batch, plan, units, record, progress)
    progress.begin(Phase.MOVING, len(plan.tasks))
    done = 0
    for unit in units:
        if progress.stopped:
            return
        batch.ensure_owned()
        if unit in held:
            restore_unit(batch, unit, held[unit], record)
        else:
            _stage_unit(batch, unit, record, progress)
        done += len(unit.tasks)
        progress.advance(done)
    progress.end()


def _stage_bundles(
    batch: Batch,
    plan: PurgePlan,
    units: Sequence[ChainUnit],
    record: RunRecord,
    progress: ProgressReporter,
) -> dict[ChainUnit, str]:
    """Move the bundles. Return the units that must stay because one of their bundles stays, each
    with the reason."""
    unit_by_task_id = by_member(units)
    held: dict[ChainUnit, str] = {}
    bundles = [planned.bundle for planned in plan.bundles]
    # Links are compared before any bundle is moved, because a link may lead to another bundle.
    changed = {one.name: link_difference(batch.dirs, one) for one in bundles if one.link}
    for bundle in bundles:
        if reason := changed.get(bundle.name):
            restore_bundle(batch, bundle.name, reason, record)
        else:
            reason = _stage_bundle(batch, bundle, record, progress)
        if reason is not None:
            why = f"its bundle '{escape_controls(bundle.name)}' stays: {reason}"
            for task_id in bundle.task_ids:
                if task_id in unit_by_task_id:
                    held.setdefault(unit_by_task_id[task_id], why)
    return held


def _stage_bundle(
    batch: Batch, bundle: Bundle, record: RunRecord, progress: ProgressReporter
) -> str | None:
    """Move one bundle. If it must stay, record its result and return the reason; else None."""
    name = bundle.name
    try:
        with batch.dirs.bundle(name) as (folder, last):
            stopped = _ends_waiting(record, progress)
            rename(last, bundle_file(name), folder, batch.bundles, stopped)
    except FileNotFoundError as error:
        if batch.dirs.has_bundle(name):
            raise _batch_gone_error(error) from None
        record.finished_bundles.add(name)
        record.vanished.append(ItemResult(name, DELETED_TEXT, is_bundle=True))
        return DELETED_TEXT
    except OSError as error:
        record.no_space |= error.errno in NO_SPACE
        reason = f"it can't be moved: {os_error_text(error)}"
        record.finished_bundles.add(name)
        record.failed.append(ItemResult(name, reason, is_bundle=True))
        return reason
    difference = _bundle_difference(batch, bundle)
    if difference is not None:
        restore_bundle(batch, name, difference, record)
    return difference


def _bundle_difference(batch: Batch, bundle: Bundle) -> str | None:
    file = bundle_file(bundle.name)
    try:
        if bundle.link:
            same = filesystem.read_link(file, batch.bundles) == bundle.link
        else:
            found = read_bundle(bundle.name, file, bundle.lang, dir_fd=batch.bundles)
            same = found.task_ids == bundle.task_ids
    except FileNotFoundError:
        return NOT_MOVED
    except OSError as error:
        return f"it can't be read now: {os_error_text(error)}"
    return None if same else "it was rewritten since the plan was made"


def _stage_unit(
    batch: Batch, unit: ChainUnit, record: RunRecord, progress: ProgressReporter
) -> None:
    for task in unit.tasks:
        reason = _stage_task(batch, task, record, progress)
        if reason is not None:
            restore_unit(batch, unit, reason, record, failed_id=task.id)
            return


def _stage_task(
    batch: Batch, task: Task, record: RunRecord, progress: ProgressReporter
) -> str | None:
    """Move one task. If it must stay, record its result and return the reason; else None."""
    try:
        shard = batch.dirs.shard(task.id)
        rename(task.id[2:], task.id, shard, batch.tasks, _ends_waiting(record, progress))
    except FileNotFoundError as error:
        if batch.dirs.has_task(task.id):
            raise _batch_gone_error(error) from None
        record.vanished.append(ItemResult(task.id, DELETED_TEXT))
        return DELETED_TEXT
    except OSError as error:
        record.no_space |= error.errno in NO_SPACE
        reason = f"it can't be moved: {os_error_text(error)}"
        record.failed.append(ItemResult(task.id, reason))
        return reason
    difference = task_difference(task, task.id, batch.tasks)
    if difference is not None:
        restore_task(batch, task.id, difference, record)
    return difference


def _ends_waiting(record: RunRecord, progress: ProgressReporter) -> Callable[[], bool]:
    return lambda: progress.stopped or record.many_are_open()


def task_difference(task: Task, name: str, parent: int) -> str | None:
    """Return how the folder ``name`` in ``parent`` differs from the planned task, or None."""
    try:
        folder = open_folder(name, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return "it is not a folder"
        if error.errno == errno.ENOENT:
            return NOT_MOVED
        return f"its folder can't be listed: {os_error_text(error)}"
    try:
        files_mask = LAYOUTS[task.lang].files_mask_of(filesystem.list_names(folder))
    except OSError as error:
        return f"its folder can't be listed: {os_error_text(error)}"
    finally:
        os.close(folder)
    if files_mask == task.files_mask:
        return None
    before, now = status_from_mask(task.files_mask), status_from_mask(files_mask)
    change = f"{before} → {now}" if before != now else "other files"
    return f"it changed since the plan was made ({change})"


def _batch_gone_error(error: OSError) -> OSError:
    """Return the error for a move that failed although its source exists: the batch does not."""
    return OSError(error.errno, "its batch in hipercow/tui/ was removed in the meantime")
