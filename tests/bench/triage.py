"""The number of keys from the start of the app to the purge of one error among 20,000 tasks."""

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


def triage_figures() -> Iterator[Figure]:
    """Count the keys, and report the errors that were found and the tasks that were purged."""
    sys.path.append(str(Path(__file__).parents[1] / "support"))
    from real_terminal import Terminal
    from triage_journey import MOST_KEYS, take_journey

    with tempfile.TemporaryDirectory(prefix="hipercow-bench") as home:
        env = {
            **os.environ,
            "HOME": home,
            "TMPDIR": home,
            "XDG_CACHE_HOME": f"{home}/cache",
            "XDG_CONFIG_HOME": f"{home}/config",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        began = time.monotonic()
        terminal = Terminal("--demo", "--demo-tasks", str(TASKS), env=env, columns=118, rows=36)
        try:
            journey = take_journey(terminal, patience=TIMEOUT)
        finally:
            terminal.child.close(force=True)
        total = time.monotonic() - began
    name = f"keys to purge one error among {TASKS:,} tasks"
    most = " · ".join(f"{number:,}" for number in journey.broken)
    ours = f"{len(journey.keys)} keys, {shown(total)}"
    found = f"errors of {most} tasks {shown(journey.seconds)} after e, {journey.purged:,} purged"
    yield Figure(name, ours, found, len(journey.keys), MOST_KEYS, "keys")
