"""The values of an input as an axis of bins, and the failure rates along one axis or two.

Each task with known inputs is in exactly one bin of each axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, floor, log10, ulp

from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.support.text import pluralize

MAX_SINGLE = 12  # different numbers that have a bin each; more are put into ranges
MAX_TEXTS = 6  # different texts that have a bin each
MAX_TEXTS_BESIDE = 2  # the same, if most values are numbers
_LARGEST = 1e300  # the size of numbers from which they count as texts
_NICE = (1, 2, 5)
_TOLERANCE = 1e-9  # in bins: 0.3 / 0.1 is a bit less than 3


@dataclass(frozen=True, slots=True)
class Bin:
    """A value of an input, a range of numbers, all other values, or no value.

    ``label`` is short. ``low`` and ``high`` are the labels of the edges of a range, which contains
    its lower edge; they are empty for other bins. The label of a range of one whole number is that
    number.
    """

    label: str
    low: str = ""
    high: str = ""

    @property
    def is_range(self) -> bool:
        """Whether it is a range of numbers."""
        return bool(self.high)


@dataclass(frozen=True, slots=True)
class Axis:
    """An input as bins: numbers in ascending order, texts by frequency, other values, no value.

    ``places`` is the place in ``bins`` of each task, by id. ``first_edge`` is the lower edge of the
    first range, in widths of a range.
    """

    name: str
    bins: tuple[Bin, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    first_edge: int = 0

    def describe(self, first: int, last: int) -> str:
        """Return bins in words: ``0.2 ≤ beta < 0.6``, or ``region = "Wales", no value``."""
        chosen = self.bins[first : last + 1]
        ranges = [one for one in chosen if one.is_range]
        labels = [one.label for one in chosen if not one.is_range]
        parts = []
        if len(ranges) == 1 and ranges[0].label == ranges[0].low:
            parts.append(f"{self.name} = {ranges[0].label}")
        elif ranges:
            parts.append(f"{ranges[0].low} ≤ {self.name} < {ranges[-1].high}")
        if len(labels) > 3:
            parts.append(f"{self.name} = {labels[0]} … {labels[-1]}")
        elif labels:
            parts.append(f"{self.name} = {', '.join(labels)}")
        return " or ".join(parts)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many tasks there are in a bin or a cell, and how many of them failed."""

    tasks: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        """The part that failed, from 0 to 1; 0 without tasks."""
        return self.failed / self.tasks if self.tasks else 0.0

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.tasks + other.tasks, self.failed + other.failed)


def make_axis(name: str, values: Mapping[str, str | None], ranges: int) -> Axis:
    """Return the axis of an input from its value in each task, by id; None is no value.

    Many different numbers are put into at most ``ranges`` ranges with round edges. If fewer than
    half of the values are numbers, all values are texts.
    """
    counts = Counter(values.values())
    missing = counts.pop(None, 0)
    present: dict[str, int] = {value: n for value, n in counts.items() if value is not None}
    numbers = {value: number for value in present if (number := _finite(value)) is not None}
    if 2 * sum(present[value] for value in numbers) < sum(present.values()):
        numbers = {}
    bins, place_of, first_edge = _number_bins(numbers, ranges)
    texts = sorted((v for v in present if v not in numbers), key=lambda v: (-present[v], v))
    own = MAX_TEXTS_BESIDE if numbers else MAX_TEXTS
    if len(texts) == own + 1:
        own += 1  # "other" for one value saves nothing
    for value in texts[:own]:
        place_of[value] = len(bins)
        bins.append(Bin(value))
    if texts[own:]:
        place_of |= dict.fromkeys(texts[own:], len(bins))
        bins.append(Bin(f"other ({pluralize(len(texts) - own, 'value')})"))
    places: dict[str | None, int] = dict(place_of.items())
    if missing:
        places[None] = len(bins)
        bins.append(Bin("no value"))
    places_of_tasks = {task_id: places[value] for task_id, value in values.items()}
    return Axis(name, tuple(bins), places_of_tasks, first_edge)


def _finite(value: str) -> float | None:
    number = parse_number(value)
    return number if number is not None and abs(number) < _LARGEST else None


def _number_bins(
    numbers: Mapping[str, float], ranges: int
) -> tuple[list[Bin], dict[str, int], int]:
    """Return the bins of numbers in ascending order, the place of each value, the first edge."""
    different = sorted(set(numbers.values()))
    if len(different) <= min(MAX_SINGLE, ranges):
        bins = [Bin(_shortest(n, numbers)) for n in different]
        place = {number: place for place, number in enumerate(different)}
        return bins, {value: place[number] for value, number in numbers.items()}, 0
    low, high = different[0], different[-1]
    whole = all(number == floor(number) for number in different)
    step, digits = _round_step(low, high, ranges, whole=whole)
    first, last = _floor(low / step), _floor(high / step)
    edges = _format_edges(range(first, last + 2), step, digits)
    dash = "" if whole and step == 1 else "–"
    bins = [Bin(one + dash, one, other) for one, other in pairwise(edges)]
    # Rounding must not give a place outside: numbers can be equal in all digits but the last.
    top = last - first
    places = {v: min(top, max(0, _floor(n / step) - first)) for v, n in numbers.items()}
    return bins, places, first


def _shortest(number: float, numbers: Mapping[str, float]) -> str:
    """Return the shortest notation of a number, such as ``1`` of ``1`` and ``1.0``."""
    return min((value for value, n in numbers.items() if n == number), key=lambda v: (len(v), v))


def _floor(bins: float) -> int:
    return floor(bins + max(_TOLERANCE, 2 * ulp(bins)))


def _round_step(low: float, high: float, ranges: int, *, whole: bool) -> tuple[float, int]:
    """Return the smallest round width of at most ``ranges`` bins, and its digits after the point.

    The width is 1, 2 or 5 times a power of ten. ``whole`` numbers have a width of at least 1.
    """
    exponent = floor(log10(max((high - low) / ranges, 1 / _LARGEST)))
    if whole:
        exponent = max(0, exponent)
    while True:
        for factor in _NICE:
            step = factor * 10.0**exponent
            if _floor(high / step) - _floor(low / step) < ranges:
                return step, max(0, -exponent)
        exponent += 1


def _format_edges(multiples: Sequence[int], step: float, digits: int) -> list[str]:
    """Return multiples of ``step`` as different texts, without an exponent if that is short."""
    largest = max(map(abs, multiples))
    if digits > 6 or largest * step >= 1e9:
        significant = len(str(largest)) + 1
        return [f"{at * step:.{significant}g}" for at in multiples]
    return [f"{at * step:.{digits}f}" for at in multiples]


def rates_along(axis: Axis, failed: Container[str]) -> tuple[Rate, ...]:
    """Return the rate of each bin; ``failed`` are the ids of the tasks that failed."""
    places = axis.places
    total = Counter(places.values())
    failures = Counter(place for task_id, place in places.items() if task_id in failed)
    return tuple(Rate(total[place], failures[place]) for place in range(len(axis.bins)))


def rates_in_grid(
    across: Axis, down: Axis, failed: Container[str]
) -> Mapping[tuple[int, int], Rate]:
    """Return the rate of each cell with tasks, by its place in ``across`` and in ``down``."""
    rows = down.places
    total: Counter[tuple[int, int]] = Counter()
    failures: Counter[tuple[int, int]] = Counter()
    for task_id, column in across.places.items():
        if (row := rows.get(task_id)) is not None:
            total[column, row] += 1
            if task_id in failed:
                failures[column, row] += 1
    return {cell: Rate(number, failures[cell]) for cell, number in total.items()}


def round_scale(rates: Iterable[Rate]) -> float:
    """Return the share that is drawn at full height: the smallest of 1, 2, 5, 10, 20, 50 and 100 %
    that no rate exceeds; 100 % without a failure."""
    largest = max((rate.share for rate in rates), default=0.0) or 1.0
    return next((n / 100 for n in (1, 2, 5, 10, 20, 50) if largest <= n / 100), 1.0)


def bar_level(rate: Rate, scale: float, levels: int) -> int:
    """Return the height of a bar from 1 to ``levels``, for the rate ``scale``; 0 without tasks.

    Only a bar without a failure has the height 1.
    """
    if not rate.tasks:
        return 0
    return min(levels, 1 + ceil((levels - 1) * rate.share / scale))


@dataclass(frozen=True, slots=True)
class Region:
    """Chosen bins of one axis, or cells of two: first and last place of each, both included."""

    axes: tuple[Axis, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def label(self) -> str:
        """The region in words: ``0.2 ≤ beta < 0.4, region = "Wales"``."""
        pairs = zip(self.axes, self.spans, strict=True)
        return ", ".join(axis.describe(*span) for axis, span in pairs)

    def select(self, ids: Iterable[str]) -> frozenset[str]:
        """Return the tasks that are in it; tasks with unknown inputs are not."""
        for axis, (first, last) in zip(self.axes, self.spans, strict=True):
            place_of = axis.places.get
            ids = [task_id for task_id in ids if first <= place_of(task_id, -1) <= last]
        return frozenset(ids)
