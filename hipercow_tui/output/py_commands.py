"""Commands of hipercow for Python that do the same as keys of the app.

It has no commands to purge, retry or cancel tasks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import quote_word


def log_command(task: Task) -> str:
    """Return ``hipercow task log …``, which prints the log."""
    return f"hipercow task log {task.id}"


def outer_logs_command(ids: Iterable[str]) -> str:
    """Return a command for each id that prints its outer log, one in a line."""
    return "\n".join(f"hipercow task log --outer {task_id}" for task_id in ids)


def status_command(task: Task) -> str:
    """Return ``hipercow task status …``."""
    return f"hipercow task status {task.id}"


def bundle_command(name: str) -> str:
    """Return ``hipercow bundle status …``; ``--`` precedes a name that looks like an option."""
    return f"hipercow bundle status {'-- ' if name.startswith('-') else ''}{_quote(name)}"


def _quote(text: str) -> str:
    """Quote a word for a shell.

    Unprintable characters are written as ``$'\\033'``, which bash, zsh and POSIX 2024 understand: a
    terminal or shell could interpret them when they are pasted.
    """
    if text.isprintable():
        return quote_word(text)
    return f"$'{''.join(map(_escape, text))}'"


def _escape(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
