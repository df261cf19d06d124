"""What a person at the screen waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .table import Figure, ratio, shown

REPEATS = 3


def screen_figures(small: Path, big: Path) -> Iterator[Figure]:
    """From start to frame, to rows, from key to paint and from filter to highlight."""
    runs = [(_run(), _run(small), _run(big)) for _ in range(REPEATS)]
    empty, few, many = (list(column) for column in zip(*runs, strict=True))
    frame = _median(many, "frame")
    yield ratio("start to first frame / empty app", frame, _median(empty, "frame"), 2)
    rows = _median(many, "rows") - frame
    yield _seconds("first frame to first rows, cold", rows, 0.5)
    moves = _p95(many, "moves")
    yield ratio("key to painted, p95 / at 1,000 tasks", moves, _p95(few, "moves"), 1.2)
    yield _seconds("key to painted, p95", moves, 0.016)
    yield _seconds("key to painted while scanning, p95", _p95(many, "scanning"), 0.05)
    tasks = int(big.name.partition("-")[2])
    target = 0.05 if tasks <= 100_000 else 0.25
    yield _seconds("filter to highlight, p95", _p95(many, "filters"), target)


def _seconds(name: str, measured: float, target: float) -> Figure:
    return Figure(name, shown(measured), "", measured * 1e3, target * 1e3, "ms")


def _median(runs: Sequence[dict[str, Any]], name: str) -> float:
    return float(median(run[name] for run in runs))


def _p95(runs: Sequence[dict[str, Any]], name: str) -> float:
    times: list[float] = sorted(seconds for run in runs for seconds in run[name])
    return times[len(times) * 95 // 100] if times else 0.0


def _run(*roots: Path) -> dict[str, Any]:
    """The times of one start, those of frame and rows from when the process was started."""
    program = str(Path(__file__).with_name("driven.py"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    began = time.monotonic()
    out = subprocess.run(
        [sys.executable, program, *map(str, roots)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    found: dict[str, Any] = json.loads(out)
    for name in ("frame", "rows"):
        if name in found:
            found[name] -= began
    return found
