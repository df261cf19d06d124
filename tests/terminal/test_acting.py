"""Act on what triage finds, in a real terminal."""

from __future__ import annotations

import os
from pathlib import Path

from act_journey import MEMORY_ERROR, MOST_KEYS, Acted, act, asked_memory, make_root
from r_stand_in import stub
from real_r import r_environment, run_r
from real_terminal import Terminal

TASKS, LOST, SHORT = 1500, 60, 24


def act_in(folder: Path, env: dict[str, str], started: list[Terminal]) -> Acted:
    terminal = Terminal(str(folder / "project"), env=env, columns=118, rows=36)
    started.append(terminal)
    acted = act(terminal, folder / "inputs.jsonl")
    assert len(acted.keys) <= MOST_KEYS, acted.keys
    assert acted.freed == LOST and acted.exported == SHORT
    assert acted.report.startswith(f"# {SHORT} failed tasks with the same error")
    assert MEMORY_ERROR in acted.report and "run_sir" in acted.report
    return acted


def test_lost_tasks_are_freed_and_an_error_is_retried_exported_and_reported(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    """The same with 20,000 tasks: ``python -m tests.bench --only triage``."""
    make_root(tmp_path / "project", tasks=TASKS, lost=LOST, short=SHORT)
    (tmp_path / "bin").mkdir()
    path = f"{stub(tmp_path / 'bin')}{os.pathsep}{env['PATH']}"
    act_in(tmp_path, env | {"PATH": path}, started)
    lines = (tmp_path / "project" / "lines").read_text().splitlines()
    assert lines.count("integer memory_per_node 8") == 1
    (retried,) = (line for line in lines if line.startswith("retry "))
    assert len(retried.split()) == 1 + SHORT


def test_the_real_package_does_the_same(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    libraries = {key: value for key, value in r_environment().items() if key == "R_LIBS"}
    root = make_root(tmp_path / "project", tasks=TASKS, lost=LOST, short=SHORT)
    before = asked_memory(root)
    run_r('hipercow::hipercow_configure("example")', tmp_path / "project")
    act_in(tmp_path, env | libraries, started)
    assert asked_memory(root) - before == {8: SHORT}
