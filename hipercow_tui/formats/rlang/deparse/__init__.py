"""R values as R code: the same text that R's function ``deparse`` returns.

The rules are those of R 4.2 for a call without options: lines break after 60 bytes, a brace
indents by four spaces, attributes are written as ``structure(...)``. Values without code are
written as ``<environment>``, ``<pointer>`` or ``<S4 object of class "…">``.
Source: R's deparse.c, and the table of functions in its names.c.
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

_MAX_DEPTH = 5000  # of nested values; R's limit for expressions

_OPAQUE = {"externalptr": "<pointer>", "weakref": "<weak reference>"}


def deparse(value: RValue, limit: int = LIMIT, *, cutoff: int = CUTOFF) -> list[str]:
    """Return the lines of R's ``deparse(value, cutoff)``. Never raises an error.

    Args:
        value: The value.
        limit: Characters in all lines. A longer text, or one of a value that is nested deeper
            than R allows, is truncated and ends with ``[...]``.
        cutoff: Bytes after which a line is broken, if it can be.
    """
    context = Context(limit, backtick=_is_code(value), cutoff=cutoff)
    open_values = [_write(context, value)]
    try:
        while open_values:
            inner = next(open_values[-1], None)
            if inner is None:
                open_values.pop()
            elif len(open_values) < _MAX_DEPTH:
                open_values.append(_write(context, inner))
            else:
                return context.truncated_lines()
    except LimitReached:
        return context.truncated_lines()
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
    """Whether names that are not syntactic are quoted with backticks: in values of code."""
    if isinstance(value, RList):
        return value.kind == "expression"
    return isinstance(value, RLanguage | RClosure | RBuiltin)


def _class(value: RS4) -> str:
    found = attribute(value, "class")
    return str(found.values[0]) if isinstance(found, RVector) and found.values else "?"


def one_line(lines: Sequence[str]) -> str:
    """Join deparsed lines to one line of valid code: ``{ a <- 1; a + 2 }``."""
    text = ""
    for line in lines:
        # R leaves a space at the end of a line that it breaks within a statement.
        continues = text.endswith((" ", "{", "(")) or line.lstrip().startswith(("}", ")", "else "))
        separator = " " if continues else "; "
        text = f"{text.rstrip()}{separator}{line.lstrip()}" if text else line.lstrip()
    return text.rstrip()


def deparse_short(value: RValue, width: int) -> str:
    """Return a value as one line of at most ``width`` characters.

    A long vector or list ends with the number of further elements: ``c(1, 2, … +38 more)``.
    Other long code is truncated: ``f(x[...]``. If ``width`` is too small for these marks, the
    result is only the mark.
    """
    text = _truncated(value, width)
    if text.endswith(MORE) and isinstance(value, RVector | RList) and len(value.values) > 1:
        only_names = all(tag == "names" for tag, _ in value.attributes)
        return _with_count(value, width) if only_names else text
    return text


def _truncated(value: RValue, width: int) -> str:
    text = one_line(deparse(value, limit=4 * width))
    if len(text) <= width and not text.endswith(MORE):
        return text
    return text[: max(0, width - len(MORE))].rstrip() + MORE


def _with_count(value: RVector | RList, width: int) -> str:
    """Write the elements that fit, and the number of further elements."""
    opening = "list(" if isinstance(value, RList) else "c("
    tags = names(value)
    total = len(value.values)
    free = width - len(f"{opening}… +{total} more)")
    shown: list[str] = []
    for index, single in enumerate(_elements(value)):
        text = _truncated(single, width)
        if index < len(tags) and tags[index]:
            text = f"{literals.name(tags[index])} = {text}"
        free -= len(text) + 2
        if free < 0:
            break
        shown.append(text)
    return f"{opening}{', '.join([*shown, f'… +{total - len(shown)} more'])})"


def _elements(value: RVector | RList) -> Iterator[RValue]:
    if isinstance(value, RList):
        yield from value.values
    else:
        for single in value.values:
            yield RVector(value.kind, (single,))
