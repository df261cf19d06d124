"""Find the function of the user in which an R task failed, in the trace of its error.

A trace of rlang is a list of equally long columns: ``call``, ``parent``, ``visible``,
``namespace``, ``scope``. It has a call for each frame, the innermost last, and can be tens of
megabytes, because calls hold their arguments. Only the functions that are called are kept.
rlang drops the references to source files from the calls, so no file or line is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from hipercow_tui.formats.rlang.deparse import deparse, literals
from hipercow_tui.formats.rlang.rds.reader import Reader
from hipercow_tui.formats.rlang.rds.type_codes import (
    CHARACTER,
    HAS_ATTRIBUTES,
    HAS_TAG,
    LANGUAGE,
    LIST,
    REFERENCE,
    SYMBOL,
)
from hipercow_tui.formats.rlang.values import Element, RLanguage, RSymbol, RValue, RVector
from hipercow_tui.support.text import truncate_middle

_MAX_COLUMNS = 20  # of a trace
_MAX_FRAMES = 1000  # the innermost frames that are kept
_MAX_NAME = 80  # characters of the name of a function
_FUNCTION_ELEMENTS = 20  # elements kept of ``package::function`` or ``object$method``

# Packages with functions that run the task, or raise and handle errors.
_INFRASTRUCTURE = frozenset(("base", "cli", "hipercow", "methods", "rlang", "withr"))
# Functions of base R that evaluate code or handle errors: the call of an error is that of the frame
# which raised it, and these say nothing about it. FUN is the parameter of lapply().
_UNINFORMATIVE = frozenset((
    "FUN", "abort", "cli_abort", "do.call", "doTryCatch", "eval", "evalq", "eval_tidy", "force",
    "source", "stop", "stopifnot", "sys.source", "try", "tryCatch", "tryCatchList", "tryCatchOne",
    "withCallingHandlers", "withVisible",
))  # fmt: skip
_ERROR_IN = re.compile(r"\W*Error in (?:`(?P<label>[^`]+?)(?:\(\))?`|(?P<name>[\w.:$]+)\()")
_MAX_ERROR_LINE = 200  # characters in which a function is searched


class _Frame(NamedTuple):
    """A frame: the name of its function, and where rlang found that.

    ``namespace`` is a package, None for a function of no package. ``scope`` is ``global``,
    ``local``, ``::`` or ``:::``, and None if rlang does not know it, as for an anonymous function.
    """

    name: str
    namespace: str | None
    scope: str | None


def read_trace(reader: Reader, flags: int) -> str:
    """Read the rest of a list of columns, after its flags were read, and return the frame.

    That is the innermost function that is in no package, such as ``fit()``; without one the
    innermost in a package, such as ``odin2::dust_system_run()``. Packages that run the task or
    raise errors do not count. "" if there is none, or if the list is not a trace.
    """
    length = reader.length()
    columns = [_read_column(reader) for _ in range(min(length, _MAX_COLUMNS))]
    reader.skip(length - len(columns))
    titles: tuple[Element, ...] = ()
    for name, value in reader.attributes_of(flags):
        if name == "names" and isinstance(value, RVector):
            titles = value.values
    named = dict(zip(titles, columns, strict=False))
    calls, namespaces, scopes = (named.get(name, ()) for name in ("call", "namespace", "scope"))
    if not len(calls) == len(namespaces) == len(scopes):
        return ""
    names = (name or "" for name in calls)
    return _find_frame(map(_Frame, names, namespaces, scopes))


def call_label(call: object) -> str:
    """Return the function of a call as ``f()``; "" for an anonymous one, or one that only runs code
    or handles errors."""
    name = _name_of(call.function) if isinstance(call, RLanguage) else ""
    return "" if name.rpartition("::")[2] in _UNINFORMATIVE else _label(name)


def label_in(line: str) -> str:
    """Return the function, as ``f()``, in R's ``Error in f(x) : …`` or rlang's ``Error in `f()`:``;
    "" if there is none."""
    found = _ERROR_IN.match(line[:_MAX_ERROR_LINE])
    name = found["label"] or found["name"] if found else ""
    return "" if name.rpartition("::")[2] in _UNINFORMATIVE else _label(name)


def _find_frame(frames: Iterable[_Frame]) -> str:
    own = package = ""
    in_package = False
    for name, namespace, scope in frames:
        if not name or namespace in _INFRASTRUCTURE:
            continue
        if namespace is not None:
            package, in_package = _with_package(name, namespace), True
        elif scope is not None:
            own, in_package = name, False
        elif "$" in name and not in_package:
            own = name  # rlang does not know the package of a method
    return _label(own or package)


def _with_package(name: str, package: str) -> str:
    return name if "::" in name else f"{package}::{name}"


def _label(name: str) -> str:
    return f"{name}()" if name else ""


def _read_column(reader: Reader) -> Sequence[str | None]:
    """Read the next item: strings, or the names of the functions in a list of calls; () for
    others."""
    flags = reader.integer()
    kind = flags & 0xFF
    if kind not in (LIST, CHARACTER):
        reader.skip_rest(flags)
        return ()
    length = reader.length()
    kept = min(length, _MAX_FRAMES)
    reader.skip(length - kept)
    read: Callable[[], str | None]
    read = partial(_read_function_name, reader) if kind == LIST else reader.string
    found = [read() for _ in range(kept)]
    reader.attributes_of(flags)
    return found


def _read_function_name(reader: Reader) -> str:
    """Read the next item, and return the name of the function that it calls, or ""."""
    flags = reader.integer()
    if flags & 0xFF != LANGUAGE:
        reader.skip_rest(flags)
        return ""
    if extras := bool(flags & HAS_ATTRIBUTES) + bool(flags & HAS_TAG):
        reader.skip(extras)
    flags, name = reader.integer(), ""
    kind = flags & 0xFF
    if kind in (SYMBOL, REFERENCE):
        name = _name_of(reader.referable(flags))
    elif kind == LANGUAGE:
        elements, reader.elements_left = reader.elements_left, _FUNCTION_ELEMENTS
        name = _name_of(reader.build(flags))
        reader.elements_left = elements
    else:
        reader.skip_rest(flags)
    reader.skip()  # the arguments
    return name


def _name_of(function: RValue) -> str:
    """Return the name of a function in R code, such as ``f``, ``stats::optim`` or ``self$run``."""
    match function:
        case RSymbol(name) if not name.startswith("<"):  # rlang writes <fn> for a function as such
            return truncate_middle(literals.name(name), _MAX_NAME)
        case RLanguage(RSymbol("::" | ":::" | "$")):
            return truncate_middle(" ".join("".join(deparse(function)).split()), _MAX_NAME)
    return ""
