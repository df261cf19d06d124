from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pytest
from rds_files import EXPECTED, FIXTURES, HEADER, char, fixture, ints, to_json

from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import (
    REnvironment,
    RLanguage,
    RList,
    RNull,
    ROpaque,
    RSymbol,
    RValue,
    RVector,
    attribute,
)
from hipercow_tui.support.errors import RdsError


@pytest.mark.parametrize("name", EXPECTED)
def test_files_of_r_are_read(name: str) -> None:
    assert to_json(files.read(fixture(name))) == EXPECTED[name]


def test_the_versions_and_compressions_of_r_give_the_same_value() -> None:
    values = [files.read(fixture(f"packed_{name}")) for name in ("gzip", "bzip2", "xz", "none")]
    assert all(to_json(value) == to_json(values[0]) for value in values)
    plain = gzip.decompress(fixture("packed_gzip"))
    members = gzip.compress(plain[:100]) + gzip.compress(b"") + gzip.compress(plain[100:])
    assert to_json(files.read(members)) == to_json(values[0])
    streams = bz2.compress(plain[:100]) + bz2.compress(plain[100:])
    assert to_json(files.read(streams)) == to_json(values[0])
    streams = lzma.compress(plain[:9]) + lzma.compress(plain[9:])
    assert to_json(files.read(streams)) == to_json(values[0])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ascii.rds", "ascii or little-endian"),
        ("little_endian.rds", "ascii or little-endian"),
        ("workspace.rda", "save()"),
        ("messages.json", "no RDS file"),
    ],
)
def test_other_formats_are_named_in_the_error(name: str, reason: str) -> None:
    with pytest.raises(RdsError) as raised:
        files.read((FIXTURES / name).read_bytes())
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"X", "no RDS file"),
        (b"X\n\0\0", "cut off"),
        (b"X\n" + ints(4, 0, 0), "version 4"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (gzip.compress(b"", mtime=0), "empty"),
        (HEADER + ints(0xFE, 0xFE), "more in the file"),
        (HEADER + ints(77), "type 77"),
        (HEADER + ints(0x1FF), "a reference to number 1,"),
        (HEADER + ints(13, -2), "length of -2"),
        (HEADER + ints(16, 1, 13, 1), "a string was expected"),
        (HEADER + ints(0x20D, 0, 0x10, 0), "no pairlist"),
        (HEADER + ints(21, 0, 16), "bytecode has no instructions"),
        (HEADER + ints(21, 0, 13, 0, 0), "bytecode has no source"),
        (HEADER + ints(21, 0, 13, 0, 1, 243, 7), "cell 7"),
        (HEADER + ints(238, 2, 1) + char("mmap_real") + ints(0xFE, 0xFE, 0xFE), "'mmap_real'"),
    ],
)
def test_damage_is_named_in_the_error(raw: bytes, reason: str) -> None:
    with pytest.raises(RdsError) as raised:
        files.read(raw)
    assert reason in str(raised.value)


def test_an_error_has_the_position() -> None:
    with pytest.raises(RdsError, match=r"byte 27 of its decompressed data"):
        files.read(HEADER + ints(77))


def test_a_native_string_is_read_in_the_encoding_of_the_header() -> None:
    value = ints(16, 2, 9, 2) + b"\xa4\xe9" + ints(9, 1) + b"\xff"
    for name, text in (("ISO-8859-15", ("€é", "ÿ")), ("rot13", ("\\xa4\\xe9", "\\xff"))):
        head = HEADER[:14] + ints(len(name)) + name.encode()
        assert files.read(head + value) == RVector("character", text)


def test_items_that_r_rarely_writes_are_read() -> None:
    assert files.read(HEADER + ints(251)) == RSymbol("")
    assert files.read(HEADER + ints(252)) == RSymbol("")
    assert files.read(HEADER + char("alone")) == RVector("character", ("alone",))
    assert files.read(HEADER + ints(9 + 0x200, 1) + b"x" + ints(0xFE)) == RVector(
        "character", ("x",)
    )
    assert files.read(HEADER + ints(19, 2, 23, (1 << 8) + 255)) == RList((ROpaque("weakref"),) * 2)
    assert files.read(HEADER + ints(5 + 0x400, 0xFD, 0xFE, 0xFE)) == ROpaque("promise")
    long = HEADER + ints(13, -1, 0, 2, 5, 6)
    assert files.read(long) == RVector("integer", (5, 6))
    assert files.read(HEADER + ints(1, 9, -1)) == RSymbol("NA")


def test_cells_that_bytecode_shares_are_read_at_each_reference() -> None:
    def symbol(name: str) -> bytes:
        return ints(0, 1) + char(name)

    tail = ints(244, 1, 2, 0xFE) + symbol("x") + ints(0, 0xFE)
    first = ints(6, 0xFE) + symbol("f") + tail
    second = ints(6, 0xFE) + symbol("g") + ints(243, 1)
    both = ints(244, 0, 6, 0xFE) + symbol("c") + ints(2, 0xFE) + first + ints(2, 0xFE) + second
    raw = HEADER + ints(19, 2) + ints(21, 2, 13, 0, 2) + both + ints(0, 0xFE) + ints(243, 0, 0xFE)

    def called(name: str) -> RValue:
        return RLanguage(RSymbol(name), ((None, RSymbol("x")),))

    combined = RLanguage(RSymbol("c"), ((None, called("f")), (None, called("g"))))
    assert files.read(raw) == RList((combined, RNull()))
    assert files.read_elements(raw, (1,)) == {1: RNull()}


def test_elements_are_read_by_position_without_the_others() -> None:
    whole = files.read(fixture("environments"))
    assert isinstance(whole, RList)
    raw = gzip.decompress(fixture("environments"))
    for source in (raw, raw[:-4], io.BytesIO(raw)):
        found = files.read_elements(source, (3, 7, 8))
        local = REnvironment("local")
        assert found == {3: whole.values[3], 7: local, 8: whole.values[8]}
    assert files.read_elements(raw, (0, 99)) == {0: REnvironment("global")}
    with pytest.raises(RdsError, match="a list was expected"):
        files.read_elements(fixture("v3_integer"), (0,))


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name]["kind"] != "NULL"])
def test_skip_ends_exactly_after_the_item(name: str) -> None:
    raw = gzip.decompress(fixture(name)) if fixture(name)[:2] == b"\x1f\x8b" else fixture(name)
    if raw[:2] != b"X\n":
        raw = bz2.decompress(raw) if raw[:2] == b"BZ" else lzma.decompress(raw)
    start = 14 if raw[5] == 2 else 23
    pair = raw[:start] + ints(19, 2) + raw[start:] + ints(13, 1, 42)
    assert files.read_elements(pair, (1,)) == {1: RVector("integer", (42,))}


def test_attributes_are_read_with_their_value() -> None:
    value = files.read(fixture("times"))
    assert attribute(value, "class") == RVector("character", ("POSIXct", "POSIXt"))
