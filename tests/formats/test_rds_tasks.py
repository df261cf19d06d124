from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rds_files import FIXTURES, fixture, ints, outcome, task_files

from hipercow_tui.formats.rlang.rds import files, patterns
from hipercow_tui.formats.rlang.values import (
    RVector,
    element,
    names,
)
from hipercow_tui.support.errors import RdsError


def test_every_file_of_a_real_root_is_read(sir_model: Path) -> None:
    data = [files.read(raw) for raw in task_files(sir_model, "data")]
    assert {element(value, "type") for value in data} == {
        RVector("character", (kind,))
        for kind in ("explicit", "expression", "call", "script", "retry")
    }
    for value in data:
        assert names(value)[:7] == (
            "type", "id", "time", "path", "environment", "envvars", "parallel",
        )  # fmt: skip
    for raw in task_files(sir_model, "info"):
        assert names(files.read(raw)) == ("status", "times", "cpu", "memory")
    for raw in task_files(sir_model, "result"):
        files.read(raw)


def test_times_are_the_same_as_in_hipercow(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    for task in sir_model_expected["tasks"]:
        folder = sir_model / "hipercow" / "tasks" / task["id"][:2] / task["id"][2:]
        origin = files.read_origin((folder / "data").read_bytes())
        assert origin.created == pytest.approx(task["created"], abs=5.1e-6)
        assert origin.type == task["type"]
        if (folder / "info").exists():
            times = files.read_times((folder / "info").read_bytes())
            if task.get("finished") is not None:
                assert times.finished == pytest.approx(task["finished"], abs=5.1e-6)
            if origin.type != "retry":
                assert times.created == origin.created


def test_the_patterns_match_every_file_of_a_real_root(sir_model: Path) -> None:
    for raw in task_files(sir_model, "info"):
        assert patterns.INFO.match(gzip.decompress(raw)[: patterns.BEGINNING_SIZE])
    for raw in task_files(sir_model, "data"):
        beginning = gzip.decompress(raw)[: patterns.BEGINNING_SIZE]
        assert patterns.DATA.match(beginning) or patterns.RETRY.match(beginning)


def test_pattern_and_reader_agree(sir_model: Path) -> None:
    """Files that are not compressed are never matched by a pattern."""
    random.seed(20241123)
    for name, read in (("info", files.read_times), ("data", files.read_origin)):
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
    times = files.read_times(gzip.compress(varied, 1))
    assert times == files.read_times(varied)
    finite = [v if v is not None and abs(v) < float("inf") else None for v in values]
    assert [times.created, times.started, times.finished] == finite


def info_fixtures(*, good: bool) -> Iterator[str]:
    for path in sorted(FIXTURES.glob("info_*.rds")):
        if path.stem.startswith("info_bad_") != good:
            yield path.stem


@pytest.mark.parametrize("name", list(info_fixtures(good=True)))
def test_times_of_other_types_are_read(name: str) -> None:
    fraction = 0.0 if name == "info_integer" else 0.25
    expected = files.Times(1.7e9 + fraction, None, 1.7e9 + 60 + 2 * fraction)
    assert files.read_times(fixture(name)) == expected


@pytest.mark.parametrize("name", list(info_fixtures(good=True)))
def test_the_recorded_end_is_read_with_any_status(name: str) -> None:
    status = "lost" if name == "info_status" else "success"
    finished = files.read_times(fixture(name)).finished
    assert files.read_end(fixture(name)) == files.RecordedEnd(status, finished)


@pytest.mark.parametrize("name", list(info_fixtures(good=False)))
def test_values_that_are_not_times_are_an_error(name: str) -> None:
    with pytest.raises(RdsError):
        files.read_times(fixture(name))


def test_the_end_of_data_may_be_missing(sir_model: Path) -> None:
    for raw in task_files(sir_model, "data"):
        plain = gzip.decompress(raw)
        assert files.read_origin(plain[:423]) == files.read_origin(raw)
        with pytest.raises(RdsError):
            files.read_origin(plain[:150])
