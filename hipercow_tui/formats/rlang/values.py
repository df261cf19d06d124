"""R values as frozen Python values: what the RDS reader yields and the deparser prints.

Only structure and data, no behaviour of R. ``NA`` is ``None`` in logical, integer, double and
character vectors, so that it can't be taken for ``NaN``. Source: "R Internals", section
"Serialization Formats", and R's ``SEXPTYPE`` table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

RValue: TypeAlias = (
    "RNull | RVector | RList | RSymbol | RLanguage | RPairlist | RClosure | RBuiltin"
    " | REnvironment | RS4 | ROpaque"
)
Attributes: TypeAlias = "tuple[tuple[str, RValue], ...]"
Element: TypeAlias = "bool | int | float | complex | str | None"


@dataclass(frozen=True, slots=True)
class RNull:
    """``NULL``."""


@dataclass(frozen=True, slots=True)
class RVector:
    """An atomic vector. ``kind`` is R's ``typeof``: logical, integer, double, complex, character,
    raw (its elements are integers 0 to 255)."""

    kind: str
    values: tuple[Element, ...]
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RList:
    """A generic vector: ``kind`` is ``list`` or ``expression``."""

    values: tuple[RValue, ...]
    attributes: Attributes = ()
    kind: str = "list"


@dataclass(frozen=True, slots=True)
class RSymbol:
    """A name; the empty name is R's missing argument."""

    name: str


@dataclass(frozen=True, slots=True)
class RLanguage:
    """A call: the function (a symbol or any value) and its arguments with their tags."""

    function: RValue
    arguments: tuple[tuple[str | None, RValue], ...]
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RPairlist:
    """A pairlist (formals, ``...``, old lists): tagged values."""

    items: tuple[tuple[str | None, RValue], ...]
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RClosure:
    """A function written in R: its formals, its body and the environment it closes over."""

    formals: RPairlist
    body: RValue
    environment: RValue
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RBuiltin:
    """A primitive function, known by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class REnvironment:
    """An environment: ``kind`` is global, base, basenamespace, empty, namespace, package or local;
    ``name`` names a namespace or package. The contents of a local one are read past, not kept."""

    kind: str
    name: str = ""
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RS4:
    """An S4 object: its slots and class are its attributes."""

    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class ROpaque:
    """What has no text of its own: an external pointer, weak reference or promise; or what was
    too long to keep. ``kind`` is R's ``typeof``, or persistent for what R left to a hook."""

    kind: str
    attributes: Attributes = ()


def attribute(value: RValue, name: str) -> RValue | None:
    """The attribute of that name, or None where there is none."""
    for key, held in getattr(value, "attributes", ()):
        if key == name:
            found: RValue = held
            return found
    return None


def names(value: RValue) -> tuple[str, ...]:
    """The ``names`` attribute of a vector or list, ``NA`` as an empty name; () if it has none."""
    held = attribute(value, "names")
    if not isinstance(held, RVector):
        return ()
    return tuple(name if isinstance(name, str) else "" for name in held.values)


def element(value: RValue | None, name: str) -> RValue | None:
    """``value[["name"]]`` of a named list, or None where the list or the name is missing."""
    if isinstance(value, RList):
        for key, held in zip(names(value), value.values, strict=False):
            if key == name:
                return held
    return None
