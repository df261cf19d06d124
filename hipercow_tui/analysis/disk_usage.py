"""How much tasks hold, as far as it was measured, and when that is out of date.

Measuring costs some ten system calls a task, so it is done for those that someone asked about, and
kept as long as it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import Size

# Their logs and files may grow while nothing tells of it.
_MAY_GROW = (Status.SUBMITTED, Status.RUNNING, Status.BROKEN)


@dataclass(frozen=True, slots=True)
class MeasuredSize:
    """What a task held when its folder listed as ``files_mask``."""

    size: Size
    listing: int

    def is_current(self, task: Task) -> bool:
        """Whether the task holds as much still: a task is done with its files once it has ended,
        and until it is submitted it has but those it was created with."""
        return task.files_mask == self.listing and task.status not in _MAY_GROW


NO_SIZE = Size()
Sizes: TypeAlias = Mapping[str, MeasuredSize]


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What some tasks hold together: ``measured`` of them, of ``tasks`` there are."""

    size: Size = NO_SIZE
    measured: int = 0
    tasks: int = 0

    @property
    def complete(self) -> bool:
        """Whether all of them were measured."""
        return self.measured == self.tasks


def ids_to_measure(tasks: Iterable[Task], known: Sizes) -> tuple[Task, ...]:
    """Those that were not measured, or hold something else by now."""
    return tuple(
        task for task in tasks if (one := known.get(task.id)) is None or not one.is_current(task)
    )


def sum_usage(tasks: Iterable[Task], known: Sizes) -> DiskUsage:
    """What these tasks hold together, as far as it was measured."""
    bytes_ = files = measured = number = 0
    for task in tasks:
        number += 1
        one = known.get(task.id)
        if one is not None:
            measured += 1
            bytes_ += one.size.bytes
            files += one.size.files
    return DiskUsage(Size(bytes_, files), measured, number)
