"""What the tasks of a bundle asked for and used: percentiles and histograms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hipercow_tui.domain.task import Task
from hipercow_tui.formats.task_usage import TaskUsage

BINS = 24  # of a histogram


@dataclass(frozen=True, slots=True)
class Distribution:
    """Numbers of several tasks; at least one.

    Attributes:
        count: How many numbers there are.
        median, p95, most: Percentiles by the nearest rank, and the largest number.
        top: The upper end of the histogram; the lower end is 0.
        bins: How many numbers are in each of BINS parts of equal width.
    """

    count: int
    median: float
    p95: float
    most: float
    top: float
    bins: tuple[int, ...]

    @classmethod
    def of(cls, numbers: Sequence[float], at_least: float = 0.0) -> Distribution | None:
        """Return the distribution of numbers that are not negative; None without numbers.

        The histogram reaches to ``at_least`` or the largest number.
        """
        if not numbers:
            return None
        ordered = sorted(numbers)
        top = max(ordered[-1], at_least)
        bins = [0] * BINS
        for number in ordered:
            bins[min(BINS - 1, int(number / top * BINS)) if top else 0] += 1
        return cls(
            len(ordered),
            percentile(ordered, 50),
            percentile(ordered, 95),
            ordered[-1],
            top,
            tuple(bins),
        )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return a percentile of ascending numbers by the nearest rank: the smallest number that at
    least ``percent`` of all numbers do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Asked:
    """The least and the most that tasks asked for, and how many tasks did not ask or can't say."""

    least: float
    most: float
    unknown: int

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Asked | None:
        """Return what tasks asked for; None if none of them did."""
        known = [value for value in values if value is not None]
        return cls(min(known), max(known), len(values) - len(known)) if known else None


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """What tasks asked for and used.

    Attributes:
        ended: The number of tasks that have ended; the others are left out.
        read: The number of those that were read.
        cores, memory: The requested cores and bytes; None if no request is known.
        used_cores, used_memory: The measurements; None if there are none.
    """

    ended: int
    read: int
    cores: Asked | None = None
    memory: Asked | None = None
    used_cores: Distribution | None = None
    used_memory: Distribution | None = None

    @property
    def complete(self) -> bool:
        """Whether all tasks that have ended were read."""
        return self.read >= self.ended


def summarize_usage(tasks: Iterable[Task], usages: Mapping[str, TaskUsage]) -> UsageSummary:
    """Summarize the tasks that have ended, as far as ``usages``, by id, has them: 1 µs a task."""
    ended = [task.id for task in tasks if task.finished is not None]
    known = [usage for usage in map(usages.get, ended) if usage is not None]
    cores = Asked.of([usage.cores for usage in known])
    memory = Asked.of([usage.memory for usage in known])
    return UsageSummary(
        len(ended),
        len(known),
        cores,
        memory,
        Distribution.of(
            [u for u in (usage.used_cores for usage in known) if u is not None], _top(cores)
        ),
        Distribution.of([u.memory_used for u in known if u.memory_used is not None], _top(memory)),
    )


def _top(asked: Asked | None) -> float:
    """Return the upper end of a histogram; that of a whole node is not known."""
    return asked.most if asked and asked.most != math.inf else 0.0
