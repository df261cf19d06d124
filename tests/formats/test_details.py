from __future__ import annotations

import contextlib
import gzip
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui.formats.details import EnvVar, TaskDetails, details_from_data, read_details
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import RLanguage, RList, RNull, RSymbol, RValue, RVector
from hipercow_tui.support.errors import RdsError

DATA = Path(__file__).parent.parent / "data"
RETRY, BASE = "169222b97fd519b16c6a58176ee0c176", "121f8bdc0c7b66a41e3213dc83aaee9a"
FAILED = "c91aed73895a729e1c4b1f10ca24ec57"
EXPLICIT = "91c1a9bbcefdd78576f21a1b950f0128"


def tasks_of(root: Path) -> Path:
    return root / "hipercow" / "tasks"


def folder_of(root: Path, task_id: str) -> Path:
    return tasks_of(root) / task_id[:2] / task_id[2:]


def text(*values: str | None) -> RVector:
    return RVector("character", values)


def named(**values: RValue) -> RList:
    return RList(tuple(values.values()), (("names", text(*values)),))


def number(value: float) -> RVector:
    return RVector("double", (value,))


def call_data(fn: RValue, args: RValue) -> RList:
    return named(type=text("call"), fn=fn, args=args)


def test_every_recorded_task_equals_the_output_of_hipercow(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    for expected in sir_model_expected["tasks"]:
        details = read_details(tasks_of(sir_model), expected["id"], status=expected["status"])
        assert details.problem is None
        assert details.type == expected["runs"]
        assert (details.environment, details.path) == (expected["environment"], expected["path"])
        assert details.error == expected.get("error")
        assert [var.name for var in details.envvars] == [v["name"] for v in expected["envvars"]]
        assert [var.value for var in details.envvars] == [v["value"] for v in expected["envvars"]]
        assert not any(var.secret for var in details.envvars)
        if details.type == "call":
            assert details.runs == f"{expected['fn']}({expected['args']})"
        elif details.type == "script":
            assert details.runs == expected["script"]
        else:
            assert details.runs == expected["expression"]
            assert dict(details.inputs) == expected.get("local_values", {})
        assert (expected["type"] == "retry") == (details.base is not None)


def test_the_recorded_root_has_every_type_of_task(sir_model_expected: dict[str, Any]) -> None:
    types = {(task["type"], task["runs"]) for task in sir_model_expected["tasks"]}
    assert {runs for _, runs in types} == {"explicit", "expression", "call", "script"}
    assert "retry" in {kind for kind, _ in types}


def test_a_retry_runs_what_its_base_runs(sir_model: Path) -> None:
    details = read_details(tasks_of(sir_model), RETRY, status="failure")
    assert (details.parent, details.base) == (BASE, BASE)
    assert details.runs == read_details(tasks_of(sir_model), BASE, status="failure").runs


def test_retry_with_a_missing_base_names_it_and_has_a_problem(sir_model: Path) -> None:
    folder_of(sir_model, BASE).rename(sir_model / "elsewhere")
    details = read_details(tasks_of(sir_model), RETRY, status="failure")
    assert (details.base, details.runs, details.type) == (BASE, None, None)
    assert details.error == "no such parameter 'gamma'"
    assert details.problem == f"the folder of task {BASE}: No such file or directory"


def test_braces_become_one_line_for_a_table(sir_model: Path) -> None:
    details = read_details(tasks_of(sir_model), EXPLICIT, status="success")
    assert details.runs == "{\n    a <- 1\n    a + 2\n}"
    assert details.code_text == "{ a <- 1; a + 2 }"


def test_the_arguments_of_a_call_are_its_inputs(sir_model: Path) -> None:
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.runs == details.code_text == "run_sir(0.9, 0.2)"
    assert details.inputs == (("1", "0.9"), ("2", "0.2"))
    assert details.inputs_text == "0.9, 0.2"
    assert details.driver == "example"


@pytest.mark.parametrize(
    ("fn", "runs"),
    [
        (named(name=text("rnorm"), namespace=text("stats"), value=RNull()), "stats::rnorm(1)"),
        (named(name=text("f"), namespace=RNull(), value=RNull()), "f(1)"),
        (named(name=RNull(), namespace=RNull(), value=RNull()), "(anonymous)(1)"),
        (
            named(
                name=RNull(),
                namespace=RNull(),
                value=RLanguage(RSymbol(":::"), ((None, RSymbol("a")), (None, RSymbol("b")))),
            ),
            "a:::b(1)",
        ),
        (named(name=text("my function"), namespace=RNull(), value=RNull()), "`my function`(1)"),
        (RNull(), "(anonymous)(1)"),
    ],
)
def test_a_function_is_named_as_it_was_given(fn: RValue, runs: str) -> None:
    assert details_from_data(call_data(fn, RList((number(1),))), None).runs == runs


def test_unusual_argument_names_have_backticks_in_code() -> None:
    args = RList((number(1), number(2)), (("names", text("odd name", "")),))
    details = details_from_data(call_data(named(name=text("f")), args), None)
    assert details.runs == "f(`odd name` = 1, 2)"
    assert details.inputs == (("odd name", "1"), ("2", "2"))
    assert details.inputs_text == "`odd name` = 1, 2"


def test_a_call_without_arguments() -> None:
    details = details_from_data(call_data(named(name=text("f")), RNull()), None)
    assert (details.runs, details.inputs) == ("f()", ())


def test_large_inputs_are_complete_in_inputs_and_short_in_a_row() -> None:
    many = RVector("double", tuple(float(n) for n in range(1000)))
    args = RList((many,), (("names", text("x")),))
    details = details_from_data(call_data(named(name=text("f")), args), None)
    assert details.runs is not None
    assert details.runs.endswith("997, 998, 999))")
    assert details.inputs[0][1].count("\n") > 50
    assert len(details.inputs_text) < 70
    assert details.inputs_text.startswith("x = c(0, 1, 2,")
    assert details.code_text == f"f({details.inputs_text})"


def test_globals_are_the_names_that_are_checked() -> None:
    hashes = RVector("character", ("abc",), (("names", text("model")),))
    data = named(
        type=text("expression"),
        expr=RSymbol("model"),
        variables=named(locals=RList(()), globals=hashes),
    )
    assert details_from_data(data, None).globals == ("model",)


def test_variables_are_masked_by_their_flag_and_by_their_name() -> None:
    envvars = named(
        name=text("A", "B", "C", "API_TOKEN"),
        value=text("plain", "ciphertext", "unsure", "hunter2"),
        secret=RVector("logical", (False, True, None, False)),
    )
    data = named(type=text("script"), script=text("run.R"), envvars=envvars)
    details = details_from_data(data, None)
    assert [var.masked for var in details.envvars] == ["plain", *["********"] * 3]
    assert details.envvars[0] == EnvVar("A", "plain", secret=False)


@pytest.mark.parametrize(
    "data",
    [
        RNull(),
        number(1),
        RList(()),
        named(type=number(1)),
        named(type=text("dance")),
        named(type=text(None)),
        named(type=text("script"), script=RNull()),
        named(type=text("retry"), parent=number(1), base=number(2)),
    ],
)
def test_data_of_no_known_kind_is_a_problem_or_empty(data: RValue) -> None:
    details = details_from_data(data, None)
    assert details.runs is None
    assert details.base is None
    assert details.code_text == ""


@pytest.mark.parametrize("left", [0, 1, 20, 100])
def test_truncated_data_keeps_driver_and_error(sir_model: Path, left: int) -> None:
    data = folder_of(sir_model, FAILED) / "data"
    data.write_bytes(data.read_bytes()[:left])
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.driver == "example"
    assert details.error == "step size too small: beta = 0.9"
    assert details.runs is None
    assert details.problem is not None
    assert details.problem.startswith("'data': ")


def test_result_that_is_not_an_error_keeps_the_other_details(sir_model: Path) -> None:
    (folder_of(sir_model, FAILED) / "result").write_bytes(b"no RDS")
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.runs == "run_sir(0.9, 0.2)"
    assert details.error is None
    assert details.problem is not None
    assert details.problem.startswith("'result': ")


def test_the_result_of_a_success_is_not_opened(sir_model: Path) -> None:
    result = folder_of(sir_model, EXPLICIT) / "result"
    result.unlink()
    os.mkfifo(result)
    assert read_details(tasks_of(sir_model), EXPLICIT, status="success").problem is None


def test_failure_without_a_result_has_a_problem(sir_model: Path) -> None:
    (folder_of(sir_model, FAILED) / "result").unlink()
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.problem == "'result': No such file or directory"


@pytest.mark.parametrize("name", ["data", "result", "status-submitted"])
def test_pipes_are_refused_at_once(sir_model: Path, name: str) -> None:
    path = folder_of(sir_model, FAILED) / name
    path.unlink()
    os.mkfifo(path)
    began = time.monotonic()
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.problem == f"'{name}': is not a regular file"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", ["data", "result", "status-submitted"])
def test_links_are_not_followed(sir_model: Path, name: str) -> None:
    path = folder_of(sir_model, FAILED) / name
    path.rename(sir_model / name)
    path.symlink_to(sir_model / name)
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.problem == f"'{name}': is a symbolic link, which is not followed"


@pytest.mark.parametrize("part", ["prefix", "folder"])
def test_a_task_folder_that_is_a_link_is_not_entered(sir_model: Path, part: str) -> None:
    folder = folder_of(sir_model, FAILED)
    moved = folder if part == "folder" else folder.parent
    moved.rename(sir_model / "elsewhere")
    moved.symlink_to(sir_model / "elsewhere")
    details = read_details(tasks_of(sir_model), FAILED, status="failure")
    assert details.runs is None
    assert details.problem is not None
    assert details.problem.startswith(f"the folder of task {FAILED}: ")


def test_tasks_may_be_behind_a_link_themselves(sir_model: Path) -> None:
    tasks_of(sir_model).rename(sir_model / "elsewhere")
    tasks_of(sir_model).symlink_to(sir_model / "elsewhere")
    assert read_details(tasks_of(sir_model), FAILED, status="failure").problem is None


def test_base_that_is_not_an_id_is_not_read(sir_model: Path) -> None:
    data = named(type=text("retry"), parent=text("../.."), base=text("../../etc"))
    assert details_from_data(data, None) == TaskDetails(parent="../..", base="../../etc")


@pytest.mark.parametrize("task_id", ["", "ab", "A" * 32, "../" * 11, "0" * 32 + "\n", "0" * 33])
def test_text_that_is_not_an_id_is_refused(sir_model: Path, task_id: str) -> None:
    with pytest.raises(ValueError, match="not a task id"):
        read_details(tasks_of(sir_model), task_id, status="success")


def test_a_driver_of_many_lines_or_bytes(sir_model: Path) -> None:
    marker = folder_of(sir_model, FAILED) / "status-submitted"
    for content, driver in [
        (b"  dide-windows \nmore\n", "dide-windows"),
        (b"", None),
        (b"\n", None),
        (b"\xff\n", "\\xff"),
    ]:
        marker.write_bytes(content)
        assert read_details(tasks_of(sir_model), FAILED, status="running").driver == driver
    marker.write_bytes(b"x" * 100_000)
    details = read_details(tasks_of(sir_model), FAILED, status="running")
    assert details.driver is None
    assert details.problem == "'status-submitted': is larger than 4.1 kB"


def test_a_bomb_in_data_is_refused(sir_model: Path) -> None:
    beginning = bytes.fromhex("580a000000030004020200030500000000055554462d38")
    one_large_string = bytes.fromhex("0000001000000001000400097fffff00")
    bomb = gzip.compress(beginning + one_large_string + b"x" * (70 << 20), 1)
    (folder_of(sir_model, FAILED) / "data").write_bytes(bomb)
    details = read_details(tasks_of(sir_model), FAILED, status="running")
    assert details.runs is None
    assert details.problem is not None
    assert details.problem.startswith("'data': ")


def data_of_a_call() -> bytes:
    with tarfile.open(DATA / "sir-model.tar.gz") as tar:
        file = tar.extractfile(f"sir-model/hipercow/tasks/{FAILED[:2]}/{FAILED[2:]}/data")
        assert file is not None
        return gzip.decompress(file.read())


INTACT = data_of_a_call()


@given(
    st.lists(
        st.tuples(st.integers(24, len(INTACT) - 1), st.integers(0, 255)), min_size=1, max_size=4
    )
)
@settings(max_examples=100, deadline=None)
def test_damaged_data_gives_details_or_a_problem(damage: list[tuple[int, int]]) -> None:
    raw = bytearray(INTACT)
    for place, byte in damage:
        raw[place] = byte
    with contextlib.suppress(RdsError):
        value = files.read(bytes(raw))
        assert isinstance(details_from_data(value, value), TaskDetails)
