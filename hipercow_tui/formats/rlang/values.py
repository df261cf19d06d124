"""R values as frozen Python values. The RDS reader makes them, and the deparser writes them.

They hold structure and data, no behaviour of R. ``NA`` is None in logical, integer, double,
complex and character vectors, so it is different from ``NaN``.
Source: "R Internals", section "SEXPs", and ``SEXPTYPE`` in R's Rinternals.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """An atomic vector.

    ``kind`` is R's ``typeof``: logical, integer, double, complex, character or raw. Elements of a
    raw vector are integers from 0 to 255.
    """

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
    """A symbol. The empty name is a missing argument, as in ``x[, 1]``."""

    name: str


@dataclass(frozen=True, slots=True)
class RLanguage:
    """A call: a function (a symbol or any value), and the name and value of each argument."""

    function: RValue
    arguments: tuple[tuple[str | None, RValue], ...]
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RPairlist:
    """A pairlist, such as the formal arguments of a function: names and values."""

    items: tuple[tuple[str | None, RValue], ...]
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RClosure:
    """A function written in R: formal arguments, body and enclosing environment."""

    formals: RPairlist
    body: RValue
    environment: RValue
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RBuiltin:
    """A primitive function."""

    name: str


@dataclass(frozen=True, slots=True)
class REnvironment:
    """An environment, without its contents.

    ``kind`` is global, base, basenamespace, empty, namespace, package or local. ``name`` is the
    name of a namespace or package.
    """

    kind: str
    name: str = ""
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class RS4:
    """An S4 object. Its slots and class are attributes."""

    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class ROpaque:
    """A value without its contents.

    ``kind`` is R's ``typeof``: externalptr, weakref or promise; that of a vector which was too
    long; or persistent for an object that R wrote through a hook. ``length`` is the number of
    elements of such a vector, else 0.
    """

    kind: str
    attributes: Attributes = ()
    length: int = field(default=0, compare=False)


def attribute(value: RValue, name: str) -> RValue | None:
    """Return the attribute of that name, or None."""
    attributes: Attributes = getattr(value, "attributes", ())
    for key, found in attributes:
        if key == name:
            return found
    return None


def names(value: RValue) -> tuple[str, ...]:
    """Return the ``names`` of a vector or list, with "" for ``NA``; () if it has none."""
    found = attribute(value, "names")
    if not isinstance(found, RVector):
        return ()
    return tuple(name if isinstance(name, str) else "" for name in found.values)


def element(value: RValue | None, name: str) -> RValue | None:
    """Return ``value[["name"]]`` of a list; None if it is not a list or has no such name."""
    if isinstance(value, RList):
        for key, found in zip(names(value), value.values, strict=False):
            if key == name:
                return found
    return None
