"""Damaged RDS files, the same ones for a seed, and everything that reads such files."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from hipercow_tui.errors import RdsError
from hipercow_tui.roots import conditions, details, rds
from hipercow_tui.roots.deparse import deparse
from hipercow_tui.roots.rvalues import RValue

DATA = Path(__file__).parents[1] / "data"
LONGEST = 40_000  # bytes of an original: of longer ones the beginning
NUMBERS = (0, 1, -1, 2, 255, 1 << 20, (1 << 31) - 1, -(1 << 31))
KINDS = (1, 2, 3, 6, 9, 10, 13, 16, 19, 20, 21, 24, 25, 238, 239, 242, 247, 250, 253, 254, 255)


def read_all(raw: bytes) -> None:
    """Read it as each of a task's files. Raises RdsError if it is none of them."""
    rds.quick_times(raw)
    value: RValue | None = None
    refusals = []
    try:
        value = rds.read(raw)
    except RdsError as error:
        refusals.append(error)
    for read in (rds.read_times, rds.read_origin, conditions.read_told):
        try:
            read(raw)
        except RdsError as error:
            refusals.append(error)
    if value is not None:
        deparse(value)
        details.details_from_data(value, None)
    if len(refusals) == 4:
        raise refusals[0]


def originals() -> list[bytes]:
    """What R wrote, decompressed: of every type, and a root's tasks."""
    files = [path.read_bytes() for path in sorted(DATA.glob("**/*.rds"))]
    with tarfile.open(DATA / "sir-model.tar.gz") as tar:
        for member in tar:
            if member.name.rpartition("/")[2] in ("data", "info", "result"):
                file = tar.extractfile(member)
                files += [file.read()] if file else []
    return [_unpacked(raw)[:LONGEST] for raw in files]


def mutants(seed: int) -> Iterator[bytes]:
    """Damaged files without end: cut off, overwritten, repeated, put together of two; packed as R
    packs, or not, or damaged after packing."""
    chance = Random(seed)
    whole = originals()
    while True:
        raw = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            chance.choice(DAMAGE)(raw, chance, whole)
        packed = bytearray(chance.choice(PACKING)(bytes(raw)))
        if chance.random() < 0.1:
            chance.choice((_cut, _flip))(packed, chance, whole)
        yield bytes(packed)


def _unpacked(raw: bytes) -> bytes:
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress):
        try:
            return unpack(raw)
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            continue
    return raw


def _place(raw: bytearray, chance: Random, width: int = 1) -> int:
    """Most of what decides stands at the beginning."""
    end = max(1, len(raw) - width)
    return chance.randrange(min(end, 200) if chance.random() < 0.3 else end)


def _cut(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    del raw[_place(raw, chance) :]


def _flip(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    if raw:
        raw[_place(raw, chance)] ^= 1 << chance.randrange(8)


def _number(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    at = _place(raw, chance, 4)
    raw[at : at + 4] = struct.pack(">i", chance.choice(NUMBERS))


def _kind(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    at = _place(raw, chance, 4)
    raw[at : at + 4] = struct.pack(">i", chance.choice(KINDS) | chance.choice((0, 0x100, 0x300)))


def _repeat(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    start = _place(raw, chance)
    piece = raw[start : start + chance.choice((4, 8, 64, 1000))]
    raw[start:start] = piece * chance.choice((1, 2, 50))


def _take_out(raw: bytearray, chance: Random, _: list[bytes]) -> None:
    start = _place(raw, chance)
    del raw[start : start + chance.choice((1, 4, 8, 64))]


def _join(raw: bytearray, chance: Random, whole: list[bytes]) -> None:
    other = chance.choice(whole)
    raw[_place(raw, chance) :] = other[chance.randrange(len(other)) :]


DAMAGE: tuple[Callable[[bytearray, Random, list[bytes]], None], ...]
DAMAGE = (_cut, _flip, _number, _number, _kind, _repeat, _take_out, _join)
PACKING: tuple[Callable[[bytes], Any], ...]
PACKING = (bytes, bytes, bytes, lambda raw: gzip.compress(raw, 1), bz2.compress)
