"""Read the inputs of a task as R values, for an export. ``details`` has them as R code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.domain.task import TASK_ID, Lang, Status, Task
from hipercow_tui.formats.details import (
    MAX_LISTED,
    open_task_folder,
    read_data,
    read_failure,
    try_read,
)
from hipercow_tui.formats.py_details import read_py_details
from hipercow_tui.formats.rlang.values import RList, RValue, RVector, element, names
from hipercow_tui.formats.root import Root

COMMAND = "command"  # the name of the only input of a Python task


@dataclass(frozen=True, slots=True)
class InputValues:
    """The inputs of a task, in the order of its ``data``, with their names: "" if it has none.

    ``error`` is the message of a failure, None if it is not known. ``problem`` says what could not
    be read, or is None.
    """

    inputs: tuple[tuple[str, RValue], ...] = ()
    error: str | None = None
    problem: str | None = None


def read_input_values(root: Root, task: Task) -> InputValues:
    """Read the inputs and the error of a task of either language.

    A retry has the inputs of its base. A Python task has the shell command as its only input, which
    is named ``command``. A broken task raises nothing. At most MAX_LISTED inputs are read.
    """
    if task.lang is Lang.PY:
        return _python_values(root.part(Lang.PY).tasks, task)
    return _r_values(root.part(Lang.R).tasks, task)


def _python_values(tasks_dir: Path, task: Task) -> InputValues:
    details = read_py_details(tasks_dir, task.id, status=task.status)
    command = details.runs
    inputs = () if command is None else ((COMMAND, RVector("character", (command,))),)
    return InputValues(inputs, details.error, details.problem)


def _r_values(tasks_dir: Path, task: Task) -> InputValues:
    problems: list[str] = []
    with open_task_folder(tasks_dir, task.id, problems) as folder:
        data = try_read("data", read_data, folder, problems)
        failure = (
            try_read("result", read_failure, folder, problems)
            if task.status is Status.FAILURE
            else None
        )
    match element(data, "base"):
        case RVector("character", (str(base_id),)) if TASK_ID.match(base_id):
            with open_task_folder(tasks_dir, base_id, problems) as folder:
                data = try_read("data", read_data, folder, problems)
    inputs = _inputs_in(data)
    if len(inputs) > MAX_LISTED:
        problems.append(f"{len(inputs) - MAX_LISTED:,} inputs too many to export")
    error = failure.message if failure else None
    return InputValues(inputs[:MAX_LISTED], error, "; ".join(problems) or None)


def _inputs_in(data: RValue | None) -> tuple[tuple[str, RValue], ...]:
    """Return the arguments of a call, or the local variables of an expression."""
    values = element(data, "args") or element(element(data, "variables"), "locals")
    if not isinstance(values, RList):
        return ()
    tags = names(values) or ("",) * len(values.values)
    return tuple(zip(tags, values.values, strict=False))
