"""Read the details of an R task: code, inputs, driver and error (docs/spec.md, section 2).

A broken task raises nothing: ``TaskDetails.problem`` says what could not be read, and the other
details are there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.formats import r_conditions
from hipercow_tui.formats.resources import read_resources
from hipercow_tui.formats.rlang.deparse import deparse, deparse_short, literals, one_line
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import (
    RLanguage,
    RList,
    RNull,
    RValue,
    RVector,
    element,
    names,
)
from hipercow_tui.formats.safe_open import open_file, open_folder, read_file
from hipercow_tui.support.errors import RdsError, os_error_text
from hipercow_tui.support.text import decoded, pluralize

SECRET = "********"  # as hipercow prints a secret variable (``print_info_data``)

DATA_LIMIT = 64 << 20  # bytes on disk; hipercow itself refuses locals over 1 MB each
_INFO_LIMIT = 1 << 20  # bytes; hipercow writes some 400
_DRIVER_LIMIT = 4096  # bytes; the file has one word
MAX_LISTED = 1000  # inputs, variables or resources of a task
_MAX_INPUT_TEXT = 1 << 20  # characters of all inputs of a task: a second of work
_INPUT_WIDTH = 60  # characters of one input in ``inputs_text``

_SECRET_NAME = re.compile(
    "secret|token|passw|passphrase|credential|apikey"
    "|(?:^|[^a-z])(?:key|keys|pass|pat|auth|cookie)(?:[^a-z]|$)",
    re.IGNORECASE,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An environment variable of a task, with its value on disk.

    hipercow encrypts the value if it flags the variable as ``secret``.
    """

    name: str
    value: str
    secret: bool

    @property
    def masked(self) -> str:
        """The value; stars if the variable is flagged as secret or its name looks secret."""
        return SECRET if self.secret or looks_secret(self.name) else self.value


def looks_secret(name: str) -> bool:
    """Return whether an environment variable of that name likely has a secret value."""
    return _SECRET_NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """The details of a task. None, "" or () if a detail is unknown or does not exist.

    Attributes:
        type: explicit, expression, call or script; in Python shell. A retry has that of its base.
        runs: The code as R deparses it, with newlines, the path of a script, or a shell command.
        inputs: Names and deparsed values of local variables or arguments.
        globals: The names of variables that the environment must provide.
        environment: The name of the environment.
        path: The working directory.
        resources: Names and values of the resources requested from the cluster.
        envvars: The environment variables.
        parent, base: The ids of the parent and base of a retry.
        driver: The name of the driver.
        end: The end that ``info`` records, if the task is submitted or running: the marker of its
            end is missing. None without ``info``, and for Python.
        error: The error of a failure, as R's ``conditionMessage()`` gives it, or from the end of
            the log of a Python task.
        frame: The innermost function of the user in which it failed, such as ``fit()``; of Python
            with file and line.
        warnings: The warnings before the error, as R prints them.
        problem: Sentences on what could not be read.
        code_text: ``runs`` on one line, for a table row.
        short_inputs: ``inputs`` as ``beta = 0.91``, with shortened values, for a table row.
    """

    type: str | None = None
    runs: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    globals: tuple[str, ...] = ()
    environment: str | None = None
    path: str | None = None
    resources: tuple[tuple[str, str], ...] = ()
    envvars: tuple[EnvVar, ...] = ()
    parent: str | None = None
    base: str | None = None
    driver: str | None = None
    end: files.RecordedEnd | None = None
    error: str | None = None
    frame: str = ""
    warnings: str = ""
    problem: str | None = None
    code_text: str = ""
    short_inputs: tuple[str, ...] = ()

    @property
    def inputs_text(self) -> str:
        """All inputs on one line."""
        return ", ".join(self.short_inputs)


def read_details(
    tasks_dir: Path,
    task_id: str,
    *,
    status: str,
    in_batch: bool = False,
    with_resources: bool = False,
) -> TaskDetails:
    """Read the details of a task from its folder below ``tasks_dir``, and those of its base.

    With ``in_batch``, the folder has the whole id as its name, as in a batch. ``status`` is the
    task's own status: ``result`` is read only for a failure, as far as the error needs. The file
    ``resources`` is read only with ``with_resources``. Raises ValueError if ``task_id`` is not 32
    lower-case hex digits, and nothing else.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    problems: list[str] = []
    with open_task_folder(tasks_dir, task_id, problems, in_batch=in_batch) as folder:
        data = try_read("data", read_data, folder, problems)
        driver = try_read("status-submitted", read_driver, folder, problems)
        failure = (
            try_read("result", read_failure, folder, problems) if status == "failure" else None
        )
        unfinished = status in ("submitted", "running")
        end = try_read("info", _read_end, folder, problems) if unfinished else None
        asked = try_read("resources", read_resources, folder, problems) if with_resources else None
    base = None
    base_id = _single_string(element(data, "base"))
    if base_id is not None and TASK_ID.match(base_id):
        with open_task_folder(tasks_dir, base_id, problems, in_batch=in_batch) as folder:
            base = try_read("data", read_data, folder, problems)
    details = details_from_data(data, base) if data is not None else TaskDetails()
    if details.problem is not None:
        problems.append(details.problem)
    return replace(
        details,
        driver=driver,
        end=end,
        resources=asked.texts() if asked else (),
        error=failure.message if failure else None,
        frame=failure.frame if failure else "",
        warnings=failure.warnings if failure else "",
        problem="; ".join(problems) or None,
    )


def details_from_data(data: RValue, base: RValue | None) -> TaskDetails:
    """Return the details in the value of ``data``; ``base`` is that of the base of a retry."""
    if _single_string(element(data, "type")) != "retry":
        return _parse_data(data)
    details = TaskDetails() if base is None else _parse_data(base)
    return replace(
        details,
        parent=_single_string(element(data, "parent")),
        base=_single_string(element(data, "base")),
    )


def _parse_data(data: RValue) -> TaskDetails:
    """Return the details of a task that is not a retry."""
    kind = _single_string(element(data, "type"))
    code = _CODE_READERS.get(kind or "", _unknown_code)(data)
    problems = [] if code.runs is not None else ["its 'data' has an unknown type of task"]
    if code.omitted:
        problems.append(f"{pluralize(code.omitted, 'input')} too many to show")
    return TaskDetails(
        type=kind,
        runs=code.runs,
        inputs=tuple((item.name, item.full) for item in code.inputs),
        globals=names(element(element(data, "variables"), "globals") or RNull())[:MAX_LISTED],
        environment=_single_string(element(data, "environment")),
        path=_single_string(element(data, "path")),
        envvars=_envvars(element(data, "envvars")),
        problem="; ".join(problems) or None,
        code_text=code.one_line,
        short_inputs=tuple(item.assigned(item.short) for item in code.inputs),
    )


@dataclass(frozen=True, slots=True)
class _Input:
    """A local variable or an argument, with its value in full and shortened.

    ``tag`` is its name as in R code, empty if it has none.
    """

    name: str
    tag: str
    full: str
    short: str

    def assigned(self, text: str) -> str:
        return f"{self.tag} = {text}" if self.tag else text


@dataclass(frozen=True, slots=True)
class _Code:
    """Code in full and on one line, its inputs, and the number of omitted inputs."""

    runs: str | None
    one_line: str = ""
    inputs: tuple[_Input, ...] = ()
    omitted: int = 0


def _expression_code(data: RValue) -> _Code:
    lines = deparse(element(data, "expr") or RNull())
    locals_ = element(element(data, "variables"), "locals")
    return _Code("\n".join(lines), one_line(lines), _make_inputs(locals_), _omitted_count(locals_))


def _call_code(data: RValue) -> _Code:
    function = _function_name(element(data, "fn"))
    args = element(data, "args")
    inputs = _make_inputs(args)
    full = ", ".join(item.assigned(item.full) for item in inputs)
    short = ", ".join(item.assigned(item.short) for item in inputs)
    return _Code(f"{function}({full})", f"{function}({short})", inputs, _omitted_count(args))


def _script_code(data: RValue) -> _Code:
    path = _single_string(element(data, "script"))
    return _Code(path, path or "")


def _unknown_code(_data: RValue) -> _Code:
    return _Code(None)


_CODE_READERS: dict[str, Callable[[RValue], _Code]] = {
    "explicit": _expression_code,
    "expression": _expression_code,
    "call": _call_code,
    "script": _script_code,
}


def _function_name(fn: RValue | None) -> str:
    """Return the name of a call's function; hipercow stores ``pkg:::f`` as an expression."""
    name = _single_string(element(fn, "name"))
    namespace = _single_string(element(fn, "namespace"))
    value = element(fn, "value")
    if name is None:
        return "\n".join(deparse(value)) if isinstance(value, RLanguage) else "(anonymous)"
    prefix = f"{literals.name(namespace)}::" if namespace else ""
    return prefix + literals.name(name)


def _make_inputs(values: RValue | None) -> tuple[_Input, ...]:
    """Return the first values of a list, each with its name, or with its position from 1."""
    if not isinstance(values, RList):
        return ()
    tags = names(values)
    inputs: list[_Input] = []
    remaining = _MAX_INPUT_TEXT
    for place, value in enumerate(values.values[:MAX_LISTED]):
        tag = tags[place] if place < len(tags) else ""
        inputs.append(_make_input(place, tag, value, limit=remaining))
        remaining = max(0, remaining - len(inputs[-1].full))
    return tuple(inputs)


def _omitted_count(values: RValue | None) -> int:
    return max(0, len(values.values) - MAX_LISTED) if isinstance(values, RList) else 0


def _make_input(place: int, tag: str, value: RValue, *, limit: int) -> _Input:
    return _Input(
        name=tag or str(place + 1),
        tag=literals.name(tag),
        full="\n".join(deparse(value, limit)),
        short=deparse_short(value, _INPUT_WIDTH),
    )


def _envvars(value: RValue | None) -> tuple[EnvVar, ...]:
    """Return the rows of a ``hipercow_envvars``; without a readable flag a row is secret."""
    columns = [element(value, column) for column in ("name", "value", "secret")]
    rows = zip(
        *(column.values[:MAX_LISTED] for column in columns if isinstance(column, RVector)),
        strict=False,
    )
    return tuple(
        EnvVar(str(row[0] or ""), str(row[1] or ""), secret=row[2] is not False)
        for row in rows
        if len(row) == len(columns)
    )


def _single_string(value: RValue | None) -> str | None:
    """Return the string of a character vector with one element; None for any other value."""
    if isinstance(value, RVector) and len(value.values) == 1 and isinstance(value.values[0], str):
        return value.values[0]
    return None


def read_data(folder: int) -> RValue:
    """Read the value of ``data`` from the open folder of a task. Raises RdsError or OSError."""
    return files.read(read_file("data", dir_fd=folder, limit=DATA_LIMIT))


def read_driver(folder: int) -> str | None:
    """Read the name of the driver from the open folder of a task; None if it was not submitted.

    Raises OSError.
    """
    try:
        raw = read_file("status-submitted", dir_fd=folder, limit=_DRIVER_LIMIT)
    except FileNotFoundError:
        return None
    lines = decoded(raw).splitlines()
    return lines[0].strip() or None if lines else None


def _read_end(folder: int) -> files.RecordedEnd | None:
    try:
        raw = read_file("info", dir_fd=folder, limit=_INFO_LIMIT)
    except FileNotFoundError:
        return None
    return files.read_end(raw)


def read_failure(folder: int) -> r_conditions.FailureText:
    """Read the error of a failed task from its open folder. Raises RdsError or OSError."""
    with os.fdopen(open_file("result", dir_fd=folder), "rb") as result:
        return r_conditions.read_failure_text(result)


@contextmanager
def open_task_folder(
    tasks_dir: Path, task_id: str, problems: list[str], *, in_batch: bool = False
) -> Iterator[int | None]:
    """Open a task folder for the duration of a ``with`` block; gives its descriptor.

    It is ``ab/cd…`` below ``tasks_dir``, and ``abcd…`` with ``in_batch``. If it can't be opened,
    gives None, and adds a sentence to ``problems``.
    """
    fd = None
    try:
        prefix = open_folder(tasks_dir if in_batch else tasks_dir / task_id[:2])
        try:
            fd = open_folder(task_id if in_batch else task_id[2:], dir_fd=prefix)
        finally:
            os.close(prefix)
    except OSError as error:
        problems.append(f"the folder of task {task_id}: {os_error_text(error)}")
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


def try_read(
    name: str, read: Callable[[int], _T], folder: int | None, problems: list[str]
) -> _T | None:
    """Call ``read`` with an open task folder and return its result.

    If the file ``name`` can't be read, returns None, and adds a sentence to ``problems``.
    """
    if folder is None:
        return None
    try:
        return read(folder)
    except RdsError as error:
        problems.append(f"'{name}': {error}")
    except OSError as error:
        problems.append(f"'{name}': {os_error_text(error)}")
    return None
