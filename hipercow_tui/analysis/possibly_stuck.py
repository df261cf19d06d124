"""Tasks that may be stuck: under way for longer than anything like them ever took, or running
without a word in their log.

Files alone can't tell that the cluster killed a task: its status stays until R asks the cluster
(SPEC section 2). What is told here is a guess, with the figures that make it one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Status, Task
from hipercow_tui.support.text import format_duration, pluralize

MIN_SAMPLES = 3  # tasks of a bundle that must have got as far: the first of a sweep is never late

# Seconds before which nothing is late. Where a bundle's tasks ran for a second, starting R and
# loading packages from a busy file server makes another take minutes. A wait is the queue's, not
# the task's: a bundle that found the cluster idle says nothing of one that comes at a full hour.
MIN_RUN_TIME = 600.0
MIN_QUEUE_TIME = 3600.0

SILENT_LOG_TIME = (
    86400.0  # seconds without a line in the log after which a running task may be stuck
)


@dataclass(frozen=True, slots=True)
class DurationStats:
    """How long the tasks of a bundle waited and ran at most, in seconds, and how many of them
    that is known of."""

    longest_wait: float
    longest_run: float
    wait_count: int
    run_count: int


def find_stuck(
    snapshot: Snapshot, now: float, log_times: Mapping[str, float] | None = None
) -> Mapping[str, str]:
    """The ids of tasks that may be stuck, each with why: ``running for 3 days; 40 others of
    sweep_03 ran for 2 hours at most; its log has been silent for 2 days``.

    ``log_times`` is when logs were last written to, in seconds since the epoch, by task.
    """
    under_way = set(snapshot.with_status(Status.SUBMITTED, Status.RUNNING))
    if not under_way:
        return {}
    found: dict[str, str] = {}
    for bundle in snapshot.bundles:
        waiting = [snapshot.tasks[i] for i in bundle.task_ids if i in under_way]
        if waiting:
            pace = duration_stats(snapshot.existing(bundle.task_ids))
            for task in waiting:
                if why := _stuck_reason(task, bundle, pace, now):
                    found.setdefault(task.id, why)
    for task_id, at in (log_times or {}).items():
        runs = snapshot.tasks.get(task_id)
        if runs is None or runs.status is not Status.RUNNING or runs.started is None:
            continue
        silent = now - max(at, runs.started)
        if silent > SILENT_LOG_TIME:
            why = found.get(task_id) or f"running for {format_duration(now - runs.started)}"
            found[task_id] = f"{why}; its log has been silent for {format_duration(silent)}"
    return found


def duration_stats(tasks: Iterable[Task]) -> DurationStats:
    """How long these tasks took, of those that have got as far; estimated ends don't count."""
    waits, runs = [0.0], [0.0]
    for task in tasks:
        if task.started is None:
            continue
        if task.created is not None:
            waits.append(task.started - task.created)
        if task.finished is not None and not task.finished_estimated:
            runs.append(task.finished - task.started)
    return DurationStats(max(waits), max(runs), len(waits) - 1, len(runs) - 1)


def _stuck_reason(task: Task, bundle: Bundle, pace: DurationStats, now: float) -> str | None:
    if task.status is Status.RUNNING:
        since, longest, known = task.started, pace.longest_run, pace.run_count
        doing, did, least = "running for", "ran for", MIN_RUN_TIME
    else:
        since, longest, known = task.created, pace.longest_wait, pace.wait_count
        doing, did, least = "waiting for", "waited", MIN_QUEUE_TIME
    if since is None or known < MIN_SAMPLES or now - since <= max(longest, least):
        return None
    others = pluralize(known, "other")
    return f"{doing} {format_duration(now - since)}; {others} of {bundle.name} {did} {format_duration(longest)} at most"
