"""Find tasks that a power cut left incomplete, and quarantine them.

A file system may lose renames that it reported, and keep removals that came later. Then a task of
which a part is erased is among the complete ones, or in its place again, where it could pass for a
task of another status. The manifest has the listing of each task, which tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.model import Task
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.file_changes import check_exists, rename
from hipercow_tui.purging.lot import Lot
from hipercow_tui.purging.outcome import Outcome, PurgeReport
from hipercow_tui.purging.places import because, names_in
from hipercow_tui.roots.files import open_folder
from hipercow_tui.roots.layouts import LAYOUTS

_MARKERS = ("submitted", "running", "success", "failure", "cancelled")
# The files that decide what a task is, in R and Python. Those of a queued job may come and go.
_NAMES = ("data", "info", "times", *(f"status-{marker}" for marker in _MARKERS))


def quarantine_in_batch(lot: Lot, plan: PurgePlan) -> list[Outcome]:
    """Quarantine the tasks of a batch that lack files which the plan lists; returns an outcome for
    each. Costs five calls a task. Raises PurgeError if the batch can't be listed."""
    held = names_in(lot.tasks, lot.path / "tasks")
    tasks = (planned.task for planned in plan.tasks if planned.task.id in held)
    return [found for task in tasks if (found := _quarantine(lot, task, task.id, lot.tasks))]


def quarantine_in_place(lot: Lot, plan: PurgePlan) -> list[Outcome]:
    """Quarantine the tasks in their places that lack files which the plan lists, after erasing has
    begun; returns an outcome for each. Costs at most six calls a task."""
    outcomes = []
    for task in (planned.task for planned in plan.tasks):
        try:
            shard = lot.places.shard(task.id)
        except OSError:  # gone, or a link: no purge erased anything there
            continue
        if found := _quarantine(lot, task, task.id[2:], shard):
            outcomes.append(found)
    return outcomes


def without_quarantined(plan: PurgePlan, outcomes: Sequence[Outcome]) -> PurgePlan:
    """The plan without the tasks of these outcomes."""
    ids = {one.name for one in outcomes}
    return replace(plan, tasks=tuple(one for one in plan.tasks if one.task.id not in ids))


def with_quarantined(report: PurgeReport, outcomes: Sequence[Outcome], lot: Lot) -> PurgeReport:
    """The report of a purge that was finished after these tasks were quarantined."""
    if not outcomes:
        return report
    ids = {one.name for one in outcomes}
    return replace(
        report,
        vanished=tuple(one for one in report.vanished if one.name not in ids),
        failed=(*outcomes, *report.failed),
        kept_aside=report.kept_aside or lot.kept,
    )


def missing_files(task: Task, name: str, parent: int) -> list[str]:
    """The names of files that the listing in the plan has and the folder ``name`` lacks. None if
    it can't be listed: a scan shows such a task as broken, wherever it is."""
    try:
        folder = open_folder(name, dir_fd=parent)
    except OSError:
        return []
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    finally:
        os.close(folder)
    listing_of = LAYOUTS[task.lang].listing_of
    missing = task.listing & ~listing_of(names) if task.listing > 0 else 0
    return [file for file in _NAMES if listing_of([file]) & missing]


def _quarantine(lot: Lot, task: Task, name: str, folder: int) -> Outcome | None:
    missing = missing_files(task, name, folder)
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    reason = f"it is no longer whole: {', '.join(missing)} {verb} missing"
    try:
        rename(name, task.id, folder, lot.erasing)
        check_exists(task.id, lot.erasing)
    except OSError as error:
        where = lot.path / "tasks" / task.id if folder == lot.tasks else None
        return Outcome(task.id, f"{reason}; it can't be quarantined: {because(error)}", where)
    return Outcome(task.id, reason, lot.keep_aside("erasing", task.id))
