"""Find tasks that can't be purged now, and the error that lists them (docs/spec.md, rule 9)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import QUEUED, UNREADABLE, Lang, Status, Task
from hipercow_tui.domain.task_columns import mask_where
from hipercow_tui.domain.unfinished import UNFINISHED, ended_without_marker
from hipercow_tui.support.errors import PurgeError

# Tasks of other statuses never block.
MAY_BLOCK = frozenset({Status.CREATED, Status.SUBMITTED, Status.RUNNING, Status.BROKEN})


@dataclass(frozen=True, slots=True)
class Blocked:
    """A task that can't be purged, the reason, and the ids of its retry chain, which stays with
    it."""

    task: Task
    reason: str
    chain: tuple[str, ...]


class BlockedError(PurgeError):
    """Something blocks the purge, so nothing was deleted.

    ``blocked`` has one entry for each blocked task. It is empty if a bundle that can't be read
    blocks all tasks.
    """

    def __init__(self, message: str, blocked: tuple[Blocked, ...] = ()) -> None:
        super().__init__(message)
        self.blocked = blocked


def find_blocked(
    snapshot: Snapshot, ids: Collection[str], now: float, ignored_bundles: Collection[str] = ()
) -> Iterator[Blocked]:
    """Yield the tasks among these ids that can't be purged, with the reasons (rule 9).

    The snapshot is of one language; ids can be missing in it. ``now`` is in seconds since the
    epoch. Unreadable bundles with the names ``ignored_bundles`` do not block.
    """
    unread = snapshot.unread
    if not unread:  # usual; few of the tasks may block
        columns = snapshot.columns
        may_block = columns.select(mask_where(columns.status_codes, MAY_BLOCK))
        ids = [i for i in (*may_block, *columns.select(columns.non_task_mask)) if i in ids]
    blocks_all = unread.blocks_all(ignored_bundles)
    for task_id in sorted(ids):
        task = snapshot.tasks.get(task_id)
        reason = block_reason(task) if task is not None else None
        if unread:
            reason = reason or unread.blocks(task_id, now) or blocks_all
        if reason:
            chain = snapshot.chains.chain(task_id)
            unknown = Task(task_id, Status.BROKEN, UNREADABLE, chain=chain, lang=snapshot.lang)
            yield Blocked(task or unknown, reason, chain)


def block_reason(task: Task) -> str | None:
    """Return why a task can't be purged and what to do about it; None if it can (rule 9)."""
    if task.status is Status.BROKEN and task.exists:
        return f"it can't be read ({task.problem}): make its folder readable"
    if ended_without_marker(task):
        return _missing_marker(task)
    if task.status in UNFINISHED and task.lang is Lang.PY:
        return (
            f"it is {task.status}: wait until it ends; if you stopped it on the cluster, or the"
            " cluster has lost it, make an empty file 'status-cancelled' in its folder"
        )
    if task.status in UNFINISHED:
        return (
            f"it is {task.status}: cancel it with task_cancel(); if the cluster has lost it, call"
            " task_info(), which updates its status"
        )
    if task.status in (Status.CREATED, Status.BROKEN) and task.files_mask & QUEUED:
        return "it may be queued: its folder has files of the driver, and no marker yet"
    return None


def _missing_marker(task: Task) -> str:
    if task.lang is Lang.PY:
        return (
            f"it is {task.status}, but it has ended: it has 'times', and the marker of its end is"
            " missing. Make an empty file 'status-success' or 'status-failure' in its folder"
        )
    return (
        f"it is {task.status}, but it has ended: it has 'info', and the marker of its end is"
        " missing. Call task_info(), which updates its status; if that fails, make an empty file"
        " 'status-failure' in its folder"
    )
