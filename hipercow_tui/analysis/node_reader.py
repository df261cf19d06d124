"""Read on which node of the cluster a task ran."""

from __future__ import annotations

import os

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import open_task_folder, try_read
from hipercow_tui.formats.outer_log import node_of
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_file
from hipercow_tui.support.text import decoded

_HEAD = 8192  # bytes read from the beginning of an outer log


def read_node(root: Root, task: Task) -> str:
    """Return the node that the outer log of a task names; "" if there is none."""
    problems: list[str] = []
    with open_task_folder(root.part(task.lang).tasks, task.id, problems) as folder:
        head = try_read("log.outer", _read_head, folder, problems)
    return node_of(head.splitlines()) or "" if head else ""


def _read_head(folder: int) -> str:
    fd = open_file("log.outer", dir_fd=folder)
    try:
        return decoded(os.read(fd, _HEAD))
    finally:
        os.close(fd)
