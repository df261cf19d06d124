"""ALTREP vectors, R's compact representations, expanded to ordinary vectors.

The file holds the class and the state of such a vector.
Source: the ``Serialized_state`` methods in R's altclasses.c.
"""

from __future__ import annotations

import math
from dataclasses import replace

from hipercow_tui.formats.rlang.rds.protocol import ItemReader
from hipercow_tui.formats.rlang.values import (
    Attributes,
    Element,
    RList,
    ROpaque,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
)

_DIGITS = 15  # significant digits that as.character() gives of a double


def expand(reader: ItemReader, info: RValue, state: RValue, attributes: Attributes) -> RValue:
    """Expand an ALTREP vector.

    Args:
        reader: Counts the elements that are created, and makes errors with their position.
        info: The description of the class: a pairlist of its name, its package and its type.
        state: The serialized state, which has a different form in each class.
        attributes: The attributes of the vector.

    Returns:
        A vector or list, or an ``ROpaque`` if it would have too many elements.

    Raises:
        RdsError: The class keeps its contents outside the file (``mmap_real``), or is not one of
            R itself.
    """
    name = _class_name(info)
    parts: tuple[RValue, ...] = ()
    if isinstance(state, RPairlist):
        parts = tuple(value for _, value in state.items)
    elif isinstance(state, RList):
        parts = state.values
    value: RValue | None = None
    if name in ("compact_intseq", "compact_realseq"):
        value = _sequence(reader, "integer" if name == "compact_intseq" else "double", state)
    elif name == "deferred_string" and len(parts) == 2:
        value = _strings(*parts)
    elif name.startswith("wrap_") and parts:
        value = parts[0]
    if not isinstance(value, RVector | RList | ROpaque):
        raise reader.error(f"an ALTREP vector of class '{name}' can't be read")
    return replace(value, attributes=attributes)


def _class_name(info: RValue) -> str:
    match info:
        case RPairlist(((_, RSymbol(name)), *_)):
            return name
    return "?"


def _sequence(reader: ItemReader, kind: str, state: RValue) -> RValue | None:
    match state:
        case RVector("double", (float(length), float(first), float(step))) if (
            math.isfinite(first) and math.isfinite(step) and 0 <= length < 2**53
        ):
            if not reader.reserve(int(length)):
                return ROpaque(kind, length=int(length))
            if kind == "integer":
                first, step = int(first), int(step)
            return RVector(kind, tuple([first + at * step for at in range(int(length))]))
    return None


def _strings(numbers: RValue, scipen: RValue) -> RValue | None:
    """Convert numbers to strings; ``scipen`` is R's option of that name when they were made."""
    match numbers, scipen:
        case ROpaque(length=length), _:
            return ROpaque("character", length=length)
        case RVector("integer" | "double", values), RVector("integer", (int(penalty),)):
            return RVector("character", tuple([_as_character(value, penalty) for value in values]))
    return None


def _as_character(number: Element, penalty: int) -> str | None:
    """Format a number as R's ``as.character``: up to 15 digits, fixed unless scientific notation
    is more than ``penalty`` characters shorter."""
    if not isinstance(number, float):
        return None if number is None else str(number)
    if not math.isfinite(number):
        return "NaN" if number != number else "Inf" if number > 0 else "-Inf"
    digits, _, exponent = f"{number:.{_DIGITS - 1}e}".partition("e")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    scientific = f"{digits}e{int(exponent):+03d}"
    decimals = max(0, len(digits.lstrip("-").replace(".", "")) - 1 - int(exponent))
    fixed = f"{number:.{decimals}f}"
    return fixed if len(fixed) <= len(scientific) + penalty else scientific
