"""Elements of atomic vectors, decoded from their big-endian bytes.

Each function takes the bytes and the number of elements. ``NA`` becomes None.
Source: ``InIntegerVec``, ``InRealVec`` and ``InComplexVec`` in R's serialize.c, and the
constants ``R_NaInt`` and ``R_NaReal`` in its arithmetic.c.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

from hipercow_tui.formats.rlang.values import Element

Elements: TypeAlias = tuple[Element, ...]

_NA_INTEGER = -(2**31)
_NA_LOW_WORD = (1954).to_bytes(4, "big")  # NA_real_ is the NaN with this lower half
_LOGICAL: dict[int, bool | None] = {0: False, _NA_INTEGER: None}


def integers(raw: bytes, length: int) -> Elements:
    """Decode an integer vector."""
    numbers = struct.unpack(f">{length}i", raw)
    if _NA_INTEGER in numbers:
        return tuple([None if number == _NA_INTEGER else number for number in numbers])
    return numbers


def logicals(raw: bytes, length: int) -> Elements:
    """Decode a logical vector. As in R, every number except 0 and ``NA`` is true."""
    return tuple([_LOGICAL.get(number, True) for number in struct.unpack(f">{length}i", raw)])


def doubles(raw: bytes, length: int) -> Elements:
    """Decode a double vector. ``NA`` and ``NaN`` stay different."""
    numbers: Elements = struct.unpack(f">{length}d", raw)
    if _NA_LOW_WORD in raw:
        return tuple(
            [
                None
                if number != number and raw[8 * at + 4 : 8 * at + 8] == _NA_LOW_WORD
                else number
                for at, number in enumerate(numbers)
            ]
        )
    return numbers


def complexes(raw: bytes, length: int) -> Elements:
    """Decode a complex vector. An element with an ``NA`` part is None."""
    parts = doubles(raw, 2 * length)
    return tuple(
        [
            complex(real, imaginary)
            if isinstance(real, float) and isinstance(imaginary, float)
            else None
            for real, imaginary in zip(parts[::2], parts[1::2], strict=True)
        ]
    )


def raw_bytes(raw: bytes, _length: int) -> Elements:
    """Decode a raw vector as integers from 0 to 255."""
    return tuple(raw)
