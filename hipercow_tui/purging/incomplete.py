"""Find tasks that a power cut left incomplete, and quarantine them.

A file system may lose renames that it reported, and keep removals that came later. Then a task of
which a part is erased is among the complete ones, or in its place again, where it could pass for a
task of another status. The manifest has the listing of each task, which tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import DATA, QUEUED, Status, Task
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.r_layout import status_of
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import Batch
from hipercow_tui.purging.results import ItemResult, PurgeReport
from hipercow_tui.purging.root_dirs import names_in
from hipercow_tui.support.errors import PurgeError, os_error_text

_MARKERS = ("submitted", "running", "success", "failure", "cancelled")
# The files that decide what a task is, in R and Python. Those of a queued job may come and go.
_NAMES = ("data", "info", "times", *(f"status-{marker}" for marker in _MARKERS))


def quarantine_in_batch(batch: Batch, plan: PurgePlan) -> list[ItemResult]:
    """Quarantine the tasks of a batch that lack files which the plan lists; returns an outcome for
    each. Costs five calls a task. Raises PurgeError if the batch can't be listed."""
    held = names_in(batch.tasks, batch.path / "tasks")
    tasks = (planned.task for planned in plan.tasks if planned.task.id in held)
    return [
        _quarantine(batch, task, task.id, batch.tasks)
        for task in tasks
        if missing_files(task, task.id, batch.tasks)
    ]


def quarantine_in_place(batch: Batch, plan: PurgePlan) -> list[ItemResult]:
    """Quarantine the tasks in their places whose ``data`` is lost, after erasing has begun; returns
    an outcome for each. What lost other files, or may be queued or running, is not touched: others
    may have changed it after it was put back. Costs at most six calls a task."""
    outcomes = []
    for task in (planned.task for planned in plan.tasks):
        try:
            shard = batch.dirs.shard(task.id)
        except OSError:  # gone, or a link: no purge erased anything there
            continue
        listing = _listing(task, task.id[2:], shard)
        lost = task.files_mask & DATA and listing is not None and not listing & (DATA | QUEUED)
        if lost and status_of(listing or 0) not in (Status.SUBMITTED, Status.RUNNING):
            outcomes.append(_quarantine(batch, task, task.id[2:], shard))
    return outcomes


def without_quarantined(plan: PurgePlan, outcomes: Sequence[ItemResult]) -> PurgePlan:
    """The plan without the tasks of these outcomes."""
    ids = {one.name for one in outcomes}
    return replace(plan, tasks=tuple(one for one in plan.tasks if one.task.id not in ids))


def with_quarantined(
    report: PurgeReport, outcomes: Sequence[ItemResult], batch: Batch
) -> PurgeReport:
    """The report of a purge that was finished after these tasks were quarantined."""
    if not outcomes:
        return report
    ids = {one.name for one in outcomes}
    return replace(
        report,
        vanished=tuple(one for one in report.vanished if one.name not in ids),
        failed=(*outcomes, *report.failed),
        quarantine_path=report.quarantine_path or batch.quarantine_path,
    )


def missing_files(task: Task, name: str, parent: int) -> list[str]:
    """The names of files that the listing in the plan has and the folder ``name`` lacks; empty if
    it can't be listed: a scan shows such a task as broken, wherever it is."""
    listing = _listing(task, name, parent)
    if listing is None or task.files_mask < 0:
        return []
    missing = task.files_mask & ~listing
    return [file for file in _NAMES if LAYOUTS[task.lang].listing_of([file]) & missing]


def _listing(task: Task, name: str, parent: int) -> int | None:
    """The listing of the folder ``name`` now; None if it can't be listed."""
    try:
        folder = open_folder(name, dir_fd=parent)
    except OSError:
        return None
    try:
        return LAYOUTS[task.lang].listing_of(os.listdir(folder))
    except OSError:
        return None
    finally:
        os.close(folder)


def _quarantine(batch: Batch, task: Task, name: str, folder: int) -> ItemResult:
    missing = missing_files(task, name, folder)
    verb = "is" if len(missing) == 1 else "are"
    reason = f"it is no longer whole: {', '.join(missing)} {verb} missing"
    try:
        where = batch.move_to_quarantine("erasing", task.id, folder, name)
    except (OSError, PurgeError) as error:
        why = os_error_text(error) if isinstance(error, OSError) else str(error)
        in_lot = batch.path / "tasks" / task.id if folder == batch.tasks else None
        return ItemResult(task.id, f"{reason}; it can't be kept aside: {why}", in_lot)
    return ItemResult(task.id, reason, where)
