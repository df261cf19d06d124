"""Tasks that have not ended, as far as their files say."""

from __future__ import annotations

from hipercow_tui.domain.task import INFO, Status, Task

UNFINISHED = (Status.SUBMITTED, Status.RUNNING)


def ended_without_marker(task: Task) -> bool:
    """Return whether a task has ended and could not say so, for example on a full disk.

    hipercow writes ``info`` (in Python ``times``) when a task ends, and the marker after it; in
    between it writes the result, which can take a while.
    """
    return task.status in UNFINISHED and task.files_mask & INFO != 0
