"""ASCII in the place of signs that a terminal can't show, cell for cell.

A terminal's encoding stands nowhere but in the locale, as for every program since curses: where
that names no UTF-8 (``LANG=C``, ISO 8859-1), tmux, screen and the terminal itself would show ``_``,
``?`` or three wrong letters for each of our signs.
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
    "▶→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "↻": "@",
    "●": "O",
    "•": "*",
    "…": "~",  # as tig does
    "·": "|",
    "—–─╌╍": "-",
    "━═▔▀▄": "=",
    "│▏▕▎▍▐": "|",
    "╭╮╰╯┌┐└┘├┤┬┴┼": "+",
    # The frame that has the focus, the cursor's bar, and bars that are full.
    "┃║┏┓┗┛╔╗╚╝▌▋▊▉█": "#",
    "░": ".",
    # A histogram's heights, which end below those of full cells.
    "▁": "_",
    "▂": ".",
    "▃": ":",
    "▅": "+",
    "▆": "*",
    "▇": "%",
    "≥": ">",
    "‘’": "'",
    "“”": '"',
}


class _Table(dict[int, str]):
    """For ``str.translate``: learns a sign when it meets it."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _stand_in(chr(code))
        return found


def _stand_in(sign: str) -> str:
    """The letter without its accent, else as many ``?`` as the sign has cells."""
    if sign.isascii():
        return sign
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return ""
    bare = unicodedata.normalize("NFKD", sign)[0]
    cells = 2 if unicodedata.east_asian_width(sign) in "WF" else 1
    return bare if bare.isascii() and cells == 1 else "?" * cells


_TABLE = _Table({ord(sign): ascii_ for signs, ascii_ in _ALIKE.items() for sign in signs})


def to_ascii(text: str) -> str:
    """The text in ASCII, as many cells wide."""
    return text if text.isascii() else text.translate(_TABLE)


def supports_utf8(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the locale says that the terminal understands UTF-8."""
    if sys.platform == "win32":
        return True
    environ = _started_with() if environ is None else environ
    names = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "C").lower()
    return "utf-8" in locale or "utf8" in locale


def _started_with() -> Mapping[str, str]:
    """The environment as it was: where the locale is C, Python itself puts ``LC_CTYPE=C.UTF-8`` in
    ``os.environ`` (PEP 538)."""
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
    """Let output that can't take our signs have their stand-ins, and no error."""
    codecs.register_error("stand-in", _replace)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty() and not supports_utf8():
            stream.reconfigure(encoding="ascii", errors="stand-in")
        elif stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="stand-in")
