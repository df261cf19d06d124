from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.formats.outer_log import node_of, outer_error

RECORDED = Path(__file__).parents[1] / "data" / "r" / "outer_logs"
NODE = "node042.cluster.example"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text(encoding="utf-8")


def log_of_the_python_batch_script(folder: Path) -> str:
    """Run the batch script of hipercow for Python, on a computer without its cluster."""
    batch_linux = pytest.importorskip("hipercow.dide.batch_linux")
    values = {"hostname": "laptop-7", "date": "now", "python_version": "3.11"}
    values |= {"hipercow_version": "0.5", "hipercow_root_path": "."}
    values |= {"task_id": "ab" * 16, "task_id_1": "ab", "task_id_2": "ab" * 15}
    (folder / "task_run.sh").write_text(batch_linux.TASK_RUN_SH.substitute(values))
    functions = f"module() {{ :; }}; hostname() {{ echo {NODE}; }}; export -f module hostname; "
    done = subprocess.run(
        ["bash", "-c", f"{functions}bash task_run.sh"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode()


@pytest.mark.parametrize("name", ["linux-success", "linux-missing", "linux-killed"])
def test_node_of_an_outer_log_of_r_is_found(name: str) -> None:
    assert node_of(recorded(name).splitlines()) == NODE


def test_node_of_an_outer_log_of_python_is_found(tmp_path: Path) -> None:
    assert node_of(log_of_the_python_batch_script(tmp_path).splitlines()) == NODE


@pytest.mark.parametrize(
    ("lines", "node"),
    [
        # task_run.bat ends its lines with a carriage return
        (["generated on host: LAPTOP-7\r", "running on: FI--NODE-12\r"], "FI--NODE-12"),
        (["Output:", "", "  running on: n1  "], "n1"),
        (["running on: n1", "running on: n2"], "n1"),
        (["Running task 0123", "Finished task 0123"], None),  # of the example driver
        (["generated on host: laptop-7"], None),
        (["running on: ", "running on: a b", "running on: \x1b[31mn1", "now running on: n1"], None),
        (["x"] * 100 + ["running on: n1"], None),
        ([], None),
    ],
)
def test_node_of_takes_the_first_line_that_names_a_node(lines: list[str], node: str | None) -> None:
    assert node_of(lines) == node


@given(st.lists(st.text()))
def test_node_of_any_text_is_none_or_a_plain_name(lines: list[str]) -> None:
    node = node_of(lines)
    assert node is None or (node.isprintable() and node.isascii() and " " not in node)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("linux-killed", "Killed"),
        ("linux-missing", "ERRORLEVEL was 127"),
        ("linux-success", None),
    ],
)
def test_error_of_a_recorded_outer_log_of_r(name: str, error: str | None) -> None:
    assert outer_error(recorded(name).splitlines()) == error


def test_error_of_an_outer_log_of_python_is_what_bash_printed(tmp_path: Path) -> None:
    error = outer_error(log_of_the_python_batch_script(tmp_path).splitlines())
    assert error is not None
    assert error.endswith("/bin/hipercow: No such file or directory")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["Error: no node", "ERRORLEVEL was 1", "Cleaning up"], "Error: no node"),
        (["\x1b[31mERROR: quota\x1b[0m", "end"], "ERROR: quota"),
        (["ERRORLEVEL was 137\r", "Task failed catastrophically\r"], "ERRORLEVEL was 137"),
        (["ERRORLEVEL was -1073741819"], "ERRORLEVEL was -1073741819"),
        (["ERRORLEVEL was 00", "Quitting"], None),
        (
            ["x.sh: line 3:    77 Segmentation fault      (core dumped) Rscript"],
            "Segmentation fault",
        ),
        (["Running task 0123", "Finished task 0123"], None),
        ([], None),
    ],
)
def test_error_of_an_outer_log_is_its_last_error_or_the_exit_status(
    lines: list[str], error: str | None
) -> None:
    assert outer_error(lines) == error
