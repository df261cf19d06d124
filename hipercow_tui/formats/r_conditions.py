"""Read the error of a failed R task from the condition in its ``result``.

A condition is a list of parts, in the order ``message, call, trace, …``, followed by their names.
A trace can be tens of megabytes. So each small part is kept, the others are skipped, and the names
are assigned at the end.
Source: docs/spec.md, section 2, "Errors"; R's ``conditionMessage``, rlang's ``cnd_message``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hipercow_tui.formats.r_traces import call_label, read_trace
from hipercow_tui.formats.rlang.deparse import deparse
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.rds.reader import Reader
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.rds.type_codes import CHARACTER, LANGUAGE, LIST
from hipercow_tui.formats.rlang.values import RLanguage, RSymbol, RValue, RVector, names
from hipercow_tui.support.text import pluralize

_MAX_TEXT = 20_000  # characters of an error's text
_MAX_PARTS = 100  # of a condition
_MAX_PART_ELEMENTS = 500  # elements
_MAX_WARNINGS = 50  # as in R
_MAX_PARENTS = 20
_MAX_CALL_DEPTH = 50  # of calls within each other
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

# Functions with a call that is shown completely, because they are written between their arguments
# (rlang's ``call_parse_type``), and functions that do not show where an error came from.
_OPERATORS = frozenset((
    "+", "-", "*", "/", "^", "%%", ":", "==", "!=", "<", ">", "<=", ">=", "&", "&&", "|", "||",
    "!", "~", "<-", "<<-", "=", ":=", "?", "$", "@", "[", "[[", "(", "{",
    "function", "while", "for", "repeat",
))  # fmt: skip
_EVALUATORS = frozenset(("eval", "evalq", "eval_tidy"))
_INDEXERS = frozenset(("$", "@", "[", "[["))
_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*\Z")
_FIVE_INTEGERS = struct.Struct(">iiiii")
# As R's ``print.warnings`` prints.
_WARNING_WIDTH = 75  # cells; a wider warning is printed below its call
_WARNING_CALL_WIDTH = 50  # bytes after which a call is cut


@dataclass(frozen=True, slots=True)
class FailureText:
    """The texts of a failure.

    ``message`` is as R's ``conditionMessage()`` gives it. ``warnings`` is as R prints the warnings
    before the error; empty if there were none. ``frame`` is the function in which it failed (see
    ``r_traces``), or empty.
    """

    message: str
    warnings: str = ""
    frame: str = ""


@dataclass(frozen=True, slots=True)
class _Condition:
    parts: dict[str, _Part]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Trace:
    frame: str


_Part: TypeAlias = "RValue | _Condition | _Trace | tuple[_Condition, ...]"


class _DepthLimitedReader(Reader):
    """A reader that skips values nested deeper than is shown, and raises no error for them."""

    def build(self, flags: int) -> RValue:
        if self.depth > _MAX_CALL_DEPTH:
            return self.opaque(flags, "language")
        return super().build(flags)


def read_failure_text(source: Source) -> FailureText:
    """Read the texts of the condition in the ``result`` of a failed task.

    The file is read in chunks, to its end. A text is cut after 20,000 characters, with a note on
    the number of missing characters. What R would compute is left out: a ``body`` that is a
    function, and methods of packages for their classes. Raises RdsError.
    """
    with _DepthLimitedReader(source, _LIMITS) as reader:
        flags = reader.integer()
        if flags & 0xFF != LIST:
            raise reader.error("it has no error, which would be a list")
        condition = _read_condition(reader, flags, _MAX_PARENTS)
    warnings = condition.parts.get("warnings")
    printed = _format_warnings(warnings) if isinstance(warnings, tuple) else ""
    return FailureText(_cut("\n".join(_message(condition))), _cut(printed), _find_frame(condition))


def _find_frame(condition: _Condition) -> str:
    """Return the frame of the first cause that has one, else that of the error itself."""
    parent = condition.parts.get("parent")
    if isinstance(parent, _Condition) and (frame := _find_frame(parent)):
        return frame
    trace = condition.parts.get("trace")
    return (trace.frame if isinstance(trace, _Trace) else "") or call_label(
        condition.parts.get("call")
    )


def _cut(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        return text
    return f"{text[:_MAX_TEXT]}… ({pluralize(len(text) - _MAX_TEXT, 'more character')})"


def _read_condition(reader: Reader, flags: int, generations: int) -> _Condition:
    length = reader.length()
    kept = min(length, _MAX_PARTS)
    parts = [_read_part(reader, generations - 1) for _ in range(kept)]
    reader.skip(length - kept)
    attributes = dict(reader.attributes_of(flags))
    named: dict[str, _Part] = {}
    for name, part in zip(_texts(attributes.get("names")), parts, strict=False):
        named.setdefault(name, part)
    return _Condition(named, _texts(attributes.get("class")))


def _read_part(reader: Reader, generations: int) -> _Part:
    """Read a part of a condition if it is small, or skip it.

    A list is read only if it may be a parent condition, the list of warnings that hipercow adds to
    an error (``task_eval``), or a trace. ``generations`` is the number of parents that may still be
    read.
    """
    flags = reader.integer()
    if flags & 0xFF == LIST:
        if generations and _begins_with_message(reader):
            return _read_condition(reader, flags, generations)
        if generations and _begins_with_condition(reader):
            return _read_conditions(reader, flags, generations)
        if _begins_with_call(reader):
            return _Trace(read_trace(reader, flags))
        return reader.opaque(flags, "list")
    reserved = max(0, reader.elements_left - _MAX_PART_ELEMENTS)
    reader.elements_left -= reserved
    part = reader.build(flags)
    reader.elements_left += reserved
    return part


def _read_conditions(reader: Reader, flags: int, generations: int) -> tuple[_Condition, ...]:
    length = reader.length()
    kept = min(length, _MAX_WARNINGS)
    parts = [_read_part(reader, generations - 1) for _ in range(kept)]
    reader.skip(length - kept)
    reader.attributes_of(flags)
    return tuple(part for part in parts if isinstance(part, _Condition))


def _begins_with_message(reader: Reader) -> bool:
    """Return whether the next list begins with one string, as a condition does, unlike a trace."""
    _, first, length, _, _ = _peek_headers(reader)
    return first & 0xFF == CHARACTER and length == 1


def _begins_with_condition(reader: Reader) -> bool:
    """Return whether the next list begins with a condition; a trace begins with a list of calls."""
    _, first, _, inner, length = _peek_headers(reader)
    return first & 0xFF == LIST and inner & 0xFF == CHARACTER and length == 1


def _begins_with_call(reader: Reader) -> bool:
    """Return whether the next list begins with a list of calls, as a trace does."""
    _, first, _, inner, _ = _peek_headers(reader)
    return first & 0xFF == LIST and inner & 0xFF == LANGUAGE


def _peek_headers(reader: Reader) -> tuple[int, int, int, int, int]:
    """Return the next five integers without reading them; zeros at the end of the file."""
    ahead = bytes(reader.peek(_FIVE_INTEGERS.size))
    return _FIVE_INTEGERS.unpack(ahead.ljust(_FIVE_INTEGERS.size, b"\0"))


def _message(condition: _Condition) -> Iterator[str]:
    """Yield the lines of the message, and for an rlang condition those of its parents."""
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
    """Return header, body and footer.

    With ``use_cli_format`` their bullets are added here; otherwise they are in the text already.
    ``alert`` adds a ``!`` to a header without a bullet.
    """
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
    """Return the strings of a character vector, each with its name or an empty one."""
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
    """Return a call as rlang writes it in a message (``error_call_as_string``), such as ``f()``.

    None for calls that rlang does not write.
    """
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
                return _deparse_call(RLanguage(call.function, (*call.arguments[:1], dots)))
            if name in _OPERATORS or (name[0:1] == name[-1:] == "%" and len(name) > 1):
                return _deparse_call(call)
            if isinstance(call.function, RSymbol) and not _SYNTACTIC.match(name):
                return name
            return _deparse_call(RLanguage(call.function, ()))
        case RLanguage(RSymbol(name)) if name in _INDEXERS:
            return _deparse_call(RLanguage(call.function, ()))
    return None


def _format_warnings(warnings: Sequence[_Condition]) -> str:
    """Return warnings as R's ``print.warnings`` writes them: ``In f(x) : message``, numbered if
    there are several."""
    if not warnings:
        return ""
    lines = ["Warning message:" if len(warnings) == 1 else "Warning messages:"]
    for number, warning in enumerate(warnings, 1):
        tag = f"{number}: " if len(warnings) > 1 else ""
        message = "\n".join(_message(warning))
        call = warning.parts.get("call")
        if isinstance(call, RLanguage):
            code = deparse(call, cutoff=_WARNING_CALL_WIDTH)
            short = len(tag) + len(code[0]) + len(message.partition("\n")[0]) <= _WARNING_WIDTH
            more = " ..." if len(code) > 1 else ""
            tag += f"In {code[0]}{more} :{' ' if short else f'{chr(10)}  '}"
        lines.append(tag + message)
    return "\n".join(lines)


def _deparse_call(call: RLanguage) -> str:
    return "\n  ".join(deparse(call))
