"""Hide secrets in text that a user sends to others, and shorten paths of the home folder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from hipercow_tui.formats.details import SECRET, EnvVar
from hipercow_tui.support.text import escape_controls

# A value such as "1" or "TRUE" occurs everywhere, so it is only hidden where its name is.
_MIN_LENGTH = 4
_ORDINARY = frozenset(("true", "false", "none", "null", "auto", "default"))
# A longer value may be cut in the text, so its first and last characters are looked for too.
_LONG = 32
_PART = 16
_AHEAD = 10_000  # characters beyond a cut that are masked too: a secret there is seen as a whole
_MARGIN = 200  # characters before that end, where a secret may begin
_WORD = (
    r"(?:password|passwd|passphrase|(?<![a-z])pass(?![a-z])|pwd|secret|token|credentials?"
    r"|(?:api|access)[._-]?key)"
)
# A string may have escaped quotes, and its end may be cut.
_STRING = r"""(?:"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?)"""
_VALUE = rf"""(?:{_STRING}|[\w.:]{{1,40}}\([^()\n]{{0,500}}\)|[^\s"',;)&]+)"""

# The group ``secret`` of a match is hidden.
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z))",
        r"\b(?P<secret>gh[pousr]_\w{4,}|github_pat_\w{4,}|glpat-[\w-]{4,})",
        r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{8,}|AIza[\w-]{20,})",
        r"\b(?P<secret>xox[abeoprs]-[\w-]{8,}|sk-[\w-]{16,})",
        r"\b(?P<secret>eyJ[\w-]{8,1024}\.[\w-]{1,4096}\.[\w-]*)",
        # The inner lines of a key, and not a line of ===.
        r"(?m)^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[ \t]*(?P<secret>[A-Za-z0-9+/=]{60,})[ \t]*$",
        r"://(?P<secret>[^\s/@:]*:[^\s/]+)@",
        r"(?:^|\s)(?:-u|--user)[ =](?P<secret>[^\s:]{1,200}:\S+)",
        r"(?i)\bauthorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?:\w{1,20}\s+)?(?P<secret>[\w.~+/=-]{8,})",
        r"(?i)\b(?:bearer|basic)\s+(?P<secret>[\w.~+/=-]{8,})",
        rf"(?i)--{_WORD}[ =](?P<secret>{_VALUE})",
        rf"(?i){_WORD}[\w.-]{{0,32}}\(\s{{0,8}}(?P<secret>{_STRING})",
        rf"(?i){_WORD}[\w.-]{{0,32}}[\"']?\s{{0,8}}(?:=>|<-|[=:])\s{{0,8}}(?P<secret>{_VALUE})",
    )
)


class Masker:
    """Replaces secrets by stars, and the home folder by ``~``.

    Secrets are the values of ``variables`` that are masked in the details of a task, and text that
    looks like a password, a key or a token. ``home`` is the path of the home folder, or empty.
    """

    def __init__(self, variables: Iterable[EnvVar] = (), home: str = "") -> None:
        hidden = [one for one in variables if one.masked == SECRET]
        values = {text for one in hidden for text in _forms(one.value)}
        self._values = _any_of([*_longest_first(values), *_parts(values)])
        names = "|".join(_longest_first(one.name for one in hidden if one.name))
        named = rf"(?<!\w)(?:{names})[\"']?\s{{0,8}}(?:=>|<-|[=:])\s{{0,8}}(?P<secret>{_VALUE})"
        self._named = re.compile(named) if names else None
        folder = home.rstrip("/\\")
        self._home = re.compile(rf"(?<![\w.~-]){re.escape(folder)}(?![\w.-])") if folder else None

    def mask(self, text: str) -> str:
        """Return a text without secrets; it may have several lines. A megabyte takes a second."""
        if self._values:
            text = self._values.sub(SECRET, text)
        for pattern in filter(None, (self._named, *_PATTERNS)):
            text = pattern.sub(_hide, text)
        return self._home.sub("~", text) if self._home else text

    def mask_part(self, text: str, limit: int, *, end: bool = False) -> str:
        """Return the first ``limit`` characters of a text without secrets, or with ``end`` the
        last. ``…`` is where it was cut, and no part of a secret is left there."""
        size = limit + _AHEAD
        if len(text) > size:
            masked = self.mask(text[-size:])[_MARGIN:] if end else self.mask(text[:size])[:-_MARGIN]
        elif len(masked := self.mask(text)) <= limit:
            return masked
        return f"…{masked[-limit:]}" if end else f"{masked[:limit]}…"


def _hide(found: re.Match[str]) -> str:
    start, end = (place - found.start() for place in found.span("secret"))
    return f"{found[0][:start]}{SECRET}{found[0][end:]}"


def _any_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns)) if patterns else None


def _longest_first(texts: Iterable[str]) -> list[str]:
    """Return a pattern for each text, with any white space between its words; the longest first,
    because one can contain another."""
    ordered = sorted(set(texts), key=lambda text: (-len(text), text))
    return [r"\s+".join(map(re.escape, text.split())) for text in ordered]


def _parts(values: Iterable[str]) -> Iterator[str]:
    """Yield patterns for the beginning and the end of long values that were cut."""
    for value in sorted(values):
        if len(value) >= _LONG:
            yield rf"{re.escape(value[:_PART])}[^\s\"'…]{{0,200}}(?=…|\[\.\.\.\])"
            yield rf"(?<=…)[^\s\"']{{0,200}}{re.escape(value[-_PART:])}"


def _forms(value: str) -> Iterator[str]:
    """Yield a value as it can be in code, commands, logs and URLs, and each of its lines."""
    for text in {value.strip(), *map(str.strip, value.splitlines())}:
        if len(text) >= _MIN_LENGTH and text.casefold() not in _ORDINARY:
            yield from (text, escape_controls(text))
            yield from (json.dumps(text, ensure_ascii=ascii)[1:-1] for ascii in (False, True))
            yield from (shlex.quote(text), quote(text), quote(text, safe=""))
            yield from (text.replace("\\", "\\\\"), text.replace("'", "\\'"))
