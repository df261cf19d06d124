"""A writer of RDS files, version 3 with gzip, as ``saveRDS`` of R 4.2.2 writes them.

It writes the types that occur in tasks of the demo; an environment is written by its kind only.
Source: "R Internals", section "Serialization Formats", and ``WriteItem`` in R's serialize.c.
"""

from __future__ import annotations

import gzip
import struct

from hipercow_tui.formats.rlang.values import (
    Attributes,
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

_HEADER = b"X\n" + struct.pack(">iiii", 3, 0x00040202, 0x00030500, 5) + b"UTF-8"
_LEVEL = 6  # of compression, as in R

_IS_OBJECT, _HAS_ATTRIBUTES, _HAS_TAG = 0x100, 0x200, 0x400
_IS_UTF8, _IS_ASCII = 0x8000, 0x40000
_SYMBOL, _PAIRLIST, _CLOSURE, _LANGUAGE, _STRING, _LIST = 1, 2, 3, 6, 9, 19
_VECTORS = {"logical": 10, "integer": 13, "double": 14, "character": 16}
_ENVIRONMENTS = {"global": 0xFD, "empty": 0xF2, "base": 0xF1}
_REFERENCE, _NULL, _MISSING = 0xFF, 0xFE, 0xFB
_NA_REAL = bytes.fromhex("7ff00000000007a2")
_NA_INTEGER = -(2**31)


def serialize(value: RValue) -> bytes:
    """Return the RDS file of a value. The same value always gives the same bytes.

    Raises TypeError for a type that the demo does not use.
    """
    return gzip.compress(_HEADER + _Serializer().item(value), _LEVEL, mtime=0)


class _Serializer:
    """Serializes the items of one file; symbols are written once and then referred to."""

    def __init__(self) -> None:
        self._symbols: dict[str, int] = {}

    def item(self, value: RValue) -> bytes:
        match value:
            case RNull():
                return _integers(_NULL)
            case RVector():
                return self._vector(value)
            case RList(values, attributes):
                flags = _integers(_LIST | _attribute_flags(attributes), len(values))
                elements = b"".join([self.item(element) for element in values])
                return flags + elements + self._attributes(attributes)
            case RSymbol(name):
                return self._symbol(name)
            case RLanguage(function, arguments):
                return _integers(_LANGUAGE) + self.item(function) + self._pairlist(arguments)
            case RPairlist(items):
                return self._pairlist(items)
            case RClosure():
                parts = (value.environment, value.formals, value.body)
                return _integers(_CLOSURE | _HAS_TAG) + b"".join([self.item(one) for one in parts])
            case REnvironment(kind):
                return _integers(_ENVIRONMENTS[kind])
            case _:
                raise TypeError(f"the demo writes no {type(value).__name__}")

    def _vector(self, vector: RVector) -> bytes:
        values: tuple[object, ...] = vector.values
        if vector.kind == "character":
            elements = b"".join(map(_string, values))
        elif vector.kind == "double":
            elements = b"".join(map(_double, values))
        else:
            elements = _integers(*[_NA_INTEGER if one is None else one for one in values])
        flags = _VECTORS[vector.kind] | _attribute_flags(vector.attributes)
        return _integers(flags, len(values)) + elements + self._attributes(vector.attributes)

    def _attributes(self, attributes: Attributes) -> bytes:
        return self._pairlist(attributes) if attributes else b""

    def _pairlist(self, items: tuple[tuple[str | None, RValue], ...]) -> bytes:
        parts = []
        for tag, value in items:
            parts.append(_integers(_PAIRLIST | (_HAS_TAG if tag is not None else 0)))
            if tag is not None:
                parts.append(self._symbol(tag))
            parts.append(self.item(value))
        return b"".join(parts) + _integers(_NULL)

    def _symbol(self, name: str) -> bytes:
        if not name:
            return _integers(_MISSING)
        if name in self._symbols:
            return _integers(self._symbols[name] << 8 | _REFERENCE)
        self._symbols[name] = len(self._symbols) + 1
        return _integers(_SYMBOL) + _string(name)


def _attribute_flags(attributes: Attributes) -> int:
    is_object = any(name == "class" for name, _ in attributes)
    return (_HAS_ATTRIBUTES if attributes else 0) | (_IS_OBJECT if is_object else 0)


def _integers(*numbers: object) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def _double(number: object) -> bytes:
    return _NA_REAL if number is None else struct.pack(">d", number)


def _string(text: object) -> bytes:
    if text is None:
        return _integers(_STRING, -1)
    encoded = str(text).encode()
    encoding = _IS_ASCII if str(text).isascii() else _IS_UTF8
    return _integers(_STRING | encoding, len(encoded)) + encoded
