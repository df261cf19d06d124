"""The number of keys to purge one error among 20,000 tasks, and to free, retry, export and report.

For the second, R must have the package hipercow (``tests/support/real_r.py``), or else a program
that acts like it is used.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .table import Figure, shown

TASKS = 20_000
TIMEOUT = 600.0  # seconds of one step, on a busy machine


LOST, SHORT = 300, 120  # tasks that are lost, and tasks with too little memory


def triage_figures() -> Iterator[Figure]:
    """Count the keys, and report what was found, purged, freed, retried and exported."""
    sys.path.append(str(Path(__file__).parents[1] / "support"))
    with tempfile.TemporaryDirectory(prefix="hipercow-bench") as home:
        yield _purge(Path(home))
    with tempfile.TemporaryDirectory(prefix="hipercow-bench") as home:
        yield _act(Path(home))


def _purge(home: Path) -> Figure:
    from real_terminal import Terminal
    from triage_journey import MOST_KEYS, take_journey

    began = time.monotonic()
    arguments = ("--demo", "--demo-tasks", str(TASKS))
    terminal = Terminal(*arguments, env=_environment(home), columns=118, rows=36)
    try:
        journey = take_journey(terminal, patience=TIMEOUT)
    finally:
        terminal.child.close(force=True)
    total = time.monotonic() - began
    name = f"keys to purge one error among {TASKS:,} tasks"
    most = " · ".join(f"{number:,}" for number in journey.broken)
    ours = f"{len(journey.keys)} keys, {shown(total)}"
    found = f"errors of {most} tasks {shown(journey.seconds)} after e, {journey.purged:,} purged"
    return Figure(name, ours, found, len(journey.keys), MOST_KEYS, "keys")


def _act(home: Path) -> Figure:
    from act_journey import MOST_KEYS, act, asked_memory, make_root
    from r_stand_in import stub
    from real_r import find_r_environment, run_r
    from real_terminal import Terminal

    root = make_root(home / "project", tasks=TASKS, lost=LOST, short=SHORT)
    environment = _environment(home)
    real = find_r_environment()
    if real is None:
        environment["PATH"] = f"{stub(home)}{os.pathsep}{environment['PATH']}"
    else:
        environment |= {key: value for key, value in real.items() if key == "R_LIBS"}
        run_r('hipercow::hipercow_configure("example")', root.path)
    before = asked_memory(root)
    terminal = Terminal(str(root.path), env=environment, columns=118, rows=36)
    try:
        acted = act(terminal, home / "inputs.jsonl", patience=TIMEOUT)
    finally:
        terminal.child.close(force=True)
    retried = (asked_memory(root) - before).total()
    by = "a program that acts as R" if real is None else "R"
    found = f"{acted.freed} freed, {retried} retried by {by}; {acted.exported} exported"
    name = f"keys to free, retry, export and report among {TASKS:,} tasks"
    ours = f"{len(acted.keys)} keys, {shown(acted.seconds)}"
    return Figure(name, ours, found, len(acted.keys), MOST_KEYS, "keys")


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CACHE_HOME": f"{home}/cache",
        "XDG_CONFIG_HOME": f"{home}/config",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
