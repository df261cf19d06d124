"""The items of an RDS file, built as R values."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

from hipercow_tui.formats.rlang.rds import altrep, bytecode
from hipercow_tui.formats.rlang.rds.skip import (
    ALTREP,
    BASE,
    BASE_NAMESPACE,
    BUILTIN,
    BYTECODE,
    CELLS,
    CHARACTER,
    CLOSURE,
    COMPLEX,
    DOTS,
    DOUBLE,
    EMPTY,
    ENVIRONMENT,
    EXPRESSION,
    GLOBAL,
    HAS_ATTRIBUTES,
    HAS_TAG,
    INTEGER,
    LANGUAGE,
    LIST,
    LOCAL,
    LOGICAL,
    MISSING,
    NULL,
    PAIRLIST,
    POINTER,
    PROMISE,
    RAW,
    S4,
    SPECIAL,
    STRING,
    UNBOUND,
    WEAK_REFERENCE,
    ItemSkipper,
    Limits,
)
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.values import (
    RS4,
    Attributes,
    Element,
    RBuiltin,
    RClosure,
    REnvironment,
    RLanguage,
    RList,
    RNull,
    ROpaque,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
)

_NA_INTEGER = -(2**31)
_NA_LOW_WORD = (1954).to_bytes(4, "big")  # NA_real_ is the NaN with this lower half
_LOGICAL: dict[int, bool | None] = {0: False, _NA_INTEGER: None}
_TEXT_PER_ELEMENT = 64  # so many characters count as one more element
_NULL = RNull()

Cells: TypeAlias = tuple[tuple[str | None, RValue], ...]
_Values: TypeAlias = tuple[Element, ...]


class Reader(ItemSkipper):
    """Reads the items of one file, in order. Within its ``with`` block every failure, also one
    of Python's own (memory, recursion), is an RdsError."""

    __slots__ = ("depth", "elements_left")

    def __init__(self, source: Source, limits: Limits) -> None:
        super().__init__(source, limits)
        self.elements_left = limits.max_elements
        self.depth = 0

    def __enter__(self) -> Reader:
        self.header()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(error, RecursionError | MemoryError | OverflowError):
            raise self.error(f"it is too much to read ({type(error).__name__})") from error

    def item(self) -> RValue:
        """The next item, as a value."""
        return self.build(self.integer())

    def build(self, flags: int) -> RValue:
        """The item whose flags were just read, as a value."""
        self.descend()
        value = _BUILD.get(flags & 0xFF, Reader.named)(self, flags)
        self.ascend()
        return value

    def descend(self) -> None:
        """Go one level deeper into a value; raises RdsError where that is too deep."""
        self.depth += 1
        if self.depth > self.limits.max_depth:
            raise self.error(f"it is nested more than {self.limits.max_depth} deep")

    def ascend(self) -> None:
        """Come back up from ``descend``."""
        self.depth -= 1

    def opaque(self, flags: int, typeof: str) -> ROpaque:
        """The item whose flags were just read, of which only the kind is kept."""
        self.skip_rest(flags)
        return ROpaque(typeof)

    def keeps(self, elements: int) -> bool:
        """Whether so many more elements may be kept; if so, they count."""
        if elements > self.elements_left:
            return False
        self.elements_left -= elements
        return True

    def attributes(self) -> Attributes:
        """The next item, as attributes."""
        flags = self.integer()
        if flags & 0xFF == NULL:
            return ()
        if flags & 0xFF != PAIRLIST:
            raise self.error("attributes that are no pairlist")
        _, cells = self.cells(flags)
        return tuple([(tag or "", value) for tag, value in cells])

    def attributes_of(self, flags: int) -> Attributes:
        """The attributes that come behind an item with these flags."""
        return self.attributes() if flags & HAS_ATTRIBUTES else ()

    def tag(self) -> str | None:
        """The next item, as the tag of a cell: a symbol, or none."""
        value = self.item()
        return value.name if isinstance(value, RSymbol) else None

    def cells(self, flags: int) -> tuple[Attributes, Cells]:
        """The cells of a pairlist or call to their end, and the attributes of the first."""
        attributes: Attributes = ()
        cells: list[tuple[str | None, RValue]] = []
        while flags & 0xFF in CELLS and self.keeps(1):
            held = self.attributes_of(flags)
            attributes = attributes if cells else held
            tag = self.tag() if flags & HAS_TAG else None
            cells.append((tag, self.item()))
            flags = self.integer()
        if flags & 0xFF in CELLS:
            cells.append((None, self.opaque(flags, "pairlist")))
        elif flags & 0xFF != NULL:  # a dotted pair
            cells.append((None, self.build(flags)))
        return attributes, tuple(cells)


def _vector(
    kind: str, width: int, unpack: Callable[[bytes, int], _Values]
) -> Callable[[Reader, int], RValue]:
    def build(reader: Reader, flags: int) -> RValue:
        length = reader.length()
        if not reader.keeps(length):
            reader.skip_bytes(length * width)
            return ROpaque(kind, reader.attributes_of(flags))
        values = unpack(reader.take(length * width), length)
        return RVector(kind, values, reader.attributes_of(flags))

    return build


def _integers(raw: bytes, length: int) -> _Values:
    numbers = struct.unpack(f">{length}i", raw)
    if _NA_INTEGER in numbers:
        return tuple([None if number == _NA_INTEGER else number for number in numbers])
    return numbers


def _logicals(raw: bytes, length: int) -> _Values:
    return tuple([_LOGICAL.get(number, True) for number in struct.unpack(f">{length}i", raw)])


def _doubles(raw: bytes, length: int) -> _Values:
    numbers: _Values = struct.unpack(f">{length}d", raw)
    if _NA_LOW_WORD in raw:
        return tuple(
            [
                None
                if number != number and raw[8 * at + 4 : 8 * at + 8] == _NA_LOW_WORD
                else number
                for at, number in enumerate(numbers)
            ]
        )
    return numbers


def _complexes(raw: bytes, length: int) -> _Values:
    parts = _doubles(raw, 2 * length)
    return tuple(
        [
            complex(real, imaginary)
            if isinstance(real, float) and isinstance(imaginary, float)
            else None
            for real, imaginary in zip(parts[::2], parts[1::2], strict=True)
        ]
    )


def _raw(raw: bytes, _length: int) -> _Values:
    return tuple(raw)


def _characters(reader: Reader, flags: int) -> RValue:
    length = reader.length()
    if not reader.keeps(length):
        reader.skip(length)
        return ROpaque("character", reader.attributes_of(flags))
    string = reader.string
    values = tuple([string() for _ in range(length)])
    reader.elements_left -= sum([len(text) for text in values if text]) // _TEXT_PER_ELEMENT
    return RVector("character", values, reader.attributes_of(flags))


def _list(reader: Reader, flags: int) -> RValue:
    kind = "list" if flags & 0xFF == LIST else "expression"
    length = reader.length()
    if not reader.keeps(length):
        reader.skip(length)
        return ROpaque(kind, reader.attributes_of(flags))
    values = []
    for _ in range(length):
        values.append(reader.item())  # noqa: PERF401 - a comprehension costs a frame a level
    return RList(tuple(values), reader.attributes_of(flags), kind)


def _pairlist(reader: Reader, flags: int) -> RValue:
    attributes, cells = reader.cells(flags)
    return RPairlist(cells, attributes)


def _language(reader: Reader, flags: int) -> RValue:
    attributes, cells = reader.cells(flags)
    return RLanguage(cells[0][1], cells[1:], attributes)


def _closure(reader: Reader, flags: int) -> RValue:
    attributes = reader.attributes_of(flags)
    environment = reader.item() if flags & HAS_TAG else _NULL
    formals = reader.item()
    if not isinstance(formals, RPairlist):
        formals = RPairlist(())
    return RClosure(formals, reader.item(), environment, attributes)


def _environment(reader: Reader, _flags: int) -> RValue:
    reader.integer()  # whether it is locked
    number = len(reader.references)
    reader.references.append(LOCAL)
    reader.skip(3)  # enclosure, frame, hash table
    value = REnvironment("local", attributes=reader.attributes())
    reader.references[number] = value
    return value


def _promise(reader: Reader, flags: int) -> RValue:
    attributes = reader.attributes_of(flags)
    reader.skip(3 if flags & HAS_TAG else 2)
    return ROpaque("promise", attributes)


def _pointer(reader: Reader, flags: int) -> RValue:
    kind = "externalptr" if flags & 0xFF == POINTER else "weakref"
    number = len(reader.references)
    reader.references.append(ROpaque(kind))
    reader.skip(2 if kind == "externalptr" else 0)
    value = ROpaque(kind, reader.attributes_of(flags))
    reader.references[number] = value
    return value


def _builtin(reader: Reader, _flags: int) -> RValue:
    size = reader.integer()
    return RBuiltin(reader.take(max(0, size)).decode("utf-8", "backslashreplace"))


def _single_string(reader: Reader, flags: int) -> RValue:
    return RVector("character", (reader.text(flags, reader.integer()),))


def _s4(reader: Reader, flags: int) -> RValue:
    return RS4(reader.attributes_of(flags))


def _bytecode(reader: Reader, flags: int) -> RValue:
    source = bytecode.source(reader)
    reader.attributes_of(flags)
    return source


def _altrep(reader: Reader, _flags: int) -> RValue:
    described, state = reader.item(), reader.item()
    return altrep.expand(reader, described, state, reader.attributes())


def _just(value: RValue) -> Callable[[Reader, int], RValue]:
    return lambda _reader, _flags: value


_BUILD: dict[int, Callable[[Reader, int], RValue]] = {
    PAIRLIST: _pairlist,
    DOTS: _pairlist,
    LANGUAGE: _language,
    CLOSURE: _closure,
    ENVIRONMENT: _environment,
    PROMISE: _promise,
    SPECIAL: _builtin,
    BUILTIN: _builtin,
    STRING: _single_string,
    LOGICAL: _vector("logical", 4, _logicals),
    INTEGER: _vector("integer", 4, _integers),
    DOUBLE: _vector("double", 8, _doubles),
    COMPLEX: _vector("complex", 16, _complexes),
    RAW: _vector("raw", 1, _raw),
    CHARACTER: _characters,
    LIST: _list,
    EXPRESSION: _list,
    BYTECODE: _bytecode,
    POINTER: _pointer,
    WEAK_REFERENCE: _pointer,
    S4: _s4,
    ALTREP: _altrep,
    BASE: _just(REnvironment("base")),
    EMPTY: _just(REnvironment("empty")),
    BASE_NAMESPACE: _just(REnvironment("basenamespace")),
    GLOBAL: _just(REnvironment("global")),
    MISSING: _just(RSymbol("")),
    UNBOUND: _just(RSymbol("")),
    NULL: _just(_NULL),
}
