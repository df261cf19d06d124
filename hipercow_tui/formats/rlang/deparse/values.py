"""Code of vectors, lists, pairlists and functions, with their names and attributes.

Source: ``vec2buff``, ``args2buff``, ``attr1`` and ``attr2`` in R's deparse.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.rlang.deparse.context import MISSING, Context, Writer
from hipercow_tui.formats.rlang.values import (
    Attributes,
    RClosure,
    RList,
    RPairlist,
    RValue,
    RVector,
    attribute,
)

_Tags: TypeAlias = "tuple[str | None, ...] | None"

_EMPTY = {
    "logical": "logical(0)",
    "integer": "integer(0)",
    "double": "numeric(0)",
    "complex": "complex(0)",
    "character": "character(0)",
    "raw": "raw(0)",
}
_TYPED_NA = {
    "integer": "NA_integer_",
    "double": "NA_real_",
    "complex": "NA_complex_",
    "character": "NA_character_",
}
_ENCODERS: dict[str, Callable[[Any], str]] = {
    "logical": lambda value: "TRUE" if value else "FALSE",
    "integer": lambda value: f"{value}L",
    "double": literals.real,
    "complex": literals.complex_number,
    "raw": lambda value: f"0x{value:02x}",
}


def write_vector(to: Context, vector: RVector) -> Writer:
    """Write an atomic vector: ``1``, ``c(a = 1, b = 2)``, ``1:10``, ``structure(...)``."""
    values = vector.values
    tags = _names(vector)
    is_range = _is_range(vector)
    nice_names = to.nice_names
    if tags is not None and (is_range or not values):
        to.nice_names = False
    wrapped, tags = _open(to, vector, tags)
    if not values:
        to.write(_EMPTY[vector.kind])
    elif is_range:
        to.write(f"{values[0]}:{values[-1]}")
    else:
        combined = len(values) > 1 or tags is not None
        raw = vector.kind == "raw"
        to.write("as.raw(" * raw + "c(" * combined)
        _write_elements(to, vector, tags)
        to.write(")" * combined + ")" * raw)
    yield from _close(to, vector.attributes, wrapped, tags)
    to.nice_names = nice_names


def _write_elements(to: Context, vector: RVector, tags: _Tags) -> None:
    last = len(vector.values) - 1
    all_missing = all(value is None for value in vector.values)
    missing = _TYPED_NA.get(vector.kind, "NA") if all_missing else "NA"
    encode = _ENCODERS.get(vector.kind, to.string)
    for index, value in enumerate(vector.values):
        _write_tag(to, tags, index)
        to.write(missing if value is None else encode(value))
        if index < last:
            to.write(", ")
        if last and to.is_long:
            to.end_line()


def write_list(to: Context, value: RList) -> Writer:
    """Write ``list(1, b = 2)`` or ``expression(...)``."""
    wrapped, tags = _open(to, value, _names(value))
    attributes = to.attributes
    to.write(f"{value.kind}(")
    to.attributes = attributes and value.kind == "list"
    broken = False
    for index, inner in enumerate(value.values):
        if index:
            to.write(", ")
        broken = to.break_line(broken)
        _write_tag(to, tags, index)
        yield inner
    to.indent -= broken
    to.attributes = attributes
    to.write(")")
    yield from _close(to, value.attributes, wrapped, tags)


def write_pairlist(to: Context, value: RPairlist) -> Writer:
    """Write ``pairlist(a = 1)``, on one line."""
    wrapped, _ = _open(to, value, None)
    missing = any(inner == MISSING for _, inner in value.items)
    to.write("as.pairlist(alist(" if missing else "pairlist(")
    to.inlist += 1
    for index, (tag, inner) in enumerate(value.items):
        if index:
            to.write(", ")
        if tag:
            to.write(f"{to.symbol(tag)} = ")
        yield inner
    to.write("))" if missing else ")")
    to.inlist -= 1
    yield from _close(to, value.attributes, wrapped, None)


def write_closure(to: Context, value: RClosure) -> Writer:
    """Write ``function (x, y = 2) ``, and the body on a new line."""
    wrapped, _ = _open(to, value, None)
    attributes, to.attributes = to.attributes, False
    to.write("function (")
    yield from write_arguments(to, value.formals.items, formal=True)
    to.write(") ")
    to.end_line()
    yield value.body
    to.attributes = attributes
    yield from _close(to, value.attributes, wrapped, None)


def write_arguments(
    to: Context, arguments: tuple[tuple[str | None, RValue], ...], *, formal: bool = False
) -> Writer:
    """Write ``x, y = 2, z = ``. A ``formal`` argument without default has no equals sign."""
    broken = False
    for index, (tag, value) in enumerate(arguments):
        if index:
            to.write(", ")
            broken = to.break_line(broken)
        missing = value == MISSING
        if tag:
            to.write(to.tag(tag))
            if not (formal and missing):
                to.write(" = ")
        if not (tag and missing):
            to.as_argument = True
            yield value
    to.indent -= broken


def _open(to: Context, value: RValue, tags: _Tags) -> tuple[bool, _Tags]:
    """Write ``structure(`` if it is needed.

    Returns whether it was written, and the names to write inside the value.
    """
    usable = tags is None or (to.nice_names and _are_usable(tags, isinstance(value, RVector)))
    attributes: Attributes = getattr(value, "attributes", ())
    others = any(
        tag != "srcref" and not (tag == "names" and tags is not None) for tag, _ in attributes
    )
    wrapped = to.attributes and (others or not usable)
    if wrapped:
        to.write("structure(")
    return wrapped, tags if usable or not to.attributes else None


def _close(to: Context, attributes: Attributes, wrapped: bool, tags: _Tags) -> Writer:
    """Write the attributes, except names that are inside the value, and close ``structure(``."""
    if not wrapped:
        return
    for tag, inner in attributes:
        if tag == "srcref" or (tag == "names" and tags is not None):
            continue
        shown = tag if literals.is_name(tag) else f'"{to.symbol(tag)}"'
        to.write(f", {shown} = ")
        to.as_argument = True
        yield inner
    to.write(")")


def _write_tag(to: Context, tags: _Tags, index: int) -> None:
    """Write the name of an element. R quotes names that are not syntactic, without escapes."""
    tag = tags[index] if tags is not None else ""
    if tag == "":
        return
    tag = "NA" if tag is None else tag
    quote = "" if literals.is_name(tag) else "`" if to.backtick else '"'
    to.write(f"{quote}{tag}{quote} = ")


def _names(value: RVector | RList) -> _Tags:
    """Return a name for each element (None for ``NA``), or None. A 1-d array has dimnames."""
    found = attribute(value, "names")
    if found is None:
        shape, dimnames = attribute(value, "dim"), attribute(value, "dimnames")
        if isinstance(shape, RVector) and len(shape.values) == 1 and isinstance(dimnames, RList):
            found = dimnames.values[0] if dimnames.values else None
    if not isinstance(found, RVector) or found.kind != "character":
        return None
    tags = tuple(tag if isinstance(tag, str) else None for tag in found.values)
    return tags + ("",) * (len(value.values) - len(tags))


def _are_usable(tags: tuple[str | None, ...], atomic: bool) -> bool:
    """Whether names can be arguments of ``list`` or ``c``. Arguments of ``c`` itself can't."""
    if None in tags or not any(tags):
        return False
    return not (atomic and ("recursive" in tags or "use.names" in tags))


def _is_range(vector: RVector) -> bool:
    """Whether R writes the vector as ``1:10`` or ``10:1``."""
    values = vector.values
    if vector.kind != "integer" or len(values) < 2 or None in values:
        return False
    first, last = values[0], values[-1]
    assert isinstance(first, int) and isinstance(last, int)
    step = 1 if last > first else -1
    return abs(last - first) == len(values) - 1 and values == tuple(range(first, last + step, step))
