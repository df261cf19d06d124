"""The benchmark, ``python -m tests.bench``: figures, references of the same run, and targets.

Most figures are ratios or counts, because seconds of one machine say little about another.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hipercow_tui.demo import write_root

from .core import call_figures, crlf_figures, list_figure, purge_figure, scan_figures, slow_figure
from .fuzz import fuzz_figures
from .mechanisms import mechanism_figures
from .screen import memory_figure, screen_figures
from .space import slow_space_figure, space_figures
from .table import Figure, print_table
from .triage import triage_figures

PROG = "hipercow-bench"
PARTS = ("scan", "calls", "memory", "purge", "space", "slow", "screen", "triage", "crlf", "fuzz")
ON_REQUEST = ("mechanisms",)  # parts that run only if they are named
ROOTLESS = {"crlf", "fuzz", "triage"}  # parts that need no root made for them


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000, help="size of the root (100000)")
    parser.add_argument(
        "--folder", type=Path, help="keep the roots in this folder (default: a temporary one)"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS + ON_REQUEST,
        help="measure only this part; repeatable",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=PROG) as temporary:
        folder = options.folder or Path(temporary)
        print_table(_figures(folder, options.tasks, options.only or PARTS))


def _figures(folder: Path, tasks: int, parts: tuple[str, ...]) -> Iterator[Figure]:
    if "fuzz" in parts:
        yield from fuzz_figures()
    if "triage" in parts:
        yield from triage_figures()
    if "crlf" in parts:
        yield from crlf_figures()
    if ROOTLESS.issuperset(parts):
        return
    big = _root(folder, tasks)
    if "scan" in parts:
        yield from scan_figures(big, folder)
        yield list_figure(big)
    if "calls" in parts:
        yield from call_figures(big)
    if "memory" in parts:
        yield memory_figure(big)
    if "purge" in parts:
        # About 94 % of the tasks can be purged.
        medium = _root(folder, 10_640)
        yield purge_figure(medium, folder, 1.3, "disk")
        shm = Path("/dev/shm")
        if shm.is_dir():
            with tempfile.TemporaryDirectory(prefix=PROG, dir=shm) as memory:
                yield purge_figure(medium, Path(memory), 1.6, "tmpfs")
    if "space" in parts:
        yield from space_figures(big, folder)
        yield slow_space_figure(_root(folder, 2000))
    if "slow" in parts:
        yield slow_figure(_root(folder, 10_000))
    if "screen" in parts:
        yield from screen_figures(_root(folder, 1000), big)
    if "mechanisms" in parts:
        yield from mechanism_figures(big)


def _root(folder: Path, tasks: int) -> Path:
    """Return a demo root of that size; write it if it is not in the folder."""
    root = folder / f"root-{tasks}"
    if not root.exists():
        sys.stderr.write(f"writing a root of {tasks:,} tasks\n")
        unfinished = folder / f"unfinished-{tasks}"
        unfinished.mkdir(parents=True)
        write_root(unfinished, tasks=tasks, seed=1, now=time.time())
        unfinished.rename(root)
    return root


if __name__ == "__main__":
    main()
