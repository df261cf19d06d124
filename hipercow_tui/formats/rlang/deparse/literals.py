"""Numbers, strings and names as R code: ``1e+05``, ``"a\\tb"``, `` `a name` ``.

As in R 4.2 with 15 significant digits and a UTF-8 locale.
Source: ``formatReal`` and ``formatComplex`` in R's format.c, ``EncodeString`` in printutils.c.
"""

from __future__ import annotations

import math
import re
import unicodedata

_DIGITS = 15
_MAX_ROUNDING = 306  # decimal places; a double can't be scaled by more

_ESCAPES = {
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\0": "\\0",
}
# R escapes the characters that glibc's iswprint rejects, and no others.
_UNPRINTABLE = frozenset({"Cc", "Cn", "Cs", "Zl", "Zp"})

_CONSTANTS = "NULL NA TRUE FALSE Inf NaN NA_integer_ NA_real_ NA_character_ NA_complex_"
_KEYWORDS = "function while repeat for if in else next break"
_RESERVED = frozenset(f"{_CONSTANTS} {_KEYWORDS}".split())
_ASCII_NAME = re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*\Z")


def real(value: float) -> str:
    """Format a double, in fixed or scientific notation, whichever is shorter."""
    if not math.isfinite(value):
        return _not_finite(value)
    fixed, scientific = _Format(value), _Format(value, scientific=True)
    return (fixed if fixed.width <= scientific.width else scientific).text(value)


def complex_number(value: complex) -> str:
    """Format a complex number.

    Both parts are rounded to the same digit. If neither is zero, they have the same notation.
    """
    first, second = value.real, abs(value.imag)
    if not (math.isfinite(first) and math.isfinite(second)):
        return f"complex(real={real(first)}, imaginary={real(value.imag)})"
    sign = "-" if value.imag < 0 else "+"
    if first == 0 or second == 0:
        return f"{real(first)}{sign}{real(second)}i"
    parts = _rounded_together(first, second)
    fixed = [_Format(part) for part in parts]
    scientific = [_Format(part, scientific=True) for part in parts]
    is_fixed = sum(part.width for part in fixed) < sum(part.width for part in scientific)
    shorter = fixed if is_fixed else scientific
    # A part that is rounded to zero is written as 0; other parts are written unrounded.
    shown = [whole if part else 0.0 for whole, part in zip((first, second), parts, strict=True)]
    return f"{shorter[0].text(shown[0])}{sign}{shorter[1].text(shown[1])}i"


class _Format:
    """The shortest format of a finite double with 15 significant digits, in one notation."""

    def __init__(self, value: float, *, scientific: bool = False) -> None:
        digits, power = _significant(abs(value))
        decimals = digits - 1 if scientific else max(0, digits - 1 - power)
        self.notation = "e" if scientific else "f"
        self.decimals = decimals
        whole = 1 if scientific else 1 + max(0, power)
        self.width = (value < 0) + whole + (decimals + 1 if decimals else 0)
        if scientific:
            self.width += 5 if abs(power) >= 100 else 4

    def text(self, value: float) -> str:
        """Format the value, or its unrounded form."""
        return f"{value + 0.0:.{self.decimals}{self.notation}}"


def _significant(value: float) -> tuple[int, int]:
    """Return the number of significant digits, 15 at most, and the power of ten."""
    mantissa, exponent = f"{value:.{_DIGITS - 1}e}".split("e")
    return max(1, len(mantissa.rstrip("0")) - 1), int(exponent)


def _rounded_together(first: float, second: float) -> tuple[float, float]:
    """Round both parts to the 15th significant digit of the larger one."""
    power = math.floor(math.log10(max(abs(first), second)))
    scale = 10.0 ** min(_MAX_ROUNDING, _DIGITS - 1 - power)
    return _rounded(first, scale), _rounded(second, scale)


def _rounded(value: float, scale: float) -> float:
    """Round, except the largest doubles, which would become infinity."""
    rounded = round(value * scale) / scale
    return rounded if math.isfinite(rounded) else value


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Inf" if value > 0 else "-Inf"


def string(text: str, quote: str = '"') -> str:
    """Quote a string, and escape the characters that can't be printed."""
    if text.isascii() and text.isprintable() and quote not in text and "\\" not in text:
        return f"{quote}{text}{quote}"
    body = "".join([_escaped(character, quote) for character in text])
    return f"{quote}{body}{quote}"


def _escaped(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{quote}"
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if code < 0x80:
        return character if character.isprintable() else f"\\{code:03o}"
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{{{code:06x}}}"


def is_name(text: str) -> bool:
    """Whether a text is a syntactic name, which needs no quotes (R's ``isValidName``)."""
    if text.isascii():
        return _ASCII_NAME.match(text) is not None and text not in _RESERVED
    if _ASCII_NAME.match(text[0]) is None and not _is_letter(text[0]):
        return False
    if text[0] == "." and text[1] in "0123456789":
        return False
    return all(_ASCII_NAME.match("a" + each) or _is_letter(each) for each in text)


def _is_letter(character: str) -> bool:
    """Like glibc's iswalpha, except for combining marks. It includes digits of other scripts."""
    if character.isascii():
        return False
    category = unicodedata.category(character)
    return category[0] == "L" or category in ("Nd", "Nl")


def name(text: str, quote: str = "`") -> str:
    """Return a name as code; a name that is not syntactic is quoted."""
    return text if not text or is_name(text) else string(text, quote)
