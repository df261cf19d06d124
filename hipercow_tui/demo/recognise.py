"""From a task's ``data`` back to the job that the demo made it of."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path

from hipercow_tui.demo.job import Job
from hipercow_tui.demo.rds_writer import Hole
from hipercow_tui.demo.studies import SINGLES, STUDIES, Study, Values
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RValue, RVector, element
from hipercow_tui.support.errors import RdsError


def job_of(hipercow: str, task_id: str) -> Job | None:
    """The task as a job, or None where its ``data`` is torn or not of the demo's making.

    Raises FileNotFoundError where the task, or the base it retries, is gone.
    """
    data = _data(hipercow, task_id)
    created = _first(element(data, "time"))
    if not isinstance(created, float):
        return None
    parent, base = _first(element(data, "parent")), _first(element(data, "base"))
    if not isinstance(parent, str) or not isinstance(base, str):
        return _made_of(data, task_id, created)
    original = job_of(hipercow, base)
    if original is None:
        return None
    return Job(
        task_id,
        original.study,
        original.values,
        created,
        driver=True,
        retries=(parent, base),
        base_created=original.created,
        cipher=original.cipher,
    )


def bind(pattern: object, found: object, values: Values) -> bool:
    """Whether a value is the pattern with its holes filled; what fills them goes to ``values``."""
    if isinstance(pattern, Hole):
        if not isinstance(found, str | int | float):
            return False
        values[str(pattern)] = found
        return True
    if isinstance(pattern, tuple):
        return (
            isinstance(found, tuple)
            and len(pattern) == len(found)
            and all(bind(ours, theirs, values) for ours, theirs in zip(pattern, found, strict=True))
        )
    if is_dataclass(pattern):
        return type(pattern) is type(found) and all(
            bind(getattr(pattern, field.name), getattr(found, field.name), values)
            for field in fields(pattern)
        )
    return pattern == found


def _data(hipercow: str, task_id: str) -> RValue | None:
    path = Path(f"{hipercow}/tasks/{task_id[:2]}/{task_id[2:]}/data")
    try:
        return files.read(path.read_bytes())
    except RdsError:
        return None


def _made_of(data: RValue | None, task_id: str, created: float) -> Job | None:
    for study in (*STUDIES, *SINGLES):
        values: Values = {}
        if all(_same(study, name, held, data, values) for name, held in study.what):
            return Job(task_id, study, values, created, cipher=_cipher(data))
    return None


def _same(study: Study, name: str, held: RValue, data: RValue | None, values: Values) -> bool:
    """Locals are compared, globals are not: only a task created alone has that element."""
    found = element(data, name)
    if name == "variables" and study.inputs:
        return bind(element(held, "locals"), element(found, "locals"), values)
    return bind(held, found, values)


def _cipher(data: RValue | None) -> str:
    envvars = element(data, "envvars")
    hidden, held = element(envvars, "secret"), element(envvars, "value")
    if isinstance(hidden, RVector) and isinstance(held, RVector):
        for secret, value in zip(hidden.values, held.values, strict=True):
            if secret and isinstance(value, str):
                return value
    return ""


def _first(value: RValue | None) -> object:
    return value.values[0] if isinstance(value, RVector) and value.values else None
