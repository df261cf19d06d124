"""Cores, CPU time and memory of a task: requested and used.

R measures itself when a task ends, in the file ``info``: ``proc.time()``, which counts child
processes only after they ended (on Windows never), and ``gc()``, which counts R's own heap, not
other memory and not child processes. A task that the cluster ended has neither. Python measures
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from hipercow_tui.domain.task import INFO, MARK_SUBMITTED, Lang, Task
from hipercow_tui.formats.py_details import read_requests
from hipercow_tui.formats.resources import GB, parse_resources
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.values import RList, RValue, RVector, attribute, names
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.task_row import read_beginning
from hipercow_tui.support.errors import RdsError

_LIMITS = Limits(
    max_bytes=1 << 20, max_examined=1 << 18, max_steps=20_000, max_elements=1000, max_text=1000
)
_CPU, _MEMORY = 2, 3  # positions in ``info``
_MB = 1 << 20  # bytes of R's "(Mb)"
_MOST_SECONDS = 1e12


class TaskUsage(NamedTuple):
    """What a task asked for and used; None if that is not known.

    Attributes:
        cores: The cores it asked for; infinity is all cores of any one node.
        memory: The memory it asked for, in bytes.
        elapsed: How long it ran, in seconds.
        cpu: Seconds of CPU time, with those of child processes that ended.
        memory_used: The most memory that R's heap took, in bytes.
    """

    cores: float | None = None
    memory: int | None = None
    elapsed: float | None = None
    cpu: float | None = None
    memory_used: int | None = None

    @property
    def used_cores(self) -> float | None:
        """How many cores it kept busy on average."""
        if self.cpu is None or not self.elapsed:
            return None
        return self.cpu / self.elapsed

    @property
    def efficiency(self) -> float | None:
        """The part of the cores it asked for that it kept busy; None for all cores of a node."""
        used = self.used_cores
        if used is None or not self.cores or self.cores == math.inf:
            return None
        return used / self.cores


UNKNOWN = TaskUsage()


def read_usage(root: Root, task: Task) -> TaskUsage:
    """Read what a task asked for and used. Files that can't be read leave values unknown.

    This takes at most six system calls for a task of R, and three for one of Python.
    """
    folder = f"{root.part(task.lang).tasks}/{task.id[:2]}/{task.id[2:]}"
    if task.lang is Lang.PY:
        return _py_usage(folder)
    cores = memory = None
    with suppress(OSError, RdsError):
        if task.files_mask & MARK_SUBMITTED:
            asked = parse_resources(read_beginning(f"{folder}/resources"))
            cores, memory = asked.cores, asked.memory
    if task.finished is not None and task.files_mask & INFO:
        with suppress(OSError, RdsError):
            return TaskUsage(cores, memory, *parse_measured(read_beginning(f"{folder}/info")))
    return TaskUsage(cores, memory)


def _py_usage(folder: str) -> TaskUsage:
    with suppress(OSError, ValueError):
        requests = read_requests(folder)
        cores = requests.get("cores")
        memory = requests.get("memory_per_task") or requests.get("memory_per_node")
        return TaskUsage(math.inf if cores == 0 else cores, memory * GB if memory else None)
    return UNKNOWN


def parse_measured(raw: bytes) -> tuple[float | None, float | None, int | None]:
    """Return the elapsed seconds, the CPU seconds and the bytes of memory in ``info``.

    Each is None if the file does not have it as R writes it. Raises RdsError.
    """
    found = files.read_elements(raw, (_CPU, _MEMORY), _LIMITS)
    return *_times(found.get(_CPU)), _most_memory(found.get(_MEMORY))


def _times(value: RValue | None) -> tuple[float | None, float | None]:
    if not isinstance(value, RVector):
        return None, None
    seconds = dict(zip(names(value), value.values, strict=False))
    own = _sum(seconds.get(name) for name in ("user.self", "sys.self"))
    if own is None:
        return None, None
    # On Windows, R knows no times of child processes.
    of_children = _sum(seconds.get(name) for name in ("user.child", "sys.child")) or 0.0
    return _sum([seconds.get("elapsed")]), own + of_children


def _most_memory(value: RValue | None) -> int | None:
    """Return the sum of the column after "max used", in bytes; None for another matrix."""
    shape = attribute(value, "dimnames") if isinstance(value, RVector) else None
    if not isinstance(value, RVector) or not isinstance(shape, RList) or len(shape.values) != 2:
        return None
    rows, columns = (part.values if isinstance(part, RVector) else () for part in shape.values)
    if "max used" not in columns or len(value.values) != len(rows) * len(columns):
        return None
    first = (columns.index("max used") + 1) * len(rows)
    megabytes = _sum(value.values[first : first + len(rows)])
    return None if not megabytes else round(megabytes * _MB)


def _sum(numbers: Iterable[object]) -> float | None:
    """Return the sum of numbers that are times or sizes; None if one of them is not."""
    total = 0.0
    for number in numbers:
        if not isinstance(number, int | float) or not 0 <= number < _MOST_SECONDS:
            return None
        total += number
    return total
