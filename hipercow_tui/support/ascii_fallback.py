"""Replace glyphs by ASCII of the same width, for terminals that can't show UTF-8.

Only the locale says which encoding a terminal has. If it does not name UTF-8 (``LANG=C``, ISO
8859-1), tmux, screen or the terminal show ``_``, ``?`` or three wrong letters for each glyph.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Mapping

_ALIKE = {
    "✗✖×": "x",
    "✓✔": "v",
    "⊘": "/",
    "○": "o",
    "◔": "~",
    "▶→▸›": ">",
    "←": "<",
    "↑": "^",
    "↓▾": "v",
    "↻": "@",
    "¶": "&",
    "●": "O",
    "•": "*",
    "…": "~",  # as tig does
    "·": "|",
    "—–─╌╍": "-",
    "━═▔▀▄": "=",
    "│▏▕▎▍▐": "|",
    "╭╮╰╯┌┐└┘├┤┬┴┼†": "+",
    # The frame that has the focus, the bar of the cursor, and full bars.
    "┃║┏┓┗┛╔╗╚╝▌▋▊▉█": "#",
    "░": ".",
    "▒": ":",
    "▓": "%",
    # The heights of a histogram, below that of a full cell.
    "▁": "_",
    "▂": ".",
    "▃": ":",
    "▅": "+",
    "▆": "*",
    "▇": "%",
    "≥": ">",
    "≤": "<",
    "‘’": "'",
    "“”": '"',
}


class _Table(dict[int, str]):
    """A table for ``str.translate`` that computes missing entries."""

    def __missing__(self, code: int) -> str:
        ascii_text = self[code] = _ascii_of(chr(code))
        return ascii_text


def _ascii_of(sign: str) -> str:
    """Return the letter without its accent, else one ``?`` for each cell of the character."""
    if sign.isascii():
        return sign
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return ""
    bare = unicodedata.normalize("NFKD", sign)[0]
    cells = 2 if unicodedata.east_asian_width(sign) in "WF" else 1
    return bare if bare.isascii() and cells == 1 else "?" * cells


_TABLE = _Table({ord(sign): ascii_ for signs, ascii_ in _ALIKE.items() for sign in signs})


def to_ascii(text: str) -> str:
    """Return the text in ASCII, with the same width in cells."""
    return text if text.isascii() else text.translate(_TABLE)


def supports_utf8(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the locale names UTF-8. ``environ`` is that of the process by default."""
    if sys.platform == "win32":
        return True
    environ = _initial_environment() if environ is None else environ
    names = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "C").lower()
    return "utf-8" in locale or "utf8" in locale


def _initial_environment() -> Mapping[str, str]:
    """Return the environment at the start of the process.

    In the C locale, Python adds ``LC_CTYPE=C.UTF-8`` to ``os.environ`` (PEP 538).
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            raw = file.read()
    except OSError:
        return os.environ
    pairs = (item.partition("=") for item in os.fsdecode(raw).split("\0"))
    return {name: value for name, _, value in pairs}


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return to_ascii(error.object[error.start : error.end]), error.end


def use_ascii() -> None:
    """Make standard output and error replace characters that they can't encode."""
    codecs.register_error("ascii-fallback", _replace)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty() and not supports_utf8():
            stream.reconfigure(encoding="ascii", errors="ascii-fallback")
        elif stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="ascii-fallback")
