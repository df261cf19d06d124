"""Read on which nodes of the cluster tasks ran, from their outer logs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import open_task_folder, try_read
from hipercow_tui.formats.log_file import LOG_NAMES
from hipercow_tui.formats.outer_log import node_of
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_file
from hipercow_tui.scanning.outer_logs import FetchedLogs
from hipercow_tui.support.text import decoded

_OUTER = LOG_NAMES[1]
_HEAD = 8192  # bytes read from the beginning of an outer log


def read_nodes(root: Root, tasks: Iterable[Task]) -> dict[str, str]:
    """Return the node that the outer log of each task names, by task id; "" if it is not known.

    The log is that in the folder of the task, or else the one that was fetched.
    """
    fetched = FetchedLogs.of(root)
    nodes = {}
    for task in tasks:
        read = partial(_read_head, fetched.path(task.id) if fetched else None)
        problems: list[str] = []
        with open_task_folder(root.part(task.lang).tasks, task.id, problems) as folder:
            head = try_read(_OUTER, read, folder, problems)
        nodes[task.id] = (node_of(head.splitlines()) if head else None) or ""
    return nodes


def _read_head(copy: Path | None, folder: int) -> str:
    try:
        fd = open_file(_OUTER, dir_fd=folder)
    except FileNotFoundError:
        if copy is None:
            raise
        fd = open_file(copy)
    try:
        return decoded(os.read(fd, _HEAD))
    finally:
        os.close(fd)
