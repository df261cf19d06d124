from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_py_root import py_dir, write_py_task
from small_root import task_id

from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.py_details import read_py_details
from hipercow_tui.formats.py_errors import TAIL, find_error

A = task_id(1)

CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 2, in <module>
    float("x")
ValueError: could not convert string to float: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 4, in <module>
    raise sim.Diverged(0.3)
sim.Diverged: at 0.3
srun: error: node12: task 0: Exited with exit code 1
"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "g.py", line 1, in <module>
  |     raise ExceptionGroup("many", [ValueError(1)])
  | ExceptionGroup: many (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------
"""
SYNTAX = """\
  File "a.py", line 1
    f(
     ^
SyntaxError: '(' was never closed
"""
R_LONG = """\
reading
Error in simulate_epidemic(beta = 0.3, gamma = 0.2) :
  step size too small: 0.3
Calls: source -> simulate_epidemic
Execution halted
"""


@pytest.mark.parametrize(
    ("log", "error"),
    [
        ("", None),
        (" \n\n", None),
        ("a\nthe last line\n\n", "the last line"),
        (CHAINED, "sim.Diverged: at 0.3"),
        (GROUP, "ExceptionGroup: many (1 sub-exception)"),
        (SYNTAX, "SyntaxError: '(' was never closed"),
        (R_LONG, "Error in simulate_epidemic(beta = 0.3, gamma = 0.2) :\nstep size too small: 0.3"),
        ("Error: no data\nExecution halted\n", "Error: no data"),
        ("working\nExecution halted\n", "Execution halted"),
        ("working\nKilled\nbye\n", "Killed"),
        ("10%\r20%\rfatal: no repository", "fatal: no repository"),
        ("\x1b[31mTraceback (most recent call last):\x1b[0m\n  f\n\x1b[1mE: x\x1b[0m\n", "E: x"),
        ("Traceback (most recent call last):\r\n  File x\r\nKeyError: 'b'\r\n", "KeyError: 'b'"),
        ("KeyError: 'b'\nTraceback (most recent call last):\n  File x\n", "Traceback (most"),
    ],
)
def test_error_at_the_end_of_a_log(log: str, error: str | None) -> None:
    log_error = find_error(log)
    found = log_error and log_error.message
    assert found == error or (error and found and found.startswith(error) and "Traceback" in error)


def raised(program: str, folder: Path) -> str:
    """Return what Python prints when a program ``run.py`` fails, which can import ``helpers``."""
    (folder / "run.py").write_text(program)
    (folder / "helpers.py").write_text("def double(x):\n    return 2 * float(x)\n")
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stderr


@pytest.mark.parametrize(
    ("program", "frame"),
    [
        ("import json\ndef load(x):\n    return json.loads(x)\nload('{')", "load() run.py:3"),
        ("from helpers import double\ndouble('x')", "double() helpers.py:2"),
        ("1 / 0", "run.py:1"),
        ("f = lambda x: 1 / x\nf(0)", "run.py:1"),
        ("def fit(:", "run.py:1"),
        ("exec('def step():\\n  1 / 0\\nstep()')", "step() <string>:2"),
        ("try:\n  1 / 0\nexcept Exception as e:\n  raise KeyError('b') from e", "run.py:4"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "f() run.py:2"),
        ("def f():\n  raise ExceptionGroup('many', [ValueError(1)])\nf()", "f() run.py:2"),
        ("raise SystemExit('Error: stop')", ""),
    ],
)
def test_frame_of_a_python_error_is_in_code_that_is_not_installed(
    tmp_path: Path, program: str, frame: str
) -> None:
    error = find_error(raised(program, tmp_path))
    assert error is not None
    assert error.frame == frame


FRAME = '  File "{}", line 7, in {}\n    code()\n'
HEAD = "Traceback (most recent call last):\n"


@pytest.mark.parametrize(
    ("frames", "frame"),
    [
        ([("/home/me/run.py", "<module>"), ("/x/site-packages/torch/a.py", "g")], "run.py:7"),
        ([("/usr/lib/python3/dist-packages/a.py", "g")], "g() a.py:7"),
        (
            [("C:\\me\\run.py", "go"), ("C:\\Python312\\Lib\\json.py", "g")],
            "go() run.py:7",
        ),
        ([("<frozen runpy>", "_run"), ("/w/m.py", "main"), ("<frozen os>", "g")], "main() m.py:7"),
        ([("/a/" + "x" * 600 + ".py", "f" * 600)], None),
    ],
)
def test_installed_code_counts_only_if_there_is_no_other(
    frames: list[tuple[str, str]], frame: str | None
) -> None:
    error = find_error(HEAD + "".join(FRAME.format(*one) for one in frames) + "ValueError: no\n")
    assert error is not None and error.message == "ValueError: no"
    assert error.frame == frame or (frame is None and len(error.frame) < 200)


@pytest.mark.parametrize(
    ("log", "frame"),
    [
        (CHAINED, "a.py:4"),
        (GROUP, "g.py:1"),
        (SYNTAX, "a.py:1"),
        (R_LONG, "simulate_epidemic()"),
        ("Error in `mcstate::pmcmc()`:\n! no\n", "mcstate::pmcmc()"),
        ("Error in model$run(1) : no\n", "model$run()"),
        ("Error in eval(expr, envir) : no\n", ""),
        ("Error in x + y : no\n", ""),
        ("Error: no data\nExecution halted\n", ""),
        (HEAD + FRAME.format("a.py", "f"), ""),
    ],
)
def test_frame_of_an_error_in_a_log(log: str, frame: str) -> None:
    error = find_error(log)
    assert error is not None and error.frame == frame


def failed(root: Path, log: bytes) -> TaskDetails:
    folder = write_py_task(root, A, "failure")
    (folder / "log").write_bytes(log)
    return read_py_details(py_dir(root) / "tasks", A, status="failure")


def test_only_the_end_of_a_log_of_any_size_is_read(tmp_path: Path) -> None:
    folder = write_py_task(tmp_path, A, "failure")
    with (folder / "log").open("wb") as log:
        log.write(b"Traceback (most recent call last):\n  f\nOld: 1\n")
        log.truncate(5_000_000_000)
        log.seek(0, os.SEEK_END)
        log.write(b"\n" + CHAINED.encode())
    began = time.perf_counter()
    found = read_py_details(py_dir(tmp_path) / "tasks", A, status="failure")
    assert found.error == "sim.Diverged: at 0.3"
    assert time.perf_counter() - began < 2


def test_long_traceback_still_gives_its_error(tmp_path: Path) -> None:
    frames = b'  File "deep.py", line 7, in f\n    return g()\n' * (TAIL // 20)
    head = b"Traceback (most recent call last):\n"
    end = b"RecursionError: maximum recursion depth exceeded\n"
    found = failed(tmp_path, head + frames + end)
    assert (found.error, found.frame) == (end.decode().strip(), "f() deep.py:7")


def test_success_has_no_error_even_if_its_log_has_one(tmp_path: Path) -> None:
    (write_py_task(tmp_path, A, "success") / "log").write_text(CHAINED)
    assert read_py_details(py_dir(tmp_path) / "tasks", A, status="success").error is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_log_that_is_not_a_regular_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    folder = write_py_task(tmp_path, A, "failure")
    (tmp_path / "secret").write_text("Error: secret")
    if kind == "link":
        (folder / "log").symlink_to(tmp_path / "secret")
    elif kind == "pipe":
        os.mkfifo(folder / "log")
    else:
        (folder / "log").mkdir()
    found = read_py_details(py_dir(tmp_path) / "tasks", A, status="failure")
    assert found.error is None and "'log'" in str(found.problem)
    assert found.runs == "echo hello"


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_short_text_without_colours(raw: bytes) -> None:
    found = find_error(raw.decode("utf-8", "backslashreplace"))
    assert found is None or (found.message and len(found.message) <= 10_000)
    assert found is None or "\x1b[31m" not in found.message + found.frame
