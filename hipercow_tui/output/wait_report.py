"""The text and the JSON of a wait for tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.domain.waits import GONE
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.waiting import WaitStep


def stuck_text(task: Task, reason: str, others: int) -> str:
    """Return why a task may be stuck, how many ``others`` may be, and what to do: only the cluster
    knows whether they run."""
    more = f" ({others:,} more may be stuck)" if others else ""
    remedy = (
        "'hipercow-tui reconcile' lets R ask the cluster"
        if task.lang is Lang.R
        else "if so, make an empty file 'status-cancelled' in its folder"
    )
    return (
        f"task {task.id} may be stuck: {reason}{more}. A task that the cluster has lost does not"
        f" end by itself: {remedy}"
    )


def wait_as_json(root: Root, step: WaitStep, stuck: Mapping[str, str]) -> dict[str, Any]:
    """Return the object that ``wait --json`` prints; ``stuck`` are reasons by attempt."""
    return {
        "root": str(root.path),
        "ended": step.over,
        "counts": dict(step.progress.counts),
        "tasks": [
            {
                "id": task_id,
                "attempt": attempt.id,
                "status": attempt.status or GONE,
                "stuck": stuck.get(attempt.id),
            }
            for task_id, attempt in step.progress.attempts.items()
        ],
    }
