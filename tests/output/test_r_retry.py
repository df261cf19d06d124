from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_r import r_environment, run_r
from retry_cases import create_tasks, differences, recorded_groups
from small_root import IDS, NOW

from hipercow_tui.formats.resources import Moment, Resources
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.r_calls import RAction
from hipercow_tui.output.r_programs import ACTIONS
from hipercow_tui.output.r_retry import (
    RetryGroup,
    Shortage,
    left_out,
    repeatable,
    resources_call,
    retry_call,
    retry_groups,
    retry_lines,
    shortage_in,
)
from hipercow_tui.output.r_runner import run
from hipercow_tui.support.errors import RscriptError

# What the real package printed, by tests/tools/record_retry.py.
RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "r" / "retry" / "calls.json").read_text("utf-8")
)
OLD, NEW = "1" * 32, "2" * 32
DEFAULT = Resources(cores=1, exclusive=False, queue="alltasks")
CASES = {
    "default": DEFAULT,
    "cores": replace(DEFAULT, cores=4),
    "whole_node": replace(DEFAULT, cores=math.inf),
    "exclusive": replace(DEFAULT, exclusive=True),
    "runtime_number": replace(DEFAULT, max_runtime=90),
    "runtime_text": replace(DEFAULT, max_runtime=90.0),
    "held_minutes": replace(DEFAULT, hold_until=60),
    "held_time": replace(DEFAULT, hold_until=Moment(4102444801)),
    "node_memory": replace(DEFAULT, memory_per_node=2.0),
    "node_memory_text": replace(DEFAULT, memory_per_node=2),
    "process_memory": replace(DEFAULT, memory_per_process=1),
    "nodes": replace(DEFAULT, requested_nodes=("node-1", "gpu-3")),
    "priority": replace(DEFAULT, priority="low"),
    "queue": replace(DEFAULT, queue="bigmem"),
    "everything": Resources(2, True, 30, 5, 1, 2.0, ("node-2",), "normal", "fast"),
}


def group_of(case: str) -> RetryGroup:
    name, _, more = case.partition(": more ")
    group = RetryGroup((OLD,), CASES[name], Shortage(more) if more else None)
    return group.with_more() if more else group


@pytest.mark.parametrize("case", RECORDED)
def test_calls_and_lines_are_those_that_the_real_package_took(case: str) -> None:
    recorded = RECORDED[case]
    assert retry_call([group_of(case)]) == recorded["call"]
    assert retry_lines([group_of(case)]) == recorded["lines"]
    assert recorded["printed"] == [
        f"✔ Submitted task '{NEW}' using 'example'",
        f'[1] "{NEW}"',
    ]


def test_more_was_recorded_for_each_field_that_can_be_too_little() -> None:
    more = {case for case in RECORDED if ": more " in case}
    assert more == {
        "runtime_number: more time",
        "runtime_text: more time",
        "node_memory: more memory",
        "node_memory_text: more memory",
        "process_memory: more memory",
        "everything: more memory",
        "everything: more time",
    }
    assert RECORDED.keys() - more == CASES.keys()


@pytest.mark.parametrize("shown", [False, True], ids=["program", "call"])
def test_retries_by_the_real_package_have_identical_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    for name, value in r_environment().items():
        monkeypatch.setenv(name, value)
    ids = create_tasks(tmp_path)
    groups = recorded_groups(tmp_path, ids)
    same = [groups[case] for case in ids]
    if shown:
        text = "\n".join(f"writeLines({retry_call([group])})" for group in same)
        new = run_r(text, tmp_path).split()
    else:
        heard: list[bytes] = []
        program, lines = ACTIONS[RAction.RETRY], retry_lines(same)
        ended = run(program, lines, find_root(tmp_path), heard.append, threading.Event())
        assert ended.succeeded, heard
        new = b"".join(heard).decode().split()
    new = [word for word in new if len(word) == 32 and word.isalnum()]
    assert len(new) == len(ids)
    assert differences(tmp_path, list(zip(ids.values(), new, strict=True))) == [""] * len(ids)


def test_more_is_asked_of_the_real_package_and_an_error_ends_only_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in r_environment().items():
        monkeypatch.setenv(name, value)
    ids = create_tasks(tmp_path)
    groups = recorded_groups(tmp_path, ids)
    cases = [case for case in groups if ": more " in case and case != "everything: more time"]
    heard: list[bytes] = []
    too_large = replace(groups["node_memory"], resources=Resources(memory_per_node=1000))
    lines = retry_lines([too_large, *(groups[case] for case in cases)])
    program = ACTIONS[RAction.RETRY]
    ended = run(program, lines, find_root(tmp_path), heard.append, threading.Event())
    assert ended.status == 1
    assert b"Error for 1 of the tasks: 1000Gb per node is too large for this cluster" in heard[0]
    new = [w for w in b"".join(heard).decode().split() if len(w) == 32 and w.isalnum()]
    old = [ids[case.partition(":")[0]] for case in cases]
    assert differences(tmp_path, list(zip(old, new, strict=True))) == [
        "max_runtime 90L -> 180L",
        "max_runtime 90 -> 180",
        "memory_per_node 2 -> 4",
        "memory_per_node 2L -> 4L",
        "memory_per_process 1L -> 2L",
        "memory_per_node 1L -> 2L memory_per_process 2 -> 4",
    ]


def test_tasks_with_equal_resources_are_in_one_call() -> None:
    big, small = CASES["everything"], DEFAULT
    resources = {IDS[0]: big, IDS[1]: small, IDS[2]: big, IDS[3]: None}
    assert retry_groups(IDS[:5], resources) == (
        RetryGroup((IDS[0], IDS[2]), big),
        RetryGroup((IDS[1],), small),
        RetryGroup((IDS[3], IDS[4]), None),
    )
    shortages = {IDS[2]: Shortage.MEMORY}
    assert retry_groups([IDS[0], IDS[2]], resources, shortages) == (
        RetryGroup((IDS[0],), big),
        RetryGroup((IDS[2],), big, Shortage.MEMORY),
    )


def test_tasks_without_resources_are_left_to_r() -> None:
    groups = [RetryGroup((OLD,)), RetryGroup((OLD, NEW), CASES["cores"])]
    assert retry_call(groups) == (
        f'hipercow::task_retry("{OLD}")\n'
        f'hipercow::task_retry(c(\n  "{OLD}",\n  "{NEW}"\n),\n'
        '  resources = hipercow::hipercow_resources(cores = 4L, queue = "alltasks"))'
    )
    assert retry_lines(groups) == [
        f"retry {OLD}",
        "integer cores 4",
        "character queue alltasks",
        f"retry {OLD} {NEW}",
    ]
    assert RetryGroup((OLD,), None, Shortage.MEMORY).with_more().resources is None
    asked = RetryGroup((OLD,), DEFAULT, Shortage.MEMORY)
    assert asked.with_more() == asked


def test_a_time_in_the_past_and_unknown_fields_are_left_out() -> None:
    given = replace(DEFAULT, hold_until=Moment(NOW - 1), others=(("gpus", "2"),))
    assert repeatable(given, NOW) == DEFAULT
    assert list(left_out(given, NOW)) == [
        "hold_until = 2027-01-15 07:59 UTC, which is past",
        "gpus = 2, which this app does not know",
    ]
    later = replace(DEFAULT, hold_until=Moment(NOW + 0.5))
    assert repeatable(later, NOW).hold_until == Moment(NOW + 1)
    assert list(left_out(later, NOW)) == []
    minutes = replace(DEFAULT, hold_until=60)
    assert repeatable(minutes, NOW) == minutes


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("cannot allocate vector of size 3.7 Gb", Shortage.MEMORY),
        ("std::bad_alloc", Shortage.MEMORY),
        ("callr subprocess failed: Killed", Shortage.MEMORY),
        ("vector memory exhausted (limit reached?)", Shortage.MEMORY),
        ("Error: reached elapsed time limit", Shortage.TIME),
        ("Killed: walltime exceeded", Shortage.TIME),
        ("job exceeded the maximum runtime", Shortage.TIME),
        ("Timeout was reached: [data.org] Connection timed out", None),
        ("object 'skilled' not found", None),
        ("", None),
    ],
)
def test_errors_say_what_was_too_little(error: str, expected: Shortage | None) -> None:
    assert shortage_in(error) is expected


@settings(max_examples=100, deadline=None)
@given(queue=st.text(min_size=1, max_size=20), nodes=st.lists(st.text(min_size=1), min_size=1))
def test_names_are_data_in_one_line(queue: str, nodes: list[str]) -> None:
    resources = Resources(queue=queue, requested_nodes=tuple(nodes))
    lines = retry_lines([RetryGroup((OLD,), resources)])
    assert len(lines) == 3
    assert all(line.isascii() and line.isprintable() and '"' not in line for line in lines)
    assert len(lines[0].split(" ")) == 2 + len(nodes)
    assert "\n" not in resources_call(resources)


def test_only_ids_of_tasks_are_passed() -> None:
    with pytest.raises(RscriptError):
        retry_lines([RetryGroup(("x",), DEFAULT)])
