"""The JSON output of the commands. Its schemas are in ``schemas/``; a key that is there stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from hipercow_tui.domain.blocked import Blocked
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.plan import PinnedTask, PlannedBundle, PlannedTask, PurgePlan
from hipercow_tui.domain.record_requests import RecordItem
from hipercow_tui.domain.records import Record
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.output.report import Report, Sizes, total_size
from hipercow_tui.purging.results import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.purging.trash_listing import TrashEntry

Json: TypeAlias = dict[str, Any]


def task_as_json(task: Task, details: TaskDetails | None = None) -> Json:
    """Return a task for a line of JSON; ``details`` are added."""
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


def listed_task_as_json(
    task: Task, notes: Mapping[str, Note], details: TaskDetails | None = None
) -> Json:
    """Return a line of ``list --json``; with ``details``, of ``list --details --json``.

    ``notes`` has the note on the chain of a task by the id of the task.
    """
    note = notes.get(task.id)
    return {**task_as_json(task, details), "note": note.note if note else None}


def json_lines(tasks: Iterable[Task], notes: Mapping[str, Note]) -> Iterator[str]:
    """Yield ``json.dumps(listed_task_as_json(task, notes))`` for each task, in a third of the time.

    For 100,000 tasks that would take half as long as their scan. So a line is put together from
    text. Only the name of a bundle can contain a character that JSON escapes.
    """
    bundles = _JsonTexts()
    statuses = _JsonTexts()
    for task in tasks:
        yield _LINE % (
            task.id,
            task.lang,
            task.status,
            statuses[task.latest_status],
            _json_number(task.created),
            _json_number(task.started),
            _json_number(task.finished),
            "true" if task.finished_estimated else "false",
            bundles[task.bundles],
            '["' + '", "'.join(task.chain) + '"]' if task.chain else "[]",
            json.dumps(notes[task.id].note) if task.id in notes else "null",
        )


_LINE = (
    '{"id": "%s", "lang": "%s", "status": "%s", "tip_status": %s, "created": %s, "started": %s,'
    ' "finished": %s, "finished_estimated": %s, "bundles": %s, "chain": %s, "note": %s}'
)


class _JsonTexts(dict[Any, str]):
    """The JSON text of each value, which is made once."""

    def __missing__(self, value: Any) -> str:
        text = self[value] = json.dumps(value)
        return text


def _json_number(value: float | None) -> str:
    if value is None:
        return "null"
    text = repr(value)
    return text if text[-1].isdecimal() else json.dumps(value)  # not a number, or infinite


def plan_as_json(plan: PurgePlan, sizes: Sizes, *, dry_run: bool) -> Json:
    """Return the object of ``purge --json``. The lists of a refused plan are empty, except
    ``blocked`` and ``pinned``.

    Sizes that were not measured are None.
    """
    tasks = () if plan.refused else plan.tasks
    bundles = () if plan.refused else plan.bundles
    kept = () if plan.refused else plan.kept
    total = total_size(plan, sizes)
    return {
        "root": str(plan.root),
        "dry_run": dry_run,
        "goal": plan.goal or None,
        "tasks": [_planned_as_json(one, sizes.get(one.task.id)) for one in tasks],
        "bundles": [_bundle_as_json(one) for one in bundles],
        "kept": [_planned_as_json(one, sizes.get(one.task.id)) for one in kept],
        "pinned": [_pinned_as_json(one) for one in plan.pinned],
        "blocked": [_blocked_as_json(one) for one in plan.blocked],
        "warnings": list(plan.warnings),
        **_size_as_json(total),
    }


def report_as_json(report: Report, sizes: Sizes = MappingProxyType({})) -> Json:
    """Return the object of ``--json`` after a purge, restore or emptying.

    ``sizes`` are those of the plan's tasks before the purge.
    """
    if isinstance(report, PurgeReport):
        return _purge_as_json(report, sizes)
    return _restore_as_json(report) if isinstance(report, RestoreReport) else _empty_as_json(report)


def _purge_as_json(report: PurgeReport, sizes: Sizes) -> Json:
    removed = set(report.removed)
    result = plan_as_json(report.plan, sizes, dry_run=False)
    result["tasks"] = [task for task in result["tasks"] if task["id"] in removed]
    result["bundles"] = [
        _bundle_as_json(one)
        for part in report.parts or (report,)  # R and Python may have bundles of one name
        for one in part.plan.bundles
        if one.bundle.name in part.removed_bundles
    ]
    result |= _size_as_json(report.freed)
    for key in ("put_back", "vanished", "failed"):
        result[key] = _items_as_json(getattr(report, key))
    result["trash"] = report.trash
    return result


def _items_as_json(items: Iterable[ItemResult]) -> list[Json]:
    return [{"name": one.name, "reason": one.reason} for one in items]


def batch_as_json(batch: TrashEntry, size: Size | None) -> Json:
    """Return a batch of ``trash --json``; ``size`` is None if it can't be measured."""
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
        **_size_as_json(size),
    }


def _restore_as_json(report: RestoreReport) -> Json:
    return {
        "stamp": report.batch_id,
        "tasks": list(report.restored),
        "bundles": list(report.restored_bundles),
        "gone": list(report.missing_ids),
        "failed": _items_as_json(report.failed),
    }


def _empty_as_json(report: EmptyReport) -> Json:
    return {
        "stamps": list(report.batch_ids),
        "tasks": list(report.removed),
        "bundles": list(report.removed_bundles),
        "failed": _items_as_json(report.failed),
        **_size_as_json(report.freed),
        "stopped": report.stopped,
    }


def _size_as_json(size: Size | None) -> Json:
    """Return a size by both definitions; None is a size that is not known."""
    return {
        "bytes": size.bytes if size else None,
        "files": size.files if size else None,
        "disk_bytes": size.disk_bytes if size else None,
    }


def _planned_as_json(planned: PlannedTask, size: Size | None) -> Json:
    return {
        "id": planned.task.id,
        "lang": planned.task.lang.value,
        "status": planned.task.status.value,
        "reason": planned.reason.value,
        "of": planned.cause_id,
        **_size_as_json(size),
    }


def _bundle_as_json(planned: PlannedBundle) -> Json:
    return {
        "name": planned.bundle.name,
        "lang": planned.bundle.lang.value,
        "tasks": len(planned.bundle.task_ids),
        "deleted": planned.deleted,
        "surviving": planned.surviving,
    }


def _pinned_as_json(pinned: PinnedTask) -> Json:
    return {
        "id": pinned.task.id,
        "lang": pinned.task.lang.value,
        "status": pinned.task.status.value,
        "pin": _record_as_json(pinned.pin),
    }


def _record_as_json(record: Record) -> Json:
    """Return a pin as it is in ``purge --json``, or a note."""
    return {
        "kind": record.target.kind.value,
        "name": record.target.name,
        "lang": record.target.lang.value,
        "note": record.note,
        "by": record.user,
        "host": record.host,
        "when": record.time,
    }


def record_item_as_json(item: RecordItem[Any]) -> Json:
    """Return a pin of ``pins --json``, or a note of ``notes --json``."""
    return {**_record_as_json(item.record), "tasks": list(item.task_ids), "gone": item.gone}


def _blocked_as_json(blocked: Blocked) -> Json:
    return {
        "id": blocked.task.id,
        "status": blocked.task.status.value,
        "reason": blocked.reason,
        "chain": list(blocked.chain),
    }
