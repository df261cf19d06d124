"""What tasks asked for and used, as text and as JSON."""

from __future__ import annotations

from math import inf
from typing import Any

from hipercow_tui.analysis.task_sorting import USAGE_KEYS, SortKey, usage_value
from hipercow_tui.formats.task_usage import TaskUsage
from hipercow_tui.support.text import format_duration, format_size

_DIGITS = 4  # of the numbers in JSON that are quotients


def usage_text(key: SortKey, number: float | None) -> str:
    """Return a number of a column of USAGE_KEYS with its unit; ``-`` if it is not known."""
    if number is None:
        return "-"
    match key:
        case SortKey.CPU:
            return format_duration(number)
        case SortKey.MEMORY | SortKey.USED_MEMORY:
            return format_size(round(number))
        case SortKey.EFFICIENCY:
            return f"{100 * number:.0f} %"
        case _:
            return cores_text(number)


def cores_text(number: float) -> str:
    """Return ``32`` or ``1.1``; ``node`` for all cores of any node."""
    if number == inf:
        return "node"
    return f"{number:.0f}" if number % 1 == 0 or number >= 100 else f"{number:.1f}"


def usage_as_json(usage: TaskUsage) -> dict[str, Any]:
    """Return the keys of ``list --usage --json``: seconds, bytes, and ``Inf`` cores for all cores
    of any node, as R reads it."""
    return {key.value: _number(usage_value({"": usage}, "", key)) for key in USAGE_KEYS}


def _number(number: float | None) -> float | str | None:
    if number == inf:
        return "Inf"
    return number if number is None or isinstance(number, int) else round(number, _DIGITS)
