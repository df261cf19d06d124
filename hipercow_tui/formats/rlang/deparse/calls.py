"""Code of calls: operators, control flow, functions and their arguments.

Source: the case ``LANGSXP`` of ``deparse2buff`` in R's deparse.c.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.rlang.deparse.context import Context, Writer
from hipercow_tui.formats.rlang.deparse.operators import (
    Form,
    Operator,
    is_callable_without_parens,
    needs_parens,
    operator_of,
)
from hipercow_tui.formats.rlang.deparse.values import write_arguments
from hipercow_tui.formats.rlang.values import RLanguage, RNull, RPairlist, RSymbol, RValue, RVector


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a primitive, with its operator and the flags of ``Context`` at this call."""

    name: str
    operator: Operator
    arguments: tuple[tuple[str | None, RValue], ...]
    as_argument: bool
    left_of: int

    def __getitem__(self, index: int) -> RValue:
        """The value of an argument; ``NULL`` if there are too few arguments."""
        return self.arguments[index][1] if index < len(self.arguments) else RNull()


_CallWriter: TypeAlias = Callable[[Context, _Call], Writer]


def write_call(to: Context, call: RLanguage, as_argument: bool, left_of: int) -> Writer:
    """Write a call. ``as_argument`` and ``left_of`` are the context's flags before the call."""
    function = call.function
    operator = operator_of(call)
    if operator is not None and isinstance(function, RSymbol):
        primitive = _Call(function.name, operator, call.arguments, as_argument, left_of)
        yield from _WRITERS[operator.form](to, primitive)
        return
    if isinstance(function, RSymbol):
        to.write(literals.name(function.name))
    elif is_callable_without_parens(function):
        yield function
    else:
        to.write("(")
        yield function
        to.write(")")
    to.write("(")
    yield from write_arguments(to, call.arguments)
    to.write(")")


def _operand(to: Context, call: _Call, index: int, *, on_left: bool = False) -> Writer:
    """Write an operand, in parentheses if precedence needs them."""
    value = call[index]
    if needs_parens(call.operator, value, on_left=on_left, further_left=call.left_of):
        to.left_of = 0
        to.write("(")
        yield value
        to.write(")")
    else:
        to.left_of = call.operator.level if on_left else call.left_of
        yield value


def _binary(to: Context, call: _Call) -> Writer:
    yield from _operand(to, call, 0, on_left=True)
    to.write(f" {call.name} ")
    broken = to.break_line(False)
    yield from _operand(to, call, 1)
    to.indent -= broken


def _tight(to: Context, call: _Call) -> Writer:
    yield from _operand(to, call, 0, on_left=True)
    to.write(call.name)
    yield from _operand(to, call, 1)


def _unary(to: Context, call: _Call) -> Writer:
    to.write(call.name)
    yield from _operand(to, call, 0)


def _assign(to: Context, call: _Call) -> Writer:
    parenthesised = call.as_argument and call.name == "="
    if parenthesised:
        to.write("(")
    yield from _operand(to, call, 0, on_left=True)
    to.write(f" {call.name} ")
    yield from _operand(to, call, 1)
    if parenthesised:
        to.write(")")


def _member(to: Context, call: _Call) -> Writer:
    yield from _operand(to, call, 0, on_left=True)
    to.write(call.name)
    member = call[1]
    if isinstance(member, RVector) and literals.is_name(str(member.values[0])):
        to.write(str(member.values[0]))
    else:
        yield from _operand(to, call, 1)


def _subset(to: Context, call: _Call) -> Writer:
    value = call[0]
    parenthesised = needs_parens(call.operator, value, on_left=True, further_left=call.left_of)
    to.write("(" * parenthesised)
    yield value
    to.write(")" * parenthesised + call.name)
    yield from write_arguments(to, call.arguments[1:])
    to.write("]" * len(call.name))


def _function_call(to: Context, call: _Call) -> Writer:
    to.write(f"{to.tag(call.name)}(")
    to.inlist += 1
    yield from write_arguments(to, call.arguments)
    to.inlist -= 1
    to.write(")")


def _replace(to: Context, call: _Call) -> Writer:
    to.write(f"`{call.name}`(")
    yield from write_arguments(to, call.arguments)
    to.write(")")


def _paren(to: Context, call: _Call) -> Writer:
    to.write("(")
    yield call[0]
    to.write(")")


def _curly(to: Context, call: _Call) -> Writer:
    to.write("{")
    to.curly += 1
    to.indent += 1
    to.end_line()
    for _, statement in call.arguments:
        yield statement
        to.end_line()
    to.indent -= 1
    to.write("}")
    to.curly -= 1


def _function(to: Context, call: _Call) -> Writer:
    formals = call[0]
    to.write("function(")
    if isinstance(formals, RPairlist):
        yield from write_arguments(to, formals.items, formal=True)
    to.write(") ")
    yield call[1]


def _if(to: Context, call: _Call) -> Writer:
    to.write("if (")
    yield call[0]
    to.write(") ")
    # R puts branches on separate lines only inside braces.
    broken = to.curly > 0 and to.inlist == 0
    indented = broken and not _is_curly(call[1])
    if indented:
        to.end_line()
        to.indent += 1
    yield call[1]
    to.indent -= indented
    if len(call.arguments) > 2:
        if broken:
            to.end_line()
        else:
            to.write(" ")
        to.write("else ")
        yield call[2]


def _is_curly(value: RValue) -> bool:
    return isinstance(value, RLanguage) and value.function == RSymbol("{")


def _for(to: Context, call: _Call) -> Writer:
    to.write("for (")
    yield call[0]
    to.write(" in ")
    yield call[1]
    to.write(") ")
    yield call[2]


def _while(to: Context, call: _Call) -> Writer:
    to.write("while (")
    yield call[0]
    to.write(") ")
    yield call[1]


def _repeat(to: Context, call: _Call) -> Writer:
    to.write("repeat ")
    yield call[0]


def _word(to: Context, call: _Call) -> Writer:
    to.write(call.name)
    yield from ()


_WRITERS: dict[Form, _CallWriter] = {
    Form.BINARY: _binary,
    Form.TIGHT: _tight,
    Form.UNARY: _unary,
    Form.ASSIGN: _assign,
    Form.MEMBER: _member,
    Form.SUBSET: _subset,
    Form.CALL: _function_call,
    Form.REPLACE: _replace,
    Form.PAREN: _paren,
    Form.CURLY: _curly,
    Form.FUNCTION: _function,
    Form.IF: _if,
    Form.FOR: _for,
    Form.WHILE: _while,
    Form.REPEAT: _repeat,
    Form.WORD: _word,
}
