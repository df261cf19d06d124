"""Damaged files, the same ones for a seed."""

from __future__ import annotations

import bz2
import gzip
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 255, 1 << 20, (1 << 31) - 1, -(1 << 31))
KINDS = (1, 2, 3, 6, 9, 10, 13, 16, 19, 20, 21, 24, 25, 238, 239, 242, 247, 250, 253, 254, 255)


# What a word or a sign of a text is replaced by.
TOKENS = (
    *(b"", b"\0", b"\n", b"\r\n", b" ", b",", b'"', b"\\", b"[", b"{", b"]", b"}", b":", b"\xff"),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 400, b"0.5", b"-0", b"{}", b"[]", b'""'),
    *(b"\\ud800", b"\x1b]0;x\a", b"..", b"../../x", b"/", b"a/b", b"R", b"py", b"x" * 5000),
    *(b"0" * 31, b"0" * 32, b"0" * 33, b"F" * 32, b"failure", b"running", b"purge", b"id"),
    *(b"[" * 2000, b'{"a":' * 2000),
)


def mutants(seed: int, originals: Sequence[bytes], *, text: bool) -> Iterator[bytes]:
    """Damaged files without end: cut off, overwritten, repeated, put together of two; of a text
    also words and signs replaced. What is no text is packed as R packs, or not, or damaged after
    packing."""
    chance = Random(seed)
    damage = OF_TEXT if text else DAMAGE
    while True:
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            chance.choice(damage)(raw, chance, originals)
        if text:
            yield bytes(raw)
            continue
        packed = bytearray(chance.choice(PACKING)(bytes(raw)))
        if chance.random() < 0.1:
            chance.choice((_cut, _flip))(packed, chance, originals)
        yield bytes(packed)


def _place(raw: bytearray, chance: Random, width: int = 1) -> int:
    """Most of what decides stands at the beginning."""
    end = max(1, len(raw) - width)
    return chance.randrange(min(end, 200) if chance.random() < 0.3 else end)


def _cut(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    del raw[_place(raw, chance) :]


def _flip(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    if raw:
        raw[_place(raw, chance)] ^= 1 << chance.randrange(8)


def _number(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    at = _place(raw, chance, 4)
    raw[at : at + 4] = struct.pack(">i", chance.choice(NUMBERS))


def _kind(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    at = _place(raw, chance, 4)
    raw[at : at + 4] = struct.pack(">i", chance.choice(KINDS) | chance.choice((0, 0x100, 0x300)))


def _repeat(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    start = _place(raw, chance)
    piece = raw[start : start + chance.choice((4, 8, 64, 1000))]
    raw[start:start] = piece * chance.choice((1, 2, 50))


def _take_out(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    start = _place(raw, chance)
    del raw[start : start + chance.choice((1, 4, 8, 64))]


def _join(raw: bytearray, chance: Random, whole: Sequence[bytes]) -> None:
    other = chance.choice(whole)
    raw[_place(raw, chance) :] = other[chance.randrange(len(other)) :]


def _token(raw: bytearray, chance: Random, _: Sequence[bytes]) -> None:
    at = _place(raw, chance)
    found = re.compile(rb"\w+|\W").match(raw, at)
    if found:
        raw[at : found.end()] = chance.choice(TOKENS)


Damage = Callable[[bytearray, Random, Sequence[bytes]], None]
DAMAGE: tuple[Damage, ...] = (_cut, _flip, _number, _number, _kind, _repeat, _take_out, _join)
OF_TEXT: tuple[Damage, ...] = (_cut, _flip, _repeat, _take_out, _join, _token, _token, _token)
PACKING: tuple[Callable[[bytes], Any], ...]
PACKING = (bytes, bytes, bytes, lambda raw: gzip.compress(raw, 1), bz2.compress)
