"""Ages on a logarithmic scale: the stops of the slider, and the histogram that stands above it.

Pure. Ages are in seconds. Column 0 of the scale is "any age"; what finished longer ago than a stop
lies in its column or to the right of it, so that the histogram shows what a stop would pass.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

MINUTE, HOUR, DAY = 60, 3600, 86400

# Round ages about a factor of two apart, from a minute to five years: one column each.
STOPS = (
    0,
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 30)),
    *(hours * HOUR for hours in (1, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 4, 7, 14, 30, 60, 90, 180, 365, 730, 1825)),
)

_FILTER_UNITS = ((7 * DAY, "week"), (DAY, "day"), (HOUR, "hour"))
_LABEL_UNITS = (
    (365 * DAY, "y"),
    (30 * DAY, "mo"),
    (7 * DAY, "w"),
    (DAY, "d"),
    (HOUR, "h"),
    (MINUTE, "min"),
)
# Subtracting and adding the clock costs a float this much at most, in seconds.
_ROUNDING = 1e-5


def column_of(age: float) -> int:
    """The column of an age: the last stop that is not older."""
    return max(0, bisect_right(STOPS, age + _ROUNDING) - 1)


def to_filter_text(stop: int, now: float) -> str:
    """A stop of an hour or more as ``finished_before`` takes it (SPEC section 4, rule 3).

    The shorter ones, for which it knows no unit, are the local time that long before ``now``, to
    the minute before.
    """
    for length, word in _FILTER_UNITS:
        if stop and stop % length == 0:
            number = stop // length
            return f"{number} {word}{'' if number == 1 else 's'}"
    return datetime.fromtimestamp(now - stop).isoformat(" ", "minutes")


def label(age: float) -> str:
    """An age in six characters: the largest unit that says it exactly, or in three or more."""
    whole = round(age)
    for length, unit in _LABEL_UNITS:
        number, rest = divmod(whole, length)
        if number >= 3 or (number >= 1 and not rest):
            return f"{number} {unit}" if number < 100 else f">99 {unit}"
    return f"{whole // MINUTE} min" if whole >= MINUTE else "now"


def histogram(finished: int, older_than: Callable[[float], int], now: float) -> tuple[int, ...]:
    """How many of ``finished`` tasks did so in each column's time: longer ago than its stop, not
    longer than the next. ``older_than`` tells how many did before a time, in seconds since the
    epoch. What lies ahead by a wrong clock is in the first."""
    older = [finished, *(older_than(now - stop) for stop in STOPS[1:]), 0]
    return tuple(here - beyond for here, beyond in pairwise(older))


def bar_heights(bars: Sequence[int], levels: int) -> tuple[int, ...]:
    """Each bar as a number of levels, the largest as all of them; a bar that is not empty never
    vanishes."""
    largest = max(bars, default=0)
    return tuple(-(-bar * levels // largest) if bar else 0 for bar in bars)
