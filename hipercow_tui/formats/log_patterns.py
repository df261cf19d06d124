"""Find text, errors and warnings in a log.

The rules match one line without its colours. They are for the output of R, cli, rlang, Python,
compilers and schedulers. "Residual standard error: 0.3" is not an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# The escape sequence of a colour. A sequence with thousands of digits is not a colour.
COLOUR = re.compile(r"(\x1b\[[0-9;]{0,64}m)")
_COLOUR = re.compile(rb"\x1b\[[0-9;]{0,64}m")
# Colours between two letters that are displayed side by side: cli nests its colours.
_COLOURS_BETWEEN = rb"(?:\x1b\[[0-9;]{0,64}m){0,4}"
_MAX_COLOURS = 4 * 67  # bytes of the colours between two letters
_LONGEST_KEYWORD = 64  # bytes; longer than every keyword
MAX_QUERY = 200  # characters of a search text


class Severity(StrEnum):
    """The severity of a line of a log."""

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
        r"|^\S*(?:\.sh|bash): line \d+: "
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
# Every line that matches a rule contains a keyword in lower case; keywords are found faster.
_KEYWORDS: dict[Severity, tuple[bytes, ...]] = {
    Severity.ERROR: (
        *(b"error", "✖".encode(), "✗".encode(), b"fatal", b"critical", b"exception"),
        *(b"traceback", b"execution halted", b"killed", b"aborted", b"*** caught"),
        *(b"segmentation fault", b"core dumped", b"oom-kill", b"cancelled at", b"time limit"),
        b": line ",
    ),
    Severity.WARNING: (b"warn", b"! "),
}


def severity_of(line: str) -> Severity | None:
    """Return the severity of a line: ERROR if it matches both rules, None if it matches none."""
    return next((severity for severity, rule in _RULES.items() if rule.search(line)), None)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A search in a log, for a text or for lines of a severity.

    Attributes:
        name: The text or severity, for messages.
        highlight: Matches the text in a line; None for a severity.
        reach: A match is at most this many bytes longer than one byte.
        severity: The severity, or None for a text.
    """

    name: str
    highlight: re.Pattern[str] | None
    reach: int
    severity: Severity | None
    _keywords: tuple[bytes, ...]
    _candidate: re.Pattern[bytes]

    def find_candidates(self, raw: bytes, below: int) -> Iterator[int]:
        """Yield the offsets in ``raw``, less than ``below``, where there may be a match."""
        low = raw.lower()
        if b"\x1b" in low:
            low = _COLOUR.sub(b"", low)
        if any(word in low for word in self._keywords):
            for match in self._candidate.finditer(raw):
                if match.start() >= below:
                    return
                yield match.start()

    def matches(self, line: str) -> bool:
        """Return whether a line that contains a candidate matches."""
        return self.severity is None or severity_of(line) is self.severity

    def column(self, line: str) -> int:
        """Return the column of the text in a line; 0 for a severity."""
        found = self.highlight.search(line) if self.highlight else None
        return found.start() if found else 0


def text_query(text: str) -> LogQuery:
    """Make a query for a text, of which the first ``MAX_QUERY`` characters count.

    ASCII letters match in both cases. Colours between the letters are ignored.
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


def severity_query(severity: Severity) -> LogQuery:
    """Make a query for the lines of a severity."""
    keywords = _KEYWORDS[severity]
    candidate = re.compile(b"|".join(map(re.escape, keywords)), re.IGNORECASE)
    return LogQuery(severity.value, None, _LONGEST_KEYWORD, severity, keywords, candidate)
