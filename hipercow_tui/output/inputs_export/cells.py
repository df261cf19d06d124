"""R values as the cells of a table: a scalar keeps its type, any other value is R code."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from hipercow_tui.formats.rlang.deparse import deparse, one_line
from hipercow_tui.formats.rlang.values import (
    Element,
    RList,
    RNull,
    ROpaque,
    RValue,
    RVector,
    attribute,
)
from hipercow_tui.support.text import format_size, pluralize

MAX_TEXT = 32_767  # characters of a cell; a cell of a spreadsheet holds no more
_CUTOFF = 500  # bytes of a line of R code, the largest that R's deparse() takes
_EPOCH = date(1970, 1, 1)
_ROUNDING = Decimal("0.45")  # units in the last place
_TYPE_NAMES = {"double": "numeric"}
_WIDTH = {"logical": 4, "integer": 4, "double": 8, "complex": 16, "raw": 1}  # bytes of an element


class Kind(StrEnum):
    """The type of a cell or a column. TOO_LARGE is a text instead of a value that is too large."""

    LOGICAL = "l"
    INTEGER = "i"
    DOUBLE = "d"
    COMPLEX = "c"
    DATE = "D"
    TIME = "t"
    TEXT = "s"
    TOO_LARGE = "x"


class Cell(NamedTuple):
    """A value that is not missing.

    ``text`` is ``TRUE``, a number that R reads as the same number, an ISO 8601 date, seconds since
    the epoch for a TIME, or a text.
    """

    kind: Kind
    text: str


# None is a missing value: NA, NULL, or an input that the task does not have.
MaybeCell: TypeAlias = Cell | None


def text_cell(text: str | None) -> MaybeCell:
    """Return a cell with a text; None without one."""
    return None if text is None else Cell(Kind.TEXT, text)


def time_cell(seconds: float | None) -> MaybeCell:
    """Return a cell with a time, in seconds since the epoch; None without one."""
    return None if seconds is None else Cell(Kind.TIME, number_text(seconds))


def input_cell(value: RValue) -> MaybeCell:
    """Return the cell of an input.

    The scalars are vectors of one element without attributes, factors, dates and times of one
    element, and NULL. A factor becomes its label.
    """
    if isinstance(value, RNull):
        return None
    if (scalar := _as_scalar(value)) is not None:
        kind, single = scalar
        if single is None:
            return None
        if (cell := _scalar_cell(kind, single)) is not None:
            return cell
    return _code_cell(value)


def _as_scalar(value: RValue) -> tuple[str, Element] | None:
    """Return the type of a scalar and its element; None for other values.

    The type is that of R, or ``date`` with days or ``time`` with seconds since the epoch.
    """
    if not isinstance(value, RVector) or len(value.values) != 1:
        return None
    (single,) = value.values
    if not value.attributes:
        return value.kind, single
    classes = _strings(attribute(value, "class"))
    attributes = {name for name, _ in value.attributes}
    if classes == ("factor",) and attributes == {"class", "levels"}:
        return _as_label(single, _strings(attribute(value, "levels")))
    if single is not None and not isinstance(single, int | float):
        return None
    number = single if single is not None and math.isfinite(single) else None
    if classes == ("Date",) and attributes == {"class"}:
        return "date", number
    if classes == ("POSIXct", "POSIXt") and attributes <= {"class", "tzone"}:
        return "time", number
    return None


def _as_label(code: Element, levels: tuple[str, ...]) -> tuple[str, Element] | None:
    """Return the label of a factor; None for a code without a level."""
    if code is None:
        return "character", None
    if isinstance(code, int) and 0 < code <= len(levels):
        return "character", levels[code - 1]
    return None


def _scalar_cell(kind: str, single: Element) -> MaybeCell:
    """Return the cell of an element that is not NA; None if it is written as code."""
    match kind, single:
        case "logical", bool():
            return Cell(Kind.LOGICAL, "TRUE" if single else "FALSE")
        case "integer", int():
            return Cell(Kind.INTEGER, str(single))
        case "double", float() | int():
            return Cell(Kind.DOUBLE, number_text(float(single)))
        case "complex", complex() if math.isfinite(single.real) and math.isfinite(single.imag):
            imaginary = number_text(single.imag)
            sign = "" if imaginary.startswith("-") else "+"
            return Cell(Kind.COMPLEX, f"{number_text(single.real)}{sign}{imaginary}i")
        case "character", str() if len(single) <= MAX_TEXT:
            return Cell(Kind.TEXT, single)
        case "date", int() | float():
            return _date_cell(single)
        case "time", int() | float():
            return time_cell(float(single))
    return None


def _date_cell(days: float) -> MaybeCell:
    """Return the cell of a day since the epoch; None for a year outside 1 to 9999."""
    try:
        return Cell(Kind.DATE, (_EPOCH + timedelta(days=math.floor(days))).isoformat())
    except OverflowError:
        return None


def _strings(value: RValue | None) -> tuple[str, ...]:
    if not isinstance(value, RVector) or value.kind != "character":
        return ()
    return tuple(text if isinstance(text, str) else "" for text in value.values)


def _code_cell(value: RValue) -> Cell:
    """Return a cell with a value as R code on one line, as R deparses it."""
    if not (isinstance(value, ROpaque) and value.length):
        lines = deparse(value, MAX_TEXT, cutoff=_CUTOFF)
        if sum(map(len, lines)) <= MAX_TEXT:
            return Cell(Kind.TEXT, one_line(lines))
    return Cell(Kind.TOO_LARGE, f"<{_size_text(value)}: too large>")


def _size_text(value: RValue) -> str:
    """Return the type and the size of a value: ``numeric vector of 1,000,000 values, 8 MB``."""
    match value:
        case RVector(kind, values):
            length, size = len(values), len(values) * _WIDTH.get(kind, 0)
            if kind == "character":
                size = sum(len(str(text).encode("utf-8", "replace")) for text in values)
        case ROpaque(kind=kind, length=length):
            size = length * _WIDTH.get(kind, 0)
        case RList(values=values, kind=kind):
            length, size = len(values), 0
        case _:
            return "code"
    form = kind if kind in ("list", "expression") else f"{_TYPE_NAMES.get(kind, kind)} vector"
    text = f"{form} of {pluralize(length, 'value')}"
    return f"{text}, {format_size(size)}" if size else text


def number_text(number: float) -> str:
    """Return a double as the shortest text that R reads as the same double.

    R rounds twice where it reads a number, so a decimal near the middle between two doubles can
    give the wrong one: such a number has 17 digits.
    """
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Inf" if number > 0 else "-Inf"
    text = repr(number)
    if len(text) > _SHORT and _is_near_middle(text, number):
        text = f"{number:.17g}"
        return text if "." in text or "e" in text else f"{text}.0"
    return text


_SHORT = 8  # characters; R reads so few digits exactly


def _is_near_middle(text: str, number: float) -> bool:
    return abs(Decimal(text) - Decimal(number)) > _ROUNDING * Decimal(math.ulp(number))


def iso_time(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, to the second; seconds if the year is not 1 to 9999."""
    try:
        then = datetime.fromtimestamp(math.floor(seconds), UTC)
    except (OverflowError, OSError, ValueError):
        return number_text(seconds)
    return f"{then:%Y-%m-%dT%H:%M:%SZ}" if then.year >= 1000 else then.isoformat()


def common_kind(kinds: Iterable[Kind]) -> Kind:
    """Return the type of a column: that of all its cells, DOUBLE for integers and doubles, TEXT for
    other mixtures, LOGICAL if all cells are missing."""
    found = {Kind.TEXT if kind is Kind.TOO_LARGE else kind for kind in kinds}
    if not found:
        return Kind.LOGICAL
    if len(found) == 1:
        return found.pop()
    return Kind.DOUBLE if found == {Kind.INTEGER, Kind.DOUBLE} else Kind.TEXT


def shown_text(cell: Cell) -> str:
    """Return the text of a cell in CSV, or in a column of texts."""
    return iso_time(float(cell.text)) if cell.kind is Kind.TIME else cell.text
