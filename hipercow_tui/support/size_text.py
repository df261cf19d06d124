"""Parse sizes and percentages that a user typed, such as ``20 GB``, ``20 GiB`` and ``15 %``."""

from __future__ import annotations

import math
import re

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import escape_controls

_PREFIXES = "kMGTPE"
UNITS: dict[str, int] = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate(_PREFIXES, 1)},
    **{f"{prefix.upper()}iB": 1024**power for power, prefix in enumerate(_PREFIXES, 1)},
}
_BY_SPELLING: dict[str, int] = {
    "byte": 1,
    "bytes": 1,
    **{name.casefold(): size for name, size in UNITS.items()},
}
_SIZE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*([A-Za-z]*)\s*\Z", re.ASCII)
_LIMIT = 1 << 62  # bytes
_PERCENT = re.compile(r"\s*(\d{1,3}(?:[.,]\d+)?)\s*%?\s*\Z", re.ASCII)


def parse_size(text: str) -> int:
    """Return the bytes of a size: ``20 GB`` has units of 1000, ``20 GiB`` units of 1024.

    Raises FilterError for anything else; a unit such as ``G`` is not accepted, because programs
    differ on its meaning.
    """
    shown = escape_controls(text.strip())
    found = _SIZE.match(text)
    if found is None:
        raise FilterError(f"'{shown}' is not a size: write a number and a unit, such as '20 GB'")
    number, unit = float(found[1].replace(",", ".")), found[2]
    size = _BY_SPELLING.get(unit.casefold())
    if size is None:
        letter = unit[:1].upper() if unit[:1].casefold() in tuple(_PREFIXES.casefold()) else "G"
        raise FilterError(
            f"'{shown}' has no known unit: write '{found[1]} {letter}B' (units of 1000) or"
            f" '{found[1]} {letter}iB' (units of 1024)"
        )
    bytes_ = number * size
    if not bytes_ < _LIMIT:
        raise FilterError(f"'{shown}' is larger than any disk")
    return math.ceil(bytes_)


def parse_percent(text: str) -> float:
    """Return the number of a percentage from 0 to 100, such as ``15 %`` or ``15``.

    Raises FilterError for anything else.
    """
    found = _PERCENT.match(text)
    number = float(found[1].replace(",", ".")) if found else math.inf
    if number > 100:
        raise FilterError(
            f"'{escape_controls(text.strip())}' is not a percentage: write a number from 0 to 100,"
            " such as '15 %'"
        )
    return number
