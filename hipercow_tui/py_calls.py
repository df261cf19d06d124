"""What is done here by keys, as the commands of Python's hipercow that do the same.

It has none to purge, retry or cancel. Their names are those of its own ``--help``.
"""

from __future__ import annotations

import shlex

from hipercow_tui.model import Task


def log_command(task: Task) -> str:
    """``hipercow task log …``: prints the log."""
    return f"hipercow task log {task.id}"


def status_command(task: Task) -> str:
    """``hipercow task status …``."""
    return f"hipercow task status {task.id}"


def bundle_command(name: str) -> str:
    """``hipercow bundle status …``: the status of each of its tasks; quoted as a shell needs it,
    and never taken for an option."""
    return f"hipercow bundle status {'-- ' if name.startswith('-') else ''}{shlex.quote(name)}"
