"""Find tasks that a power cut left incomplete, and quarantine them.

A file system may lose renames that it reported, and keep later removals. Then a partly erased task
is among the complete ones, or in its place again, where it could look like a task of another
status. The manifest has the listing of each task, which shows the difference.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import DATA, QUEUED, Status, Task
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.formats.task_row import status_from_mask
from hipercow_tui.purging.batch import Batch
from hipercow_tui.purging.results import ItemResult, PurgeReport
from hipercow_tui.purging.root_dirs import names_in
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text

_MARKERS = ("submitted", "running", "success", "failure", "cancelled")
# The files that determine the status of a task, in R and Python. The files of a queued job change.
_NAMES = ("data", "info", "times", *(f"status-{marker}" for marker in _MARKERS))


def quarantine_in_batch(batch: Batch, plan: PurgePlan) -> list[ItemResult]:
    """Quarantine the tasks of a batch that lack files which the plan lists. Return a result for
    each. Costs five calls for each task. Raises PurgeError if the batch can't be listed."""
    held = names_in(batch.tasks, batch.path / "tasks")
    tasks = (planned.task for planned in plan.tasks if planned.task.id in held)
    return [
        _quarantine(batch, task, task.id, batch.tasks)
        for task in tasks
        if missing_files(task, task.id, batch.tasks)
    ]


def quarantine_in_place(batch: Batch, plan: PurgePlan) -> list[ItemResult]:
    """Quarantine the tasks that are in their places without ``data``, after erasing has begun.
    Return a result for each. Tasks that lack other files, or that may be queued or running, are not
    touched: another program may have changed them after they were put back. Costs at most six calls
    for each task."""
    results = []
    for task in (planned.task for planned in plan.tasks):
        try:
            shard = batch.dirs.shard(task.id)
        except OSError:  # gone, or a link: no purge erased anything in it
            continue
        listing = _listing(task, task.id[2:], shard)
        lost = task.files_mask & DATA and listing is not None and not listing & (DATA | QUEUED)
        if lost and status_from_mask(listing or 0) not in (Status.SUBMITTED, Status.RUNNING):
            results.append(_quarantine(batch, task, task.id[2:], shard))
    return results


def without_quarantined(plan: PurgePlan, results: Sequence[ItemResult]) -> PurgePlan:
    """Return the plan without the quarantined tasks in ``results``."""
    ids = {one.name for one in results}
    return replace(plan, tasks=tuple(one for one in plan.tasks if one.task.id not in ids))


def with_quarantined(
    report: PurgeReport, results: Sequence[ItemResult], batch: Batch
) -> PurgeReport:
    """Add these quarantined tasks to the report of a purge that was finished after that."""
    if not results:
        return report
    ids = {one.name for one in results}
    return replace(
        report,
        vanished=tuple(one for one in report.vanished if one.name not in ids),
        failed=(*results, *report.failed),
        quarantine_path=report.quarantine_path or batch.quarantine_path,
    )


def missing_files(task: Task, name: str, parent: int) -> list[str]:
    """Return the names of the files that the plan lists and the folder ``name`` lacks; empty if it
    can't be listed: a scan shows such a task as broken, whether in a batch or in its place."""
    listing = _listing(task, name, parent)
    if listing is None or task.files_mask < 0:
        return []
    missing = task.files_mask & ~listing
    return [file for file in _NAMES if LAYOUTS[task.lang].files_mask_of([file]) & missing]


def _listing(task: Task, name: str, parent: int) -> int | None:
    """List the folder ``name``, as a bit mask of its files; None if it can't be listed."""
    try:
        folder = open_folder(name, dir_fd=parent)
    except OSError:
        return None
    try:
        return LAYOUTS[task.lang].files_mask_of(filesystem.list_names(folder))
    except OSError:
        return None
    finally:
        os.close(folder)


def _quarantine(batch: Batch, task: Task, name: str, folder: int) -> ItemResult:
    missing = missing_files(task, name, folder)
    verb = "is" if len(missing) == 1 else "are"
    reason = f"it is incomplete: {', '.join(missing)} {verb} missing"
    try:
        where = batch.move_to_quarantine("erasing", task.id, folder, name)
    except (OSError, PurgeError) as error:
        why = os_error_text(error) if isinstance(error, OSError) else str(error)
        in_batch = batch.path / "tasks" / task.id if folder == batch.tasks else None
        return ItemResult(task.id, f"{reason}; it can't be quarantined: {why}", in_batch)
    return ItemResult(task.id, reason, where)
