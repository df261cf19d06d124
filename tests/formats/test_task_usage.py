from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_resources import info_file, resources_file
from small_root import NOW, task_id, write_task

from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.task import DATA, INFO, MARK_SUBMITTED, Lang, Status, Task
from hipercow_tui.formats.rlang.values import RList, RNull, RVector
from hipercow_tui.formats.root import find_root
from hipercow_tui.formats.task_usage import UNKNOWN, TaskUsage, parse_measured, read_usage
from hipercow_tui.support.errors import RdsError

ALL = DATA | INFO | MARK_SUBMITTED
MB = 1 << 20


def test_times_and_memory_that_r_measured_are_read() -> None:
    elapsed, cpu, memory = parse_measured(info_file("child"))
    assert elapsed == pytest.approx(0.1, abs=0.09)
    assert cpu == pytest.approx(elapsed, abs=0.09)
    assert memory is not None
    assert 50 * MB < memory < 100 * MB


def test_child_processes_count_where_r_knows_them() -> None:
    with_children = parse_measured(info_file("child"))[1]
    on_windows = parse_measured(info_file("windows"))[1]
    assert with_children is not None
    assert on_windows is not None
    assert on_windows < with_children / 2


def test_the_column_of_a_memory_limit_changes_nothing() -> None:
    assert parse_measured(info_file("limit")) == parse_measured(info_file("child"))


def test_a_cancelled_task_was_not_measured() -> None:
    assert parse_measured(info_file("cancelled")) == (None, None, None)


def numbers(*values: float | None) -> RVector:
    return RVector("double", values)


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        (RNull(), RNull()),
        (numbers(1, 1, 1), numbers(1, 2)),
        (RVector("character", ("a",)), RList(())),
        (
            RVector("double", (1, None, 1), (("names", RVector("character", ("user.self",))),)),
            RVector(
                "double",
                (1.0,),
                (("dimnames", RList((RNull(), RVector("character", ("max used",))))),),
            ),
        ),
    ],
)
def test_other_values_are_unknown(cpu: RNull | RVector, memory: RNull | RVector | RList) -> None:
    raw = serialize(RList((RNull(), RNull(), cpu, memory)))
    assert parse_measured(raw) == (None, None, None)


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0, 1e300, None])
def test_a_number_that_is_no_time_is_unknown(number: float | None) -> None:
    names = RVector("character", ("user.self", "sys.self", "elapsed"))
    times = RVector("double", (number, 1.0, number), (("names", names),))
    assert parse_measured(serialize(RList((RNull(), RNull(), times, RNull())))) == (None,) * 3


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 400), byte=st.binary(max_size=3))
def test_a_damaged_info_raises_only_rds_errors(at: int, byte: bytes) -> None:
    raw = info_file("child")
    for damaged in (raw[:at], raw[:at] + byte + raw[at + 1 :]):
        try:
            parse_measured(damaged)
        except RdsError:
            continue


def test_used_cores_and_efficiency() -> None:
    usage = TaskUsage(cores=4, elapsed=10.0, cpu=22.0)
    assert usage.used_cores == pytest.approx(2.2)
    assert usage.efficiency == pytest.approx(0.55)
    assert usage._replace(cores=math.inf).efficiency is None
    assert usage._replace(cores=None).efficiency is None
    assert usage._replace(elapsed=0.0).used_cores is None
    assert usage._replace(cpu=None).used_cores is None


def test_usage_of_an_r_task_is_read_as_far_as_it_has_ended(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(1), "success")
    root = find_root(tmp_path)
    ended = Task(task_id(1), Status.SUCCESS, ALL, finished=NOW)
    assert read_usage(root, ended) == UNKNOWN  # info without cpu, and no resources
    (folder / "resources").write_bytes(resources_file("everything"))
    (folder / "info").write_bytes(info_file("child"))
    found = read_usage(root, ended)
    assert (found.cores, found.memory) == (4, 2_000_000_000)
    assert found[2:] == parse_measured(info_file("child"))
    running = read_usage(root, ended._replace(finished=None))
    assert running == TaskUsage(4, 2_000_000_000)
    (folder / "resources").write_bytes(b"no")
    assert read_usage(root, ended)._replace(cores=4, memory=2_000_000_000) == found
    (folder / "info").write_bytes(b"no")
    assert read_usage(root, ended) == UNKNOWN
    assert read_usage(root, Task(task_id(2), Status.BROKEN, -1, finished=NOW)) == UNKNOWN


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ({"cores": 0, "memory_per_node": 16, "memory_per_task": None}, (math.inf, 16 * 10**9)),
        ({"cores": 2, "memory_per_node": 16, "memory_per_task": 4}, (2, 4 * 10**9)),
        ({"cores": True, "memory_per_task": -1}, (None, None)),
        (None, (None, None)),
        ("x", (None, None)),
    ],
)
def test_a_python_task_has_only_what_it_asked_for(
    tmp_path: Path, requested: object, expected: tuple[float | None, int | None]
) -> None:
    folder = tmp_path / "hipercow" / "py" / "tasks" / task_id(1)[:2] / task_id(1)[2:]
    folder.mkdir(parents=True)
    (folder / "data").write_text(json.dumps({"resources": requested}))
    task = Task(task_id(1), Status.SUCCESS, ALL, finished=NOW, lang=Lang.PY)
    assert read_usage(find_root(tmp_path), task) == TaskUsage(*expected)
    (folder / "data").write_text("[")
    assert read_usage(find_root(tmp_path), task) == UNKNOWN
