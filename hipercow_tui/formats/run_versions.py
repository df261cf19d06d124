"""Find the versions of hipercow and R that a task ran with, without starting R.

hipercow writes them into the log, and the driver of a cluster into the script that it submits and
into ``log.outer``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.support.text import decoded

SCRIPTS = ("run.sh", "run.bat")
_SCRIPT_LIMIT = 1 << 16  # bytes

# Of several patterns with one name, the first that matches counts.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("hipercow", r"\bhipercow (\d[\w.-]*) running at "),
        ("hipercow", r"(?i)^(?:echo )?hipercow version: (\d[\w.-]*)"),
        ("hipercow.dide", r"(?i)^(?:echo )?hipercow\.dide version: (\d[\w.-]*)"),
        ("R", r"\bR version (\d+\.\d+\.\d+)"),
        ("R", r"/hipercow/lib/\w+/(\d+\.\d+\.\d+)\b"),
        ("R", r"^module load R/(\d[\w.]*)"),
        ("R", r"^call setr64_(\d+(?:[._]\d+)*)\.bat"),
        ("Python", r"\bPython (\d+\.\d+\.\d+)"),
    )
)


def versions_in(lines: Iterable[str]) -> Mapping[str, str]:
    """Return versions by name, such as ``{"hipercow": "1.1.8", "R": "4.4.2"}``, without those that
    no line has."""
    texts = list(lines)
    found: dict[str, str] = {}
    for name, pattern in _PATTERNS:
        match = next(filter(None, map(pattern.search, texts)), None)
        if name not in found and match is not None:
            found[name] = match[1].replace("_", ".")
    return found


def read_script(folder: int) -> list[str]:
    """Return the lines of the script that the driver submitted, from the open folder of a task.

    Empty if there is none. Raises OSError.
    """
    for name in SCRIPTS:
        try:
            return decoded(read_file(name, limit=_SCRIPT_LIMIT, dir_fd=folder)).splitlines()
        except FileNotFoundError:
            continue
    return []
