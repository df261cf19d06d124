"""Calls of hipercow for R that do the same as keys of the app.

The calls list ids. Filters of R would select other tasks, for example if a retry chain has two
ends (docs/spec.md, end of section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task

_FINISHED = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
_UNFINISHED = (Status.SUBMITTED, Status.RUNNING)


class RAction(StrEnum):
    """What only R can do with tasks; the value is the function in hipercow."""

    CANCEL = "task_cancel"
    RETRY = "task_retry"

    @property
    def takes(self) -> Sequence[Status]:
        """The statuses that the function accepts. If one task has another status, R retries
        none."""
        return _UNFINISHED if self is RAction.CANCEL else _FINISHED


@dataclass(frozen=True, slots=True)
class RCallTargets:
    """The tasks of a call in R: the latest attempt of each selected task, once.

    ``left_out`` counts selected tasks whose latest attempt is deleted or has a wrong status,
    ``followed`` those that are replaced by a later attempt.
    """

    action: RAction
    tasks: tuple[Task, ...]
    left_out: int = 0
    followed: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the call."""
        return tuple(task.id for task in self.tasks)


def targets_of(action: RAction, tasks: Iterable[Task], snapshot: Snapshot) -> RCallTargets:
    """Return the tasks that the call takes for these selected tasks.

    R follows retries (``follow_retry_map()``), but would retry a task twice if a call lists two
    attempts of one chain.
    """
    found: dict[str, Task] = {}
    left_out = followed = 0
    for task in tasks:
        latest_id = snapshot.chains.latest_attempt(task.id) if task.chain else task.id
        latest = snapshot.tasks.get(latest_id or "")
        if latest is None or latest.lang is not Lang.R or latest.status not in action.takes:
            left_out += 1
            continue
        followed += latest.id != task.id
        found[latest.id] = latest
    return RCallTargets(action, tuple(found.values()), left_out, followed)


def action_call(targets: RCallTargets) -> str:
    """Return ``hipercow::task_cancel(c(…))``; "" without tasks."""
    return _call(targets.action, "", targets.ids)


def purge_call(ids: Sequence[str]) -> str:
    """Return ``hipercow::hipercow_purge(task_ids = c(…))``, which adds retry chains and bundles by
    itself; "" without ids."""
    return _call("hipercow_purge", "task_ids = ", ids)


def log_call(task: Task, *, outer: bool = False) -> str:
    """Return ``hipercow::task_log_show("…")`` for this attempt, not for the latest one."""
    arguments = (", outer = TRUE" if outer else "") + (", follow = FALSE" if task.chain else "")
    return f'hipercow::task_log_show("{task.id}"{arguments})'


def outer_logs_call(ids: Sequence[str]) -> str:
    """Return R code that prints the outer log of each attempt; "" without ids."""
    if len(ids) == 1:
        return f'hipercow::task_log_show("{ids[0]}", outer = TRUE, follow = FALSE)'
    listed = ",\n  ".join(f'"{task_id}"' for task_id in ids)
    show = "try(hipercow::task_log_show(id, outer = TRUE, follow = FALSE))"
    return f"for (id in c(\n  {listed}\n)) {show}" if ids else ""


def info_call(task: Task) -> str:
    """Return ``hipercow::task_info("…")``, which asks the cluster for the status."""
    return f'hipercow::task_info("{task.id}"{", follow = FALSE" if task.chain else ""})'


def _call(function: str, argument: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    if len(ids) == 1:
        return f'hipercow::{function}({argument}"{ids[0]}")'
    listed = ",\n  ".join(f'"{task_id}"' for task_id in ids)
    return f"hipercow::{function}({argument}c(\n  {listed}\n))"
