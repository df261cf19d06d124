from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_py_root import py_dir, write_py_task
from small_root import task_id

from hipercow_tui.formats.details import EnvVar, TaskDetails, looks_secret
from hipercow_tui.formats.py_details import parse_data, read_py_details

A, B = map(task_id, (1, 2))


def details(root: Path, **data: Any) -> TaskDetails:
    write_py_task(root, A, "submitted", **data)
    return read_py_details(py_dir(root) / "tasks", A, status="submitted")


def test_all_details_of_a_task_are_read(tmp_path: Path) -> None:
    found = details(
        tmp_path,
        cmd=["python", "sim.py", "a b", "it's", "$HOME"],
        path="sub/folder",
        environment="science",
        resources={"queue": "AllNodes", "cores": 4, "exclusive": True, "max_runtime": None},
        envvars={"LEVEL": "3", "API_TOKEN": "hunter2"},
    )
    assert found.type == "shell"
    assert found.runs == found.code_text == """python sim.py 'a b' 'it'"'"'s' '$HOME'"""
    assert (found.path, found.environment, found.driver) == ("sub/folder", "science", "example")
    assert found.resources == (("queue", "AllNodes"), ("cores", "4"), ("exclusive", "yes"))
    assert found.envvars == (EnvVar("LEVEL", "3", False), EnvVar("API_TOKEN", "hunter2", True))
    assert [var.masked for var in found.envvars] == ["3", "********"]
    assert found.problem is None


@given(st.lists(st.text(), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_shell_parses_the_quoted_command_as_given(words: list[str]) -> None:
    raw = json.dumps({"task_id": A, "method": "shell", "data": {"cmd": words}}).encode()
    found = parse_data(raw, A)
    assert found.runs is not None and shlex.split(found.runs) == words
    assert "\n" not in found.code_text


@pytest.mark.parametrize(
    "name", ["MY_SECRET", "GITHUB_TOKEN", "db_password", "API_KEY", "GITHUB_PAT", "apikey", "KEY"]
)
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)
    assert EnvVar(name, "hunter2", secret=False).masked == "********"


@pytest.mark.parametrize("name", ["PATH", "R_GC_MEM_GROW", "KEYBOARD", "PWD", "COMPASS", "MONKEY"])
def test_other_names(name: str) -> None:
    assert not looks_secret(name)
    assert EnvVar(name, "plain", secret=False).masked == "plain"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "is not valid JSON"),
        pytest.param(b"[" * 100_000, "is not valid JSON", id="nested"),
        (b"[]", "is not a JSON object"),
        (b"{}", "an unknown type of task"),
        (b'{"method": "shell", "data": {"cmd": "ls"}}', "an unknown type"),
        (b'{"method": "shell", "data": {"cmd": [1]}}', "an unknown type"),
        (b'{"method": "dance", "data": {"cmd": ["ls"]}}', "an unknown type"),
        (b'{"method": [], "data": [], "envvars": [], "resources": 3}', "an unknown type"),
        (b'{"task_id": "\\u001b]0;", "method": "shell"}', "is of task '\u241b]0;'"),
    ],
)
def test_damaged_data_gives_a_problem(tmp_path: Path, raw: bytes, says: str) -> None:
    (write_py_task(tmp_path, A, "success") / "data").write_bytes(raw)
    assert says in str(read_py_details(py_dir(tmp_path) / "tasks", A, status="success").problem)


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5) | st.integers(), st.lists))
@settings(max_examples=100, deadline=None)
def test_any_values_give_details_or_a_problem(value: Any) -> None:
    for key in ("task_id", "method", "data", "path", "environment", "resources", "envvars"):
        data = {"task_id": A, "method": "shell", "data": {"cmd": ["ls"]}, key: value}
        nested = data | {"envvars": {"A": value}, "resources": {"cores": value}}
        for written in (data, nested):
            assert isinstance(parse_data(json.dumps(written).encode(), A), TaskDetails)


def test_missing_task_gives_a_problem(tmp_path: Path) -> None:
    write_py_task(tmp_path, A, "success")
    found = read_py_details(py_dir(tmp_path) / "tasks", B, status="failure")
    assert found.runs is None and "folder of task" in str(found.problem)
    with pytest.raises(ValueError, match="not a task id"):
        read_py_details(py_dir(tmp_path) / "tasks", "../../etc", status="")
