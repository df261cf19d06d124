"""What to look for in a log: words, and the lines that tell of an error or a warning.

The rules look at one line without its colours. They know what R, cli, rlang, Python, compilers and
the schedulers print, and that "Residual standard error: 0.3" is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# Colours are kept. The digits are bounded since a number of thousands of them is no colour.
COLOUR = re.compile(r"(\x1b\[[0-9;]{0,64}m)")
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,64}m")
# What may stand between two letters that a reader sees side by side: cli nests its colours.
_COLOURS_BETWEEN = rb"(?:\x1b\[[0-9;]{0,64}m){0,4}"
_MAX_COLOURS = 4 * 67  # bytes of that
_LONGEST_KEYWORD = 64  # bytes; longer than each of the words that give a line away
MAX_QUERY = 200  # characters of a search


class Severity(StrEnum):
    """What a line of a log may tell of."""

    ERROR = "error"
    WARNING = "warning"


_RULES = {
    Severity.ERROR: re.compile(
        r"^\W*(?:Fatal |Caused by )?[Ee]rror(?: in |:| \()"
        r"|^\s*[✖✗]"
        r"|\b(?:ERROR|FATAL|CRITICAL)\b"
        r"|: (?:fatal )?error: "
        r"|\w(?:Error|Exception): "
        r"|^Traceback \(most recent call last\)"
        r"|^Execution halted|^Killed\b|^Aborted\b"
        r"|\*\*\* caught |\bSegmentation fault|\bcore dumped|\boom-kill"
        r"|\bCANCELLED AT |\bDUE TO TIME LIMIT"
    ),
    Severity.WARNING: re.compile(
        r"^\W*(?:In addition: )?Warning(?: messages?:| in |:)"
        r"|^\s*! "
        r"|\bWARN(?:ING)?\b"
        r"|(?:^|: )warning: "
        r"|\wWarning: "
        r"|^There were \d+ (?:or more )?warnings"
    ),
}
# Every line that a rule takes has one of these, whatever the case of its letters.
_KEYWORDS: dict[Severity, tuple[bytes, ...]] = {
    Severity.ERROR: (
        *(b"error", "✖".encode(), "✗".encode(), b"fatal", b"critical", b"exception"),
        *(b"traceback", b"execution halted", b"killed", b"aborted", b"*** caught"),
        *(b"segmentation fault", b"core dumped", b"oom-kill", b"cancelled at", b"time limit"),
    ),
    Severity.WARNING: (b"warn", b"! "),
}


def severity_of(line: str) -> Severity | None:
    """What a line tells of; an error where it tells of both."""
    return next((sign for sign, rule in _RULES.items() if rule.search(line)), None)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is looked for. ``name`` is what it is called, ``shown`` where it stands in a line.

    ``severity`` is set where lines are sought that tell of it.
    """

    name: str
    highlight: re.Pattern[str] | None
    reach: int
    severity: Severity | None
    _keywords: tuple[bytes, ...]
    _candidate: re.Pattern[bytes]

    def find_candidates(self, raw: bytes, below: int) -> Iterator[int]:
        """The offsets, less than ``below``, where ``raw`` may hold it; a match is at most
        ``reach`` bytes longer than one."""
        low = raw.lower()
        if b"\x1b" in low:
            low = _COLOUR.sub(b"", low)
        if any(word in low for word in self._keywords):
            for match in self._candidate.finditer(raw):
                if match.start() >= below:
                    return
                yield match.start()

    def matches(self, line: str) -> bool:
        """Whether a line, that holds a candidate, is one that is sought."""
        return self.severity is None or severity_of(line) is self.severity

    def column(self, line: str) -> int:
        """How many characters stand before it in a line."""
        found = self.highlight.search(line) if self.highlight else None
        return found.start() if found else 0


def text_query(text: str) -> LogQuery:
    """This text, in which letters of ASCII match in either case; colours may stand within.

    No more than ``LONGEST`` characters of it count.
    """
    text = text[:MAX_QUERY]
    letters = [bytes((byte,)) for byte in text.encode("utf-8", "surrogateescape")]
    return LogQuery(
        text,
        re.compile(re.escape(text), re.IGNORECASE | re.ASCII),
        max(0, len(letters) - 1) * (1 + _MAX_COLOURS),
        None,
        (b"".join(letters).lower(),),
        re.compile(_COLOURS_BETWEEN.join(map(re.escape, letters)), re.IGNORECASE),
    )


def severity_query(sign: Severity) -> LogQuery:
    """The lines that tell of an error, or of a warning."""
    giveaways = _KEYWORDS[sign]
    candidates = re.compile(b"|".join(map(re.escape, giveaways)), re.IGNORECASE)
    return LogQuery(sign.value, None, _LONGEST_KEYWORD, sign, giveaways, candidates)
