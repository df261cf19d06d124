"""Text from disk, made harmless before a terminal sees it; and the words for sizes and ages."""

from __future__ import annotations

import re

import humanize

# C0 and C1 controls, DEL, bidirectional marks and isolates, line and paragraph separators, the
# zero-width and tag characters that hide or reorder what stands beside them, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_CARETS = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}


def escape_controls(text: str) -> str:
    """The text with everything shown that a terminal would obey: ``␛`` for ESC, ``<202e>`` for a
    bidirectional mark. Newlines and tabs too: split into lines first where they are wanted."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _CARETS.get(code) or f"<{code:04x}>"


def decoded(raw: bytes) -> str:
    """Bytes of a text file as text; what is no UTF-8 becomes ``\\xff`` and the like."""
    return raw.decode("utf-8", "backslashreplace")


def truncate_middle(text: str, width: int) -> str:
    """The text cut in the middle to at most ``width`` characters: both ends of a name tell."""
    if len(text) <= width:
        return text
    head = max(0, (width - 1 + 1) // 2)
    tail = max(0, width - 1 - head)
    return f"{text[:head]}…{text[len(text) - tail :]}" if width > 0 else ""


def short_id(task_id: str) -> str:
    """A task id as people recognise it: ``3f2a9c…71e0``."""
    return f"{task_id[:6]}…{task_id[-4:]}"


def pluralize(number: int, noun: str, plural: str | None = None) -> str:
    """``1 task``, ``1,204 tasks``."""
    word = noun if number == 1 else (plural or f"{noun}s")
    return f"{number:,} {word}"


def tasks_and_bundles(tasks: int, bundles: int, verb: str = "") -> str:
    """``22 tasks and 3 bundles``, without the bundles where there are none; with a verb such as
    ``is/are`` or ``goes/go`` after it."""
    both = pluralize(tasks, "task") + (f" and {pluralize(bundles, 'bundle')}" if bundles else "")
    if not verb:
        return both
    one, many = verb.split("/")
    return f"{both} {one if tasks == 1 and not bundles else many}"


def format_size(number: int) -> str:
    """Bytes in units of 1000, as disks and quotas are sold: ``1.9 GB``."""
    return humanize.naturalsize(number)


def format_age(then: float, now: float) -> str:
    """How long ago: ``3 weeks ago``; what lies ahead by a wrong clock is ``just now``."""
    seconds = now - then
    if seconds < 10:
        return "just now"
    return f"{format_duration(seconds)} ago"


_UNITS = (
    (365.25 * 86400, "year"),
    (30.4375 * 86400, "month"),
    (7 * 86400, "week"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


def format_duration(seconds: float) -> str:
    """A length of time in its largest whole unit: ``3 weeks``, ``12 seconds``."""
    for length, unit in _UNITS:
        if seconds >= length:
            return pluralize(int(seconds // length), unit)
    return pluralize(max(0, int(seconds)), "second") if seconds >= 1 else f"{seconds:.1g} seconds"
