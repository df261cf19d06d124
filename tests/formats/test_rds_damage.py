from __future__ import annotations

import gzip
import io
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from rds_files import HEADER, char, fixture, ints, outcome, task_files, to_json

from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.rds.limits import Limits
from hipercow_tui.formats.rlang.values import (
    RLanguage,
    RList,
    ROpaque,
    RPairlist,
    RVector,
)
from hipercow_tui.support.errors import RdsError


def test_a_file_that_is_cut_off_at_any_byte_is_an_error(sir_model: Path) -> None:
    packed = [*task_files(sir_model, "data")[:3], task_files(sir_model, "info")[0]]
    packed += [fixture("packed_bzip2"), fixture("packed_xz"), fixture("bytecode")]
    for raw in packed:
        for end in range(len(raw)):
            with pytest.raises(RdsError):
                files.read(raw[:end])
    for name in ("packed_gzip", "bytecode", "environments", "s4", "altrep_string", "pairlist"):
        plain = gzip.decompress(fixture(name))
        for end in range(len(plain)):
            with pytest.raises(RdsError):
                files.read(plain[:end])


def test_damage_anywhere_is_an_error_or_another_value(sir_model: Path) -> None:
    random.seed(7)
    whole = [gzip.decompress(raw) for raw in task_files(sir_model, "data")]
    whole += [gzip.decompress(raw) for raw in task_files(sir_model, "result")]
    whole += [gzip.decompress(fixture(n)) for n in ("bytecode_twice", "environments", "s4")]
    began = time.process_time()
    for _ in range(3000):
        raw = bytearray(random.choice(whole))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(raw))
            raw[at] = random.choice((0, 1, 255, 254, 128, random.randrange(256)))
        outcome(files.read, bytes(raw))
    assert time.process_time() - began < 60


def test_damage_to_compressed_bytes_is_an_error(sir_model: Path) -> None:
    random.seed(8)
    for raw in (*task_files(sir_model, "info")[:4], fixture("packed_bzip2"), fixture("packed_xz")):
        value = to_json(files.read(raw))
        for _ in range(100):
            damaged = bytearray(raw)
            damaged[random.randrange(10, len(raw))] ^= 1 << random.randrange(8)
            assert outcome(lambda raw: to_json(files.read(raw)), bytes(damaged)) in (
                RdsError,
                value,
            )


def peak(read: Any) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(RdsError):
            read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [10, 13, 14, 15, 16, 19, 20, 24, 9])
@pytest.mark.parametrize("length", [(900_000,), (2**31 - 1,), (-1, 2**20, 0)])
def test_a_false_length_takes_no_memory(kind: int, length: tuple[int, ...]) -> None:
    raw = HEADER + ints(kind, *length) + b"\0" * 100
    assert peak(lambda: files.read(raw)) < 1_000_000


def test_a_gzip_bomb_is_an_error() -> None:
    bomb = gzip.compress(HEADER + ints(24, 2**31 - 1) + bytes(40_000_000))
    assert len(bomb) < 50_000
    assert peak(lambda: files.read(bomb, Limits(max_bytes=30_000_000))) < 2_000_000


@pytest.mark.parametrize("item", [ints(0xFE), ints(1) + char(""), ints(19, 1), ints(24, 0)])
def test_a_bomb_of_small_values_is_an_error_in_a_short_time(item: bytes) -> None:
    bomb = gzip.compress(HEADER + ints(19, 2**31 - 1) + item * (8_000_000 // len(item)), 1)
    began = time.process_time()
    with pytest.raises(RdsError, match=r"too much in it|too many small values"):
        files.read(bomb, Limits(max_examined=1_000_000))
    assert time.process_time() - began < 3


def test_text_is_kept_up_to_its_limit() -> None:
    raw = HEADER + ints(16, 1) + char("a" * 50)
    assert files.read(raw, Limits(max_text=10)) == RVector(
        "character", ("aaaaaaaaaa… (40 more bytes)",)
    )


def test_values_beyond_the_limit_of_elements_are_skipped() -> None:
    few = Limits(max_elements=20)
    value = files.read(fixture("packed_gzip"), few)
    assert isinstance(value, RList)
    assert ROpaque("raw") in value.values
    assert value.values[0] == RVector("logical", (True, False, None))
    assert files.read(fixture("altrep_int"), few) == ROpaque("integer")
    wide = files.read(fixture("wide_pairlist"), few)
    assert isinstance(wide, RPairlist)
    assert wide.items[-1] == (None, ROpaque("pairlist"))


def test_nested_values_are_read_to_a_limit_and_skipped_without_limit() -> None:
    value = files.read(fixture("deep_120"))
    for _ in range(120):
        assert isinstance(value, RList)
        (value,) = value.values
    assert isinstance(files.read(fixture("long_sum")), RLanguage)
    with pytest.raises(RdsError, match="nested more than 150 deep"):
        files.read(fixture("deep_3000"))
    deep = HEADER + ints(19, 2) + ints(19, 1) * 100_000 + ints(0xFE) + ints(13, 1, 7)
    assert files.read_elements(deep, (1,)) == {1: RVector("integer", (7,))}


def test_a_recursion_error_becomes_an_rds_error() -> None:
    def deeper(levels: int) -> object:
        return deeper(levels - 1) if levels else outcome(files.read, fixture("deep_120"))

    assert deeper(700) is RdsError


def test_an_error_of_the_file_becomes_an_rds_error() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(RdsError, match="Input/output error"):
        files.read(Broken())
