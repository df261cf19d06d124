"""Parse the forms of ``finished_before`` (docs/spec.md, section 4, rule 3)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import AGE_UNITS, escape_controls

When: TypeAlias = "str | datetime | date | timedelta"

_RELATIVE = re.compile(r"\s*([+-]?\d+)\s*([a-z]+)\s*(?:ago)?\s*\Z", re.ASCII | re.IGNORECASE)
_NOW = re.compile(r"\s*(?:just )?now\s*\Z", re.IGNORECASE)
_UNITS = {
    word: unit.seconds for unit in AGE_UNITS for word in (unit.symbol, unit.name, f"{unit.name}s")
} | {"sec": 1, "secs": 1, "mins": 60}  # R's difftime has "secs" and "mins"
EXPECTED = (
    "write an age such as '9 days', '30 min' or '2 months' (s, min, h, d, w, mo of 30 days, y of"
    " 365 days), a date such as 2026-01-31, or a time from 2026-01-31 00:00 to 2026-01-31 23:59:59"
)
# Stricter than datetime.fromisoformat, which reads more in newer versions of Python and accepts any
# separator: the "12:00" of 2026-01-31-12:00 could be a time zone.
_ISO = re.compile(
    r"(?:\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-\d|\d{4}W\d{3})"
    r"(?:[ T]([01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d(?:[.,]\d+)?)?)?"
    r"(?:Z|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)


def parse_cutoff(when: When, now: float) -> float:
    """Return the time in seconds since the epoch.

    A naive datetime and a date are local. A timedelta, with its sign ignored, is subtracted from
    ``now``, which is in seconds since the epoch. Raises FilterError if ``when`` has none of the
    accepted forms or is out of range.
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
        raise FilterError(f"'{escape_controls(str(when))}' is out of range") from None
    raise FilterError(f"finished_before can't be of type {type(when).__name__}: {EXPECTED}")


def is_relative(text: str) -> bool:
    """Return whether the text is an age without the word ``ago``, such as ``9 days``."""
    return _RELATIVE.match(text) is not None and not text.rstrip().lower().endswith("ago")


def parse_duration(text: str) -> float:
    """Return a duration such as ``2h`` or ``30 min`` in seconds. Raises FilterError."""
    if not is_relative(text) or text.lstrip().startswith("-"):
        raise FilterError(
            f"'{escape_controls(text)}' is not a duration: write a number with a unit, such as"
            " '30 s', '10 min', '2h' or '1 day'"
        )
    try:
        return -_parse_text(text, 0.0)
    except OverflowError:
        raise FilterError(f"'{escape_controls(text)}' is out of range") from None


def timeout_seconds(timeout: float | str | timedelta | None) -> float | None:
    """Return a timeout in seconds, from seconds, a timedelta or a text such as ``2h``. None stays
    None. Raises FilterError for anything else."""
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    if isinstance(timeout, str):
        return parse_duration(timeout)
    if timeout is None or (isinstance(timeout, int | float) and not isinstance(timeout, bool)):
        return timeout
    raise FilterError(
        f"timeout takes seconds, a timedelta or a text such as '2h', not {type(timeout).__name__}"
    )


def _parse_text(text: str, now: float) -> float:
    if relative := _RELATIVE.match(text):
        unit = _UNITS.get(relative[2].lower())
        if unit is None:
            raise FilterError(f"'{escape_controls(relative[2])}' is not a unit of time: {EXPECTED}")
        number = relative[1].lstrip("+-0") or "0"
        if len(number) > 12:
            raise OverflowError
        return now - int(number) * unit
    if _NOW.match(text):
        return now
    iso = text.strip()
    try:
        if _ISO.match(iso):
            return datetime.fromisoformat(iso).timestamp()
    except ValueError:
        pass
    raise FilterError(f"'{escape_controls(text)}' is not a time: {EXPECTED}")
