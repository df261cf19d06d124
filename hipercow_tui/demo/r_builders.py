"""Short constructors of R values, with the names that R users know."""

from __future__ import annotations

from typing import TypeAlias

from hipercow_tui.formats.rlang.values import (
    Attributes,
    Element,
    RClosure,
    REnvironment,
    RLanguage,
    RList,
    RNull,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
)

Literal: TypeAlias = "RValue | str | float | bool | None"

NULL = RNull()


def chars(*values: Element, attributes: Attributes = ()) -> RVector:
    """A character vector."""
    return RVector("character", values, attributes)


def reals(*values: Element, attributes: Attributes = ()) -> RVector:
    """A double vector."""
    return RVector("double", values, attributes)


def ints(*values: Element, attributes: Attributes = ()) -> RVector:
    """An integer vector."""
    return RVector("integer", values, attributes)


def flags(*values: Element) -> RVector:
    """A logical vector."""
    return RVector("logical", values)


def literal(given: Literal) -> RValue:
    """A Python value as R parses its literal in code: every number is a double."""
    match given:
        case None:
            return NULL
        case bool():
            return flags(given)
        case str():
            return chars(given)
        case int() | float():
            return reals(float(given))
        case _:
            return given


def symbol(name: str) -> RSymbol:
    """A name in a call."""
    return RSymbol(name)


def call(function: str | RValue, *args: Literal, **named: Literal) -> RLanguage:
    """A call. ``"mcstate::pmcmc"`` as the function becomes a call of ``::``, as in R."""
    arguments = [(None, literal(arg)) for arg in args]
    tagged = [(tag, literal(arg)) for tag, arg in named.items()]
    return RLanguage(_function(function), (*arguments, *tagged))


def _function(function: str | RValue) -> RValue:
    if not isinstance(function, str):
        return function
    for operator in (":::", "::"):
        package, found, name = function.partition(operator)
        if found and package:
            return call(operator, symbol(package), symbol(name))
    return symbol(function)


def block(*steps: RValue) -> RLanguage:
    """Several steps in braces: ``{ … }``."""
    return call("{", *steps)


def assign(name: str, given: Literal) -> RLanguage:
    """An assignment: ``name <- given``."""
    return call("<-", symbol(name), given)


def function(formals: tuple[str, ...], body: RValue) -> RClosure:
    """A function without default values, in the global environment."""
    missing = RPairlist(tuple((name, symbol("")) for name in formals))
    return RClosure(missing, body, REnvironment("global"))


def named(*items: tuple[str, RValue], extra: Attributes = ()) -> RList:
    """A named list: ``list(name = value, …)``. The attributes ``extra`` come after ``names``."""
    names = chars(*(name for name, _ in items))
    return RList(tuple(value for _, value in items), (("names", names), *extra))


def data_frame(
    columns: tuple[tuple[str, RValue], ...], rows: int, classes: RVector, before: Attributes = ()
) -> RList:
    """A data frame with R's compact row names. The attributes ``before`` precede the class."""
    row_names = ints(None, -rows)
    return named(*columns, extra=(("row.names", row_names), *before, ("class", classes)))


def posixct(*seconds: Element, names: tuple[str, ...] = ()) -> RVector:
    """A vector of times, in seconds since the epoch."""
    attributes: Attributes = (("class", chars("POSIXct", "POSIXt")),)
    if names:
        attributes = (("names", chars(*names)), *attributes)
    return reals(*seconds, attributes=attributes)
