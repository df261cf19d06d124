"""The text of plans, reports, the trash and the history, for the commands and the app."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.plan import PlannedBundle, PlannedTask, PurgePlan, Reason
from hipercow_tui.domain.plan_chains import number_of_chains
from hipercow_tui.domain.record_requests import RecordItem
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, SizeKind, freed_size
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.output.r_calls import purge_call
from hipercow_tui.purging.batch_name import BatchState
from hipercow_tui.purging.history import HistoryEntry, HistoryKind
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.process_identity import current_process
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

Report: TypeAlias = PurgeReport | RestoreReport | EmptyReport
Sizes: TypeAlias = Mapping[str, Size]

_STATES = {
    BatchState.PREPARING: "being prepared",
    BatchState.MOVING: "moving",
    BatchState.TRASH: "in the trash",
    BatchState.ERASING: "erasing",
    BatchState.RESTORING: "restoring",
    BatchState.QUARANTINED: "quarantined",
}


_MUCH_SPACE = 10**6  # bytes that may be missing after a job without an explanation


def _numbers(tasks: Collection[str], bundles: Collection[str]) -> str:
    return tasks_and_bundles(len(tasks), len(bundles))


def total_size(plan: PurgePlan, sizes: Sizes) -> Size:
    """Return the size that the tasks of the plan free, as far as it was measured."""
    if plan.refused:
        return Size()
    return freed_size(sizes[task_id] for task_id in plan.ids if task_id in sizes)


def headline(plan: PurgePlan, total: Size | None = None, kind: SizeKind = SizeKind.APPARENT) -> str:
    """Return ``650 tasks · 8 bundles · 1.9 GB in 4,204 files would go``, or why nothing would."""
    if plan.refused:
        return f"Refused, because {tasks_are(len(plan.blocked))} blocked"
    if plan.empty:
        return "Nothing to purge"
    parts = [_contents(plan)]
    if total is not None:
        parts.append(total.text(kind))
    return " · ".join(parts) + " would go"


def _contents(plan: PurgePlan) -> str:
    return f"{pluralize(len(plan.tasks), 'task')} · {pluralize(len(plan.bundles), 'bundle')}"


def kept_by_you(plan: PurgePlan) -> str:
    """Return ``2 chains kept by you (3 tasks)``; empty if no chain is kept."""
    return _kept_text(number_of_chains(plan.kept), len(plan.kept), "you") if plan.kept else ""


def _kept_text(chains: int, tasks: int, by: str) -> str:
    return f"{pluralize(chains, 'chain')} kept by {by} ({pluralize(tasks, 'task')})"


def held_by_pins(plan: PurgePlan) -> str:
    """Return ``3 tasks held back by pins``; empty if no pin holds a matched task."""
    return f"{pluralize(len(plan.pinned), 'task')} held back by pins" if plan.pinned else ""


def what_stays(plan: PurgePlan) -> str:
    """Return the chains that the user keeps, and what pins hold back; empty if neither exists."""
    return " · ".join(filter(None, (kept_by_you(plan), held_by_pins(plan))))


def side_effects(plan: PurgePlan) -> str:
    """Return ``2 chains blocked · 31 tasks stay and lose a bundle``; empty if neither happens."""
    parts = []
    if plan.blocked:
        chains = len({one.chain or one.task.id for one in plan.blocked})
        parts.append(
            f"{pluralize(chains, 'chain')} {'left out' if plan.skip_blocked else 'blocked'}"
        )
    if plan.surviving:
        verbs = "stays and loses" if plan.surviving == 1 else "stay and lose"
        parts.append(f"{pluralize(plan.surviving, 'task')} {verbs} a bundle")
    return " · ".join(parts)


def cascade_reason(planned: PlannedTask) -> str:
    """Return how a task is related to the matched task of its chain: ``retry of 91bb02…44d1``."""
    if planned.reason is Reason.MATCHED or planned.cause_id is None:
        return ""
    chain = planned.task.chain
    matched = short_id(planned.cause_id)
    if chain.index(planned.task.id) > chain.index(planned.cause_id):
        return f"retry of {matched}"
    first = chain[0] == planned.task.id
    return f"first attempt of {matched}" if first else f"retried as {matched}"


def bundle_effect(planned: PlannedBundle) -> str:
    """Return what happens to the tasks of a bundle: ``400 tasks: 399 go, 1 stays without it``."""
    total = len(planned.bundle.task_ids)
    already_gone = total - planned.deleted - planned.surviving
    parts = []
    go = f"{planned.deleted:,} {'goes' if planned.deleted == 1 else 'go'}"
    if planned.surviving:
        stay = "stays" if planned.surviving == 1 else "stay"
        parts = [go, f"{planned.surviving:,} {stay} without it"]
    elif planned.deleted:
        parts = [go if already_gone or planned.deleted == 1 else "all go"]
    if already_gone:
        parts.append(f"{already_gone:,} already gone")
    return f"{pluralize(total, 'task')}: {', '.join(parts)}"


def plan_lines(plan: PurgePlan, sizes: Sizes, kind: SizeKind = SizeKind.APPARENT) -> Iterator[str]:
    """Yield the lines of a plan. Blocked tasks are near the end, but first if it is refused."""
    yield headline(plan, total_size(plan, sizes), kind)
    yield f"  {plan.filters}"
    if plan.goal:
        yield f"  {plan.goal}"
    if plan.refused:
        yield from _blocked_lines(plan)
        yield f"the plan has {_contents(plan)}"
    elif effects := " · ".join(filter(None, (what_stays(plan), side_effects(plan)))):
        yield f"  {effects}"
    for title, group in (
        (_matched_title(plan), plan.matched),
        (f"in retry chains {len(plan.cascaded):,}", plan.cascaded),
    ):
        if group:
            yield title
            yield from (_task_line(one, sizes.get(one.task.id), plan.made, kind) for one in group)
    if plan.bundles:
        yield f"bundles {len(plan.bundles):,}"
        named = ((escape_controls(plan.bundle_label(one.bundle)), one) for one in plan.bundles)
        yield from (f"  - {name}  {bundle_effect(one)}" for name, one in named)
    if not plan.refused:
        yield from _blocked_lines(plan)
    if plan.kept:
        yield f"kept by you {len(plan.kept):,}"
        for one in plan.kept:
            yield "  ".join(
                filter(None, (f"    {one.task.status:<9}", one.task.id, cascade_reason(one)))
            )
    if plan.pinned:
        yield f"held back by pins {len(plan.pinned):,}"
        for task, pin in plan.pinned:
            yield f"    {task.status:<9}  {task.id}  {pin.text_for_task(plan.made)}"
    for warning in plan.warnings:
        yield f"! {warning}"


def _matched_title(plan: PurgePlan) -> str:
    title = f"matched {len(plan.matched):,}"
    number = len(plan.matched_by_last_attempt)
    return f"{title}, {number:,} of them by their last attempt" if number else title


def _blocked_lines(plan: PurgePlan) -> Iterator[str]:
    if plan.blocked:
        yield f"{'left out' if plan.skip_blocked else 'blocked'} {len(plan.blocked):,}"
        yield from (f"    {one.task.status}  {one.task.id}  {one.reason}" for one in plan.blocked)


def report_lines(report: Report, kind: SizeKind = SizeKind.APPARENT) -> Iterator[str]:
    """Yield the numbers of removed or restored tasks, then all others with their reasons."""
    if isinstance(report, PurgeReport):
        return _purge_lines(report, kind)
    if isinstance(report, RestoreReport):
        return _restore_lines(report)
    return _empty_lines(report, kind)


def _purge_lines(report: PurgeReport, kind: SizeKind) -> Iterator[str]:
    removed = _numbers(report.removed, report.removed_bundles)
    if report.trash is not None:
        space = report.moved.text(kind) if report.moved else "the space"
        yield f"Moved {removed} to the trash as batch {report.trash}. Emptying it frees {space}"
    else:
        yield f"Purged {removed}: {report.freed.text(kind)} freed"
    if report.plan.goal:
        yield report.plan.goal
    if report.stopped:
        yield "Stopped before the end: the tasks that were not erased are back in place"
        yield from (f"    {task_id}  is erased" for task_id in report.removed)
    yield from _item_lines("put back", report.put_back)
    yield from _item_lines("deleted by somebody else", report.vanished)
    yield from _item_lines("failed", report.failed)
    if stays := what_stays(report.plan):
        yield stays
    if report.quarantine_path:
        path = escape_controls(str(report.quarantine_path))
        yield f"Tasks and bundles that could not be put back or erased are in {path}"


def _restore_lines(report: RestoreReport) -> Iterator[str]:
    restored = _numbers(report.restored, report.restored_bundles)
    yield f"Restored {restored} of batch {escape_controls(report.batch_id)}"
    if report.missing_ids:
        yield f"already erased {len(report.missing_ids):,}"
        yield from (f"    {task_id}" for task_id in report.missing_ids)
    yield from _item_lines("quarantined", report.failed)
    for where in dict.fromkeys(one.where.parent for one in report.failed if one.where):
        yield f"Quarantined tasks and bundles are in {escape_controls(str(where))}"


def _empty_lines(report: EmptyReport, kind: SizeKind) -> Iterator[str]:
    erased = _numbers(report.removed, report.removed_bundles)
    yield f"Erased {erased}: {report.freed.text(kind)} freed"
    if report.stopped:
        yield "Stopped before the end: the rest can still be restored"
    yield from _item_lines("failed", report.failed)


def free_space_lines(
    report: Report, before: FreeSpace | None, read_after: Callable[[], FreeSpace | None]
) -> Iterator[str]:
    """Yield how much space the file system has after a job, and why that is less than expected.

    ``before`` and the result of ``read_after`` are None if they are not known. For a job that
    erased nothing, nothing is read and yielded.
    """
    if isinstance(report, RestoreReport) or not report.freed.files:
        return
    after = read_after()
    if after is None:
        return
    yield after.sentence
    if before is None or (before.size, before.quota) != (after.size, after.quota):
        return
    freed, gained = report.freed.disk_bytes, max(0, after.free - before.free)
    if gained < freed / 2 and freed - gained >= _MUCH_SPACE:
        yield (
            f"That is only {format_size(gained)} more than before, though files of"
            f" {format_size(freed)} on disk were erased: snapshots, open files and blocks that"
            " other files share keep their space, a file server may free it later, and others may"
            " have written meanwhile"
        )


def batch_line(
    batch: TrashEntry, size: Size | None, now: float, kind: SizeKind = SizeKind.APPARENT
) -> str:
    """Return the line of a batch: its id, age, state, contents, size and user.

    ``now`` is in seconds since the epoch.
    """
    state = _STATES[batch.state]
    if batch.interrupted:
        state = f"interrupted while {state}{_perhaps_in_use([batch])}"
    parts = [
        escape_controls(batch.batch_id),
        "-" if batch.confirmed_at is None else format_age(batch.confirmed_at, now),
        state,
        _numbers((*batch.tasks, *batch.partly_erased), batch.bundles)
        + (" of Python" if batch.lang is Lang.PY else ""),
        size.text(kind) if size else "",
        escape_controls(f"by {batch.confirmed_by}") if batch.confirmed_by else "",
        escape_controls(batch.problem),
    ]
    return "  ".join(part for part in parts if part)


def interrupted_lines(batches: Iterable[TrashEntry]) -> Iterator[str]:
    """Yield a line for each batch id that was interrupted, with the commands that restore it or
    finish it. ``batches`` are those of both languages."""
    by_id: dict[str, list[TrashEntry]] = {}
    for batch in batches:
        by_id.setdefault(batch.batch_id, []).append(batch)
    for batch_id, parts in by_id.items():
        tasks = [task_id for batch in parts for task_id in (*batch.tasks, *batch.partly_erased)]
        contents = _numbers(tasks, [name for batch in parts for name in batch.bundles])
        languages = "" if any(batch.lang is Lang.R for batch in parts) else " of Python"
        shown = escape_controls(batch_id)
        state = f"{_STATES[parts[0].state]}{_perhaps_in_use(parts)}"
        text = (
            f"something was interrupted while {state}, with"
            f" {contents}{languages}: 'hipercow-tui trash --restore {shown}' puts back all that is"
            " complete"
        )
        if any(batch.resumable for batch in parts):
            text += f", 'hipercow-tui trash --finish {shown}' {_finish(parts[0])}"
        yield text


def _perhaps_in_use(batches: Iterable[TrashEntry]) -> str:
    unknown = any(batch.perhaps_in_use for batch in batches)
    return ", or still runs on another machine" if unknown else ""


def _finish(batch: TrashEntry) -> str:
    if batch.state is BatchState.RESTORING:
        return "does the same"
    if batch.mode is PurgeMode.TRASH:
        emptied = batch.state is BatchState.ERASING
        return "erases the rest" if emptied else "finishes the move to the trash"
    return "finishes the purge"


def history_line(entry: HistoryEntry, now: float, kind: SizeKind = SizeKind.APPARENT) -> str:
    """Return the line of a history entry; ``now`` is in seconds since the epoch."""
    size = entry.size_of(kind)
    verb = {HistoryKind.TRASH: "moved", HistoryKind.RESTORE: "restored"}.get(entry.kind, "freed")
    parts = [
        f"{format_age(entry.time, now):<14}",
        f"{entry.kind:<7}",
        _numbers(entry.tasks, entry.bundles),
        f"{kind.text(size)} {verb}" if size else "",
        "stopped" if entry.stopped else "",
        f"{len(entry.kept_back):,} put back or failed" if entry.kept_back else "",
        _kept_in_history(entry),
        " ".join(entry.batch_ids),
        entry.filters,
        entry.goal,
        f"by {entry.process}" if entry.process else "",
    ]
    return escape_controls("  ".join(part for part in parts if part))


def _kept_in_history(entry: HistoryEntry) -> str:
    if not entry.kept_tasks:
        return ""
    user = entry.process.user if entry.process else ""
    by = "you" if user == current_process().user else user or "the user"
    return _kept_text(entry.kept_chains, len(entry.kept_tasks), by)


def record_line(item: RecordItem[Pin] | RecordItem[Note], now: float) -> str:
    """Return the line of a pin or a note; ``now`` is in seconds since the epoch."""
    target = item.record.target
    name = escape_controls(target.name) + (" of Python" if target.lang is Lang.PY else "")
    holds = "gone" if item.gone else pluralize(len(item.task_ids), "task")
    return f"{target.kind:<6}  {name}  {holds}  {item.record.text(now)}"


def _item_lines(title: str, items: Collection[ItemResult]) -> Iterator[str]:
    """Yield a title with the number of items, and a line for each with its reason."""
    if items:
        yield f"{title} {len(items):,}"
    for one in items:
        yield f"    {escape_controls(one.name)}  {escape_controls(one.reason)}"


def blocked_message(plan: PurgePlan, option: str = "skip_blocked") -> str:
    """Return why a plan is refused: each reason once, with the first three tasks that have it.

    ``option`` is the name of the option that leaves out blocked chains, for the last sentence."""
    ids_by_reason: dict[str, list[str]] = {}
    for one in plan.blocked:
        ids_by_reason.setdefault(one.reason, []).append(one.task.id)
    reasons = "; ".join(
        f"{', '.join(ids[:3])}{f' and {len(ids) - 3:,} more' if len(ids) > 3 else ''}: {reason}"
        for reason, ids in ids_by_reason.items()
    )
    return (
        f"Nothing was purged, because {tasks_are(len(plan.blocked))} blocked. {reasons}. To purge"
        f" the others, leave out the blocked retry chains ({option})."
    )


def tasks_are(number: int) -> str:
    """Return ``1 task is``, ``12 tasks are``."""
    return f"{pluralize(number, 'task')} {'is' if number == 1 else 'are'}"


def r_call(plan: PurgePlan) -> str:
    """Return the call in R that purges the same tasks; "" if there are none of R.

    It lists ids, because the filters of R take other tasks in some cases (docs/spec.md, section 4).
    """
    planned = plan.matched or plan.tasks
    return purge_call([one.task.id for one in planned if one.task.lang is Lang.R])


def _task_line(planned: PlannedTask, size: Size | None, now: float, kind: SizeKind) -> str:
    task = planned.task
    finished = "never finished" if task.finished is None else format_age(task.finished, now)
    parts = [
        f"{'!' if planned.cautions else ' '} - {task.status:<9}",
        task.id,
        finished + (" ~" if task.finished_estimated else ""),
        kind.text(size.of(kind)) if size else "",
        cascade_reason(planned),
        "; ".join(caution.text for caution in planned.cautions),
    ]
    return "  ".join(part for part in parts if part)
