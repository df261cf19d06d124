"""A figure of the benchmark, and the table of all of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table.

    Attributes:
        name: The name of the figure.
        ours: Our value as text, or the reason why there is none.
        reference: The value of the reference as text.
        measured: The number to compare with the target.
        target: The largest number that is good enough.
        unit: The unit of both numbers.
    """

    name: str
    ours: str
    reference: str = ""
    measured: float | None = None
    target: float | None = None
    unit: str = "x"

    def cells(self) -> tuple[str, ...]:
        """Return name, our value, reference, measured number, target and verdict as texts."""
        if self.measured is None or self.target is None:
            return self.name, self.ours, self.reference, "", "", "not measured"
        verdict = "ok" if self.measured <= self.target else "MISSED"
        numbers = (f"{number:.3g} {self.unit}" for number in (self.measured, self.target))
        return self.name, self.ours, self.reference, *numbers, verdict


def ratio(name: str, ours: float, reference: float, target: float) -> Figure:
    """Return a figure for the ratio of two times of the same run, in seconds."""
    return Figure(name, shown(ours), shown(reference), ours / reference, target)


def shown(seconds: float) -> str:
    """Format seconds for the table."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def interleaved(repeats: int, *works: Callable[[], object]) -> list[float]:
    """Return the median time of each function, in seconds.

    The functions run in turn, so that other load of the machine affects all of them.
    """
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return [median(taken) for taken in times]


HEAD = ("figure", "ours", "reference", "measured", "at most", "")
WIDTHS = (44, 12, 24, 12, 12, 0)


def print_table(figures: Iterable[Figure]) -> None:
    """Print the table; each row as soon as its figure is known, because all take minutes."""
    for row in chain([HEAD], (figure.cells() for figure in figures)):
        cells = [cell.ljust(width) for cell, width in zip(row, WIDTHS, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
        sys.stdout.flush()
