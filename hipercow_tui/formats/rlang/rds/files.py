"""Reading of RDS files: whole values, or only some elements of a task's ``info`` and ``data``.

The elements of ``info`` and ``data`` always have the same order (docs/spec.md), and R
writes the names of a list after its elements. So elements are found by their position, and the
rest of the file is not read. Files that begin exactly as hipercow writes them are matched by a
regular expression, which is faster; all others are read by the general reader.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from hipercow_tui.formats.rlang.rds import patterns
from hipercow_tui.formats.rlang.rds.limits import DEFAULT, Limits
from hipercow_tui.formats.rlang.rds.reader import Reader
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.rds.type_codes import LIST
from hipercow_tui.formats.rlang.values import RValue, RVector, attribute, names
from hipercow_tui.support.errors import RdsError

_GZIP = 16 + zlib.MAX_WBITS
# A scan reads ``info`` and the first elements of ``data`` of every task. Both are smaller than 2 kB
# if hipercow wrote them.
_SMALL = Limits(
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
class RecordedEnd:
    """The end of a task, from its ``info``.

    Attributes:
        status: ``success``, ``failure`` or ``cancelled``; None if there is none.
        finished: Seconds since the epoch; None for NA.
    """

    status: str | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Origin:
    """How a task was created, from its ``data``.

    Attributes:
        type: hipercow's type of task, such as ``expression``, ``call`` or ``retry``.
        created: Seconds since the epoch; None for NA.
        parent: For a retry, the id of the task that it retries; else None.
        base: For a retry, the id of the first task of the chain; else None.
    """

    type: str
    created: float | None
    parent: str | None = None
    base: str | None = None


def read(source: Source, limits: Limits = DEFAULT) -> RValue:
    """Read the value in an RDS file.

    Raises:
        RdsError: The file is damaged, exceeds ``limits``, or continues after the value.
    """
    with Reader(source, limits) as reader:
        value = reader.item()
        if not reader.at_end():
            raise reader.error("there is more in the file than one value")
        return value


def read_elements(
    source: Source, positions: Collection[int], limits: Limits = DEFAULT
) -> dict[int, RValue]:
    """Read some elements of a list.

    The file is read only up to the last of them: neither the names of the list, nor whether the
    file is complete.

    Args:
        source: The bytes of an RDS file, or an open binary file.
        positions: The positions of the elements, from 0.
        limits: How much is accepted and kept.

    Returns:
        The elements by position, without those that the list does not have.

    Raises:
        RdsError: The file is not a list, is damaged, or exceeds ``limits``.
    """
    with Reader(source, limits) as reader:
        flags = reader.integer()
        if flags & 0xFF != LIST:
            raise reader.error("a list was expected")
        found = {}
        for position in range(min(reader.length(), max(positions) + 1)):
            if position in positions:
                found[position] = reader.item()
            else:
                reader.skip()
        return found


def read_times(raw: bytes) -> Times:
    """Read the times in a task's ``info``. The end of the file may be missing; raises RdsError."""
    if match := patterns.INFO.match(_beginning(raw)):
        return Times(*(_seconds(value) for value in _THREE_DOUBLES.unpack(match[1])))
    times = read_elements(raw, (1,), _SMALL).get(1)
    values = dict(zip(names(times), _seconds_of(times), strict=False)) if times else {}
    for name in ("created", "started", "finished"):
        if name not in values:
            raise RdsError(f"its times have no '{name}'")
    return Times(values["created"], values["started"], values["finished"])


def read_end(raw: bytes) -> RecordedEnd:
    """Read status and end in a task's ``info``. The end of the file may be missing.

    Raises RdsError.
    """
    status = _text(read_elements(raw, (0,), _SMALL).get(0))
    return RecordedEnd(status, read_times(raw).finished)


def quick_times(raw: bytes) -> tuple[float | None, float | None, float | None] | None:
    """Read the times in an ``info`` that begins exactly as hipercow writes it; None for others.

    Returns created, started and finished in seconds since the epoch, each None for NA. This takes
    7 µs, of which zlib takes 5; ``read_times`` takes 11.
    """
    try:
        match = patterns.INFO.match(zlib.decompress(raw, _GZIP, patterns.BEGINNING_SIZE))
    except zlib.error:
        return None
    if match is None:
        return None
    created, started, finished = _THREE_DOUBLES.unpack(match[1])
    # x - x is 0 for finite numbers, and NaN for infinity, NaN and NA.
    return (
        created if created - created == 0 else None,
        started if started - started == 0 else None,
        finished if finished - finished == 0 else None,
    )


def read_origin(raw: bytes) -> Origin:
    """Read the origin of a task from its ``data``. The end of the file may be missing.

    Raises RdsError.
    """
    beginning = _beginning(raw)
    if match := patterns.DATA.match(beginning):
        return Origin(match[1].decode(), _seconds(_DOUBLE.unpack(match[2])[0]))
    if match := patterns.RETRY.match(beginning):
        created = _seconds(_DOUBLE.unpack(match[1])[0])
        return Origin("retry", created, match[2].decode(), match[3].decode())
    found = read_elements(raw, (0, 2), _SMALL)
    kind, times = _text(found.get(0)), _seconds_of(found.get(2))
    if kind is None or len(times) != 1:
        raise RdsError("it does not begin with type, id and time")
    if kind != "retry":
        return Origin(kind, times[0])
    found = read_elements(raw, (7, 8), _SMALL)
    return Origin(kind, times[0], _text(found.get(7)), _text(found.get(8)))


def _text(value: RValue | None) -> str | None:
    match value:
        case RVector("character", (str(text),)):
            return text
    return None


def _seconds_of(value: RValue | None) -> list[float | None]:
    """Convert a POSIXct vector of doubles or integers to seconds since the epoch."""
    if not isinstance(value, RVector) or value.kind not in ("double", "integer"):
        raise RdsError("it has no numbers where its times should be")
    classes = attribute(value, "class")
    if not isinstance(classes, RVector) or "POSIXct" not in classes.values:
        raise RdsError("it has numbers that are not times (class POSIXct)")
    return [_seconds(number) for number in value.values]


def _seconds(number: object) -> float | None:
    """Return a finite number as a float; None for NA, NaN, infinity and other types."""
    return float(number) if isinstance(number, int | float) and math.isfinite(number) else None


def _beginning(raw: bytes) -> bytes:
    """Decompress the beginning of a gzip file; b"" for other files."""
    try:
        return zlib.decompressobj(_GZIP).decompress(raw, patterns.BEGINNING_SIZE)
    except zlib.error:
        return b""
