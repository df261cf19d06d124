"""Calls of ``task_retry()`` with resources: as R code to show and to copy, and as lines that the
program of ``r_programs`` reads.

R's ``task_retry()`` does not repeat the resources of the task: without ``resources``, the retry has
one core in the default queue.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf
from typing import Any
from urllib.parse import quote

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.resources import (
    FILE_LIMIT,
    NAMES,
    Moment,
    Number,
    Resources,
    parse_resources,
)
from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.output.r_calls import r_vector
from hipercow_tui.output.r_programs import id_lines
from hipercow_tui.support.errors import RdsError
from hipercow_tui.support.text import short_id


class Shortage(StrEnum):
    """What a task did not get enough of, by its error."""

    MEMORY = "memory"
    TIME = "time"


_SHORTAGES = {
    # Not "timed out": that is about a connection.
    Shortage.TIME: re.compile(
        r"time ?limit|wall ?(?:clock|time)|max(?:imum)?[_ ]run ?time", re.IGNORECASE
    ),
    Shortage.MEMORY: re.compile(
        r"(?:cannot|can't|could not|unable to|failed to) allocate|out of memory|memory exhausted"
        r"|not enough memory|memory limit|bad_alloc|MemoryError|oom[-_ ]?kill|\bkilled\b|SIGKILL",
        re.IGNORECASE,
    ),
}


def shortage_in(error: str) -> Shortage | None:
    """Return what an error says was too little; None if it says nothing of that kind."""
    return next((kind for kind, words in _SHORTAGES.items() if words.search(error)), None)


@dataclass(frozen=True, slots=True)
class RetryGroup:
    """Tasks that one call retries, at least one.

    ``resources`` None leaves them to R. ``shortage`` is what their errors say.
    """

    ids: tuple[str, ...]
    resources: Resources | None = None
    shortage: Shortage | None = None

    def with_more(self) -> RetryGroup:
        """Return the group with twice the memory or time, if the errors say that it was too
        little and the tasks asked for some."""
        asked = self.resources
        if asked is None or self.shortage is None:
            return self
        if self.shortage is Shortage.TIME:
            return replace(self, resources=replace(asked, max_runtime=_twice(asked.max_runtime)))
        more = replace(
            asked,
            memory_per_node=_twice(asked.memory_per_node),
            memory_per_process=_twice(asked.memory_per_process),
        )
        return replace(self, resources=more)


def _twice(number: Number | None) -> Number | None:
    return None if number is None else number * 2


def retry_groups(
    ids: Sequence[str],
    resources: Mapping[str, Resources | None],
    shortages: Mapping[str, Shortage] | None = None,
) -> tuple[RetryGroup, ...]:
    """Group tasks with equal resources, and with ``shortages`` also by what their errors say.

    ``resources`` has the resources by id; those of other ids, and None, are left to R.
    """
    found: dict[tuple[Resources | None, Shortage | None], list[str]] = {}
    for task_id in ids:
        key = resources.get(task_id), (shortages or {}).get(task_id)
        found.setdefault(key, []).append(task_id)
    return tuple(RetryGroup(tuple(group), *key) for key, group in found.items())


def repeatable(resources: Resources, now: float) -> Resources:
    """Return the part of resources that a new call can have: no time in the past, and nothing that
    is not understood. ``now`` is in seconds since the epoch."""
    held = resources.hold_until
    if isinstance(held, Moment):
        held = Moment(ceil(held.seconds)) if held.seconds > now else None
    return replace(resources, hold_until=held, others=())


def left_out(resources: Resources, now: float) -> Iterator[str]:
    """Yield what ``repeatable`` leaves out, as parts of a sentence."""
    texts = dict(resources.texts())
    if resources.hold_until is not None and repeatable(resources, now).hold_until is None:
        yield f"hold_until = {texts['hold_until']}, which is past"
    for name, value in resources.others:
        yield f"{name} = {value}, which this app does not know"


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """The ways to retry tasks: by R's default, with the resources that they had, or with more.

    Attributes:
        default: All tasks in one call without resources.
        repeated: The tasks by the resources that they had.
        more: The same, also by what their errors say, with twice as much of that.
        left_out: What a new call does not repeat, as parts of sentences, without duplicates.
    """

    default: tuple[RetryGroup, ...]
    repeated: tuple[RetryGroup, ...]
    more: tuple[RetryGroup, ...]
    left_out: tuple[str, ...]

    @property
    def resources_known(self) -> bool:
        """Whether the resources of at least one task could be read."""
        return any(group.resources is not None for group in self.repeated)


def retry_options(
    tasks: Sequence[Task],
    read: Callable[[Task], Resources | None],
    error_of: Callable[[str], str],
    now: float,
) -> RetryOptions:
    """Return the ways to retry tasks.

    ``read`` returns the resources of a task, ``error_of`` the error of a task id, or "". ``now`` is
    in seconds since the epoch.
    """
    ids = tuple(task.id for task in tasks)
    asked = {task.id: read(task) for task in tasks}
    repeated = {i: repeatable(each, now) for i, each in asked.items() if each is not None}
    said = ((task_id, shortage_in(error_of(task_id))) for task_id in ids)
    shortages = {task_id: shortage for task_id, shortage in said if shortage is not None}
    omitted = dict.fromkeys(
        part for each in dict.fromkeys(asked.values()) if each for part in left_out(each, now)
    )
    return RetryOptions(
        (RetryGroup(ids),),
        retry_groups(ids, repeated),
        tuple(group.with_more() for group in retry_groups(ids, repeated, shortages)),
        tuple(omitted),
    )


def resources_to_repeat(root: Root, task: Task) -> Resources | None:
    """Read the resources that a retry of a task should have; None if none can be read.

    A retry without resources has the default of R, which nobody chose. So these are the resources
    of the latest attempt that asked for more than that, else of the first attempt.
    """
    found = None
    for task_id in reversed(task.chain or (task.id,)):
        path = root.tasks / task_id[:2] / task_id[2:] / "resources"
        with suppress(OSError, RdsError):
            found = parse_resources(read_file(path, limit=FILE_LIMIT))
            if not found.is_default:
                break
    return found


# The text of calls


def retry_call(groups: Sequence[RetryGroup]) -> str:
    """Return a call for each group, one below the other; "" without groups."""
    return "\n".join(map(_group_call, groups))


def _group_call(group: RetryGroup) -> str:
    return _call_with(r_vector(group.ids), group.resources)


def short_call(group: RetryGroup) -> str:
    """Return the call of a group without ids, to show it."""
    shown = short_id(group.ids[0])
    ids = f'"{shown}"' if len(group.ids) == 1 else f"<{len(group.ids):,} ids>"
    return _call_with(ids, group.resources)


def _call_with(ids: str, resources: Resources | None) -> str:
    if resources is None:
        return f"hipercow::task_retry({ids})"
    return f"hipercow::task_retry({ids},\n  resources = {resources_call(resources)})"


def resources_call(resources: Resources) -> str:
    """Return ``hipercow::hipercow_resources(…)`` with the fields that are given."""
    given = (f"{name} = {_r_code(name, value)}" for name, value in _given(resources))
    return f"hipercow::hipercow_resources({', '.join(given)})"


def _given(resources: Resources) -> Iterator[tuple[str, Any]]:
    """Yield the fields that a call has to name: without it, R takes ``exclusive = FALSE``."""
    for name in NAMES:
        value = getattr(resources, name)
        if value is not None and value is not False:
            yield name, value


def _r_code(name: str, value: Any) -> str:
    match value:
        case bool():
            return "TRUE"
        case int():
            return f"{value}L"
        case float():
            return literals.string(_minutes(value)) if name == "max_runtime" else _double(value)
        case Moment():
            shown = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(value.seconds))
            return f'as.POSIXct("{shown}", tz = "UTC")'
        case tuple():
            texts = ", ".join(map(literals.string, value))
            return texts if len(value) == 1 else f"c({texts})"
    return literals.string(value)


def _double(number: float) -> str:
    return "Inf" if number == inf else f"{number:.0f}"


def _minutes(number: float) -> str:
    """Return minutes as text: hipercow makes an integer of a number, and a double of ``90m``."""
    return f"{number:.0f}m"


# The lines for the program


def retry_lines(groups: Sequence[RetryGroup]) -> Sequence[str]:
    """Return the lines that the program reads: of each group the resources, a line for each field,
    then ``retry`` and the ids.

    Raises RscriptError if one of the ids is not 32 lower-case hex digits.
    """
    lines: list[str] = []
    for group in groups:
        if group.resources is not None:
            lines += _field_lines(group.resources)
        lines.append(" ".join(("retry", *id_lines(group.ids))))
    return lines


def _field_lines(resources: Resources) -> Iterator[str]:
    """Yield ``integer cores 4``: the type, the name and the value of each field. Text is
    percent-encoded, so that any character can be in it."""
    for name, value in _given(resources):
        match value:
            case bool():
                yield f"logical {name} TRUE"
            case int():
                yield f"integer {name} {value}"
            case float() if name == "max_runtime":
                yield f"character {name} {_minutes(value)}"
            case float():
                yield f"double {name} {_double(value)}"
            case Moment(seconds):
                yield f"time {name} {seconds:.0f}"
            case _:
                texts = value if isinstance(value, tuple) else (value,)
                yield " ".join(("character", name, *(quote(text, safe="") for text in texts)))
