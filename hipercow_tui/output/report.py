"""A plan and what became of it, as JSON, as lines of text, and as the equal call in R.

The app and the command line say the same because both say it from here. Keys and their meaning:
SPEC section 5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from hipercow_tui.domain.blocked import Blocked
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size, freed
from hipercow_tui.output.r_calls import purge_call
from hipercow_tui.purging.batch_name import BatchState
from hipercow_tui.purging.history import HistoryEntry
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.results import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.purging.trash_listing import TrashEntry
from hipercow_tui.support.text import (
    escape_controls,
    format_age,
    format_size,
    pluralize,
    short_id,
    tasks_and_bundles,
)

Json: TypeAlias = dict[str, Any]
Report: TypeAlias = PurgeReport | RestoreReport | EmptyReport
Sizes: TypeAlias = Mapping[str, Size]

_STATES = {
    BatchState.PREPARING: "being prepared",
    BatchState.MOVING: "moving",
    BatchState.TRASH: "in the trash",
    BatchState.ERASING: "erasing",
    BatchState.RESTORING: "restoring",
    BatchState.QUARANTINED: "kept aside",
}


def task_as_json(task: Task, details: TaskDetails | None = None) -> Json:
    """One line of ``list --json``; with ``details`` also what the task runs."""
    line: Json = {
        "id": task.id,
        "lang": task.lang.value,
        "status": task.status.value,
        "tip_status": task.latest_status.value if task.latest_status else None,
        "created": task.created,
        "started": task.started,
        "finished": task.finished,
        "finished_estimated": task.finished_estimated,
        "bundles": list(task.bundles),
        "chain": list(task.chain),
    }
    if details is not None:
        line |= {
            "type": details.type,
            "runs": details.runs,
            "inputs": dict(details.inputs),
            "environment": details.environment,
            "path": details.path,
            "envvars": {variable.name: variable.masked for variable in details.envvars},
            "driver": details.driver,
        }
        if details.error is not None:
            line["error"] = details.error
        if problem := details.problem or task.problem:
            line["problem"] = problem
    return line


def plan_as_json(plan: PurgePlan, sizes: Sizes, *, dry_run: bool) -> Json:
    """The object of ``purge --json``; a refused plan names what blocks, and nothing goes."""
    tasks = () if plan.refused else plan.tasks
    bundles = () if plan.refused else plan.bundles
    total = total_size(plan, sizes)
    return {
        "root": str(plan.root),
        "dry_run": dry_run,
        "tasks": [_planned_as_json(one, sizes.get(one.task.id)) for one in tasks],
        "bundles": [_bundle_as_json(one) for one in bundles],
        "blocked": [_blocked_as_json(one) for one in plan.blocked],
        "warnings": list(plan.warnings),
        "bytes": total.bytes,
        "files": total.files,
    }


def report_as_json(report: Report, sizes: Sizes = MappingProxyType({})) -> Json:
    """The object of ``--json`` after a purge, a restoring or an emptying: what really went or came
    back, and what did not and why."""
    if isinstance(report, PurgeReport):
        return _purge_as_json(report, sizes)
    return _restore_as_json(report) if isinstance(report, RestoreReport) else _empty_as_json(report)


def _purge_as_json(report: PurgeReport, sizes: Sizes) -> Json:
    removed = set(report.removed)
    whole = plan_as_json(report.plan, sizes, dry_run=False)
    whole["tasks"] = [task for task in whole["tasks"] if task["id"] in removed]
    whole["bundles"] = [
        _bundle_as_json(one)
        for part in report.parts or (report,)  # R and Python may have bundles of one name
        for one in part.plan.bundles
        if one.bundle.name in part.removed_bundles
    ]
    whole["bytes"], whole["files"] = report.bytes, report.files
    for key in ("put_back", "vanished", "failed"):
        whole[key] = _outcomes_as_json(getattr(report, key))
    whole["trash"] = report.trash
    return whole


def _outcomes_as_json(outcomes: Iterable[ItemResult]) -> list[Json]:
    return [{"name": one.name, "reason": one.reason} for one in outcomes]


def _numbers(tasks: Collection[str], bundles: Collection[str]) -> str:
    return tasks_and_bundles(len(tasks), len(bundles))


def total_size(plan: PurgePlan, sizes: Sizes) -> Size:
    """Bytes that would be freed, and files, by the tasks that would go, as far as measured."""
    if plan.refused:
        return Size()
    return freed(sizes[task_id] for task_id in plan.ids if task_id in sizes)


def headline(plan: PurgePlan, total: Size | None = None) -> str:
    """``650 tasks · 8 bundles · 1.9 GB in 4,204 files would go``, or that nothing goes."""
    if plan.refused:
        return f"Refused: {pluralize(len(plan.blocked), 'task')} can't go, so nothing goes"
    if plan.empty:
        return "Nothing to purge"
    parts = [_contents(plan)]
    if total is not None:
        parts.append(f"{format_size(total.bytes)} in {pluralize(total.files, 'file')}")
    return " · ".join(parts) + " would go"


def _contents(plan: PurgePlan) -> str:
    return f"{pluralize(len(plan.tasks), 'task')} · {pluralize(len(plan.bundles), 'bundle')}"


def side_effects(plan: PurgePlan) -> str:
    """``2 chains blocked · 31 surviving tasks lose a bundle``; empty where there are none."""
    parts = []
    if plan.blocked:
        chains = len({one.chain or one.task.id for one in plan.blocked})
        parts.append(
            f"{pluralize(chains, 'chain')} {'left out' if plan.skip_blocked else 'blocked'}"
        )
    if plan.surviving:
        verb = "loses" if plan.surviving == 1 else "lose"
        parts.append(f"{pluralize(plan.surviving, 'surviving task')} {verb} a bundle")
    return " · ".join(parts)


def cascade_reason(planned: PlannedTask) -> str:
    """How a task hangs together with the one that drew it in: ``retry of 91bb02…44d1``."""
    if planned.reason is Reason.MATCHED or planned.cause_id is None:
        return ""
    chain = planned.task.chain
    of = short_id(planned.cause_id)
    if chain.index(planned.task.id) > chain.index(planned.cause_id):
        return f"retry of {of}"
    return f"first attempt of {of}" if chain[0] == planned.task.id else f"retried as {of}"


def bundle_outcome(planned: PlannedBundle) -> str:
    """``400 tasks: 380 go, 20 stay without it``; ids of tasks long gone are counted as gone."""
    total = len(planned.bundle.task_ids)
    gone = total - planned.deleted - planned.surviving
    parts = []
    if planned.surviving:
        parts = [f"{planned.deleted:,} go", f"{planned.surviving:,} stay without it"]
    elif planned.deleted:
        parts = ["all go" if not gone else f"{planned.deleted:,} go"]
    if gone:
        parts.append(f"{gone:,} gone already")
    return f"{pluralize(total, 'task')}: {', '.join(parts)}"


def plan_lines(plan: PurgePlan, sizes: Sizes) -> Iterator[str]:
    """The plan as it reads on the command line, like a diff, by name. A refused plan begins with
    what blocks it."""
    yield headline(plan, total_size(plan, sizes))
    yield f"  {plan.filters}"
    if plan.refused:
        yield from _blocked_lines(plan)
        yield f"the plan holds {_contents(plan)}"
    elif effects := side_effects(plan):
        yield f"  {effects}"
    for title, group in (("matched", plan.matched), ("in retry chains", plan.cascaded)):
        if group:
            yield f"{title} {len(group):,}"
            yield from (_task_line(one, sizes.get(one.task.id), plan.made) for one in group)
    if plan.bundles:
        yield f"bundles {len(plan.bundles):,}"
        named = ((escape_controls(plan.bundle_label(one.bundle)), one) for one in plan.bundles)
        yield from (f"  - {name}  {bundle_outcome(one)}" for name, one in named)
    if not plan.refused:
        yield from _blocked_lines(plan)
    for warning in plan.warnings:
        yield f"! {warning}"


def _blocked_lines(plan: PurgePlan) -> Iterator[str]:
    if plan.blocked:
        yield f"{'left out' if plan.skip_blocked else 'blocked'} {len(plan.blocked):,}"
        yield from (f"    {one.task.status}  {one.task.id}  {one.reason}" for one in plan.blocked)


def report_lines(report: Report) -> Iterator[str]:
    """What became of a plan, or a lot: what went or came back, what could not, and why."""
    if isinstance(report, PurgeReport):
        return _purge_lines(report)
    return _restore_lines(report) if isinstance(report, RestoreReport) else _empty_lines(report)


def _purge_lines(report: PurgeReport) -> Iterator[str]:
    gone = _numbers(report.removed, report.removed_bundles)
    if report.trash is not None:
        yield f"Moved {gone} to the trash, as {report.trash}: space is freed when it is emptied"
    else:
        yield f"Purged {gone}: {format_size(report.bytes)} in {pluralize(report.files, 'file')} freed"
    if report.stopped:
        yield "Stopped before the end; what was not erased is back in its place"
        yield from (f"    {task_id}  is gone" for task_id in report.removed)
    yield from outcome_lines("put back", report.put_back)
    yield from outcome_lines("vanished meanwhile", report.vanished)
    yield from outcome_lines("failed", report.failed)
    if report.quarantine_path:
        yield f"What could not be put back or erased stands in {escape_controls(str(report.quarantine_path))}"


def _restore_lines(report: RestoreReport) -> Iterator[str]:
    back = _numbers(report.restored, report.restored_bundles)
    yield f"Restored {back} of {escape_controls(report.batch_id)}"
    if report.missing_ids:
        yield f"erased before {len(report.missing_ids):,}"
        yield from (f"    {task_id}" for task_id in report.missing_ids)
    yield from outcome_lines("kept aside", report.failed)
    for where in dict.fromkeys(one.where.parent for one in report.failed if one.where):
        yield f"What is kept aside stands in {escape_controls(str(where))}"


def _empty_lines(report: EmptyReport) -> Iterator[str]:
    gone = _numbers(report.removed, report.removed_bundles)
    yield f"Erased {gone}: {format_size(report.bytes)} in {pluralize(report.files, 'file')} freed"
    if report.stopped:
        yield "Stopped before the end; the rest can still be restored"
    yield from outcome_lines("failed", report.failed)


def batch_line(batch: TrashEntry, measured: Size | None, now: float) -> str:
    """A lot of the trash in a line: its stamp, age, state, what it holds, how much, who made it."""
    parts = [
        escape_controls(batch.batch_id),
        "-" if batch.confirmed_at is None else format_age(batch.confirmed_at, now),
        _STATES[batch.state]
        if not batch.interrupted
        else f"interrupted while {_STATES[batch.state]}",
        _numbers((*batch.tasks, *batch.partly_erased), batch.bundles) + _of_python(batch),
        f"{format_size(measured.bytes)} in {pluralize(measured.files, 'file')}" if measured else "",
        escape_controls(f"by {batch.confirmed_by}") if batch.confirmed_by else "",
        escape_controls(batch.problem),
    ]
    return "  ".join(part for part in parts if part)


def interrupted_lines(batches: Iterable[TrashEntry]) -> Iterator[str]:
    """What was interrupted in a root, and the commands that finish it or bring it back."""
    by_stamp: dict[str, list[TrashEntry]] = {}
    for batch in batches:
        by_stamp.setdefault(batch.batch_id, []).append(batch)
    for batch_id, parts in by_stamp.items():
        tasks = [task_id for batch in parts for task_id in (*batch.tasks, *batch.partly_erased)]
        held = _numbers(tasks, [name for batch in parts for name in batch.bundles])
        languages = "" if any(batch.lang is Lang.R for batch in parts) else " of Python"
        shown = escape_controls(batch_id)
        text = (
            f"something was interrupted while {_STATES[parts[0].state]}, with {held}{languages}:"
            f" 'hipercow-tui trash --restore {shown}' puts back what is whole"
        )
        if any(batch.resumable for batch in parts):
            text += f", 'hipercow-tui trash --finish {shown}' {_finish(parts[0])}"
        yield text


def _of_python(batch: TrashEntry) -> str:
    return " of Python" if batch.lang is Lang.PY else ""


def _finish(batch: TrashEntry) -> str:
    if batch.state is BatchState.RESTORING:
        return "does the same"
    if batch.mode is PurgeMode.TRASH:
        emptied = batch.state is BatchState.ERASING
        return "erases the rest" if emptied else "finishes the move to the trash"
    return "finishes the purge"


def history_line(entry: HistoryEntry, now: float) -> str:
    """One thing that was done, in a line."""
    parts = [
        f"{format_age(entry.time, now):<14}",
        f"{entry.kind:<7}",
        _numbers(entry.tasks, entry.bundles),
        f"{format_size(entry.bytes)} freed" if entry.bytes else "",
        "stopped" if entry.stopped else "",
        f"{len(entry.kept_back):,} stayed or failed" if entry.kept_back else "",
        " ".join(entry.batch_ids),
        entry.filters,
        f"by {entry.process}" if entry.process else "",
    ]
    return escape_controls("  ".join(part for part in parts if part))


def batch_as_json(batch: TrashEntry, measured: Size | None) -> Json:
    """One lot of ``trash --json``; sizes are None where they can't be told."""
    return {
        "stamp": batch.batch_id,
        "lang": batch.lang.value,
        "state": batch.state.value,
        "interrupted": batch.interrupted,
        "alive": batch.in_use,
        "when": batch.confirmed_at,
        "who": str(batch.confirmed_by) if batch.confirmed_by else None,
        "tasks": list(batch.tasks),
        "bundles": list(batch.bundles),
        "erasing": list(batch.partly_erased),
        "problem": batch.problem or None,
        "bytes": measured.bytes if measured else None,
        "files": measured.files if measured else None,
    }


def _restore_as_json(report: RestoreReport) -> Json:
    return {
        "stamp": report.batch_id,
        "tasks": list(report.restored),
        "bundles": list(report.restored_bundles),
        "gone": list(report.missing_ids),
        "failed": _outcomes_as_json(report.failed),
    }


def _empty_as_json(report: EmptyReport) -> Json:
    return {
        "stamps": list(report.batch_ids),
        "tasks": list(report.removed),
        "bundles": list(report.removed_bundles),
        "failed": _outcomes_as_json(report.failed),
        "bytes": report.bytes,
        "files": report.files,
        "stopped": report.stopped,
    }


def outcome_lines(title: str, outcomes: Iterable[ItemResult]) -> Iterator[str]:
    """Lines for what did not go, each with its reason, under a title with their number."""
    listed = list(outcomes)
    if listed:
        yield f"{title} {len(listed):,}"
        yield from (
            f"    {escape_controls(one.name)}  {escape_controls(one.reason)}" for one in listed
        )


def blocked_message(plan: PurgePlan) -> str:
    """Why nothing was deleted, each reason once with the first tasks that have it (rule 9)."""
    reasons: dict[str, list[str]] = {}
    for one in plan.blocked:
        reasons.setdefault(one.reason, []).append(one.task.id)
    listed = "; ".join(
        f"{', '.join(ids[:3])}{f' and {len(ids) - 3:,} more' if len(ids) > 3 else ''}: {why}"
        for why, ids in reasons.items()
    )
    return (
        f"Nothing was purged: {pluralize(len(plan.blocked), 'task')} can't go. {listed}."
        " Or leave out the blocked chains (skip_blocked)."
    )


def r_call(plan: PurgePlan) -> str:
    """The call in R that takes the same tasks. It lists ids: R's own filters would take something
    else for a retried task, a forked chain or a gone one (SPEC, end of section 4)."""
    planned = plan.matched or plan.tasks
    return purge_call([one.task.id for one in planned if one.task.lang is Lang.R])


def _task_line(planned: PlannedTask, measured: Size | None, now: float) -> str:
    task = planned.task
    finished = "never finished" if task.finished is None else format_age(task.finished, now)
    parts = [
        f"{'!' if planned.cautions else ' '} - {task.status:<9}",
        task.id,
        finished + (" ~" if task.finished_estimated else ""),
        format_size(measured.bytes) if measured else "",
        cascade_reason(planned),
        "; ".join(planned.cautions),
    ]
    return "  ".join(part for part in parts if part)


def _planned_as_json(planned: PlannedTask, measured: Size | None) -> Json:
    return {
        "id": planned.task.id,
        "lang": planned.task.lang.value,
        "status": planned.task.status.value,
        "reason": planned.reason.value,
        "of": planned.cause_id,
        "bytes": measured.bytes if measured else None,
        "files": measured.files if measured else None,
    }


def _bundle_as_json(planned: PlannedBundle) -> Json:
    return {
        "name": planned.bundle.name,
        "lang": planned.bundle.lang.value,
        "tasks": len(planned.bundle.task_ids),
        "deleted": planned.deleted,
        "surviving": planned.surviving,
    }


def _blocked_as_json(blocked: Blocked) -> Json:
    return {
        "id": blocked.task.id,
        "status": blocked.task.status.value,
        "reason": blocked.reason,
        "chain": list(blocked.chain),
    }
