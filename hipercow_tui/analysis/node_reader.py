"""Read on which node of the cluster a task ran."""

from __future__ import annotations

from hipercow_tui.analysis.failure_reason import outer_log
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.outer_log import node_of
from hipercow_tui.formats.root import Root
from hipercow_tui.support.errors import LogError

_LINES = 100  # read from the beginning of an outer log


def read_node(root: Root, task: Task) -> str:
    """Return the node that the outer log of a task names, in its folder or as it was fetched; ""
    if there is none."""
    try:
        lines = outer_log(root, task).lines_after(0, _LINES)
    except LogError:
        return ""
    return node_of([line.text for line in lines]) or ""
