"""Decompression of RDS files in chunks, and a cursor over the decompressed bytes."""

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

# Decompressed bytes that are in memory while items are skipped, even of a gzip bomb.
CHUNK = 1 << 16
# R compresses with xz at level 9 or less, which takes 65 MB to decompress.
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
    """zlib's decompressor with the interface of bz2 and lzma."""

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
    """Return a decompressor for a file that begins with ``magic``; None if it isn't compressed."""
    if magic.startswith(b"\x1f\x8b"):
        return _Gunzip()
    if magic.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        raise RdsError("it is compressed with zstd, which can't be read; save it with gzip")
    return None


def chunks(source: Source, max_bytes: int) -> Iterator[bytes]:
    """Decompress a file, and yield its contents in chunks of at most 64 kB.

    As in R, the first bytes show whether it is gzip (with one or several members), bzip2, xz or
    not compressed.

    Args:
        source: The bytes of the file, or an open binary file.
        max_bytes: The largest decompressed size that is accepted.

    Raises:
        RdsError: The file is larger, damaged, or can't be read.
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
        raise RdsError(f"it can't be read after {_byte(total)}: {error}") from error


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
    """A position in the decompressed contents of one file.

    All methods that read raise RdsError if the contents end too early, or if more than
    ``max_examined`` bytes were loaded, not counting chunks that ``skip_bytes`` skipped as a whole.

    Args:
        chunks: The decompressed contents.
        max_examined: The limit in bytes.
    """

    __slots__ = ("_at", "_buffer", "_buffer_position", "_chunks", "_examinable")

    def __init__(self, chunks: Iterator[bytes], max_examined: int) -> None:
        self._chunks = chunks
        self._examinable = max_examined
        self._buffer = b""
        self._at = 0
        self._buffer_position = 0

    @property
    def position(self) -> int:
        """The number of decompressed bytes before the cursor."""
        return self._buffer_position + self._at

    def error(self, message: str) -> RdsError:
        """Return an error with this message and the position of the cursor."""
        return RdsError(f"{message}, at {_byte(self.position)}")

    def integer(self) -> int:
        """Read four bytes as a signed integer."""
        try:
            (number,) = _INTEGER(self._buffer, self._at)
        except struct.error:
            self._require(4)
            (number,) = _INTEGER(self._buffer, 0)
        self._at += 4
        return int(number)

    def peek(self, size: int) -> bytes:
        """Return the next bytes and don't move; fewer than ``size`` at the end of the contents."""
        if self._at + size > len(self._buffer):
            self._load(size)
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """Read bytes. A false ``size`` in a damaged file takes no memory."""
        if self._at + size > len(self._buffer):
            self._require(size)
        start = self._at
        self._at = start + size
        return self._buffer[start : self._at]

    def skip_bytes(self, size: int) -> None:
        """Move on without keeping the bytes."""
        left = self._at + size - len(self._buffer)
        if left <= 0:
            self._at += size
            return
        self._buffer_position += len(self._buffer)
        for chunk in self._chunks:
            if left <= len(chunk):
                self._buffer, self._at = chunk, left
                self._count_examined(len(chunk) - left)
                return
            left -= len(chunk)
            self._buffer_position += len(chunk)
        self._buffer, self._at = b"", 0
        raise self.error(f"the data are cut off: {pluralize(left, 'byte')} missing")

    def _require(self, size: int) -> None:
        """Load ``size`` bytes into the buffer; raises RdsError if there are fewer."""
        have = self._load(size)
        if have < size:
            raise self.error(
                f"the data are cut off: {pluralize(size - have, 'byte')} of a value missing"
            )

    def _load(self, size: int) -> int:
        """Load up to ``size`` bytes into the buffer; return the number of bytes that are there."""
        pieces = [self._buffer[self._at :]]
        have = len(pieces[0])
        while have < size and (chunk := next(self._chunks, b"")):
            self._count_examined(len(chunk))
            pieces.append(chunk)
            have += len(chunk)
        self._buffer_position += self._at
        self._at = 0
        self._buffer = b"".join(pieces)
        return have

    def _count_examined(self, size: int) -> None:
        self._examinable -= size
        if self._examinable < 0:
            raise self.error("it is too large to read: too much in it besides large vectors")
