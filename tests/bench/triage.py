"""From the start to the purge of one cause among 20,000 tasks, by keys alone."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .table import Figure, shown

TASKS = 20_000
PATIENCE = 600.0  # seconds for one step, on a busy machine


def triage_figures() -> Iterator[Figure]:
    """How many keys it takes, and what was found and purged with them."""
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
            journey = take_journey(terminal, patience=PATIENCE)
        finally:
            terminal.child.close(force=True)
        whole = time.monotonic() - began
    name = f"keys from the start to one cause of {TASKS:,} tasks purged"
    most = " · ".join(f"{number:,}" for number in journey.broken)
    ours = f"{len(journey.keys)} keys, {shown(whole)}"
    told = f"told {shown(journey.seconds)} after e"
    found = f"errors of {most} tasks, {told}, {journey.purged:,} purged"
    yield Figure(name, ours, found, len(journey.keys), MOST_KEYS, "keys")
