"""Calls of ``task_retry()`` with resources: as R code to show and to copy, and as lines that the
program of ``r_programs`` reads.

R's ``task_retry()`` does not repeat the resources of the task: without ``resources``, the retry has
one core in the default queue.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf
from typing import Any
from urllib.parse import quote

from hipercow_tui.formats.resources import NAMES, Moment, Number, Resources
from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.output.r_calls import r_vector
from hipercow_tui.output.r_programs import id_lines


class Shortage(StrEnum):
    """What a task did not get enough of, by its error."""

    MEMORY = "memory"
    TIME = "time"


_SHORTAGES = {
    Shortage.TIME: re.compile(
        r"time ?limit|timed[ -]?out|time-?out|wall ?(?:clock|time)|max(?:imum)?[_ ]run ?time",
        re.IGNORECASE,
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


# The text of calls


def retry_call(groups: Sequence[RetryGroup]) -> str:
    """Return a call for each group, one below the other; "" without groups."""
    return "\n".join(map(_group_call, groups))


def _group_call(group: RetryGroup) -> str:
    if group.resources is None:
        return f"hipercow::task_retry({r_vector(group.ids)})"
    resources = resources_call(group.resources)
    return f"hipercow::task_retry({r_vector(group.ids)},\n  resources = {resources})"


def resources_call(resources: Resources) -> str:
    """Return ``hipercow::hipercow_resources(…)`` with the fields that are given."""
    return f"hipercow::hipercow_resources({arguments_text(resources)})"


def arguments_text(resources: Resources) -> str:
    """Return ``cores = 4L, memory_per_node = 16``: the fields that are given, as R code."""
    return ", ".join(f"{name} = {_r_code(name, value)}" for name, value in _given(resources))


def _given(resources: Resources) -> Iterator[tuple[str, Any]]:
    """Yield the fields that a call has to name; ``exclusive = FALSE`` is what R takes without it."""
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
