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
    """One line of the table. ``target`` is the most that ``measured`` may be; without a measured
    number, ``ours`` is a value that has no target, or says why there is none."""

    name: str
    ours: str
    reference: str = ""
    measured: float | None = None
    target: float | None = None
    unit: str = "x"

    def cells(self) -> tuple[str, ...]:
        """As texts: the name, our value, the reference, what is measured, target and verdict."""
        if self.measured is None or self.target is None:
            return self.name, self.ours, self.reference, "", "", ""
        verdict = "ok" if self.measured <= self.target else "MISSED"
        numbers = (f"{number:.3g} {self.unit}" for number in (self.measured, self.target))
        return self.name, self.ours, self.reference, *numbers, verdict


def ratio(name: str, ours: float, reference: float, target: float) -> Figure:
    """A figure that is one time against another, both in seconds of the same run."""
    return Figure(name, shown(ours), shown(reference), ours / reference, target)


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def interleaved(repeats: int, *works: Callable[[], object]) -> list[float]:
    """The median time of each work, in seconds, all of them run in turn: what else the machine
    does falls on all alike."""
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
    """A row as soon as its figure is known: all of them take minutes."""
    for row in chain([HEAD], (figure.cells() for figure in figures)):
        cells = [cell.ljust(width) for cell, width in zip(row, WIDTHS, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
        sys.stdout.flush()
