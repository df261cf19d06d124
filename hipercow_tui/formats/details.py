"""What one task runs, and with what: its ``data``, its driver, its error (SPEC section 2).

Nothing here raises for a task that is broken: what can't be read is said in ``problem``, and
everything else stays known.
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
from hipercow_tui.support.errors import RdsError
from hipercow_tui.support.text import decoded, escape_controls, pluralize

SECRET = "********"  # as hipercow prints a secret variable (``print_info_data``)

DATA_LIMIT = 64 << 20  # bytes on disk; hipercow itself refuses locals over 1 MB each
_DRIVER_LIMIT = 4096  # bytes; the file holds one word
MAX_LISTED = 1000  # inputs, variables or resources of a task that are shown
_MAX_INPUT_TEXT = 1 << 20  # characters of all inputs of a task: a second's work
_INPUT_WIDTH = 60  # characters of one input in ``inputs_text``

_SECRET_NAME = re.compile(
    "secret|token|passw|passphrase|credential|apikey"
    "|(?:^|[^a-z])(?:key|keys|pass|pat|auth|cookie)(?:[^a-z]|$)",
    re.IGNORECASE,
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An environment variable of a task. The ``value`` is what is on disk; hipercow encrypts that
    of one that it flags as ``secret``."""

    name: str
    value: str
    secret: bool

    @property
    def masked(self) -> str:
        """The value, or stars if the variable is flagged as secret or its name looks like it."""
        return SECRET if self.secret or looks_secret(self.name) else self.value


def looks_secret(name: str) -> bool:
    """Whether an environment variable of that name likely holds a secret."""
    return _SECRET_NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """What a task runs. ``None`` and ``()`` are what is not known, or not there.

    ``type`` is explicit, expression, call or script, in Python shell; a retry has that of its base,
    and its ``parent`` and ``base``. ``runs`` is the code as R deparses it, with newlines, the path
    of a script, or a command as a shell wants it; ``inputs`` are local variables or arguments with
    their deparsed values; ``globals`` are the variables that the environment must provide,
    ``resources`` what was asked of the cluster. ``code_text`` is ``runs`` on one line, and ``shown``
    each of the ``inputs`` as ``beta = 0.91``, for a row of a table. ``error`` is what R's
    ``conditionMessage`` gives of a failure, or what a Python task's log says last of it;
    ``warnings`` what R prints of those raised on the way. ``problem`` says what could not be read.
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
    error: str | None = None
    warnings: str = ""
    problem: str | None = None
    code_text: str = ""
    short_inputs: tuple[str, ...] = ()

    @property
    def inputs_text(self) -> str:
        """All inputs on one line."""
        return ", ".join(self.short_inputs)


def read_details(tasks_dir: Path, task_id: str, *, status: str) -> TaskDetails:
    """What the task runs, from its folder below ``tasks_dir``; the base of a retry is read too.

    ``status`` is the task's own; only a failure has its ``result`` read, as far as its error.
    Raises ValueError where ``task_id`` is no 32 lower-case hex digits, and nothing else.
    """
    if not TASK_ID.match(task_id):
        raise ValueError(f"not a task id: {task_id!r}")
    problems: list[str] = []
    with open_task_folder(tasks_dir, task_id, problems) as folder:
        data = try_read("data", _read_data, folder, problems)
        driver = try_read("status-submitted", read_driver, folder, problems)
        told = (
            try_read("result", _read_failure_text, folder, problems)
            if status == "failure"
            else None
        )
    base = None
    base_id = _single_string(element(data, "base"))
    if base_id is not None and TASK_ID.match(base_id):
        with open_task_folder(tasks_dir, base_id, problems) as folder:
            base = try_read("data", _read_data, folder, problems)
    details = details_from_data(data, base) if data is not None else TaskDetails()
    if details.problem is not None:
        problems.append(details.problem)
    return replace(
        details,
        driver=driver,
        error=told.message if told else None,
        warnings=told.warnings if told else "",
        problem="; ".join(problems) or None,
    )


def details_from_data(data: RValue, base: RValue | None) -> TaskDetails:
    """What the value in ``data`` says; for a retry, with the value in the ``data`` of its base."""
    if _single_string(element(data, "type")) != "retry":
        return _parse_data(data)
    details = TaskDetails() if base is None else _parse_data(base)
    return replace(
        details,
        parent=_single_string(element(data, "parent")),
        base=_single_string(element(data, "base")),
    )


def _parse_data(data: RValue) -> TaskDetails:
    """The details of a task that is no retry."""
    kind = _single_string(element(data, "type"))
    code = _CODE_READERS.get(kind or "", _unknown_code)(data)
    problems = [] if code.runs is not None else ["its 'data' is of no type of task we know"]
    if code.omitted:
        problems.append(f"{pluralize(code.omitted, 'input')} too many to show")
    return TaskDetails(
        type=kind,
        runs=code.runs,
        inputs=tuple((each.name, each.full) for each in code.inputs),
        globals=names(element(element(data, "variables"), "globals") or RNull())[:MAX_LISTED],
        environment=_single_string(element(data, "environment")),
        path=_single_string(element(data, "path")),
        envvars=_envvars(element(data, "envvars")),
        problem="; ".join(problems) or None,
        code_text=code.one_line,
        short_inputs=tuple(each.assigned(each.short) for each in code.inputs),
    )


@dataclass(frozen=True, slots=True)
class _Input:
    """A local variable or an argument; ``tag`` is its name as in code, empty where it has none."""

    name: str
    tag: str
    full: str
    short: str

    def assigned(self, text: str) -> str:
        return f"{self.tag} = {text}" if self.tag else text


@dataclass(frozen=True, slots=True)
class _Code:
    """The code, in full and on one line, its inputs, and the number of inputs left out."""

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
    full = ", ".join(each.assigned(each.full) for each in inputs)
    short = ", ".join(each.assigned(each.short) for each in inputs)
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
    """The name of a call's function; hipercow keeps ``pkg:::f`` as the expression it is."""
    name = _single_string(element(fn, "name"))
    namespace = _single_string(element(fn, "namespace"))
    value = element(fn, "value")
    if name is None:
        return "\n".join(deparse(value)) if isinstance(value, RLanguage) else "(anonymous)"
    prefix = f"{literals.name(namespace)}::" if namespace else ""
    return prefix + literals.name(name)


def _make_inputs(values: RValue | None) -> tuple[_Input, ...]:
    """The first values of a list with their names, or their places from 1 where they have none."""
    if not isinstance(values, RList):
        return ()
    tags = names(values)
    inputs: list[_Input] = []
    left = _MAX_INPUT_TEXT
    for place, value in enumerate(values.values[:MAX_LISTED]):
        tag = tags[place] if place < len(tags) else ""
        inputs.append(_make_input(place, tag, value, limit=left))
        left = max(0, left - len(inputs[-1].full))
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
    """The rows of a ``hipercow_envvars``; one whose flag can't be read is taken as secret."""
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
    """The string of a character vector of one element; None for anything else."""
    if isinstance(value, RVector) and len(value.values) == 1 and isinstance(value.values[0], str):
        return value.values[0]
    return None


def _read_data(folder: int) -> RValue:
    return files.read(read_file("data", dir_fd=folder, limit=DATA_LIMIT))


def read_driver(folder: int) -> str | None:
    """The driver's name from the open folder of a task; None where it was not submitted."""
    try:
        raw = read_file("status-submitted", dir_fd=folder, limit=_DRIVER_LIMIT)
    except FileNotFoundError:
        return None
    lines = decoded(raw).splitlines()
    return lines[0].strip() or None if lines else None


def _read_failure_text(folder: int) -> r_conditions.FailureText:
    with os.fdopen(open_file("result", dir_fd=folder), "rb") as result:
        return r_conditions.read_failure_text(result)


@contextmanager
def open_task_folder(tasks_dir: Path, task_id: str, problems: list[str]) -> Iterator[int | None]:
    """A descriptor of the task's folder; None, and a problem, where it can't be opened."""
    fd = None
    try:
        prefix = open_folder(tasks_dir / task_id[:2])
        try:
            fd = open_folder(task_id[2:], dir_fd=prefix)
        finally:
            os.close(prefix)
    except OSError as error:
        problems.append(f"the folder of task {task_id}: {_reason(error)}")
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


def try_read(
    name: str, read: Callable[[int], _T], folder: int | None, problems: list[str]
) -> _T | None:
    """What ``read`` gives; None, and a problem, where the file ``name`` can't be read."""
    if folder is None:
        return None
    try:
        return read(folder)
    except RdsError as error:
        problems.append(f"'{name}': {error}")
    except OSError as error:
        problems.append(f"'{name}': {_reason(error)}")
    return None


def _reason(error: OSError) -> str:
    return escape_controls(error.strerror or str(error))
