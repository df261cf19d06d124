"""R's serialisation, walked through item by item without building the values.

Source: "R Internals", section "Serialization Formats", and ``ReadItem`` in R's serialize.c. An
item is four bytes of flags (its type, whether attributes and a tag come with it), then its own
data, in which further items stand. Symbols, environments and a few more are numbered as they come
and referred to by number later: so what is not wanted must still be walked through.
"""

from __future__ import annotations

import codecs
import struct
from dataclasses import dataclass

from hipercow_tui.formats.rlang.rds.stream import ByteCursor, Source, chunks
from hipercow_tui.formats.rlang.values import REnvironment, ROpaque, RSymbol, RValue
from hipercow_tui.support.errors import RdsError

SYMBOL, PAIRLIST, CLOSURE, ENVIRONMENT, PROMISE, LANGUAGE = 1, 2, 3, 4, 5, 6
SPECIAL, BUILTIN, STRING, LOGICAL, INTEGER, DOUBLE, COMPLEX = 7, 8, 9, 10, 13, 14, 15
CHARACTER, DOTS, LIST, EXPRESSION, BYTECODE = 16, 17, 19, 20, 21
POINTER, WEAK_REFERENCE, RAW, S4 = 22, 23, 24, 25
ALTREP, ATTRIBUTE_PAIRLIST, ATTRIBUTE_LANGUAGE, BASE, EMPTY = 238, 239, 240, 241, 242
SHARED, SHARING, PERSISTENT, PACKAGE, NAMESPACE = 243, 244, 247, 248, 249
BASE_NAMESPACE, MISSING, UNBOUND, GLOBAL, NULL, REFERENCE = 250, 251, 252, 253, 254, 255

HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400
# The encodings of a string, in its flags; none of them: the native one of who wrote the file.
_BYTES, _LATIN1, _UTF8_OR_ASCII = 0x2000, 0x4000, 0x48000

CELLS = frozenset((PAIRLIST, LANGUAGE, DOTS))
BYTECODE_CELLS = frozenset((PAIRLIST, LANGUAGE, ATTRIBUTE_PAIRLIST, ATTRIBUTE_LANGUAGE))
_WIDTH = {LOGICAL: 4, INTEGER: 4, DOUBLE: 8, COMPLEX: 16, RAW: 1}
_BARE = frozenset((BASE, EMPTY, BASE_NAMESPACE, MISSING, UNBOUND, GLOBAL, NULL, S4, ALTREP))
_ATTRIBUTED = frozenset(
    (STRING, CHARACTER, LIST, EXPRESSION, POINTER, WEAK_REFERENCE, S4, BYTECODE)
)
_LINKED = CELLS | {CLOSURE, PROMISE}

# Each symbol that is met is kept, since it may be referred to; R code has some thousands.
_MOST_SYMBOLS = 1_000_000
_SPENT_TOGETHER = 10_000  # steps: to count each by itself would take as long as the step
LOCAL = REnvironment("local")
_INTEGER = struct.Struct(">i").unpack_from
_TWO_INTEGERS = struct.Struct(">ii").unpack_from
_HEADER = struct.Struct(">2siii")


def _items_inside(flags: int) -> int:
    """How many items an item with these flags holds, beside those that its data call for."""
    kind = flags & 0xFF
    if kind in _LINKED:
        return 2 + bool(flags & HAS_ATTRIBUTES) + bool(flags & HAS_TAG)
    if kind == ENVIRONMENT:
        return 4  # enclosure, frame, hash table, attributes
    if kind == ALTREP:
        return 3  # class, state, attributes
    attributed = kind in _WIDTH or kind in _ATTRIBUTED
    return bool(attributed and flags & HAS_ATTRIBUTES) + 2 * (kind == POINTER)


_INSIDE = tuple(_items_inside(flags) for flags in range(0x800))
_HAS_DATA = tuple(kind not in _BARE and kind not in _LINKED for kind in range(0x100))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is accepted and kept of one file.

    More decompressed bytes than ``max_bytes`` are an error, which take up to 6 s a gigabyte; so are
    more than ``max_examined`` of them beside the vectors that are read past as a whole, and values
    nested deeper than ``max_depth``. ``max_steps`` bounds the work of reading past items: 1 for an
    item, 3 for one with data of its own, a fifth of a microsecond each. A vector or list that would
    bring the elements kept to more than ``max_elements`` is read past and stands as an ``ROpaque``
    of its typeof; of a string longer than ``max_text`` bytes the beginning is kept, and a note of
    how many more there are.
    """

    max_bytes: int = 256 << 20
    max_examined: int = 32 << 20
    max_steps: int = 4_000_000
    max_depth: int = 150  # each takes up to four of Python's 1,000 frames
    max_elements: int = 1_000_000
    max_text: int = 1 << 20


DEFAULT = Limits()


class ItemSkipper(ByteCursor):
    """Walks past the items of one file, and keeps the table that references refer to."""

    __slots__ = ("_encoding", "limits", "references", "steps_left")

    def __init__(self, source: Source, limits: Limits) -> None:
        super().__init__(chunks(source, limits.max_bytes), limits.max_examined)
        self.limits = limits
        self.steps_left = limits.max_steps
        self.references: list[RValue] = []
        self._encoding = "utf-8"

    def header(self) -> None:
        """What stands before the first item."""
        magic = self.peek(5)
        if magic[:2] in (b"A\n", b"B\n"):
            raise RdsError("it is RDS in R's ascii or little-endian form: only XDR can be read")
        if magic[:4] in (b"RDX2", b"RDX3"):
            raise RdsError("it was written by R's save(), not by saveRDS()")
        if magic[:2] != b"X\n":
            raise RdsError("it is no RDS file" if magic else "it is empty")
        _, version, _, _ = _HEADER.unpack(self.take(_HEADER.size))
        if version not in (2, 3):
            raise RdsError(f"it is of version {version} of R's format: only 2 and 3 can be read")
        if version == 3:
            self._encoding = _known_encoding(self.take(self.length()))

    def at_end(self) -> bool:
        """Whether nothing comes any more; the compressed data are checked to their end for it."""
        return not self.peek(1)

    def length(self) -> int:
        """The length of a vector: -1 announces one too long for four bytes."""
        number = self.integer()
        if number == -1:
            number = (self.integer() << 32) + (self.integer() & 0xFFFFFFFF)
        if number < 0:
            raise self.error(f"a length of {number} is impossible")
        return number

    def string(self) -> str | None:
        """The next item, which must be a single string; None for NA."""
        try:
            flags, size = _TWO_INTEGERS(self._buffer, self._at)
            self._at += 8
        except struct.error:
            flags, size = self.integer(), self.integer()
        return self.text(flags, size)

    def text(self, flags: int, size: int) -> str | None:
        """The string whose flags and size were just read; None for NA."""
        if flags & 0xFF != STRING or size < 0:
            if flags & 0xFF == STRING and size == -1:
                return None
            raise self.error("a string was expected")
        if flags & _UTF8_OR_ASCII:
            encoding = "utf-8"
        elif flags & _LATIN1:
            encoding = "cp1252"  # as R takes it
        else:
            encoding = "ascii" if flags & _BYTES else self._encoding
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

    def named(self, flags: int) -> RValue:
        """An item that is little more than a name: a symbol, a package, a reference to either."""
        kind = flags & 0xFF
        if kind == REFERENCE:
            number = (flags & 0xFFFFFFFF) >> 8 or self.integer()
            if not 0 < number <= len(self.references):
                raise self.error(f"a reference to number {number}, which did not come yet")
            return self.references[number - 1]
        if kind == SYMBOL:
            text = self.string()
            value: RValue = RSymbol("NA" if text is None else text)
        elif kind in (PACKAGE, NAMESPACE, PERSISTENT):
            value = self._environment_of(kind)
        else:
            raise self.error(f"an item of type {kind}, which R does not write")
        if len(self.references) >= _MOST_SYMBOLS:
            raise self.error("it holds more names than R code can")
        self.references.append(value)
        return value

    def _environment_of(self, kind: int) -> RValue:
        self.integer()  # always zero: names of the strings never were written
        number = self.integer()
        first = (self.string() or "") if number > 0 else ""
        self.skip(max(0, number - 1))
        if kind == PERSISTENT:
            return ROpaque("persistent")
        if kind == PACKAGE:
            return REnvironment("package", first.removeprefix("package:"))
        return REnvironment("namespace", first)

    def skip(self, items: int = 1) -> None:
        """Read past the next items, without building them; nesting costs no depth.

        An environment met here comes without its attributes where it is referred to later.
        """
        self._walk([items])

    def skip_rest(self, flags: int) -> None:
        """Read past the item whose flags were just read."""
        todo: list[int] = []
        left = _INSIDE[flags & 0x7FF]
        if _HAS_DATA[flags & 0xFF]:
            left = self._walk_into(flags, left, todo)
        todo.append(left)
        self._walk(todo)

    def skip_constants(self, number: int) -> None:
        """Read past so many constants of bytecode."""
        self._walk([-number])

    def _walk(self, todo: list[int]) -> None:
        """Read past all that is to do: n > 0 stands for n items, -n for n bytecode constants."""
        while todo:
            left = todo.pop()
            if left >= 0:
                self._walk_items(left, todo)
            else:
                if left < -1:
                    todo.append(left + 1)
                self._walk_into_constant(todo)

    def _walk_items(self, left: int, todo: list[int]) -> None:
        """Read past so many items, up to bytecode: what comes behind that is noted as to do.

        Items inside an item follow behind it, so counting them is enough. Traces of millions of
        cells and references come through here: the loop keeps to its own variables.
        """
        buffer, at = self._buffer, self._at
        steps = 0
        while left:
            try:
                (flags,) = _INTEGER(buffer, at)
            except struct.error:
                self._at = at
                self._spend(steps)
                steps = 0
                self._gather(4)
                buffer, at = self._buffer, self._at
                continue
            at += 4
            steps += 1
            left += _INSIDE[flags & 0x7FF] - 1
            if _HAS_DATA[flags & 0xFF] and (flags & 0xFF != REFERENCE or flags == REFERENCE):
                self._at = at
                steps += 2
                if steps > _SPENT_TOGETHER:
                    self._spend(steps)
                    steps = 0
                left = self._walk_into(flags, left, todo)
                buffer, at = self._buffer, self._at
        self._at = at
        self._spend(steps)

    def _spend(self, steps: int) -> None:
        """Count what was read past; raises RdsError where that is too much."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise self.error("it is too large to read: too many small values")

    def _walk_into(self, flags: int, left: int, todo: list[int]) -> int:
        """Read past an item's own data; how many items are left to read past behind them."""
        kind = flags & 0xFF
        if kind == STRING:
            size = self.integer()
            if size > 0:
                self.skip_bytes(size)
        elif kind in _WIDTH:
            self.skip_bytes(self.length() * _WIDTH[kind])
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
            self.integer()  # how many of its pieces are shared
            todo.append(left)
            self._walk_into_code(todo)
            return 0
        else:
            self.named(flags)
        return left

    def _walk_into_code(self, todo: list[int]) -> None:
        self.code()
        todo.append(-self.length())

    def code(self) -> None:
        """Read past the instructions of bytecode, which stand before its constants."""
        flags = self.integer()
        if flags & 0xFF != INTEGER:
            raise self.error("bytecode without instructions")
        self.skip_bytes(4 * self.length())

    def _walk_into_constant(self, todo: list[int]) -> None:
        self._spend(3)
        kind = self.integer()
        if kind == SHARING:
            self.integer()  # its number
            kind = self.integer()
        if kind == SHARED:
            self.integer()
        elif kind in BYTECODE_CELLS:
            todo.append(-2)  # its head and its tail, behind its tag
            todo.append(2 if kind in (ATTRIBUTE_PAIRLIST, ATTRIBUTE_LANGUAGE) else 1)
        elif kind == BYTECODE:
            self._walk_into_code(todo)
        else:
            todo.append(1)


def _known_encoding(name: bytes) -> str:
    """Python's name of the encoding that the header names; UTF-8 for what isn't one of text."""
    try:
        known = codecs.lookup(name.decode("ascii")).name
        b"\xff".decode(known, "backslashreplace")
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if "escape" in known else known
