"""Ages on a logarithmic scale: the stops of the age slider, and the histogram above it.

Ages are in seconds. Column 0 of the scale means "any age". A task that finished longer ago than a
stop is counted in the column of that stop or further right, so the histogram shows which tasks a
stop would match.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from hipercow_tui.support.text import AGE_UNITS

MINUTE, HOUR, DAY = 60, 3600, 86400

# Round ages from a minute to five years, about a factor of two apart. Each stop is one column.
STOPS = (
    0,
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 30)),
    *(hours * HOUR for hours in (1, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 4, 7, 14, 30, 60, 90, 180, 365, 730, 1825)),
)

# Seconds. A float loses at most this much when the time is subtracted and added again.
_ROUNDING = 1e-5


def column_of(age: float) -> int:
    """Return the column of an age in seconds: the last stop that is not larger."""
    return max(0, bisect_right(STOPS, age + _ROUNDING) - 1)


def label(age: float) -> str:
    """Return an age in seconds as short text such as ``3 mo``.

    The unit is the largest in which the age is a whole number, or at least three. The filter
    ``finished_before`` accepts the text.
    """
    whole = round(age)
    for unit in AGE_UNITS:
        number, rest = divmod(whole, unit.seconds)
        if number >= 3 or (number >= 1 and not rest):
            return f"{number} {unit.symbol}"
    return "now"


def histogram(finished: int, older_than: Callable[[float], int], now: float) -> tuple[int, ...]:
    """Return the number of finished tasks in each column: older than its stop, not than the next.

    ``finished`` is the number of all finished tasks. ``older_than(t)`` returns how many finished
    before ``t``, in seconds since the epoch, as ``now`` is. Tasks that finished in the future,
    because a clock is wrong, count in the first column.
    """
    older = [finished, *(older_than(now - stop) for stop in STOPS[1:]), 0]
    return tuple(here - beyond for here, beyond in pairwise(older))


def bar_heights(bars: Sequence[int], levels: int) -> tuple[int, ...]:
    """Scale bars to heights from 0 to ``levels``. Only an empty bar has the height 0."""
    largest = max(bars, default=0)
    return tuple(-(-bar * levels // largest) if bar else 0 for bar in bars)
