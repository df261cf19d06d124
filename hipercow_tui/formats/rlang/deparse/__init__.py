"""R values as the text that R's own ``deparse`` gives for them, to the line and the space.

The rules are those of R 4.2 (its ``deparse.c``, and the table of operators in ``names.c``), for
``deparse`` as called without options: 60 bytes a line, four spaces a brace, attributes in
``structure(...)``. What has no code of its own is named: ``<environment>``, ``<pointer>``, an S4
object by its class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.rlang.deparse.calls import write_call
from hipercow_tui.formats.rlang.deparse.context import CUTOFF, MORE, Context, LimitReached, Writer
from hipercow_tui.formats.rlang.deparse.values import (
    write_closure,
    write_list,
    write_pairlist,
    write_vector,
)
from hipercow_tui.formats.rlang.values import (
    RS4,
    RBuiltin,
    RClosure,
    REnvironment,
    RLanguage,
    RList,
    RNull,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
    attribute,
    names,
)

LIMIT = 1 << 20  # characters

_DEPTH = 5000  # values within values; R's own limit for expressions

_OPAQUE = {"externalptr": "<pointer>", "weakref": "<weak reference>"}


def deparse(value: RValue, limit: int = LIMIT, *, cutoff: int = CUTOFF) -> list[str]:
    """The lines that R's ``deparse(value, cutoff)`` gives.

    What is longer than ``limit`` characters, or nested deeper than R allows, is cut and ends in
    ``[...]``; nothing is raised.
    """
    context = Context(limit, backtick=_is_code(value), cutoff=cutoff)
    open_values = [_write(context, value)]
    try:
        while open_values:
            inner = next(open_values[-1], None)
            if inner is None:
                open_values.pop()
            elif len(open_values) < _DEPTH:
                open_values.append(_write(context, inner))
            else:
                return context.cut()
    except LimitReached:
        return context.cut()
    return context.lines()


def _write(to: Context, value: RValue) -> Writer:
    as_argument, to.as_argument = to.as_argument, False
    left_of, to.left_of = to.left_of, 0
    match value:
        case RLanguage():
            yield from write_call(to, value, as_argument, left_of)
        case RVector():
            yield from write_vector(to, value)
        case RList():
            yield from write_list(to, value)
        case RPairlist():
            yield from write_pairlist(to, value)
        case RClosure():
            yield from write_closure(to, value)
        case RSymbol(name):
            to.write(to.symbol(name))
        case RNull():
            to.write("NULL")
        case RBuiltin(name):
            to.write(f'.Primitive("{name}")')
        case REnvironment():
            to.write("<environment>")
        case RS4():
            to.write(f"<S4 object of class {to.string(_class(value))}>")
        case _:
            to.write(_OPAQUE.get(value.kind, f"<{value.kind}>"))
    to.left_of = left_of


def _is_code(value: RValue) -> bool:
    """Whether ``mode(value)`` is one of code, where odd names stand in backticks."""
    if isinstance(value, RList):
        return value.kind == "expression"
    return isinstance(value, RLanguage | RClosure | RBuiltin)


def _class(value: RS4) -> str:
    held = attribute(value, "class")
    return str(held.values[0]) if isinstance(held, RVector) and held.values else "?"


def one_line(lines: Sequence[str]) -> str:
    """Deparsed code on one line, as one would type it there: ``{ a <- 1; a + 2 }``."""
    text = ""
    for line in lines:
        # R leaves a space where it breaks within a statement.
        goes_on = text.endswith((" ", "{", "(")) or line.lstrip().startswith(("}", ")", "else "))
        joint = " " if goes_on else "; "
        text = f"{text.rstrip()}{joint}{line.lstrip()}" if text else line.lstrip()
    return text.rstrip()


def deparse_short(value: RValue, width: int) -> str:
    """The value on one line of at most ``width`` characters: ``c(1, 2, … +38 more)``, ``f(x[...]``.

    Where ``width`` has no room for these signs, they are all there is.
    """
    text = _cut(value, width)
    if text.endswith(MORE) and isinstance(value, RVector | RList) and len(value.values) > 1:
        only_names = all(tag == "names" for tag, _ in value.attributes)
        return _counted(value, width) if only_names else text
    return text


def _cut(value: RValue, width: int) -> str:
    text = one_line(deparse(value, limit=4 * width))
    if len(text) <= width and not text.endswith(MORE):
        return text
    return text[: max(0, width - len(MORE))].rstrip() + MORE


def _counted(value: RVector | RList, width: int) -> str:
    """As many elements as fit, and how many there are besides."""
    opening = "list(" if isinstance(value, RList) else "c("
    tags = names(value)
    total = len(value.values)
    room = width - len(f"{opening}… +{total} more)")
    shown: list[str] = []
    for place, held in enumerate(_elements(value)):
        text = _cut(held, width)
        if place < len(tags) and tags[place]:
            text = f"{literals.name(tags[place])} = {text}"
        room -= len(text) + 2
        if room < 0:
            break
        shown.append(text)
    return f"{opening}{', '.join([*shown, f'… +{total - len(shown)} more'])})"


def _elements(value: RVector | RList) -> Iterator[RValue]:
    if isinstance(value, RList):
        yield from value.values
    else:
        for held in value.values:
            yield RVector(value.kind, (held,))
