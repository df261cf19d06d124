"""Reading RDS files: a whole value, or only what is asked of a task's ``info`` and ``data``.

``info`` and ``data`` are lists whose elements always come in the same order (SPEC section 2), and
R writes the names of a list behind its elements. So what is asked is found by its place, and
nothing behind it is read. Files as hipercow writes them are told by one pattern, which gives the
answer at once; any other goes through the general reader.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from hipercow_tui.formats.rlang.rds import patterns
from hipercow_tui.formats.rlang.rds.reader import Reader
from hipercow_tui.formats.rlang.rds.skip import DEFAULT, LIST, Limits
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.values import RValue, RVector, attribute, names
from hipercow_tui.support.errors import RdsError

_GZIP = 16 + zlib.MAX_WBITS
# For ``info`` and the first elements of ``data``: both take less than 2 kB as hipercow writes them.
# A scan reads them for every task.
_OF_BEGINNING = Limits(
    max_bytes=1 << 20, max_examined=1 << 18, max_steps=20_000, max_elements=10_000, max_text=1 << 16
)
_DOUBLE, _THREE_DOUBLES = struct.Struct(">d"), struct.Struct(">3d")


@dataclass(frozen=True, slots=True)
class Times:
    """The times in a task's ``info``: seconds since the epoch, None for NA."""

    created: float | None
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Origin:
    """How a task came to be, from its ``data``: seconds since the epoch, None for NA. ``parent``
    and ``base`` are what a retry is a new attempt of, None for other types."""

    type: str
    created: float | None
    parent: str | None = None
    base: str | None = None


def read(source: Source, limits: Limits = DEFAULT) -> RValue:
    """The value in an RDS file, whole; raises RdsError, also where the file goes on behind it."""
    with Reader(source, limits) as reader:
        value = reader.item()
        if not reader.at_end():
            raise reader.error("there is more in the file than one value")
        return value


def read_elements(
    source: Source, places: Collection[int], limits: Limits = DEFAULT
) -> dict[int, RValue]:
    """The elements of a list that stand at these places, counted from 0; raises RdsError.

    Nothing behind the last of them is read: neither the list's names, which come at its end,
    nor whether the file is whole. Places that the list does not have are missing in the answer.
    """
    with Reader(source, limits) as reader:
        flags = reader.integer()
        if flags & 0xFF != LIST:
            raise reader.error("a list was expected")
        found = {}
        for place in range(min(reader.length(), max(places) + 1)):
            if place in places:
                found[place] = reader.item()
            else:
                reader.skip()
        return found


def read_times(raw: bytes) -> Times:
    """The times in a task's ``info``; raises RdsError. The end of the file may be missing."""
    if match := patterns.INFO.match(_beginning(raw)):
        return Times(*(_seconds(value) for value in _THREE_DOUBLES.unpack(match[1])))
    times = read_elements(raw, (1,), _OF_BEGINNING).get(1)
    values = dict(zip(names(times), _moments(times), strict=False)) if times else {}
    for name in ("created", "started", "finished"):
        if name not in values:
            raise RdsError(f"its times have no '{name}'")
    return Times(values["created"], values["started"], values["finished"])


def quick_times(raw: bytes) -> tuple[float | None, float | None, float | None] | None:
    """What ``read_times`` gives, for an ``info`` as hipercow writes it; None for any other.

    7 µs, of which zlib takes 5; ``read_times`` takes 11.
    """
    try:
        match = patterns.INFO.match(zlib.decompress(raw, _GZIP, patterns.LONGEST))
    except zlib.error:
        return None
    if match is None:
        return None
    created, started, finished = _THREE_DOUBLES.unpack(match[1])
    # What is no finite number, less itself, is NaN; NA is a NaN too.
    return (
        created if created - created == 0 else None,
        started if started - started == 0 else None,
        finished if finished - finished == 0 else None,
    )


def read_origin(raw: bytes) -> Origin:
    """Type and time of creation in a task's ``data``, and what it is a retry of; raises RdsError.

    The end of the file may be missing.
    """
    beginning = _beginning(raw)
    if match := patterns.DATA.match(beginning):
        return Origin(match[1].decode(), _seconds(_DOUBLE.unpack(match[2])[0]))
    if match := patterns.RETRY.match(beginning):
        created = _seconds(_DOUBLE.unpack(match[1])[0])
        return Origin("retry", created, match[2].decode(), match[3].decode())
    found = read_elements(raw, (0, 2), _OF_BEGINNING)
    kind, times = _text(found.get(0)), _moments(found.get(2))
    if kind is None or len(times) != 1:
        raise RdsError("it does not begin with type, id and time")
    if kind != "retry":
        return Origin(kind, times[0])
    found = read_elements(raw, (7, 8), _OF_BEGINNING)
    return Origin(kind, times[0], _text(found.get(7)), _text(found.get(8)))


def _text(value: RValue | None) -> str | None:
    match value:
        case RVector("character", (str(text),)):
            return text
    return None


def _moments(value: RValue | None) -> list[float | None]:
    """A POSIXct vector, stored as double or integer, as seconds since the epoch."""
    if not isinstance(value, RVector) or value.kind not in ("double", "integer"):
        raise RdsError("it has no time where one belongs")
    classes = attribute(value, "class")
    if not isinstance(classes, RVector) or "POSIXct" not in classes.values:
        raise RdsError("it has a number where a time belongs")
    return [_seconds(moment) for moment in value.values]


def _seconds(moment: object) -> float | None:
    """A time as seconds; None for NA, which is a NaN too, and for what is no number."""
    return float(moment) if isinstance(moment, int | float) and math.isfinite(moment) else None


def _beginning(raw: bytes) -> bytes:
    """The first decompressed bytes of a gzip file; none of what is another kind of file."""
    try:
        return zlib.decompressobj(_GZIP).decompress(raw, patterns.LONGEST)
    except zlib.error:
        return b""
