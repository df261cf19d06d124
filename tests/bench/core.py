"""Figures of scans, system calls and purges."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from itertools import pairwise
from pathlib import Path

from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import requested_filters
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.task import PURGEABLE
from hipercow_tui.formats.r_layout import parse_bundle, parse_retry
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import execute
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner, read_root
from hipercow_tui.scanning.shard_listing import MTIME_GRANULARITY

from .lean import lean_loop
from .table import Figure, interleaved, ratio

REPEATS = 5
CHANGING = ("created", "submitted", "running", "cancelled", "broken")


def scan_figures(where: Path, cache: Path) -> Iterator[Figure]:
    """Measure first scan, refresh and second start; all files are in the page cache."""
    root = find_root(where)
    index = ScanCache(cache / "bench.index", b"bench")

    def scan(scanner: Scanner) -> None:
        for _ in scanner.scan():
            pass

    scanner = Scanner(root, index=index)
    for _ in range(4):
        scan(scanner)
        time.sleep(MTIME_GRANULARITY)
    lean, cold, second, refresh = interleaved(
        REPEATS,
        lambda: lean_loop(str(root.tasks)),
        lambda: read_root(root),
        lambda: read_root(root, index),
        lambda: scan(scanner),
    )
    yield ratio("cold scan / smallest loop in one process", cold, lean, 1.2)
    yield ratio("refresh without changes / cold scan", refresh, cold, 0.05)
    yield ratio("second start with the index / cold scan", second, cold, 0.15)


def list_figure(where: Path) -> Figure:
    """Measure ``list --json`` of all tasks, with a null device as its output, and a scan."""

    def print_list() -> None:
        with open(os.devnull, "w") as null, redirect_stdout(null), redirect_stderr(null):
            main(["list", str(where), "--json"])

    scan, listing = interleaved(REPEATS, lambda: read_root(find_root(where)), print_list)
    return ratio("list --json / cold scan", listing, scan, 1.5)


def call_figures(where: Path) -> Iterator[Figure]:
    """Count system calls, without those of an empty root."""
    names = ("system calls of a cold scan, per task", "system calls of a refresh")
    if shutil.which("strace") is None:
        yield from (Figure(name, "not measured: no strace") for name in names)
        return
    empty = where.parent / "empty"
    (empty / "hipercow" / "tasks").mkdir(parents=True, exist_ok=True)
    root = find_root(where)
    snapshot = read_root(root)
    tasks = len(snapshot.tasks)
    nothing, cold = _calls(empty, 1), _calls(where, 1)
    per_task = (cold - nothing) / tasks
    yield Figure(names[0], f"{cold - nothing:,}", f"{tasks:,} tasks", per_task, 9, "calls")
    refresh = _calls(where, 5) - _calls(where, 4)
    changing = sum(task.status in CHANGING for task in snapshot.tasks.values())
    allowed = 5 * changing + 10 * len(os.listdir(root.tasks))
    reference = f"{changing:,} tasks can change"
    yield Figure(names[1], f"{refresh:,}", reference, refresh, allowed, "calls")


def _calls(where: Path, passes: int) -> int:
    log = where.parent / "strace.log"
    run_program("passes.py", str(where), str(passes), before=("strace", "-f", "-c", "-o", str(log)))
    total = log.read_text("utf-8").splitlines()[-1].split()
    return int(total[3])


def run_program(program: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    """Run a program of this folder in a new process; return its output."""
    path = Path(__file__).with_name(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [*before, sys.executable, str(path), *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def slow_figure(where: Path) -> Figure:
    """Measure the cold scan of a file system with 1 ms more per call."""
    ours, lean = (float(run_program("delayed.py", str(where), which)) for which in ("scan", "lean"))
    return ratio("cold scan / smallest loop, 1 ms more per call", ours, lean, 1 / 8)


def crlf_figures() -> Iterator[Figure]:
    """Compare the parsing of ``retry`` and of a bundle of 35,000 lines that end in CRLF with that
    of the same lines with LF."""
    ids = [f"{number:032x}" for number in range(35_001)]
    retry = "".join(f"{one},{before},{ids[0]}\n" for before, one in pairwise(ids)).encode()
    bundle = "".join(f"{one}\n" for one in ids).encode()
    parsers: dict[str, tuple[Callable[[bytes], object], bytes]] = {
        "retry": (parse_retry, retry),
        "bundle": (partial(parse_bundle, name="bundle"), bundle),
    }
    for name, (parse, lf) in parsers.items():
        crlf = lf.replace(b"\n", b"\r\n")
        ours, reference = interleaved(9, partial(parse, crlf), partial(parse, lf))
        yield ratio(f"{name} with CRLF / with LF", ours, reference, 2)


def purge_figure(original: Path, where: Path, target: float, name: str) -> Figure:
    """Measure a purge of all purgeable tasks, and ``rm -rf`` of the same folders.

    Args:
        original: The root, of which two copies are made.
        where: The folder of the copies.
        target: The ratio to reach.
        name: The name of the file system.
    """
    ours, theirs = [where / "ours", where / "theirs"]

    def purge() -> None:
        execute(plan, root)

    def remove() -> None:
        paths = [f"{theirs}/hipercow/tasks/{i[:2]}/{i[2:]}" for i in plan.ids]
        subprocess.run(["xargs", "rm", "-rf"], input="\n".join(paths).encode(), check=True)

    runs: list[list[float]] = []
    for _ in range(3):
        for copy in (ours, theirs):
            shutil.rmtree(copy, ignore_errors=True)
            subprocess.run(["cp", "-a", str(original), str(copy)], check=True)
        os.sync()
        root = find_root(ours)
        plan = _plan_of_all(root)
        runs.append(interleaved(1, purge, remove))
    times = [sorted(column)[1] for column in zip(*runs, strict=True)]
    for copy in (ours, theirs):
        shutil.rmtree(copy)
    return ratio(f"purge of {len(plan.ids):,} tasks / rm -rf, {name}", times[0], times[1], target)


def _plan_of_all(root: Root) -> PurgePlan:
    filters = requested_filters(None, None, None, PURGEABLE, now=time.time())
    return make_plan(read_root(root), filters, now=time.time(), skip_blocked=True)
