"""The resources that an R task asked for, from its file ``resources`` (docs/spec.md, section 2).

The file holds R's ``hipercow_resources()``. A field of another type, or one that this version does
not know, is kept as text in ``Resources.others``; it never makes the rest unreadable.
"""

from __future__ import annotations

import calendar
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from hipercow_tui.formats.rlang.deparse import deparse_short
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.values import (
    RList,
    RNull,
    RValue,
    RVector,
    attribute,
    element,
    names,
)
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.errors import RdsError

FILE_LIMIT = 1 << 16  # bytes on disk; hipercow writes some 300
GB = 10**9  # bytes; the cluster multiplies by 1000 as well
_LIMITS = Limits(
    max_bytes=1 << 18, max_examined=1 << 18, max_steps=20_000, max_elements=10_000, max_text=1 << 16
)
_MAX_INTEGER = 2**31 - 1  # of R
_MAX_NAME = 200  # characters of a queue or a node
_MAX_FIELDS = 100
_YEAR_10000 = 253_402_300_800  # seconds since the epoch
_OTHER_WIDTH = 60  # characters of a value in ``others``
_PRIORITIES = ("low", "normal")  # hipercow refuses others, and opens a web page for "high"
_SPECIAL_TIMES = ("tonight", "midnight", "weekend")

# A number of R: its integers are int, its doubles are float.
Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, in seconds since the epoch."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task asked for; None if it left a field to the driver.

    Attributes:
        cores: The number of cores; infinity is all cores of any one node.
        exclusive: Whether no other task may run on the node.
        max_runtime: Minutes.
        hold_until: A time, minutes, or a word such as ``tonight``.
        memory_per_node, memory_per_process: GB.
        requested_nodes: Names of nodes.
        priority: ``low`` or ``normal``.
        queue: The name of a queue.
        others: Names and values, as R writes them, that are not understood.
    """

    cores: Number | None = None
    exclusive: bool | None = None
    max_runtime: Number | None = None
    hold_until: Moment | Number | str | None = None
    memory_per_node: Number | None = None
    memory_per_process: Number | None = None
    requested_nodes: tuple[str, ...] | None = None
    priority: str | None = None
    queue: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    @property
    def memory(self) -> int | None:
        """The memory for one process in bytes, else that of the node, else None."""
        asked = self.memory_per_process or self.memory_per_node
        return None if asked is None else round(asked * GB)

    @property
    def is_default(self) -> bool:
        """Whether this is what R asks for if nobody gives resources: one core, in any queue."""
        return replace(self, queue=None) == Resources(cores=1, exclusive=False)

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Return names and values, as people read them, of the fields that are given."""
        given = ((name, _shown(name, getattr(self, name))) for name in NAMES)
        return (*((name, text) for name, text in given if text), *self.others)


NAMES = tuple(field.name for field in fields(Resources) if field.name != "others")


def read_resources(folder: int) -> Resources | None:
    """Read the resources in the open folder of a task; None if it was not submitted.

    Raises OSError and RdsError.
    """
    try:
        return parse_resources(read_file("resources", dir_fd=folder, limit=FILE_LIMIT))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=256)
def parse_resources(raw: bytes) -> Resources:
    """Parse the file. Tasks of a bundle have the same bytes, which are parsed once.

    Raises RdsError if it is not a list with names.
    """
    value = files.read(raw, _LIMITS)
    if not isinstance(value, RList) or not names(value):
        raise RdsError("it is not a list of resources")
    return resources_from(value)


def resources_from(value: RList) -> Resources:
    """Return the resources in a list of R."""
    known: dict[str, Any] = {}
    others: list[tuple[str, str]] = []
    for name, item in zip(names(value), value.values[:_MAX_FIELDS], strict=False):
        if isinstance(item, RNull):
            continue
        found = _PARSERS[name](item) if name in _PARSERS and name not in known else None
        if found is None:
            others.append((name, deparse_short(item, _OTHER_WIDTH)))
        else:
            known[name] = found
    return Resources(**known, others=tuple(others))


def _scalar(value: RValue) -> object:
    """Return the element of a vector with one element, else None."""
    return value.values[0] if isinstance(value, RVector) and len(value.values) == 1 else None


def _whole_number(value: RValue) -> Number | None:
    number = _scalar(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return number if number % 1 == 0 and 0 < number <= _MAX_INTEGER else None


def _cores(value: RValue) -> Number | None:
    return math.inf if _scalar(value) == math.inf else _whole_number(value)


def _flag(value: RValue) -> bool | None:
    flag = _scalar(value)
    return flag if isinstance(flag, bool) else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None


def _queue(value: RValue) -> str | None:
    return _name(_scalar(value))


def _priority(value: RValue) -> str | None:
    word = _scalar(value)
    return word if isinstance(word, str) and word in _PRIORITIES else None


def _nodes(value: RValue) -> tuple[str, ...] | None:
    if not isinstance(value, RVector) or not value.values:
        return None
    found = tuple(filter(None, map(_name, value.values)))
    return found if len(found) == len(value.values) else None


def _hold_until(value: RValue) -> Moment | Number | str | None:
    word = _scalar(value)
    if isinstance(word, str):
        return word if word in _SPECIAL_TIMES else None
    classes = attribute(value, "class")
    if not isinstance(classes, RVector):
        return _whole_number(value)
    with suppress(ValueError, OverflowError, OSError, KeyError):  # KeyError: an unknown time zone
        if "POSIXct" in classes.values:
            return _moment(word)
        if "POSIXlt" in classes.values:
            return _moment(_seconds_of_parts(value))
    return None


def _moment(seconds: object) -> Moment | None:
    if isinstance(seconds, int | float) and 0 <= seconds < _YEAR_10000:
        return Moment(float(seconds))
    return None


def _seconds_of_parts(value: RValue) -> float | None:
    """Return the seconds since the epoch of a POSIXlt, a list of year, month and so on.

    Raises ValueError, OverflowError, OSError or KeyError if there is no such time.
    """
    parts = [_scalar(element(value, name) or RNull()) for name in _PARTS]
    numbers = [number for number in parts if isinstance(number, int | float)]
    if len(numbers) != len(parts) or not all(map(math.isfinite, numbers)):
        return None
    year, month, day, hour, minute, second = numbers
    clock = (1900 + int(year), 1 + int(month), int(day), int(hour), int(minute), 0)
    offset = _scalar(element(value, "gmtoff") or RNull())
    zone = attribute(value, "tzone")
    name = zone.values[0] if isinstance(zone, RVector) and zone.values else ""
    utc = calendar.timegm((*clock, 0, 0, 0))
    if isinstance(offset, int | float):
        return utc + second - offset
    if name in ("UTC", "GMT"):
        return utc + second
    if name:
        return _in_zone(utc, str(name)) + second
    return time.mktime((*clock, 0, 0, -1)) + second


_PARTS = ("year", "mon", "mday", "hour", "min", "sec")


def _in_zone(utc: int, zone: str) -> float:
    """Return the time at which clocks in a zone show what those in UTC show at ``utc``."""
    from datetime import UTC, datetime

    shown = datetime.fromtimestamp(utc, UTC).replace(tzinfo=ZoneInfo(zone))
    return shown.timestamp()


_PARSERS: Mapping[str, Callable[[RValue], Any]] = {
    "cores": _cores,
    "exclusive": _flag,
    "max_runtime": _whole_number,
    "hold_until": _hold_until,
    "memory_per_node": _whole_number,
    "memory_per_process": _whole_number,
    "requested_nodes": _nodes,
    "priority": _priority,
    "queue": _queue,
}


def _shown(name: str, value: object) -> str:
    """Return a value for people; "" if it is not given."""
    if value is None or value is False:
        return ""
    if name == "cores" and value == math.inf:
        return "all of any node"
    if name.startswith("memory"):
        return f"{value:.0f} GB"
    if isinstance(value, Moment):
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(value.seconds))
    if name in ("max_runtime", "hold_until") and isinstance(value, int | float):
        return f"{value:.0f} minutes"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "yes" if value is True else f"{value}"
