"""What is done here by keys, as the calls of hipercow for R that do the same.

Calls name ids, not filters: R's own filters would take something else for a retried task, a forked
chain or a gone one (SPEC, end of section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task

_TERMINAL = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)
_UNDER_WAY = (Status.SUBMITTED, Status.RUNNING)


class RAction(StrEnum):
    """What R can do with tasks that we don't; the name of its function in hipercow."""

    CANCEL = "task_cancel"
    RETRY = "task_retry"

    @property
    def takes(self) -> Sequence[Status]:
        """The statuses of tasks it can be done with. R refuses to retry any of the tasks if one of
        them has another."""
        return _UNDER_WAY if self is RAction.CANCEL else _TERMINAL


@dataclass(frozen=True, slots=True)
class RCallTargets:
    """What a call in R would act on: for each task the last attempt of its chain, once.

    ``left_out`` counts the tasks whose last attempt is gone, or has a status with which it can't
    be done; ``followed`` those in place of which a later attempt is named.
    """

    action: RAction
    tasks: tuple[Task, ...]
    left_out: int = 0
    followed: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the call."""
        return tuple(task.id for task in self.tasks)


def targets_of(act: RAction, tasks: Iterable[Task], snapshot: Snapshot) -> RCallTargets:
    """What the call would act on. R follows retries, in ``follow_retry_map()``; two attempts of
    one chain are one task to it, but would be retried twice if both were named."""
    found: dict[str, Task] = {}
    left_out = followed = 0
    for task in tasks:
        tip_id = snapshot.chains.latest_attempt(task.id) if task.chain else task.id
        tip = snapshot.tasks.get(tip_id or "")
        if tip is None or tip.lang is not Lang.R or tip.status not in act.takes:
            left_out += 1
            continue
        followed += tip.id != task.id
        found[tip.id] = tip
    return RCallTargets(act, tuple(found.values()), left_out, followed)


def action_call(reach: RCallTargets) -> str:
    """``hipercow::task_cancel(c(…))``; nothing if it would act on nothing."""
    return _call(reach.action, "", reach.ids)


def purge_call(ids: Sequence[str]) -> str:
    """``hipercow::hipercow_purge(task_ids = c(…))``, which draws in retry chains and bundles by
    itself; nothing without ids."""
    return _call("hipercow_purge", "task_ids = ", ids)


def log_call(task: Task, *, outer: bool = False) -> str:
    """``hipercow::task_log_show("…")``: of this very attempt, where R would show the last one."""
    extra = (", outer = TRUE" if outer else "") + (", follow = FALSE" if task.chain else "")
    return f'hipercow::task_log_show("{task.id}"{extra})'


def info_call(task: Task) -> str:
    """``hipercow::task_info("…")``: asks the cluster what became of it (SPEC section 2)."""
    return f'hipercow::task_info("{task.id}"{", follow = FALSE" if task.chain else ""})'


def _call(function: str, argument: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    if len(ids) == 1:
        return f'hipercow::{function}({argument}"{ids[0]}")'
    listed = ",\n  ".join(f'"{task_id}"' for task_id in ids)
    return f"hipercow::{function}({argument}c(\n  {listed}\n))"
