"""What one Python task runs, and with what: its ``data`` and its driver (SPEC section 3).

As for R, nothing here raises for a task that is broken.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from hipercow_tui.domain.task import TASK_ID, Lang, Task
from hipercow_tui.formats.details import (
    MAX_LISTED,
    EnvVar,
    TaskDetails,
    looks_secret,
    open_task_folder,
    read_details,
    read_driver,
    try_read,
)
from hipercow_tui.formats.json_reader import load_json
from hipercow_tui.formats.py_errors import read_log_error
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.text import escape_controls

Json: TypeAlias = dict[str, Any]

_DATA_LIMIT = 2 << 20  # bytes: no longer command can be started on Linux
_DATA_WORK = 1_000_000  # as load_json counts it


def read_task_details(root: Root, task: Task) -> TaskDetails:
    """All that is known of a task of either language."""
    if task.lang is Lang.PY:
        return read_py_details(root.part(Lang.PY).tasks, task.id, status=task.status)
    return read_details(root.tasks, task.id, status=task.status)


def read_details_without_error(root: Root, task_id: str, lang: Lang) -> TaskDetails:
    """The same without the error of a failure, which costs most."""
    if lang is Lang.PY:
        return read_py_details(root.part(Lang.PY).tasks, task_id, status="")
    return read_details(root.tasks, task_id, status="")


def read_py_details(tasks_dir: Path, task_id: str, *, status: str) -> TaskDetails:
    """What the task runs, from its folder below ``tasks_dir``.

    ``status`` is the task's own; only of a failure the end of the log is read, for its error.
    Raises ValueError where ``task_id`` is no 32 lower-case hex digits, and nothing else.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    problems: list[str] = []
    with open_task_folder(tasks_dir, task_id, problems) as folder:
        raw = try_read("data", _read_data, folder, problems)
        driver = try_read("status-submitted", read_driver, folder, problems)
        error = try_read("log", read_log_error, folder, problems) if status == "failure" else None
    details = TaskDetails() if raw is None else parse_data(raw, task_id)
    if details.problem is not None:
        problems.append(details.problem)
    return replace(details, driver=driver, error=error, problem="; ".join(problems) or None)


def _read_data(folder: int) -> bytes:
    return read_file("data", dir_fd=folder, limit=_DATA_LIMIT)


def parse_data(raw: bytes, task_id: str) -> TaskDetails:
    """What the bytes of ``data`` say; what in it makes no sense is the ``problem``."""
    try:
        data = load_json(raw, work=_DATA_WORK)
    except ValueError as error:
        return TaskDetails(problem=f"'data' {error}")
    if not isinstance(data, dict):
        return TaskDetails(problem="'data' is not a JSON object")
    runs = _command(data)
    return TaskDetails(
        type=_text(data.get("method")),
        runs=runs,
        environment=_text(data.get("environment")),
        path=_text(data.get("path")),
        resources=tuple(_resources(data.get("resources"))),
        envvars=tuple(_envvars(data.get("envvars"))),
        problem="; ".join(_problems(data, runs, task_id)) or None,
        code_text=" ".join((runs or "").splitlines()),
    )


def _command(data: Json) -> str | None:
    """The command, quoted as a shell needs it; None for what is no shell command."""
    inner = data.get("data")
    words = inner.get("cmd") if isinstance(inner, dict) else None
    if data.get("method") != "shell" or not isinstance(words, list) or not words:
        return None
    return shlex.join(words) if all(isinstance(word, str) for word in words) else None


def _problems(data: Json, runs: str | None, task_id: str) -> Iterator[str]:
    if runs is None:
        yield "its 'data' is of no type of task we know"
    if data.get("task_id") != task_id:
        yield f"its 'data' is that of task '{escape_controls(_scalar_text(data.get('task_id'))[:40])}'"


def _resources(value: Any) -> Iterator[tuple[str, str]]:
    """What was asked for; None is the cluster's own choice."""
    for name, asked in _first_items(value):
        if asked is not None and asked is not False:
            yield name, "yes" if asked is True else _scalar_text(asked)


def _envvars(value: Any) -> Iterator[EnvVar]:
    """Nothing in the file marks a secret, so its name does."""
    for name, held in _first_items(value):
        yield EnvVar(name, _scalar_text(held), secret=looks_secret(name))


def _first_items(value: Any) -> Iterator[tuple[str, Any]]:
    return islice(value.items(), MAX_LISTED) if isinstance(value, dict) else iter(())


def _scalar_text(value: Any) -> str:
    """Text and numbers as they are; hipercow writes nothing else."""
    return str(value) if isinstance(value, str | int | float) else "…"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
