"""Read the details of a Python task (docs/spec.md, section 3), or of a task of either language.

As for R, a broken task raises nothing: see ``TaskDetails.problem``.
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

_DATA_LIMIT = 2 << 20  # bytes; Linux can't start a longer command
_DATA_WORK = 1_000_000  # the ``work`` of load_json
_MAX_NUMBER = 2**31  # of a resource


def read_task_details(root: Root, task: Task, *, with_resources: bool = True) -> TaskDetails:
    """Read the details of a task of either language.

    The resources of an R task are in a separate file, which is opened only with
    ``with_resources``.
    """
    if task.lang is Lang.PY:
        return read_py_details(root.part(Lang.PY).tasks, task.id, status=task.status)
    return read_details(root.tasks, task.id, status=task.status, with_resources=with_resources)


def read_details_without_error(root: Root, task_id: str, lang: Lang) -> TaskDetails:
    """Read the details of a task without the error of a failure, which costs most."""
    if lang is Lang.PY:
        return read_py_details(root.part(Lang.PY).tasks, task_id, status="")
    return read_details(root.tasks, task_id, status="")


def read_details_in(tasks_dir: Path, task_id: str, lang: Lang, *, in_batch: bool) -> TaskDetails:
    """Read the details of a task of either language, without its error. ``tasks_dir`` is the folder
    ``tasks`` of the root of the language, or with ``in_batch`` a folder of a batch."""
    read = read_py_details if lang is Lang.PY else read_details
    return read(tasks_dir, task_id, status="", in_batch=in_batch)


def read_py_details(
    tasks_dir: Path, task_id: str, *, status: str, in_batch: bool = False
) -> TaskDetails:
    """Read the details of a Python task from its folder below ``tasks_dir``.

    ``status`` is the task's own status: only for a failure the end of the log is read, for the
    error. Raises ValueError if ``task_id`` is not 32 lower-case hex digits, and nothing else.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    problems: list[str] = []
    with open_task_folder(tasks_dir, task_id, problems, in_batch=in_batch) as folder:
        raw = try_read("data", _read_data, folder, problems)
        driver = try_read("status-submitted", read_driver, folder, problems)
        error = try_read("log", read_log_error, folder, problems) if status == "failure" else None
    details = TaskDetails() if raw is None else parse_data(raw, task_id)
    if details.problem is not None:
        problems.append(details.problem)
    return replace(
        details,
        driver=driver,
        error=error.message if error else None,
        frame=error.frame if error else "",
        problem="; ".join(problems) or None,
    )


def _read_data(folder: int) -> bytes:
    return read_file("data", dir_fd=folder, limit=_DATA_LIMIT)


def parse_data(raw: bytes, task_id: str) -> TaskDetails:
    """Parse ``data``; the result has a ``problem`` if it is not as hipercow writes it."""
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


def read_requests(folder: str) -> dict[str, int]:
    """Read the whole numbers among the resources that a task requested, by name, from its folder.

    0 ``cores`` are all cores of any node. Raises OSError and ValueError.
    """
    data = load_json(read_file(f"{folder}/data", limit=_DATA_LIMIT), work=_DATA_WORK)
    requested = data.get("resources") if isinstance(data, dict) else None
    return {
        name: number
        for name, number in _first_items(requested)
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < _MAX_NUMBER
    }


def _command(data: Json) -> str | None:
    """Return the command with shell quotes; None if the task is not a shell command."""
    inner = data.get("data")
    words = inner.get("cmd") if isinstance(inner, dict) else None
    if data.get("method") != "shell" or not isinstance(words, list) or not words:
        return None
    return shlex.join(words) if all(isinstance(word, str) for word in words) else None


def _problems(data: Json, runs: str | None, task_id: str) -> Iterator[str]:
    if runs is None:
        yield "its 'data' has an unknown type of task"
    if (other := data.get("task_id")) != task_id:
        yield f"its 'data' is of task '{escape_controls(_scalar_text(other)[:40])}'"


def _resources(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the requested resources; None and false are the default of the cluster."""
    for name, requested in _first_items(value):
        if requested is not None and requested is not False:
            yield name, "yes" if requested is True else _scalar_text(requested)


def _envvars(value: Any) -> Iterator[EnvVar]:
    """Yield the variables. The file does not mark secrets, so their names decide."""
    for name, text in _first_items(value):
        yield EnvVar(name, _scalar_text(text), secret=looks_secret(name))


def _first_items(value: Any) -> Iterator[tuple[str, Any]]:
    return islice(value.items(), MAX_LISTED) if isinstance(value, dict) else iter(())


def _scalar_text(value: Any) -> str:
    """Return text or a number as text; hipercow writes no other values."""
    return str(value) if isinstance(value, str | int | float) else "…"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
