"""Find tasks that may be stuck, because they take longer than others or their log is silent.

The files of a root do not show that the cluster killed a task: its status remains until R asks the
cluster (docs/spec.md, section 2). So the result is a guess, and it names the numbers behind it.
A task that has recorded its end without the marker of it is stuck for certain, unless its result is
still being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Status, Task
from hipercow_tui.domain.unfinished import UNFINISHED, ended_without_marker
from hipercow_tui.support.text import format_duration, pluralize

# Other tasks of a bundle that must have started or finished: the first of a sweep is never late.
MIN_SAMPLES = 3

# Seconds before which nothing counts as stuck. Even if the other tasks ran for a second, starting R
# and loading packages from a busy file server can take minutes. A queue time depends on the
# cluster: a bundle that was submitted to an idle cluster says nothing about a full one.
MIN_RUN_TIME = 600.0
MIN_QUEUE_TIME = 3600.0

MARKER_MISSING = "it has ended, and the marker of its end is missing"

SILENT_LOG_TIME = 86400.0  # seconds without output after which a running task may be stuck


@dataclass(frozen=True, slots=True)
class DurationStats:
    """The longest queue time and run time of some tasks, in seconds, and how many are known."""

    longest_wait: float
    longest_run: float
    wait_count: int
    run_count: int


def find_stuck(
    snapshot: Snapshot, now: float, log_times: Mapping[str, float] | None = None
) -> Mapping[str, str]:
    """Return the ids of tasks that may be stuck, each with the reason.

    A reason is ``running for 3 days; 40 others of sweep_03 ran for 2 hours at most; its log has
    been silent for 2 days``. ``now`` is in seconds since the epoch, ``log_times`` is when the log
    of a task last changed, also in seconds since the epoch, by task id.
    """
    unfinished = set(snapshot.with_status(*UNFINISHED))
    if not unfinished:
        return {}
    ended = [i for i in unfinished if ended_without_marker(snapshot.tasks[i])]
    unfinished.difference_update(ended)
    found = dict.fromkeys(ended, MARKER_MISSING)
    for bundle in snapshot.bundles:
        tasks = [snapshot.tasks[i] for i in bundle.task_ids if i in unfinished]
        if tasks:
            stats = duration_stats(snapshot.existing(bundle.task_ids))
            for task in tasks:
                if reason := _stuck_reason(task, bundle, stats, now):
                    found.setdefault(task.id, reason)
    for task_id, changed in (log_times or {}).items():
        running = snapshot.tasks.get(task_id)
        if running is None or running.status is not Status.RUNNING or running.started is None:
            continue
        if task_id not in unfinished:
            continue
        silent = now - max(changed, running.started)
        if silent > SILENT_LOG_TIME:
            reason = found.get(task_id) or f"running for {format_duration(now - running.started)}"
            found[task_id] = f"{reason}; its log has been silent for {format_duration(silent)}"
    return found


def duration_stats(tasks: Iterable[Task]) -> DurationStats:
    """Return the statistics of tasks that have started or finished, without estimated times."""
    waits, runs = [0.0], [0.0]
    for task in tasks:
        if task.started is None:
            continue
        if task.created is not None:
            waits.append(task.started - task.created)
        if task.finished is not None and not task.finished_estimated:
            runs.append(task.finished - task.started)
    return DurationStats(max(waits), max(runs), len(waits) - 1, len(runs) - 1)


def _stuck_reason(task: Task, bundle: Bundle, stats: DurationStats, now: float) -> str | None:
    if task.status is Status.RUNNING:
        since, longest, known = task.started, stats.longest_run, stats.run_count
        present, past, minimum = "running for", "ran for", MIN_RUN_TIME
    else:
        since, longest, known = task.created, stats.longest_wait, stats.wait_count
        present, past, minimum = "waiting for", "waited", MIN_QUEUE_TIME
    if since is None or known < MIN_SAMPLES or now - since <= max(longest, minimum):
        return None
    others = f"{pluralize(known, 'other')} of {bundle.name}"
    return (
        f"{present} {format_duration(now - since)};"
        f" {others} {past} {format_duration(longest)} at most"
    )
