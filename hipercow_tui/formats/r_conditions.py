"""What went wrong in a failed task: the text of the R condition in its ``result``.

A condition is a list of parts that R writes in the order ``message, call, trace, …``, and its
names behind them. A trace can be tens of megabytes. So each part is kept as far as it is small,
the rest is read past, and the names then say which part was what.
Source: SPEC section 2, "Error text"; R's ``conditionMessage``, rlang's ``cnd_message``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.formats.rlang.deparse import deparse
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.rds.reader import Reader
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.rds.type_codes import CHARACTER, LIST
from hipercow_tui.formats.rlang.values import RLanguage, RSymbol, RValue, RVector, names
from hipercow_tui.support.text import pluralize

_LONGEST = 20_000  # characters of an error's text
_MOST_PARTS = 100  # of a condition
_LARGEST_PART = 500  # elements
_MOST_WARNINGS = 50  # that are told, as many as R itself keeps
_GENERATIONS = 20
_DEPTH = 50  # of calls within each other
_LIMITS = Limits(
    max_bytes=512 << 20,
    max_examined=128 << 20,
    max_steps=8_000_000,  # a trace of 30 MB
    max_elements=20_000,
    max_text=1 << 16,
)

_RLANG = frozenset(("rlang_error", "rlang_warning", "rlang_message"))
_TYPES = frozenset(("error", "warning", "message", "interrupt"))
_BULLETS = {"x": "✖ ", "i": "ℹ ", "!": "! ", "*": "• ", "v": "✔ ", ">": "→ ", " ": "  "}

# Calls that are shown whole, since their function stands between its arguments (rlang's
# ``call_parse_type``), and those that say nothing of where an error came from.
_OPERATORS = frozenset((
    "+", "-", "*", "/", "^", "%%", ":", "==", "!=", "<", ">", "<=", ">=", "&", "&&", "|", "||",
    "!", "~", "<-", "<<-", "=", ":=", "?", "$", "@", "[", "[[", "(", "{",
    "function", "while", "for", "repeat",
))  # fmt: skip
_EVALUATORS = frozenset(("eval", "evalq", "eval_tidy"))
_INDEXERS = frozenset(("$", "@", "[", "[["))
_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*\Z")
_FIVE_INTEGERS = struct.Struct(">iiiii")
# How R prints warnings: its ``print.warnings``.
_IN_LINE = 75  # cells up to which a warning stands beside its call
_CALL = 50  # bytes of a call after which it is cut


@dataclass(frozen=True, slots=True)
class FailureText:
    """What a failed task says of its end: the ``message`` as ``conditionMessage()`` gives it, and
    the ``warnings`` that were raised on the way as R prints them, empty if there were none."""

    message: str
    warnings: str = ""


@dataclass(frozen=True, slots=True)
class _Condition:
    parts: dict[str, _Part]
    classes: tuple[str, ...]


_Part: TypeAlias = "RValue | _Condition | tuple[_Condition, ...]"


class _Sketcher(Reader):
    """A reader to which nothing is nested too deep: what is deeper than we show is read past."""

    def build(self, flags: int) -> RValue:
        if self.depth > _DEPTH:
            return self.opaque(flags, "language")
        return super().build(flags)


def read_failure_text(source: Source) -> FailureText:
    """What the condition in a failed task's ``result`` says.

    The file is read in chunks, to its end. Beyond 20,000 characters a text is cut, with a note
    of how many are missing. What R would compute (a ``body`` that is a function, methods that a
    package has for its own classes) is left out. Raises RdsError.
    """
    with _Sketcher(source, _LIMITS) as reader:
        flags = reader.integer()
        if flags & 0xFF != LIST:
            raise reader.error("it holds no error, which would be a list")
        condition = _condition(reader, flags, _GENERATIONS)
    warnings = condition.parts.get("warnings")
    printed = _printed(warnings) if isinstance(warnings, tuple) else ""
    return FailureText(_cut("\n".join(_message(condition))), _cut(printed))


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({pluralize(len(text) - _LONGEST, 'more character')})"


def _condition(reader: Reader, flags: int, generations: int) -> _Condition:
    length = reader.length()
    kept = min(length, _MOST_PARTS)
    parts = [_part(reader, generations - 1) for _ in range(kept)]
    reader.skip(length - kept)
    attributes = dict(reader.attributes_of(flags))
    named: dict[str, _Part] = {}
    for name, part in zip(_texts(attributes.get("names")), parts, strict=False):
        named.setdefault(name, part)
    return _Condition(named, _texts(attributes.get("class")))


def _part(reader: Reader, generations: int) -> _Part:
    """A part of a condition, as far as it is small; a list only if it may be a parent, or the
    warnings that hipercow adds to an error (its ``task_eval``)."""
    flags = reader.integer()
    if flags & 0xFF == LIST:
        if generations and _begins_with_message(reader):
            return _condition(reader, flags, generations)
        if generations and _begins_with_condition(reader):
            return _conditions(reader, flags, generations)
        return reader.opaque(flags, "list")
    spared = max(0, reader.elements_left - _LARGEST_PART)
    reader.elements_left -= spared
    part = reader.build(flags)
    reader.elements_left += spared
    return part


def _conditions(reader: Reader, flags: int, generations: int) -> tuple[_Condition, ...]:
    length = reader.length()
    kept = min(length, _MOST_WARNINGS)
    parts = [_part(reader, generations - 1) for _ in range(kept)]
    reader.skip(length - kept)
    reader.attributes_of(flags)
    return tuple(part for part in parts if isinstance(part, _Condition))


def _begins_with_message(reader: Reader) -> bool:
    """Whether the list ahead begins with one string, as conditions do, and a trace does not."""
    _, first, its_length, _, _ = _ahead(reader)
    return first & 0xFF == CHARACTER and its_length == 1


def _begins_with_condition(reader: Reader) -> bool:
    """Whether the list ahead begins with a list like that; a trace begins with one of calls."""
    _, first, _, within, its_length = _ahead(reader)
    return first & 0xFF == LIST and within & 0xFF == CHARACTER and its_length == 1


def _ahead(reader: Reader) -> tuple[int, int, int, int, int]:
    """The next five integers; zeros where there are none."""
    ahead = bytes(reader.peek(_FIVE_INTEGERS.size))
    return _FIVE_INTEGERS.unpack(ahead.ljust(_FIVE_INTEGERS.size, b"\0"))


def _message(condition: _Condition) -> Iterator[str]:
    """The lines of the message, and those of the parents of a condition of rlang."""
    if _RLANG.isdisjoint(condition.classes):
        yield "\n".join(_texts(condition.parts.get("message")))
        return
    yield _formatted(condition, alert=False)
    parent = condition.parts.get("parent")
    while isinstance(parent, _Condition) and "condition" in parent.classes:
        message = _formatted(parent, alert=True).removesuffix("\n")
        label = _label(parent.parts.get("call"))
        if message or label:
            yield f"Caused by {_type(parent)}{f' in `{label}`' if label else ''}:"
        if message:
            yield message
        parent = parent.parts.get("parent")


def _formatted(condition: _Condition, *, alert: bool) -> str:
    """Header, body and footer. Their bullets were put in when the condition was made, unless it
    says ``use_cli_format``; ``alert`` puts a ``!`` before a header without a bullet."""
    parts = condition.parts
    header = parts.get("header")
    lines = _lines(header if isinstance(header, RVector) else parts.get("message"))
    lines += _lines(parts.get("body")) + _lines(parts.get("footer"))
    if [text for _, text in lines] in ([], [""]):
        return ""
    use_cli = parts.get("use_cli_format")
    if not (isinstance(use_cli, RVector) and use_cli.values == (True,)):
        text = "\n".join(text for _, text in lines)
        return f"! {text}" if alert and not lines[0][0] else text
    if alert and not lines[0][0]:
        lines[0] = ("!", lines[0][1])
    return "\n".join(_BULLETS.get(bullet, "") + text for bullet, text in lines)


def _lines(value: _Part | None) -> list[tuple[str, str]]:
    """The strings of a character vector, each with its name or an empty one."""
    texts = _texts(value)
    bullets = names(value) if isinstance(value, RVector) else ()
    return list(zip(bullets or [""] * len(texts), texts, strict=False))


def _texts(value: _Part | None) -> tuple[str, ...]:
    if not isinstance(value, RVector) or value.kind != "character":
        return ()
    return tuple(text if isinstance(text, str) else "NA" for text in value.values)


def _type(condition: _Condition) -> str:
    kinds = [name for name in condition.classes[:-1] if name in _TYPES]
    return kinds[-1] if kinds else "condition"


def _label(call: _Part | None) -> str | None:
    """A call as rlang names it in a message (its ``error_call_as_string``): ``f()``; None for what
    it does not name."""
    if not isinstance(call, RLanguage):
        return None
    match call.function:
        case RSymbol("::" | ":::"):
            return None
        case RSymbol(name) | RLanguage(RSymbol("::" | ":::"), (_, (_, RSymbol(name)))):
            if name in _EVALUATORS:
                return None
            if name == "if":
                dots = (None, RSymbol("..."))
                return _deparsed(RLanguage(call.function, (*call.arguments[:1], dots)))
            if name in _OPERATORS or (name[0:1] == name[-1:] == "%" and len(name) > 1):
                return _deparsed(call)
            if isinstance(call.function, RSymbol) and not _SYNTACTIC.match(name):
                return name
            return _deparsed(RLanguage(call.function, ()))
        case RLanguage(RSymbol(name)) if name in _INDEXERS:
            return _deparsed(RLanguage(call.function, ()))
    return None


def _printed(warnings: Sequence[_Condition]) -> str:
    """As R's ``print.warnings`` has it: ``In f(x) : message``, numbered if there are several."""
    if not warnings:
        return ""
    lines = ["Warning message:" if len(warnings) == 1 else "Warning messages:"]
    for number, warning in enumerate(warnings, 1):
        tag = f"{number}: " if len(warnings) > 1 else ""
        message = "\n".join(_message(warning))
        call = warning.parts.get("call")
        if isinstance(call, RLanguage):
            code = deparse(call, cutoff=_CALL)
            short = len(tag) + len(code[0]) + len(message.partition("\n")[0]) <= _IN_LINE
            more = " ..." if len(code) > 1 else ""
            tag += f"In {code[0]}{more} :{' ' if short else f'{chr(10)}  '}"
        lines.append(tag + message)
    return "\n".join(lines)


def _deparsed(call: RLanguage) -> str:
    return "\n  ".join(deparse(call))
