"""Why a task failed that stored no error: its outer log may say so.

That is a task that the cluster killed, or could not start: R finds out later that it is lost, and a
Python task leaves no log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hipercow_tui.analysis.error_groups import LOST
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.log_file import LOG_NAMES, Log
from hipercow_tui.formats.outer_log import outer_error
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.support.errors import LogError

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails
    from hipercow_tui.formats.root import Root

_LINES = 200  # read from the end of an outer log
_OUTER = LOG_NAMES[1]


def outer_log(root: Root, task: Task) -> Log:
    """Return the outer log of a task: in its folder, or else as it was fetched."""
    fetched = FetchedLogs.of(root)
    path = fetched.path(task.id) if fetched else None
    return Log(root.part(task.lang), task.id, _OUTER, fetched=path)


def read_reasoned_details(root: Root, task: Task, *, with_resources: bool = True) -> TaskDetails:
    """Read the details of a task; a failure without an error gets that of its outer log.

    Without ``with_resources``, a file is not read.
    """
    details = read_task_details(root, task, with_resources=with_resources)
    if not lacks_reason(task, details):
        return details
    log = outer_log(root, task)
    try:
        lines = log.lines_before(log.state().size, _LINES)
    except LogError:
        return details
    reason = outer_error([line.text for line in lines])
    return replace(details, error=f"{_OUTER}: {reason}") if reason else details


def lacks_reason(task: Task, details: TaskDetails) -> bool:
    """Return whether a task failed and no error says why."""
    return task.status is Status.FAILURE and details.error in (None, LOST)
