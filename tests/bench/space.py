"""Figures of measuring all tasks, beside ``du`` of the same folders."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from hipercow_tui.formats.folder_size import FolderUsage
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root, without_garbage_collection
from hipercow_tui.scanning.usage_reader import UsageCache, UsageReader

from .core import run_program
from .table import Figure, interleaved, ratio

REPEATS = 5
GDU = ("gdu", "--non-interactive", "--no-progress", "--summarize")
MEASURED = 1000  # tasks whose system calls are counted


def space_figures(where: Path, folder: Path) -> Iterator[Figure]:
    """Measure the tasks of a root the first and the second time; files are in the page cache."""
    root = find_root(where)
    snapshot = read_root(root)
    cache = UsageCache(folder / "bench.usage", b"bench")
    later = time.time() + 86400.0  # the simulated tasks of the last minute are final, too
    found: dict[str, FolderUsage] = {}

    def measure() -> None:
        with without_garbage_collection():
            for _ in UsageReader(root, cache).read(snapshot, found.__setitem__, now=later):
                pass

    def measure_first() -> None:
        cache.path.unlink(missing_ok=True)
        measure()

    def run_du() -> None:
        subprocess.run(["du", "-s", root.tasks], check=True, stdout=subprocess.DEVNULL)

    def run_gdu() -> None:
        subprocess.run([*GDU, root.tasks], check=True, stdout=subprocess.DEVNULL)

    run_du()
    others = [run_gdu] if shutil.which("gdu") else []
    du, first, second, *gdu = interleaved(REPEATS, run_du, measure_first, measure, *others)
    yield ratio(f"measuring {len(found):,} tasks / du -s", first, du, 1.1)
    if gdu:
        yield ratio("measuring them / gdu", first, gdu[0], 1.0)
    else:
        yield Figure("measuring them / gdu", "not measured: no gdu")
    yield ratio("measuring them the second time / the first", second, first, 0.1)
    yield _call_figure(where, folder)


def slow_space_figure(where: Path) -> Figure:
    """Measure the tasks of a file system with 1 ms more per call."""
    ours, du = (float(run_program("delayed.py", str(where), which)) for which in ("measure", "du"))
    return ratio("measuring / the calls of du, 1 ms more per call", ours, du, 1 / 6)


def _call_figure(where: Path, folder: Path) -> Figure:
    """Count the system calls of one process that measures, without those of its start."""
    name = "system calls of measuring, per task, without a stat for each file"
    if shutil.which("strace") is None:
        return Figure(name, "not measured: no strace")
    log = folder / "strace.log"
    totals = []
    for number in (0, MEASURED):
        trace = ("strace", "-f", "-c", "-o", str(log))
        files = int(run_program("measure_some.py", str(where), str(number), before=trace))
        totals.append(int(log.read_text("utf-8").splitlines()[-1].split()[3]) - files)
    calls = totals[1] - totals[0]
    reference = f"{MEASURED:,} tasks, {files:,} files"
    return Figure(name, f"{calls:,}", reference, calls / MEASURED, 12, "calls")
