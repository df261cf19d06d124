"""The size of tasks as far as it was measured, and whether a measurement is out of date.

Measuring costs fifteen system calls a task, and one for each file. So it is done on request, and
kept while it is valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.folder_size import NO_SIZE, Size, freed_size

# The logs and files of such tasks can grow without a change of ``files_mask``.
_MAY_GROW = (Status.SUBMITTED, Status.RUNNING, Status.BROKEN)


@dataclass(frozen=True, slots=True)
class MeasuredSize:
    """The size of a task when its folder had this ``files_mask``."""

    size: Size
    files_mask: int

    def is_current(self, task: Task) -> bool:
        """Return whether the task still has this size.

        The files of a task change only from its submission to its end.
        """
        return task.files_mask == self.files_mask and task.status not in _MAY_GROW


Sizes: TypeAlias = Mapping[str, MeasuredSize]


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The size of several tasks together; ``measured`` is how many of the ``tasks`` are in it."""

    size: Size = NO_SIZE
    measured: int = 0
    tasks: int = 0

    @property
    def complete(self) -> bool:
        """Whether all tasks were measured."""
        return self.measured == self.tasks


def ids_to_measure(tasks: Iterable[Task], known: Sizes) -> tuple[Task, ...]:
    """Return the tasks without a current measurement."""
    return tuple(
        task
        for task in tasks
        if (found := known.get(task.id)) is None or not found.is_current(task)
    )


def sum_usage(tasks: Iterable[Task], known: Sizes) -> DiskUsage:
    """Return the size of tasks together, as far as it was measured."""
    wanted = list(tasks)
    sizes = [found.size for task in wanted if (found := known.get(task.id)) is not None]
    return DiskUsage(freed_size(sizes), len(sizes), len(wanted))
