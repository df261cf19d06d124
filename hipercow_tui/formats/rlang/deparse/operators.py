"""Operators and primitives of R: the form of their calls, and where operands need parentheses.

Source: the table ``R_FunTab`` in R's names.c, and ``needsparens`` in its deparse.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from hipercow_tui.formats.rlang.values import RClosure, RLanguage, RSymbol, RValue, RVector


class Form(Enum):
    """The form of a call of a primitive."""

    BINARY = auto()  # a + b
    TIGHT = auto()  # a:b
    UNARY = auto()  # !a
    ASSIGN = auto()  # a <- b, never broken
    MEMBER = auto()  # a$b
    SUBSET = auto()  # a[b, c]
    CALL = auto()  # c(a, b)
    REPLACE = auto()  # `[<-`(a, b, c)
    PAREN = auto()
    CURLY = auto()
    FUNCTION = auto()
    IF = auto()
    FOR = auto()
    WHILE = auto()
    REPEAT = auto()
    WORD = auto()  # break, next


class Level(IntEnum):
    """The precedence of operators (R's ``PREC_…``); a higher level binds tighter."""

    NONE = 0
    EQUALS = 1
    ARROW = 2
    TILDE = 4
    OR = 5
    AND = 6
    NOT = 7
    COMPARE = 8
    SUM = 9
    PRODUCT = 10
    PERCENT = 11
    COLON = 12
    SIGN = 13
    POWER = 14
    SUBSET = 15
    MEMBER = 16
    NAMESPACE = 17


@dataclass(frozen=True, slots=True)
class Operator:
    """The form, precedence and associativity of a primitive."""

    form: Form
    level: Level = Level.NONE
    right_associative: bool = False


_CALL = Operator(Form.CALL)
_PERCENT = Operator(Form.BINARY, Level.PERCENT)

_OPERATORS = {
    "if": Operator(Form.IF, right_associative=True),
    "while": Operator(Form.WHILE),
    "for": Operator(Form.FOR),
    "repeat": Operator(Form.REPEAT),
    "break": Operator(Form.WORD),
    "next": Operator(Form.WORD),
    "function": Operator(Form.FUNCTION),
    "{": Operator(Form.CURLY),
    "(": Operator(Form.PAREN),
    "<-": Operator(Form.ASSIGN, Level.ARROW, right_associative=True),
    "<<-": Operator(Form.ASSIGN, Level.ARROW, right_associative=True),
    "=": Operator(Form.ASSIGN, Level.EQUALS, right_associative=True),
    "[": Operator(Form.SUBSET, Level.SUBSET),
    "[[": Operator(Form.SUBSET, Level.SUBSET),
    "$": Operator(Form.MEMBER, Level.MEMBER),
    "@": Operator(Form.MEMBER, Level.MEMBER),
    "[<-": Operator(Form.REPLACE, Level.ARROW, right_associative=True),
    "[[<-": Operator(Form.REPLACE, Level.ARROW, right_associative=True),
    "$<-": Operator(Form.REPLACE, Level.ARROW, right_associative=True),
    "@<-": Operator(Form.REPLACE, Level.ARROW, right_associative=True),
    "+": Operator(Form.BINARY, Level.SUM),
    "-": Operator(Form.BINARY, Level.SUM),
    "*": Operator(Form.BINARY, Level.PRODUCT),
    "/": Operator(Form.TIGHT, Level.PRODUCT),
    "^": Operator(Form.TIGHT, Level.POWER, right_associative=True),
    "%%": Operator(Form.TIGHT, Level.PERCENT),
    "%/%": Operator(Form.TIGHT, Level.PERCENT),
    "%*%": _PERCENT,
    "==": Operator(Form.BINARY, Level.COMPARE),
    "!=": Operator(Form.BINARY, Level.COMPARE),
    "<": Operator(Form.BINARY, Level.COMPARE),
    "<=": Operator(Form.BINARY, Level.COMPARE),
    ">=": Operator(Form.BINARY, Level.COMPARE),
    ">": Operator(Form.BINARY, Level.COMPARE),
    "&": Operator(Form.BINARY, Level.AND),
    "&&": Operator(Form.BINARY, Level.AND),
    "|": Operator(Form.BINARY, Level.OR),
    "||": Operator(Form.BINARY, Level.OR),
    "!": Operator(Form.UNARY, Level.NOT),
    ":": Operator(Form.TIGHT, Level.COLON),
    "~": Operator(Form.BINARY, Level.TILDE),
    "::": Operator(Form.TIGHT, Level.NAMESPACE),
    ":::": Operator(Form.TIGHT, Level.NAMESPACE),
}
_WITH_OPERANDS = (Form.BINARY, Form.TIGHT, Form.SUBSET, Form.ASSIGN, Form.MEMBER)
# The other primitives of R 4.2.2's base package; every other function is written in R.
_OTHERS = """
    ...elt ...length ...names .C .cache_class .Call .Call.graphics .class2 .External
    .External.graphics .External2 .Fortran .Internal .isMethodsDispatchOn .Primitive .primTrace
    .primUntrace .subset .subset2 abs acos acosh all any anyNA Arg as.call as.character as.complex
    as.double as.environment as.integer as.logical as.numeric as.raw asin asinh atan atanh attr
    attr<- attributes attributes<- baseenv browser c call ceiling class class<- Conj cos cosh cospi
    cummax cummin cumprod cumsum digamma dim dim<- dimnames dimnames<- emptyenv enc2native enc2utf8
    environment<- exp expm1 expression floor forceAndCall gamma gc.time globalenv Im interactive
    invisible is.array is.atomic is.call is.character is.complex is.double is.environment
    is.expression is.finite is.function is.infinite is.integer is.language is.list is.logical
    is.matrix is.na is.name is.nan is.null is.numeric is.object is.pairlist is.raw is.recursive
    is.single is.symbol isS4 lazyLoadDBfetch length length<- levels<- lgamma list log log10 log1p
    log2 max min missing Mod names names<- nargs nzchar oldClass oldClass<- on.exit pos.to.env
    proc.time prod quote range Re rep retracemem return round seq_along seq_len seq.int sign signif
    sin sinh sinpi sqrt standardGeneric storage.mode<- substitute sum switch tan tanh tanpi tracemem
    trigamma trunc unclass untracemem UseMethod xtfrm
"""
_PRIMITIVES = frozenset(_OTHERS.split())
# R writes (return(f))(x), with parentheses around the called value, for these functions only.
_FOREIGN = ".C .Call .Call.graphics .External .External.graphics .External2 .Fortran"
_PARENTHESISED = frozenset(["return", *_FOREIGN.split()])


def is_percent(name: str) -> bool:
    """Whether this is the name of an operator like ``%in%``."""
    return len(name) >= 2 and name[0] == "%" and name[-1] == "%"


def operator_of(call: RLanguage) -> Operator | None:
    """Return the operator of a call; None if it calls a function written in R."""
    if not isinstance(call.function, RSymbol):
        return None
    name = call.function.name
    known = _OPERATORS.get(name)
    if known is None:
        if name in _PRIMITIVES:
            return _CALL
        if not is_percent(name):
            return None
        named = any(tag for tag, _ in call.arguments)
        return _CALL if named or len(call.arguments) != 2 else _PERCENT
    return _for_arguments(known, call)


def _for_arguments(known: Operator, call: RLanguage) -> Operator:
    """Return the operator for the number of operands; with a wrong number it is a function call."""
    count = len(call.arguments)
    if known.form is Form.BINARY and count == 1:
        return Operator(Form.UNARY, _signed(known.level), known.right_associative)
    if known.form in (Form.BINARY, Form.TIGHT, Form.MEMBER) and count != 2:
        return _CALL
    if known.form is Form.MEMBER and not _is_member(call.arguments[1][1]):
        return _CALL
    return known


def _signed(level: Level) -> Level:
    return Level.SIGN if level is Level.SUM else level


def _is_member(value: RValue) -> bool:
    """Whether ``x$value`` is valid code: the value is a name or a string."""
    if isinstance(value, RVector) and value.kind == "character":
        return len(value.values) == 1 and value.values[0] is not None
    return isinstance(value, RSymbol)


def needs_parens(outer: Operator, operand: RValue, *, on_left: bool, further_left: int) -> bool:
    """Whether an operand of ``outer`` needs parentheses.

    Args:
        outer: The operator.
        operand: Its operand.
        on_left: Whether it is the left operand.
        further_left: The level of an operator that has ``outer`` in its left operand, else 0. An
            ``if`` or a sign without parentheses would include that operator.
    """
    if isinstance(operand, RVector):
        is_complex = operand.kind == "complex" and len(operand.values) == 1
        return is_complex and _is_weaker(outer, Level.SUM, on_left)  # it is written as a sum
    inner = _operand_operator(operand)
    if inner is None:
        return False
    form, level = inner.form, inner.level
    if form in (Form.IF, Form.FOR, Form.WHILE, Form.REPEAT):
        return on_left or further_left > 0
    if form is Form.UNARY:
        return (on_left and outer.level > level) or further_left > level
    if level is Level.COMPARE and outer.level is Level.COMPARE:
        return True  # a < b < c is a syntax error
    if form is Form.SUBSET and outer.form in (Form.MEMBER, Form.SUBSET):
        return False
    return form in _WITH_OPERANDS and _is_weaker(outer, level, on_left)


def _operand_operator(operand: RValue) -> Operator | None:
    """Return the operator of an operand, by its number of arguments; None for other values."""
    if not isinstance(operand, RLanguage) or not isinstance(operand.function, RSymbol):
        return None
    name = operand.function.name
    operator = _OPERATORS.get(name)
    if operator is None:
        return _PERCENT if is_percent(name) else None
    if operator.form in (Form.BINARY, Form.TIGHT):
        count = len(operand.arguments)
        if count == 1:
            return Operator(Form.UNARY, _signed(operator.level))
        if count != 2:
            return None
    return operator


def _is_weaker(outer: Operator, level: Level, on_left: bool) -> bool:
    """Whether precedence would split an operand of this level."""
    return outer.level > level or (outer.level == level and on_left == outer.right_associative)


def is_callable_without_parens(function: RValue) -> bool:
    """Whether a called function needs no parentheses before its arguments."""
    if not isinstance(function, RLanguage):
        return not isinstance(function, RClosure)
    if not isinstance(function.function, RSymbol):
        return False
    name = function.function.name
    known = _OPERATORS.get(name)
    if known is None:
        return not is_percent(name) and name not in _PARENTHESISED
    return known.level >= Level.SUBSET or known.form in (Form.PAREN, Form.CURLY)
