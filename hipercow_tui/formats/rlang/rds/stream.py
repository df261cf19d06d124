"""The bytes inside an RDS file, decompressed in chunks, and a cursor that walks through them."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol, TypeAlias

from hipercow_tui.support.errors import RdsError
from hipercow_tui.support.text import format_size, pluralize

Source: TypeAlias = bytes | BinaryIO

# What is held at once of a file that is skipped through, and of one that is a gzip bomb.
CHUNK = 1 << 16
# xz files of R are made at level 9 at most, which takes 65 MB to undo.
_XZ_MEMORY = 100 << 20
_INTEGER = struct.Struct(">i").unpack_from


class _Decompressor(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Gunzip:
    """zlib's decompressor with the manners of those of bz2 and lzma."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


def _decompressor(magic: bytes) -> _Decompressor | None:
    """What undoes the compression that a file beginning so has; None where it has none."""
    if magic.startswith(b"\x1f\x8b"):
        return _Gunzip()
    if magic.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        raise RdsError("it is compressed with zstd, which can't be read: save it with gzip")
    return None


def chunks(source: Source, max_bytes: int) -> Iterator[bytes]:
    """The decompressed contents, in pieces of at most 64 kB; raises RdsError beyond ``max_bytes``.

    gzip (also of several members), bzip2 and xz are told by their first bytes, as R does.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    total = 0
    try:
        for chunk in _decompressed(file):
            total += len(chunk)
            if total > max_bytes:
                raise RdsError(
                    f"it is too large to read: more than {format_size(max_bytes)} decompressed"
                )
            yield chunk
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
        raise RdsError(f"it can't be read beyond {_byte(total)}: {error}") from error


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    raw = file.read(CHUNK)
    while raw:
        member = _decompressor(raw)
        if member is None:
            yield raw
            yield from iter(lambda: file.read(CHUNK), b"")
            return
        while not member.eof:
            chunk = member.decompress(raw, CHUNK)
            if chunk:
                yield chunk
            raw = file.read(CHUNK) if member.needs_input and not member.eof else b""
            if not raw and not chunk and member.needs_input and not member.eof:
                raise EOFError("its compressed data are cut off")
        raw = member.unused_data or file.read(CHUNK)


def _byte(position: int) -> str:
    return f"byte {position:,} of its decompressed data"


class ByteCursor:
    """A place in the decompressed contents. Every method raises RdsError where they end early.

    Of what is not passed over no more than ``max_examined`` bytes are accepted.
    """

    __slots__ = ("_at", "_buffer", "_chunks", "_examinable", "_gone")

    def __init__(self, pieces: Iterator[bytes], max_examined: int) -> None:
        self._chunks = pieces
        self._examinable = max_examined
        self._buffer = b""
        self._at = 0
        self._gone = 0

    @property
    def position(self) -> int:
        """How many decompressed bytes were passed so far."""
        return self._gone + self._at

    def error(self, what: str) -> RdsError:
        """An error that says what is wrong, and where."""
        return RdsError(f"{what}, at {_byte(self.position)}")

    def integer(self) -> int:
        """The next four bytes as a signed number."""
        try:
            (number,) = _INTEGER(self._buffer, self._at)
        except struct.error:
            self._gather(4)
            (number,) = _INTEGER(self._buffer, 0)
        self._at += 4
        return int(number)

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay where they are; fewer at the end of the data."""
        if self._at + size > len(self._buffer):
            self._more(size)
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes; memory is taken only as they really come."""
        if self._at + size > len(self._buffer):
            self._gather(size)
        start = self._at
        self._at = start + size
        return self._buffer[start : self._at]

    def skip_bytes(self, size: int) -> None:
        """Leave bytes behind without keeping them."""
        left = self._at + size - len(self._buffer)
        if left <= 0:
            self._at += size
            return
        self._gone += len(self._buffer)
        for chunk in self._chunks:
            if left <= len(chunk):
                self._buffer, self._at = chunk, left
                self._examine(len(chunk) - left)
                return
            left -= len(chunk)
            self._gone += len(chunk)
        self._buffer, self._at = b"", 0
        raise self.error(f"the data are cut off, {pluralize(left, 'byte')} early")

    def _gather(self, size: int) -> None:
        have = self._more(size)
        if have < size:
            raise self.error(
                f"the data are cut off: {pluralize(size - have, 'byte')} of a value missing"
            )

    def _more(self, size: int) -> int:
        """Bring up to ``size`` bytes, if there are so many, into the buffer; how many there are."""
        pieces = [self._buffer[self._at :]]
        have = len(pieces[0])
        while have < size and (chunk := next(self._chunks, b"")):
            self._examine(len(chunk))
            pieces.append(chunk)
            have += len(chunk)
        self._gone += self._at
        self._at = 0
        self._buffer = b"".join(pieces)
        return have

    def _examine(self, size: int) -> None:
        self._examinable -= size
        if self._examinable < 0:
            raise self.error("it is too large to read: too much in it beside large vectors")
