from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_resources import resources_file
from small_root import task_id, write_task

from hipercow_tui.demo.rds_writer import serialize
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.resources import FILE_LIMIT, Moment, Resources, parse_resources
from hipercow_tui.formats.rlang.values import RList, RNull, RVector
from hipercow_tui.formats.root import find_root
from hipercow_tui.support.errors import RdsError

DEFAULT = Resources(cores=1, exclusive=False, queue="alltasks")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", DEFAULT),
        ("default", DEFAULT),
        (
            "everything",
            Resources(4, False, 90.0, 60, 4, 2.0, ("node-1", "gpu-3"), "low", "bigmem"),
        ),
        (
            "whole_node",
            Resources(math.inf, exclusive=True, max_runtime=90, queue="alltasks"),
        ),
        ("held_time", replace(DEFAULT, hold_until=Moment(4102444800.5))),
        ("held_date", replace(DEFAULT, hold_until=Moment(4102444800.0))),
        # 12:30:15 in New York.
        ("held_clock", replace(DEFAULT, hold_until=Moment(4102444800.0 + 17.5 * 3600 + 15))),
    ],
)
def test_resources_that_r_wrote_are_read(name: str, expected: Resources) -> None:
    found = parse_resources(resources_file(name))
    assert found == expected
    assert found.is_default == (expected is DEFAULT)
    # R tells integers and doubles apart.
    kinds = [type(getattr(found, each)) for each in ("max_runtime", "memory_per_process")]
    assert kinds == [type(expected.max_runtime), type(expected.memory_per_process)]


def test_a_word_for_a_time_is_stored_as_that_time() -> None:
    assert isinstance(parse_resources(resources_file("tonight")).hold_until, Moment)


def test_fields_that_are_not_understood_are_kept_as_text() -> None:
    found = parse_resources(resources_file("odd"))
    assert replace(found, others=()) == Resources(cores=2)
    others = dict(found.others)
    assert others.pop("hold_until").startswith("structure(list(sec = NA")
    assert others == {
        "exclusive": "NA",
        "gpus": "c(1, 2)",
        "queue": 'c("a", "b")',
        "priority": '"high"',
        "memory_per_node": "-1",
        "max_runtime": '"x"',
        "requested_nodes": "NA_character_",
        "memory_per_process": "1.5",
    }


def test_texts_have_units_and_leave_out_what_was_not_asked_for() -> None:
    assert parse_resources(resources_file("everything")).texts() == (
        ("cores", "4"),
        ("max_runtime", "90 minutes"),
        ("hold_until", "60 minutes"),
        ("memory_per_node", "4 GB"),
        ("memory_per_process", "2 GB"),
        ("requested_nodes", "node-1, gpu-3"),
        ("priority", "low"),
        ("queue", "bigmem"),
    )
    assert parse_resources(resources_file("whole_node")).texts()[:2] == (
        ("cores", "all of any node"),
        ("exclusive", "yes"),
    )
    assert parse_resources(resources_file("held_date")).texts()[1] == (
        "hold_until",
        "2100-01-01 00:00 UTC",
    )
    assert ("gpus", "c(1, 2)") in parse_resources(resources_file("odd")).texts()


def test_asked_memory_is_that_of_the_process_if_it_is_given() -> None:
    assert parse_resources(resources_file("everything")).memory == 2_000_000_000
    assert Resources(memory_per_node=16).memory == 16_000_000_000
    assert Resources().memory is None


def listed(**values: RVector | RList | RNull) -> bytes:
    names = (("names", RVector("character", tuple(values))),)
    return serialize(RList(tuple(values.values()), names))


@pytest.mark.parametrize(
    "value",
    [
        RVector("integer", ()),
        RVector("integer", (None,)),
        RVector("double", (math.nan,)),
        RVector("double", (math.inf,)),
        RVector("double", (1e300,)),
        RVector("logical", (True,)),
        RVector("character", ("x" * 1000,)),
        RVector("character", ("16",)),
        RList((RVector("integer", (1,)),)),
    ],
)
def test_a_value_of_a_wrong_type_is_not_understood(value: RVector | RList) -> None:
    fields = ("max_runtime", "memory_per_node", "memory_per_process", "hold_until", "priority")
    for name in fields:
        found = parse_resources(listed(cores=RVector("integer", (1,)), **{name: value}))
        assert replace(found, others=()) == Resources(cores=1)
        assert [other for other, _ in found.others] == [name]


@pytest.mark.parametrize("zone", ["../../etc/passwd", "No/Where", "\0", "x" * 5000])
def test_a_time_in_an_unknown_zone_is_not_understood(zone: str) -> None:
    parts = {"year": 200, "mon": 0, "mday": 1, "hour": 0, "min": 0, "sec": 0}
    value = RList(
        tuple(RVector("integer", (number,)) for number in parts.values()),
        (
            ("names", RVector("character", tuple(parts))),
            ("class", RVector("character", ("POSIXlt", "POSIXt"))),
            ("tzone", RVector("character", (zone,))),
        ),
    )
    assert parse_resources(listed(hold_until=value)).hold_until is None


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(["everything", "held_clock", "odd"]),
    at=st.integers(0, 400),
    byte=st.binary(max_size=3),
)
def test_a_damaged_file_raises_only_rds_errors(name: str, at: int, byte: bytes) -> None:
    raw = resources_file(name)
    at %= len(raw)
    for damaged in (raw[:at], raw[:at] + byte + raw[at + 1 :]):
        try:
            parse_resources(damaged)
        except RdsError:
            continue


@pytest.mark.parametrize("raw", [b"", serialize(RNull()), serialize(RList(()))])
def test_a_file_without_a_list_is_refused(raw: bytes) -> None:
    with pytest.raises(RdsError):
        parse_resources(raw)


def test_details_of_an_r_task_show_its_resources(tmp_path: Path) -> None:
    folder = write_task(tmp_path, task_id(1), "success")
    root, task = find_root(tmp_path), Task(task_id(1), Status.SUCCESS)
    assert read_task_details(root, task).resources == ()
    (folder / "resources").write_bytes(resources_file("everything"))
    found = read_task_details(root, task)
    assert found.resources[0] == ("cores", "4")
    assert found.problem is None
    assert read_task_details(root, task, with_resources=False).resources == ()


@pytest.mark.parametrize("kind", ["large", "damaged", "folder", "link", "pipe"])
def test_unreadable_resources_are_a_problem_of_the_details(tmp_path: Path, kind: str) -> None:
    path = write_task(tmp_path, task_id(1), "success") / "resources"
    if kind == "large":
        path.write_bytes(bytes(FILE_LIMIT + 1))
    elif kind == "damaged":
        path.write_bytes(resources_file("everything")[:50])
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("data")
    else:
        os.mkfifo(path)
    found = read_task_details(find_root(tmp_path), Task(task_id(1), Status.SUCCESS))
    assert found.resources == ()
    assert (found.problem or "").startswith("'resources'")
    assert found.runs == "x"
