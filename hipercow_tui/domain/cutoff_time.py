"""``finished_before`` in all its forms, as one moment (SPEC section 4, rule 3)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

When: TypeAlias = "str | datetime | date | timedelta"

_RELATIVE = re.compile(r"\s*([+-]?\d+)\s*([a-z]+)\s*(?:ago)?\s*\Z", re.ASCII | re.IGNORECASE)
_UNITS = {
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}
EXPECTED = (
    "write '<n> hours', '<n> days' or '<n> weeks', a date such as 2026-01-31, or a time from"
    " 2026-01-31 00:00 to 2026-01-31 23:59:59"
)
# What Python reads differs from version to version, and any sign may part date and time: the hour
# of 2026-01-31-12:00 could be a time zone.
_ISO = re.compile(
    r"(?:\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3})"
    r"(?:[ T]([01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d(?:[.,]\d+)?)?)?"
    r"(?:Z|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)


def parse_cutoff(when: When, now: float) -> float:
    """The moment meant, in seconds since the epoch.

    A naive datetime and a date are local; a timedelta is that long before ``now``, its sign
    ignored. Raises FilterError for text that is none of the forms, or a time out of range.
    """
    try:
        if isinstance(when, timedelta):
            return now - abs(when.total_seconds())
        if isinstance(when, datetime):
            return when.timestamp()
        if isinstance(when, date):
            return datetime.combine(when, time()).timestamp()
        if isinstance(when, str):
            return _parse_text(when, now)
    except (OverflowError, ValueError, OSError):
        raise FilterError(f"'{escape_controls(str(when))}' is out of the range of times") from None
    raise FilterError(f"finished_before can't be of type {type(when).__name__}: {EXPECTED}")


def is_relative(text: str) -> bool:
    """Whether the text is an age, such as ``9 days``, and does not say ``ago`` itself."""
    return _RELATIVE.match(text) is not None and not text.rstrip().lower().endswith("ago")


def _parse_text(text: str, now: float) -> float:
    if ago := _RELATIVE.match(text):
        unit = _UNITS.get(ago[2].lower())
        if unit is None:
            raise FilterError(f"'{escape_controls(ago[2])}' is not a unit of time: {EXPECTED}")
        number = ago[1].lstrip("+-0") or "0"
        if len(number) > 12:
            raise OverflowError
        return now - int(number) * unit
    iso = text.strip()
    try:
        if _ISO.match(iso):
            return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        pass
    raise FilterError(f"'{escape_controls(text)}' is no time: {EXPECTED}")
