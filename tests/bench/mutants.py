"""Damaged files. A seed always gives the same ones."""

from __future__ import annotations

import bz2
import gzip
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

INTEGERS = (0, 1, -1, 2, 255, 1 << 20, (1 << 31) - 1, -(1 << 31))
TYPE_CODES = (1, 2, 3, 6, 9, 10, 13, 16, 19, 20, 21, 24, 25, 238, 239, 242, 247, 250, 253, 254, 255)

# Replacements of a word or sign of a text.
TOKENS = (
    *(b"", b"\0", b"\n", b"\r\n", b" ", b",", b'"', b"\\", b"[", b"{", b"]", b"}", b":", b"\xff"),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 400, b"0.5", b"-0", b"{}", b"[]", b'""'),
    *(b"\\ud800", b"\x1b]0;x\a", b"..", b"../../x", b"/", b"a/b", b"R", b"py", b"x" * 5000),
    *(b"0" * 31, b"0" * 32, b"0" * 33, b"F" * 32, b"failure", b"running", b"purge", b"id"),
    *(b"[" * 2000, b'{"a":' * 2000),
)


def mutants(seed: int, originals: Sequence[bytes], *, text: bool) -> Iterator[bytes]:
    """Yield damaged files forever.

    They are truncated, overwritten, repeated in part, or joined from two files.

    Args:
        seed: The seed of all damage.
        originals: Undamaged files.
        text: Whether they are texts, of which words and signs are replaced too. Other files are
            RDS: they can be compressed, and damaged after that.
    """
    rng = Random(seed)
    damage = TEXT_DAMAGE if text else DAMAGE
    while True:
        raw = bytearray(rng.choice(originals))
        for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
            rng.choice(damage)(raw, rng, originals)
        if text:
            yield bytes(raw)
            continue
        packed = bytearray(rng.choice(PACKING)(bytes(raw)))
        if rng.random() < 0.1:
            rng.choice((_truncate, _flip_bit))(packed, rng, originals)
        yield bytes(packed)


def _position(raw: bytearray, rng: Random, width: int = 1) -> int:
    """Return a random position; three of ten are among the first 200 bytes."""
    end = max(1, len(raw) - width)
    return rng.randrange(min(end, 200) if rng.random() < 0.3 else end)


def _truncate(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    del raw[_position(raw, rng) :]


def _flip_bit(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if raw:
        raw[_position(raw, rng)] ^= 1 << rng.randrange(8)


def _overwrite_integer(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at = _position(raw, rng, 4)
    raw[at : at + 4] = struct.pack(">i", rng.choice(INTEGERS))


def _overwrite_type(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at = _position(raw, rng, 4)
    raw[at : at + 4] = struct.pack(">i", rng.choice(TYPE_CODES) | rng.choice((0, 0x100, 0x300)))


def _repeat(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    start = _position(raw, rng)
    piece = raw[start : start + rng.choice((4, 8, 64, 1000))]
    raw[start:start] = piece * rng.choice((1, 2, 50))


def _remove(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    start = _position(raw, rng)
    del raw[start : start + rng.choice((1, 4, 8, 64))]


def _join(raw: bytearray, rng: Random, originals: Sequence[bytes]) -> None:
    other = rng.choice(originals)
    raw[_position(raw, rng) :] = other[rng.randrange(len(other)) :]


def _replace_token(raw: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at = _position(raw, rng)
    found = re.compile(rb"\w+|\W").match(raw, at)
    if found:
        raw[at : found.end()] = rng.choice(TOKENS)


Damage = Callable[[bytearray, Random, Sequence[bytes]], None]
DAMAGE: tuple[Damage, ...] = (
    _truncate,
    _flip_bit,
    _overwrite_integer,
    _overwrite_integer,
    _overwrite_type,
    _repeat,
    _remove,
    _join,
)
TEXT_DAMAGE: tuple[Damage, ...] = (
    _truncate,
    _flip_bit,
    _repeat,
    _remove,
    _join,
    _replace_token,
    _replace_token,
    _replace_token,
)
PACKING: tuple[Callable[[bytes], Any], ...]
PACKING = (bytes, bytes, bytes, lambda raw: gzip.compress(raw, 1), bz2.compress)
