"""The items of an RDS file as R values.

Source: ``ReadItem`` in R's serialize.c.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

from hipercow_tui.formats.rlang.rds import altrep, bytecode, vectors
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.rds.skip import LOCAL, ItemSkipper
from hipercow_tui.formats.rlang.rds.stream import Source
from hipercow_tui.formats.rlang.rds.type_codes import (
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
)
from hipercow_tui.formats.rlang.values import (
    RS4,
    Attributes,
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

_CHARACTERS_PER_ELEMENT = 64  # text counts as one more element per 64 characters
_NULL = RNull()

Cells: TypeAlias = tuple[tuple[str | None, RValue], ...]
_Builder: TypeAlias = "Callable[[Reader, int], RValue]"


class Reader(ItemSkipper):
    """Reads the items of one file, in their order.

    It is a context manager: it reads the header when it is entered. RecursionError, MemoryError
    and OverflowError become RdsError when they leave the ``with`` block. All methods raise
    RdsError if the file is damaged or exceeds its limits.

    Args:
        source: The bytes of an RDS file, or an open binary file.
        limits: How much of the file is accepted, and how much is kept.
    """

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
            raise self.error(f"it is too large to read ({type(error).__name__})") from error

    def item(self) -> RValue:
        """Read the next item."""
        return self.build(self.integer())

    def build(self, flags: int) -> RValue:
        """Read the rest of an item, after its flags were read."""
        self.descend()
        value = _BUILDERS.get(flags & 0xFF, Reader.referable)(self, flags)
        self.ascend()
        return value

    def descend(self) -> None:
        """Enter a nested value; raises RdsError if it is too deep."""
        self.depth += 1
        if self.depth > self.limits.max_depth:
            raise self.error(f"it is nested more than {self.limits.max_depth} deep")

    def ascend(self) -> None:
        """Leave a nested value."""
        self.depth -= 1

    def opaque(self, flags: int, typeof: str) -> ROpaque:
        """Skip the rest of an item, after its flags were read, and keep only its type."""
        self.skip_rest(flags)
        return ROpaque(typeof)

    def reserve(self, elements: int) -> bool:
        """Count elements that will be kept; return False if they would exceed the limit."""
        if elements > self.elements_left:
            return False
        self.elements_left -= elements
        return True

    def attributes(self) -> Attributes:
        """Read the next item as attributes."""
        flags = self.integer()
        if flags & 0xFF == NULL:
            return ()
        if flags & 0xFF != PAIRLIST:
            raise self.error("attributes that are no pairlist")
        _, cells = self.cells(flags)
        return tuple([(tag or "", value) for tag, value in cells])

    def attributes_of(self, flags: int) -> Attributes:
        """Read the attributes of an item with these flags; () if it has none."""
        return self.attributes() if flags & HAS_ATTRIBUTES else ()

    def tag(self) -> str | None:
        """Read the tag of a cell; None if it is not a symbol."""
        value = self.item()
        return value.name if isinstance(value, RSymbol) else None

    def cells(self, flags: int) -> tuple[Attributes, Cells]:
        """Read the rest of a pairlist or call; return its attributes and all its cells.

        ``flags`` are the flags of its first cell.

        The attributes are those of the first cell; those of other cells are dropped.
        """
        attributes: Attributes = ()
        cells: list[tuple[str | None, RValue]] = []
        while flags & 0xFF in CELLS and self.reserve(1):
            of_cell = self.attributes_of(flags)
            attributes = attributes if cells else of_cell
            tag = self.tag() if flags & HAS_TAG else None
            cells.append((tag, self.item()))
            flags = self.integer()
        if flags & 0xFF in CELLS:
            cells.append((None, self.opaque(flags, "pairlist")))
        elif flags & 0xFF != NULL:  # a dotted pair
            cells.append((None, self.build(flags)))
        return attributes, tuple(cells)


def _vector(kind: str, width: int, decode: Callable[[bytes, int], vectors.Elements]) -> _Builder:
    def build(reader: Reader, flags: int) -> RValue:
        length = reader.length()
        if not reader.reserve(length):
            reader.skip_bytes(length * width)
            return ROpaque(kind, reader.attributes_of(flags), length)
        values = decode(reader.take(length * width), length)
        return RVector(kind, values, reader.attributes_of(flags))

    return build


def _characters(reader: Reader, flags: int) -> RValue:
    length = reader.length()
    if not reader.reserve(length):
        reader.skip(length)
        return ROpaque("character", reader.attributes_of(flags), length)
    string = reader.string
    values = tuple([string() for _ in range(length)])
    reader.elements_left -= sum([len(text) for text in values if text]) // _CHARACTERS_PER_ELEMENT
    return RVector("character", values, reader.attributes_of(flags))


def _list(reader: Reader, flags: int) -> RValue:
    kind = "list" if flags & 0xFF == LIST else "expression"
    length = reader.length()
    if not reader.reserve(length):
        reader.skip(length)
        return ROpaque(kind, reader.attributes_of(flags), length)
    values = []
    for _ in range(length):
        values.append(reader.item())  # noqa: PERF401 - a comprehension adds a stack frame per level
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
    source = bytecode.read_source(reader)
    reader.attributes_of(flags)
    return source


def _altrep(reader: Reader, _flags: int) -> RValue:
    info, state = reader.item(), reader.item()
    return altrep.expand(reader, info, state, reader.attributes())


def _constant(value: RValue) -> _Builder:
    return lambda _reader, _flags: value


_BUILDERS: dict[int, _Builder] = {
    PAIRLIST: _pairlist,
    DOTS: _pairlist,
    LANGUAGE: _language,
    CLOSURE: _closure,
    ENVIRONMENT: _environment,
    PROMISE: _promise,
    SPECIAL: _builtin,
    BUILTIN: _builtin,
    STRING: _single_string,
    LOGICAL: _vector("logical", 4, vectors.logicals),
    INTEGER: _vector("integer", 4, vectors.integers),
    DOUBLE: _vector("double", 8, vectors.doubles),
    COMPLEX: _vector("complex", 16, vectors.complexes),
    RAW: _vector("raw", 1, vectors.raw_bytes),
    CHARACTER: _characters,
    LIST: _list,
    EXPRESSION: _list,
    BYTECODE: _bytecode,
    POINTER: _pointer,
    WEAK_REFERENCE: _pointer,
    S4: _s4,
    ALTREP: _altrep,
    BASE: _constant(REnvironment("base")),
    EMPTY: _constant(REnvironment("empty")),
    BASE_NAMESPACE: _constant(REnvironment("basenamespace")),
    GLOBAL: _constant(REnvironment("global")),
    MISSING: _constant(RSymbol("")),
    UNBOUND: _constant(RSymbol("")),
    NULL: _constant(_NULL),
}
