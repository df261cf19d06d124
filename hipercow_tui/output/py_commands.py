"""What is done here by keys, as the commands of Python's hipercow that do the same.

It has none to purge, retry or cancel. Their names are those of its own ``--help``.
"""

from __future__ import annotations

import os
import shlex

from hipercow_tui.domain.task import Task


def log_command(task: Task) -> str:
    """``hipercow task log …``: prints the log."""
    return f"hipercow task log {task.id}"


def status_command(task: Task) -> str:
    """``hipercow task status …``."""
    return f"hipercow task status {task.id}"


def bundle_command(name: str) -> str:
    """``hipercow bundle status …``: the status of each of its tasks; the name is never taken for an
    option."""
    return f"hipercow bundle status {'-- ' if name.startswith('-') else ''}{_word(name)}"


def _word(text: str) -> str:
    """One word of a shell. What can't be printed is written ``$'\\033'``, as bash, zsh and POSIX
    since 2024 read it: pasted as it is, a terminal or shell might obey it."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_sign, text))}'"


def _sign(sign: str) -> str:
    if sign in "'\\":
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(sign))
