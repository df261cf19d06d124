"""Skipping of items in R's serialization format, without building their values.

An item is four bytes of flags (its type, and whether it has attributes and a tag), then its data,
which can hold further items. Symbols, environments and some other items get a number when they
first occur, and later items refer to them by that number. So every item must be visited, even if
only a later one is requested.
Source: "R Internals", section "Serialization Formats", and ``ReadItem`` in R's serialize.c.
"""

from __future__ import annotations

import codecs
import struct

from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.rds.stream import ByteCursor, Source, chunks
from hipercow_tui.formats.rlang.rds.type_codes import (
    ALTREP,
    ATTRIBUTE_LANGUAGE,
    ATTRIBUTE_PAIRLIST,
    BUILTIN,
    BYTECODE,
    BYTECODE_CELLS,
    CELLS,
    CHARACTER,
    CLOSURE,
    ELEMENT_WIDTH,
    ENVIRONMENT,
    EXPRESSION,
    HAS_ATTRIBUTES,
    HAS_TAG,
    INTEGER,
    IS_BYTES,
    IS_LATIN1,
    IS_UTF8_OR_ASCII,
    LIST,
    NAMESPACE,
    ONLY_FLAGS,
    PACKAGE,
    PERSISTENT,
    POINTER,
    PROMISE,
    REFERENCE,
    S4,
    SHARED_DEFINITION,
    SHARED_REFERENCE,
    SPECIAL,
    STRING,
    SYMBOL,
    WEAK_REFERENCE,
)
from hipercow_tui.formats.rlang.values import REnvironment, ROpaque, RSymbol, RValue
from hipercow_tui.support.errors import RdsError

LOCAL = REnvironment("local")

_LINKED = CELLS | {CLOSURE, PROMISE}
_MAY_HAVE_ATTRIBUTES = frozenset(
    (STRING, CHARACTER, LIST, EXPRESSION, POINTER, WEAK_REFERENCE, S4, BYTECODE, *ELEMENT_WIDTH)
)
_WITHOUT_DATA = _LINKED | ONLY_FLAGS | {S4, ALTREP}

# All symbols and environments are kept for later references. R code has some thousands.
_MAX_REFERENCES = 1_000_000
_STEPS_PER_COUNT = 10_000  # counting each step would take as long as the step itself
_INTEGER = struct.Struct(">i").unpack_from
_TWO_INTEGERS = struct.Struct(">ii").unpack_from
_HEADER = struct.Struct(">2siii")


def _items_inside(flags: int) -> int:
    """Return the number of items inside an item, not counting the elements of vectors."""
    kind = flags & 0xFF
    if kind in _LINKED:
        return 2 + bool(flags & HAS_ATTRIBUTES) + bool(flags & HAS_TAG)
    if kind == ENVIRONMENT:
        return 4  # enclosure, frame, hash table, attributes
    if kind == ALTREP:
        return 3  # class, state, attributes
    has_attributes = kind in _MAY_HAVE_ATTRIBUTES and flags & HAS_ATTRIBUTES
    return bool(has_attributes) + 2 * (kind == POINTER)


_ITEMS_INSIDE = tuple(_items_inside(flags) for flags in range(0x800))
_HAS_DATA = tuple(kind not in _WITHOUT_DATA for kind in range(0x100))


class ItemSkipper(ByteCursor):
    """Skips items, and keeps the table of values that later items refer to.

    All methods raise RdsError if the file is damaged or exceeds its limits.

    Args:
        source: The bytes of an RDS file, or an open binary file.
        limits: How much of the file is accepted.
    """

    __slots__ = ("_encoding", "limits", "references", "steps_left")

    def __init__(self, source: Source, limits: Limits) -> None:
        super().__init__(chunks(source, limits.max_bytes), limits.max_examined)
        self.limits = limits
        self.steps_left = limits.max_steps
        self.references: list[RValue] = []
        self._encoding = "utf-8"

    def header(self) -> None:
        """Read the header of the file, which precedes the first item."""
        magic = self.peek(5)
        if magic[:2] in (b"A\n", b"B\n"):
            raise RdsError("it is RDS in R's ascii or little-endian form; only XDR can be read")
        if magic[:4] in (b"RDX2", b"RDX3"):
            raise RdsError("it was written by R's save(), not by saveRDS()")
        if magic[:2] != b"X\n":
            raise RdsError("it is no RDS file" if magic else "it is empty")
        _, version, _, _ = _HEADER.unpack(self.take(_HEADER.size))
        if version not in (2, 3):
            raise RdsError(f"it has version {version} of R's format; only 2 and 3 can be read")
        if version == 3:
            self._encoding = _python_encoding(self.take(self.length()))

    def at_end(self) -> bool:
        """Whether the contents end here. Decompression checks the end of the file for that."""
        return not self.peek(1)

    def length(self) -> int:
        """Read the length of a vector. A long vector has -1, then a length of eight bytes."""
        number = self.integer()
        if number == -1:
            number = (self.integer() << 32) + (self.integer() & 0xFFFFFFFF)
        if number < 0:
            raise self.error(f"a length of {number} is impossible")
        return number

    def string(self) -> str | None:
        """Read the next item, which must be a string; None for NA."""
        try:
            flags, size = _TWO_INTEGERS(self._buffer, self._at)
            self._at += 8
        except struct.error:
            flags, size = self.integer(), self.integer()
        return self.text(flags, size)

    def text(self, flags: int, size: int) -> str | None:
        """Read the characters of a string.

        Args:
            flags: The flags of the string item.
            size: Its size in bytes, or -1 for NA.

        Returns:
            The string, or None for NA.
        """
        if flags & 0xFF != STRING or size < 0:
            if flags & 0xFF == STRING and size == -1:
                return None
            raise self.error("a string was expected")
        if flags & IS_UTF8_OR_ASCII:
            encoding = "utf-8"
        elif flags & IS_LATIN1:
            encoding = "cp1252"  # R does the same
        else:
            encoding = "ascii" if flags & IS_BYTES else self._encoding
        if size > self.limits.max_text:
            kept = str(self.take(self.limits.max_text), encoding, "ignore")
            more = size - self.limits.max_text
            self.skip_bytes(more)
            text = f"{kept}… ({more:,} more bytes)"
        else:
            text = str(self.take(size), encoding, "backslashreplace")
        if flags & HAS_ATTRIBUTES:
            self.skip()
        return text

    def referable(self, flags: int) -> RValue:
        """Read the rest of a symbol, package, namespace, persistent object or reference.

        ``flags`` are the flags of the item. All except a reference are added to the table of
        references.
        """
        kind = flags & 0xFF
        if kind == REFERENCE:
            number = (flags & 0xFFFFFFFF) >> 8 or self.integer()
            if not 0 < number <= len(self.references):
                raise self.error(f"a reference to number {number}, which is not defined")
            return self.references[number - 1]
        if kind == SYMBOL:
            text = self.string()
            value: RValue = RSymbol("NA" if text is None else text)
        elif kind in (PACKAGE, NAMESPACE, PERSISTENT):
            value = self._named_environment(kind)
        else:
            raise self.error(f"an item of type {kind}, which R does not write")
        if len(self.references) >= _MAX_REFERENCES:
            raise self.error("it is too large to read: too many symbols")
        self.references.append(value)
        return value

    def _named_environment(self, kind: int) -> RValue:
        self.integer()  # always 0
        number = self.integer()
        first = (self.string() or "") if number > 0 else ""
        self.skip(max(0, number - 1))
        if kind == PERSISTENT:
            return ROpaque("persistent")
        if kind == PACKAGE:
            return REnvironment("package", first.removeprefix("package:"))
        return REnvironment("namespace", first)

    def skip(self, items: int = 1) -> None:
        """Skip the next items, nested to any depth.

        Later references to an environment in them yield it without its attributes.
        """
        self._skip_pending([items])

    def skip_rest(self, flags: int) -> None:
        """Skip the rest of an item, after its flags were read."""
        pending: list[int] = []
        left = _ITEMS_INSIDE[flags & 0x7FF]
        if _HAS_DATA[flags & 0xFF]:
            left = self._skip_data(flags, left, pending)
        pending.append(left)
        self._skip_pending(pending)

    def skip_constants(self, number: int) -> None:
        """Skip constants of bytecode."""
        self._skip_pending([-number])

    def skip_instructions(self) -> None:
        """Skip the instructions of bytecode, which precede its constants."""
        flags = self.integer()
        if flags & 0xFF != INTEGER:
            raise self.error("bytecode has no instructions")
        self.skip_bytes(4 * self.length())

    def _skip_pending(self, pending: list[int]) -> None:
        """Empty a stack of pending work: n > 0 means n items, -n means n constants of bytecode."""
        while pending:
            left = pending.pop()
            if left >= 0:
                self._skip_items(left, pending)
            else:
                if left < -1:
                    pending.append(left + 1)
                self._skip_constant(pending)

    def _skip_items(self, left: int, pending: list[int]) -> None:
        """Skip ``left`` items. At bytecode, push the rest of the work to ``pending`` and return.

        Items inside an item follow it in the file, so a count of the items that are left is
        enough. The loop uses local variables because a trace can have millions of cells.
        """
        buffer, at = self._buffer, self._at
        steps = 0
        while left:
            try:
                (flags,) = _INTEGER(buffer, at)
            except struct.error:
                self._at = at
                self._count_steps(steps)
                steps = 0
                self._require(4)
                buffer, at = self._buffer, self._at
                continue
            at += 4
            steps += 1
            left += _ITEMS_INSIDE[flags & 0x7FF] - 1
            if _HAS_DATA[flags & 0xFF] and (flags & 0xFF != REFERENCE or flags == REFERENCE):
                self._at = at
                steps += 2
                if steps > _STEPS_PER_COUNT:
                    self._count_steps(steps)
                    steps = 0
                left = self._skip_data(flags, left, pending)
                buffer, at = self._buffer, self._at
        self._at = at
        self._count_steps(steps)

    def _count_steps(self, steps: int) -> None:
        self.steps_left -= steps
        if self.steps_left < 0:
            raise self.error("it is too large to read: too many small values")

    def _skip_data(self, flags: int, left: int, pending: list[int]) -> int:
        """Skip the data of an item; return how many items remain to be skipped after it."""
        kind = flags & 0xFF
        if kind == STRING:
            size = self.integer()
            if size > 0:
                self.skip_bytes(size)
        elif kind in ELEMENT_WIDTH:
            self.skip_bytes(self.length() * ELEMENT_WIDTH[kind])
        elif kind in (CHARACTER, LIST, EXPRESSION):
            return left + self.length()
        elif kind == ENVIRONMENT:
            self.integer()  # whether it is locked
            self.references.append(LOCAL)
        elif kind in (POINTER, WEAK_REFERENCE):
            self.references.append(ROpaque("externalptr" if kind == POINTER else "weakref"))
        elif kind in (SPECIAL, BUILTIN):
            self.skip_bytes(max(0, self.integer()))
        elif kind == BYTECODE:
            self.integer()  # the number of shared cells
            pending.append(left)
            self._skip_code(pending)
            return 0
        else:
            self.referable(flags)
        return left

    def _skip_code(self, pending: list[int]) -> None:
        self.skip_instructions()
        pending.append(-self.length())

    def _skip_constant(self, pending: list[int]) -> None:
        self._count_steps(3)
        kind = self.integer()
        if kind == SHARED_DEFINITION:
            self.integer()  # its number
            kind = self.integer()
        if kind == SHARED_REFERENCE:
            self.integer()
        elif kind in BYTECODE_CELLS:
            pending.append(-2)  # head and tail, after attributes and tag
            pending.append(2 if kind in (ATTRIBUTE_PAIRLIST, ATTRIBUTE_LANGUAGE) else 1)
        elif kind == BYTECODE:
            self._skip_code(pending)
        else:
            pending.append(1)


def _python_encoding(name: bytes) -> str:
    """Return Python's name of the encoding in the header; UTF-8 if it is unknown or not of text."""
    try:
        known = codecs.lookup(name.decode("ascii")).name
        b"\xff".decode(known, "backslashreplace")
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if "escape" in known else known
