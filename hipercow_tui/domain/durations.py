"""How long tasks waited and ran, in seconds: from their times, and of those under way until now."""

from __future__ import annotations

from hipercow_tui.domain.task import Status, Task


def queue_time(task: Task, now: float) -> float | None:
    """From its creation to its start, or until ``now`` (seconds since the epoch) if it is
    submitted; None where that is not known, or where two clocks contradict each other."""
    if task.started is not None:
        return _difference(task.created, task.started)
    return _elapsed(now, task.created) if task.status is Status.SUBMITTED else None


def run_time(task: Task, now: float) -> float | None:
    """From its start to its end, or until ``now`` (seconds since the epoch) if it is running; None
    where that is not known, or where two clocks contradict each other."""
    if task.finished is not None:
        return _difference(task.started, task.finished)
    return _elapsed(now, task.started) if task.status is Status.RUNNING else None


def _difference(first: float | None, last: float) -> float | None:
    return None if first is None or last < first else last - first


def _elapsed(now: float, first: float | None) -> float | None:
    """What lies ahead by a wrong clock has just begun."""
    return None if first is None else max(0.0, now - first)
