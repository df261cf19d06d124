"""Calls of hipercow for R that do the same as keys of the app.

The calls list ids. Filters of R would select other tasks, for example if a retry chain has two
ends (docs/spec.md, end of section 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.domain.unfinished import UNFINISHED

_FINISHED = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED)


class RAction(StrEnum):
    """What only R can do with tasks; the value is the function in hipercow."""

    CANCEL = "task_cancel"
    RETRY = "task_retry"

    @property
    def takes(self) -> Sequence[Status]:
        """The statuses that the function accepts. If one task has another status, R retries
        none."""
        return UNFINISHED if self is RAction.CANCEL else _FINISHED


@dataclass(frozen=True, slots=True)
class RCallTargets:
    """The tasks of a call in R: the latest attempt of each selected task, once.

    ``left_out`` counts selected tasks whose latest attempt is deleted or has a wrong status,
    ``followed`` those that are replaced by a later attempt, ``succeeded`` those that are not
    retried because a later attempt succeeded.
    """

    action: RAction
    tasks: tuple[Task, ...]
    left_out: int = 0
    followed: int = 0
    succeeded: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in the call."""
        return tuple(task.id for task in self.tasks)

    @property
    def successes(self) -> int:
        """How many tasks of the call succeeded: they were selected themselves."""
        return sum(task.status is Status.SUCCESS for task in self.tasks)


def targets_of(action: RAction, tasks: Iterable[Task], snapshot: Snapshot) -> RCallTargets:
    """Return the tasks that the call takes for these selected tasks.

    R follows retries (``follow_retry_map()``), but would retry a task twice if a call lists two
    attempts of one chain. A success is retried only if it is selected itself: after a failure
    that was retried with success, there is nothing to repeat.
    """
    found: dict[str, Task] = {}
    left_out = followed = succeeded = 0
    for task in tasks:
        latest_id = snapshot.chains.latest_attempt(task.id) if task.chain else task.id
        latest = snapshot.tasks.get(latest_id or "")
        if latest is None or latest.lang is not Lang.R or latest.status not in action.takes:
            left_out += 1
        elif latest.id != task.id and latest.status is Status.SUCCESS:
            succeeded += 1
        else:
            followed += latest.id != task.id
            found[latest.id] = latest
    return RCallTargets(action, tuple(found.values()), left_out, followed, succeeded)


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


def ask_call(tasks: Sequence[Task]) -> str:
    """Return a loop that asks the cluster for the status of each task; "" without tasks.

    An error does not end it. It does not reach an attempt that was retried, because task_info()
    asks for the status of the latest one; ``r_programs.RECONCILE`` does.
    """
    if len(tasks) < 2:
        return info_call(tasks[0]) if tasks else ""
    follow = ", follow = FALSE" if any(task.chain for task in tasks) else ""
    return (
        f"for (id in {r_vector([task.id for task in tasks])}) try(hipercow::task_info(id{follow}))"
    )


def marker_call(statuses: Mapping[str, Status]) -> str:
    """Return the call that makes the missing marker of the end of each task, by id; "" without
    tasks. Its paths are relative to the project's folder."""
    paths = [marker_path(task_id, status) for task_id, status in statuses.items()]
    return f"file.create({r_vector(paths)})" if paths else ""


def marker_path(task_id: str, status: Status) -> str:
    """Return the path of the marker of a status, relative to the project's folder."""
    return f"hipercow/tasks/{task_id[:2]}/{task_id[2:]}/status-{status}"


def _call(function: str, argument: str, ids: Sequence[str]) -> str:
    return f"hipercow::{function}({argument}{r_vector(ids)})" if ids else ""


def r_vector(texts: Sequence[str]) -> str:
    """Return ids or paths, which have no quotes, as a vector of R with a line for each."""
    quoted = [f'"{text}"' for text in texts]
    listed = ",\n  ".join(quoted)
    return quoted[0] if len(quoted) == 1 else f"c(\n  {listed}\n)"
