from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import struct
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui.errors import RdsError
from hipercow_tui.roots import rds, rds_shapes
from hipercow_tui.roots.rds_walk import Limits
from hipercow_tui.roots.rvalues import (
    RS4,
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
    attribute,
    element,
    names,
)

FIXTURES = Path(__file__).parent.parent / "data" / "rds"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "expected.json").read_text("utf-8"))
HEADER = b"X\n" + struct.pack(">iiii", 3, 0x40202, 0x30500, 5) + b"UTF-8"


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.rds").read_bytes()


def ints(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def char(text: str) -> bytes:
    return ints(0x40009, len(text)) + text.encode()


# What make.R says of a value, said of ours.


def number(value: object) -> object:
    if value is None:
        return None
    assert isinstance(value, float)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.17g}"


def said_element(value: object) -> object:
    if isinstance(value, complex):
        return [number(value.real), number(value.imag)]
    return number(value) if isinstance(value, float) else value


def tagged(items: tuple[tuple[str | None, RValue], ...]) -> list[object]:
    return [[tag, said(value)] for tag, value in items]


def said(value: RValue) -> dict[str, Any]:
    out: dict[str, Any]
    match value:
        case RNull():
            return {"kind": "NULL"}
        case RSymbol(name):
            return {"kind": "symbol", "name": name}
        case RBuiltin(name):
            return {"kind": "builtin", "name": name}
        case RVector(kind, values):
            out = {"kind": kind, "values": [said_element(v) for v in values]}
        case RList(values=values, kind=kind):
            out = {"kind": kind, "values": [said(v) for v in values]}
        case RPairlist(items):
            out = {"kind": "pairlist", "values": tagged(items)}
        case RLanguage(function, arguments):
            out = {"kind": "language", "function": said(function), "values": tagged(arguments)}
        case RClosure(formals, body, environment):
            out = {
                "kind": "closure",
                "formals": tagged(formals.items),
                "body": said(body),
                "environment": said(environment),
            }
        case REnvironment(kind, name):
            out = {"kind": "environment", "which": [kind, name]}
        case RS4():
            out = {"kind": "S4"}
        case ROpaque(kind):
            out = {"kind": kind}
    held = {name: said(held) for name, held in value.attributes}
    return out | ({"attributes": held} if held else {})


@pytest.mark.parametrize("name", EXPECTED)
def test_reads_what_r_wrote(name: str) -> None:
    assert said(rds.read(fixture(name))) == EXPECTED[name]


def test_the_versions_and_compressions_of_r_give_the_same_value() -> None:
    values = [rds.read(fixture(f"packed_{name}")) for name in ("gzip", "bzip2", "xz", "none")]
    assert all(said(value) == said(values[0]) for value in values)
    plain = gzip.decompress(fixture("packed_gzip"))
    members = gzip.compress(plain[:100]) + gzip.compress(b"") + gzip.compress(plain[100:])
    assert said(rds.read(members)) == said(values[0])
    streams = bz2.compress(plain[:100]) + bz2.compress(plain[100:])
    assert said(rds.read(streams)) == said(values[0])
    streams = lzma.compress(plain[:9]) + lzma.compress(plain[9:])
    assert said(rds.read(streams)) == said(values[0])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ascii.rds", "ascii or little-endian"),
        ("little_endian.rds", "ascii or little-endian"),
        ("workspace.rda", "save()"),
        ("messages.json", "no RDS file"),
    ],
)
def test_what_is_no_rds_as_we_read_it_is_named(name: str, reason: str) -> None:
    with pytest.raises(RdsError) as raised:
        rds.read((FIXTURES / name).read_bytes())
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"X", "no RDS file"),
        (b"X\n\0\0", "cut off"),
        (b"X\n" + ints(4, 0, 0), "version 4"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (gzip.compress(b""), "empty"),
        (HEADER + ints(0xFE, 0xFE), "more in the file"),
        (HEADER + ints(77), "type 77"),
        (HEADER + ints(0x1FF), "a reference to number 1,"),
        (HEADER + ints(13, -2), "length of -2"),
        (HEADER + ints(16, 1, 13, 1), "a string was expected"),
        (HEADER + ints(0x20D, 0, 0x10, 0), "no pairlist"),
        (HEADER + ints(21, 0, 16), "bytecode without instructions"),
        (HEADER + ints(21, 0, 13, 0, 0), "bytecode without its source"),
        (HEADER + ints(21, 0, 13, 0, 1, 243, 7), "piece 7"),
        (HEADER + ints(238, 2, 1) + char("mmap_real") + ints(0xFE, 0xFE, 0xFE), "'mmap_real'"),
    ],
)
def test_damage_is_said_in_a_sentence(raw: bytes, reason: str) -> None:
    with pytest.raises(RdsError) as raised:
        rds.read(raw)
    assert reason in str(raised.value)


def test_an_error_names_the_byte() -> None:
    with pytest.raises(RdsError, match=r"byte 27 of its decompressed data"):
        rds.read(HEADER + ints(77))


def test_a_native_string_is_read_in_the_encoding_of_the_header() -> None:
    value = ints(16, 2, 9, 2) + b"\xa4\xe9" + ints(9, 1) + b"\xff"
    for name, text in (("ISO-8859-15", ("€é", "ÿ")), ("rot13", ("\\xa4\\xe9", "\\xff"))):
        head = HEADER[:14] + ints(len(name)) + name.encode()
        assert rds.read(head + value) == RVector("character", text)


def test_small_things_that_r_hardly_writes() -> None:
    assert rds.read(HEADER + ints(251)) == RSymbol("")
    assert rds.read(HEADER + ints(252)) == RSymbol("")
    assert rds.read(HEADER + char("alone")) == RVector("character", ("alone",))
    assert rds.read(HEADER + ints(9 + 0x200, 1) + b"x" + ints(0xFE)) == RVector("character", ("x",))
    assert rds.read(HEADER + ints(19, 2, 23, (1 << 8) + 255)) == RList((ROpaque("weakref"),) * 2)
    assert rds.read(HEADER + ints(5 + 0x400, 0xFD, 0xFE, 0xFE)) == ROpaque("promise")
    long = HEADER + ints(13, -1, 0, 2, 5, 6)
    assert rds.read(long) == RVector("integer", (5, 6))
    assert rds.read(HEADER + ints(1, 9, -1)) == RSymbol("NA")


def test_a_shared_tail_in_bytecode_is_the_same_for_each_who_shares_it() -> None:
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
    assert rds.read(raw) == RList((combined, RNull()))
    assert rds.read_elements(raw, (1,)) == {1: RNull()}


def test_elements_are_read_by_place_without_what_stands_between_and_behind() -> None:
    whole = rds.read(fixture("environments"))
    assert isinstance(whole, RList)
    raw = gzip.decompress(fixture("environments"))
    for source in (raw, raw[:-4], io.BytesIO(raw)):
        found = rds.read_elements(source, (3, 7, 8))
        local = REnvironment("local")
        assert found == {3: whole.values[3], 7: local, 8: whole.values[8]}
    assert rds.read_elements(raw, (0, 99)) == {0: REnvironment("global")}
    with pytest.raises(RdsError, match="a list was expected"):
        rds.read_elements(fixture("v3_integer"), (0,))


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name]["kind"] != "NULL"])
def test_what_is_skipped_is_left_behind_exactly(name: str) -> None:
    raw = gzip.decompress(fixture(name)) if fixture(name)[:2] == b"\x1f\x8b" else fixture(name)
    if raw[:2] != b"X\n":
        raw = bz2.decompress(raw) if raw[:2] == b"BZ" else lzma.decompress(raw)
    start = 14 if raw[5] == 2 else 23
    pair = raw[:start] + ints(19, 2) + raw[start:] + ints(13, 1, 42)
    assert rds.read_elements(pair, (1,)) == {1: RVector("integer", (42,))}


# What hipercow asks of its files.


def task_files(root: Path, name: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted(root.glob(f"hipercow/tasks/*/*/{name}"))]
    assert len(found) >= 10
    return found


def test_every_file_of_a_real_root_is_read(sir_model: Path) -> None:
    data = [rds.read(raw) for raw in task_files(sir_model, "data")]
    assert {element(value, "type") for value in data} == {
        RVector("character", (kind,))
        for kind in ("explicit", "expression", "call", "script", "retry")
    }
    for value in data:
        assert names(value)[:7] == (
            "type", "id", "time", "path", "environment", "envvars", "parallel",
        )  # fmt: skip
    for raw in task_files(sir_model, "info"):
        assert names(rds.read(raw)) == ("status", "times", "cpu", "memory")
    for raw in task_files(sir_model, "result"):
        rds.read(raw)


def test_times_are_those_that_hipercow_says(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    for task in sir_model_expected["tasks"]:
        folder = sir_model / "hipercow" / "tasks" / task["id"][:2] / task["id"][2:]
        origin = rds.read_origin((folder / "data").read_bytes())
        assert origin.created == pytest.approx(task["created"], abs=5.1e-6)
        assert origin.type == task["type"]
        if (folder / "info").exists():
            times = rds.read_times((folder / "info").read_bytes())
            if task.get("finished") is not None:
                assert times.finished == pytest.approx(task["finished"], abs=5.1e-6)
            if origin.type != "retry":
                assert times.created == origin.created


def test_the_patterns_take_every_file_of_a_real_root(sir_model: Path) -> None:
    for raw in task_files(sir_model, "info"):
        assert rds_shapes.INFO.match(gzip.decompress(raw)[: rds_shapes.LONGEST])
    for raw in task_files(sir_model, "data"):
        beginning = gzip.decompress(raw)[: rds_shapes.LONGEST]
        assert rds_shapes.DATA.match(beginning) or rds_shapes.RETRY.match(beginning)


def outcome(read: Any, raw: bytes) -> object:
    try:
        return read(raw)
    except RdsError as error:
        return type(error)


def test_pattern_and_reader_agree(sir_model: Path) -> None:
    """What is not compressed is never tried by pattern."""
    random.seed(20241123)
    for name, read in (("info", rds.read_times), ("data", rds.read_origin)):
        for packed in task_files(sir_model, name):
            raw = gzip.decompress(packed)
            assert read(packed) == read(raw)
            for _ in range(60):
                varied = bytearray(raw)
                for _ in range(random.randint(1, 2)):
                    varied[random.randrange(min(len(raw), 430))] = random.randrange(256)
                packed_again = gzip.compress(varied, 1)
                assert outcome(read, packed_again) == outcome(read, bytes(varied))


@given(st.lists(st.floats() | st.none(), min_size=3, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_times_are_read_the_same_by_pattern_and_reader(values: list[float | None]) -> None:
    raw = gzip.decompress(fixture("info_plain"))
    na = bytes.fromhex("7ff00000000007a2")
    packed = b"".join(na if value is None else struct.pack(">d", value) for value in values)
    start = raw.index(ints(0x30E, 3)) + 8
    varied = raw[:start] + packed + raw[start + 24 :]
    times = rds.read_times(gzip.compress(varied, 1))
    assert times == rds.read_times(varied)
    finite = [v if v is not None and abs(v) < float("inf") else None for v in values]
    assert [times.created, times.started, times.finished] == finite


def info_fixtures(*, good: bool) -> Iterator[str]:
    for path in sorted(FIXTURES.glob("info_*.rds")):
        if path.stem.startswith("info_bad_") != good:
            yield path.stem


@pytest.mark.parametrize("name", info_fixtures(good=True))
def test_times_of_other_shapes_are_read_too(name: str) -> None:
    fraction = 0.0 if name == "info_integer" else 0.25
    expected = rds.Times(1.7e9 + fraction, None, 1.7e9 + 60 + 2 * fraction)
    assert rds.read_times(fixture(name)) == expected


@pytest.mark.parametrize("name", info_fixtures(good=False))
def test_times_that_are_none_are_an_error(name: str) -> None:
    with pytest.raises(RdsError):
        rds.read_times(fixture(name))


def test_the_end_of_data_may_be_missing(sir_model: Path) -> None:
    for raw in task_files(sir_model, "data"):
        plain = gzip.decompress(raw)
        assert rds.read_origin(plain[:423]) == rds.read_origin(raw)
        with pytest.raises(RdsError):
            rds.read_origin(plain[:150])


# Limits and damage.


def test_a_file_cut_off_anywhere_is_an_error(sir_model: Path) -> None:
    packed = [*task_files(sir_model, "data")[:3], task_files(sir_model, "info")[0]]
    packed += [fixture("packed_bzip2"), fixture("packed_xz"), fixture("bytecode")]
    for raw in packed:
        for end in range(len(raw)):
            with pytest.raises(RdsError):
                rds.read(raw[:end])
    for name in ("packed_gzip", "bytecode", "environments", "s4", "altrep_string", "pairlist"):
        plain = gzip.decompress(fixture(name))
        for end in range(len(plain)):
            with pytest.raises(RdsError):
                rds.read(plain[:end])


def test_damage_anywhere_is_an_error_or_another_value(sir_model: Path) -> None:
    random.seed(7)
    files = [gzip.decompress(raw) for raw in task_files(sir_model, "data")]
    files += [gzip.decompress(raw) for raw in task_files(sir_model, "result")]
    files += [gzip.decompress(fixture(n)) for n in ("bytecode_twice", "environments", "s4")]
    began = time.monotonic()
    for _ in range(3000):
        raw = bytearray(random.choice(files))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(raw))
            raw[at] = random.choice((0, 1, 255, 254, 128, random.randrange(256)))
        outcome(rds.read, bytes(raw))
    assert time.monotonic() - began < 60


def test_damage_to_compressed_bytes_is_an_error(sir_model: Path) -> None:
    random.seed(8)
    for raw in (*task_files(sir_model, "info")[:4], fixture("packed_bzip2"), fixture("packed_xz")):
        value = said(rds.read(raw))
        for _ in range(100):
            damaged = bytearray(raw)
            damaged[random.randrange(10, len(raw))] ^= 1 << random.randrange(8)
            assert outcome(lambda raw: said(rds.read(raw)), bytes(damaged)) in (RdsError, value)


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
def test_a_lying_length_takes_no_memory(kind: int, length: tuple[int, ...]) -> None:
    raw = HEADER + ints(kind, *length) + b"\0" * 100
    assert peak(lambda: rds.read(raw)) < 1_000_000


def test_a_gzip_bomb_is_an_error() -> None:
    bomb = gzip.compress(HEADER + ints(24, 2**31 - 1) + bytes(40_000_000))
    assert len(bomb) < 50_000
    assert peak(lambda: rds.read(bomb, Limits(max_bytes=30_000_000))) < 2_000_000


@pytest.mark.parametrize("item", [ints(0xFE), ints(1) + char(""), ints(19, 1), ints(24, 0)])
def test_a_bomb_of_small_things_is_an_error_soon(item: bytes) -> None:
    bomb = gzip.compress(HEADER + ints(19, 2**31 - 1) + item * (8_000_000 // len(item)), 1)
    began = time.monotonic()
    with pytest.raises(RdsError, match="too much in it"):
        rds.read(bomb, Limits(max_examined=1_000_000))
    assert time.monotonic() - began < 3


def test_text_is_kept_up_to_its_limit() -> None:
    raw = HEADER + ints(16, 1) + char("a" * 50)
    assert rds.read(raw, Limits(max_text=10)) == RVector(
        "character", ("aaaaaaaaaa… (40 more bytes)",)
    )


def test_what_is_too_much_to_keep_is_read_past() -> None:
    few = Limits(max_elements=20)
    value = rds.read(fixture("packed_gzip"), few)
    assert isinstance(value, RList)
    assert ROpaque("raw") in value.values
    assert value.values[0] == RVector("logical", (True, False, None))
    assert rds.read(fixture("altrep_int"), few) == ROpaque("integer")
    wide = rds.read(fixture("wide_pairlist"), few)
    assert isinstance(wide, RPairlist)
    assert wide.items[-1] == (None, ROpaque("pairlist"))


def test_nesting_is_read_to_a_depth_and_skipped_to_any() -> None:
    value = rds.read(fixture("deep_120"))
    for _ in range(120):
        assert isinstance(value, RList)
        (value,) = value.values
    assert isinstance(rds.read(fixture("long_sum")), RLanguage)
    with pytest.raises(RdsError, match="nested more than 150 deep"):
        rds.read(fixture("deep_3000"))
    deep = HEADER + ints(19, 2) + ints(19, 1) * 100_000 + ints(0xFE) + ints(13, 1, 7)
    assert rds.read_elements(deep, (1,)) == {1: RVector("integer", (7,))}


def test_reading_on_a_deep_stack_is_an_error_at_worst() -> None:
    def deeper(levels: int) -> object:
        return deeper(levels - 1) if levels else outcome(rds.read, fixture("deep_120"))

    assert deeper(700) is RdsError


def test_a_source_that_fails_is_an_error() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(RdsError, match="Input/output error"):
        rds.read(Broken())


def test_attributes_come_with_their_value() -> None:
    value = rds.read(fixture("times"))
    assert attribute(value, "class") == RVector("character", ("POSIXct", "POSIXt"))
