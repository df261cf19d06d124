"""Escape text before it reaches a terminal, and format numbers, sizes and ages."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

import humanize

# C0 and C1 controls, DEL, bidirectional marks and isolates, line and paragraph separators,
# zero-width and tag characters, which hide or reorder their neighbours, and lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_CARETS = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}


def escape_controls(text: str) -> str:
    """Replace control characters by visible ones: ``␛`` for ESC, ``<202e>`` for a bidirectional
    mark.

    Newlines and tabs are replaced too: split into lines first to keep them.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _CARETS.get(code) or f"<{code:04x}>"


def quote_word(word: str) -> str:
    """Quote a printable word for a shell; on Windows for PowerShell and ``cmd``, which share only
    double quotes."""
    if sys.platform != "win32":
        return shlex.quote(word)
    return word if re.fullmatch(r"[\w.:\\/+-]+", word) else f'"{word}"'


def decoded(raw: bytes) -> str:
    """Decode UTF-8; invalid bytes become ``\\xff`` and the like."""
    return raw.decode("utf-8", "backslashreplace")


def truncate_middle(text: str, width: int) -> str:
    """Shorten a text in the middle to at most ``width`` characters: names differ at both ends."""
    if len(text) <= width:
        return text
    head = max(0, width // 2)
    tail = max(0, width - 1 - head)
    return f"{text[:head]}…{text[len(text) - tail :]}" if width > 0 else ""


def short_id(task_id: str) -> str:
    """Shorten a task id: ``3f2a9c…71e0``."""
    return f"{task_id[:6]}…{task_id[-4:]}"


def first_of(texts: Sequence[str], count: int) -> str:
    """Return ``a, b and 5 more`` with the first ``count`` texts; ``a, b`` if there are no more."""
    shown = ", ".join(texts[:count])
    more = len(texts) - count
    return f"{shown} and {more:,} more" if more > 0 else shown


def pluralize(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with a noun: ``1 task``, ``1,204 tasks``."""
    word = noun if number == 1 else (plural or f"{noun}s")
    return f"{number:,} {word}"


def tasks_and_bundles(tasks: int, bundles: int, verb: str = "") -> str:
    """Return ``22 tasks and 3 bundles``, or ``22 tasks`` if there are no bundles.

    ``verb`` is appended in its singular or plural: ``is/are``, ``goes/go``.
    """
    both = pluralize(tasks, "task") + (f" and {pluralize(bundles, 'bundle')}" if bundles else "")
    if not verb:
        return both
    one, many = verb.split("/")
    return f"{both} {one if tasks == 1 and not bundles else many}"


def format_size(number: int) -> str:
    """Return bytes in units of 1000, as quotas are given, in at most 8 cells: ``1.9 GB``."""
    return humanize.naturalsize(number).replace(" Bytes", " B").replace(" Byte", " B")


def share_text(part: int, whole: int) -> str:
    """Return ``34.1 %``; ``<0.1 %`` for less, and nothing for nothing."""
    if not part or not whole:
        return ""
    share = part / whole
    return "<0.1 %" if share < 1e-3 else "100 %" if share == 1 else f"{100 * share:.1f} %"


def format_age(then: float, now: float) -> str:
    """Return how long ago ``then`` was: ``3 weeks ago``. Both are in seconds since the epoch.

    A time in the future, due to a wrong clock, is ``just now``.
    """
    seconds = now - then
    if seconds < 10:
        return "just now"
    return f"{format_duration(seconds)} ago"


class AgeUnit(NamedTuple):
    """A unit of ages: its length in seconds, its name, and its symbol as in ``3w``."""

    seconds: int
    name: str
    symbol: str


# Ages are printed in these units, and read in them by the filter ``finished_before``.
AGE_UNITS = (
    AgeUnit(365 * 86400, "year", "y"),
    AgeUnit(30 * 86400, "month", "mo"),
    AgeUnit(7 * 86400, "week", "w"),
    AgeUnit(86400, "day", "d"),
    AgeUnit(3600, "hour", "h"),
    AgeUnit(60, "minute", "min"),
    AgeUnit(1, "second", "s"),
)


def format_duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down: ``3 weeks``, ``12 seconds``."""
    for unit in AGE_UNITS:
        if seconds >= unit.seconds:
            return pluralize(int(seconds // unit.seconds), unit.name)
    return f"{max(0.0, seconds):.1g} seconds"
