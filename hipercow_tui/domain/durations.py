"""How long tasks waited and ran, in seconds."""

from __future__ import annotations

from hipercow_tui.domain.task import Status, Task


def queue_time(task: Task, now: float) -> float | None:
    """Return the seconds from creation to start, or until ``now`` if the task is submitted.

    ``now`` is in seconds since the epoch. None if a time is unknown, or if the times contradict
    each other because they come from different clocks.
    """
    if task.started is not None:
        return _difference(task.created, task.started)
    return _elapsed(now, task.created) if task.status is Status.SUBMITTED else None


def run_time(task: Task, now: float) -> float | None:
    """Return the seconds from start to end, or until ``now`` if the task is running.

    ``now`` is in seconds since the epoch. None if a time is unknown, or if the times contradict
    each other because they come from different clocks.
    """
    if task.finished is not None:
        return _difference(task.started, task.finished)
    return _elapsed(now, task.started) if task.status is Status.RUNNING else None


def _difference(first: float | None, last: float) -> float | None:
    return None if first is None or last < first else last - first


def _elapsed(now: float, first: float | None) -> float | None:
    """Return the time since ``first``; 0 if that is in the future because a clock is wrong."""
    return None if first is None else max(0.0, now - first)
