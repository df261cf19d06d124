"""R's compact vectors (ALTREP): what is written of them, expanded to ordinary vectors.

Source: R's altclasses.c, the ``Serialized_state`` of each class.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from hipercow_tui.formats.rlang.rds.reader import Reader

_DIGITS = 15  # what as.character() gives of a double


def expand(reader: Reader, described: RValue, state: RValue, attributes: Attributes) -> RValue:
    """The ordinary vector that the class and its state stand for.

    Raises RdsError for a class whose contents are not in the file (``mmap_real``) or not R's own.
    """
    name = _class_name(described)
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
        raise reader.error(f"an ALTREP vector of class '{name}', which can't be read")
    return replace(value, attributes=attributes)


def _class_name(described: RValue) -> str:
    """The name in a class's description: a pairlist of its name, its package and its type."""
    match described:
        case RPairlist(((_, RSymbol(name)), *_)):
            return name
    return "?"


def _sequence(reader: Reader, kind: str, state: RValue) -> RValue | None:
    match state:
        case RVector("double", (float(length), float(first), float(step))) if (
            math.isfinite(first) and math.isfinite(step) and 0 <= length < 2**53
        ):
            if not reader.keeps(int(length)):
                return ROpaque(kind)
            if kind == "integer":
                first, step = int(first), int(step)
            return RVector(kind, tuple([first + at * step for at in range(int(length))]))
    return None


def _strings(numbers: RValue, scipen: RValue) -> RValue | None:
    match numbers, scipen:
        case ROpaque(), _:
            return ROpaque("character")
        case RVector("integer" | "double", values), RVector("integer", (int(penalty),)):
            return RVector("character", tuple([_as_character(value, penalty) for value in values]))
    return None


def _as_character(number: Element, penalty: int) -> str | None:
    """What R's ``as.character`` gives: up to 15 digits, fixed unless scientific is shorter."""
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
