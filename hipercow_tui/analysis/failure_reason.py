"""Why a task failed that stored no error: its outer log may say so.

That is a task that the cluster killed, or could not start: R finds out later that it is lost, and a
Python task leaves no log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hipercow_tui.analysis.error_groups import lacks_reason
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.input_values import InputValues, read_input_values
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


def read_details_with_reason(root: Root, task: Task, *, with_resources: bool = True) -> TaskDetails:
    """Read the details of a task; a failure without an error gets that of its outer log.

    Without ``with_resources``, a file is not read.
    """
    details = read_task_details(root, task, with_resources=with_resources)
    reason = _outer_reason(root, task, details.error)
    return replace(details, error=reason) if reason else details


def read_inputs_with_reason(root: Root, task: Task) -> InputValues:
    """Read the inputs and the error of a task; a failure without one gets that of its outer log."""
    values = read_input_values(root, task)
    reason = _outer_reason(root, task, values.error)
    return replace(values, error=reason) if reason else values


def _outer_reason(root: Root, task: Task, error: str | None) -> str | None:
    """Return the error in the outer log of a failure, if its ``error`` does not say why."""
    if not lacks_reason(task, error):
        return None
    log = outer_log(root, task)
    try:
        lines = log.lines_before(log.state().size, _LINES)
    except LogError:
        return None
    reason = outer_error([line.text for line in lines])
    return f"{_OUTER}: {reason}" if reason else None
