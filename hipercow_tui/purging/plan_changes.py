"""Compare a saved plan with a new snapshot of its root."""

from __future__ import annotations

from collections.abc import Iterator, Set

from hipercow_tui.domain.blocked import block_reason, find_blocked
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.support.text import escape_controls, pluralize, short_id


def find_changes(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    """Yield a sentence for each difference between the plan and a new snapshot: a task is gone, has
    another status, other files or a new retry, a bundle was changed, or something blocks a task."""
    going = set(plan.ids)
    for planned in plan.tasks:
        if change := _task_change(planned.task, going, snapshot):
            yield f"task {planned.task.id} {change}"
    yield from _bundle_changes(plan, snapshot)
    yield from _blocked_now(plan, snapshot)
    yield from _pinned_now(plan, snapshot)


def _pinned_now(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    """Yield each pin that holds tasks of the plan, once."""
    for lang in plan.langs:
        held = snapshot.of_lang(lang).held
        ids_of: dict[Pin, set[str]] = {}
        for task_id in held.keys() & set(plan.of_lang(lang).ids):
            ids_of.setdefault(held[task_id], set()).add(task_id)
        for pin, ids in ids_of.items():
            yield f"{_tasks_text(ids)} {'is' if len(ids) == 1 else 'are'} {pin}"


def _task_change(task: Task, going: set[str], snapshot: Snapshot) -> str | None:
    now = snapshot.tasks.get(task.id)
    if now is None or now.lang is not task.lang:
        return "is gone"
    if now.status is not task.status:
        return f"was {task.status} and is {now.status}"
    if now.files_mask != task.files_mask:
        return "holds other files"
    if reason := block_reason(now):
        return f"is blocked: {reason}"
    if now.chain != task.chain:
        new = [short_id(i) for i in now.chain if i not in task.chain]
        return f"was retried{': ' if new else ''}{', '.join(new)}"
    if not going.issuperset(i for i in now.chain if i not in snapshot.non_task_ids):
        return "is in the plan without the rest of its retry chain"
    return None


def _bundle_changes(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    planned = {(one.bundle.lang, one.bundle.name): one.bundle for one in plan.bundles}
    present = {(bundle.lang, bundle.name): bundle for bundle in snapshot.bundles}
    for key, bundle in planned.items():
        found = present.get(key)
        if found is None:
            yield f"bundle '{escape_controls(bundle.name)}' is gone"
        elif (found.task_ids, found.link) != (bundle.task_ids, bundle.link):
            yield f"bundle '{escape_controls(bundle.name)}' was rewritten"
    going_of = {lang: set(plan.of_lang(lang).ids) for lang in Lang}
    for key, bundle in present.items():
        named = going_of[bundle.lang].intersection(bundle.task_ids)
        if key not in planned and named:
            yield f"bundle '{escape_controls(bundle.name)}' is new and lists {_tasks_text(named)}"


def _blocked_now(plan: PurgePlan, snapshot: Snapshot) -> Iterator[str]:
    """Yield each reason that blocks the plan's retry chains, except by the status of its tasks,
    once."""
    for lang in plan.langs:
        part, own = snapshot.of_lang(lang), plan.of_lang(lang)
        going = {one.task.id for one in own.tasks}
        chains = {i for one in own.tasks for i in one.task.chain}
        ignored = [name for _, name in own.ignored_bundles]
        reasons: dict[str, set[str]] = {}
        for one in find_blocked(part, going | chains, plan.made, ignored):
            if one.task.id not in going or not block_reason(one.task):
                reasons.setdefault(one.reason, set()).add(one.task.id)
        for reason, ids in reasons.items():
            yield f"{_tasks_text(ids)} {'is' if len(ids) == 1 else 'are'} blocked: {reason}"


def _tasks_text(ids: Set[str]) -> str:
    first = short_id(min(ids))
    return f"task {first}" if len(ids) == 1 else f"{pluralize(len(ids), 'task')} ({first} …)"
