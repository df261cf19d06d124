"""What the mechanisms for speed gain: the app with all of them, and without each, in turn."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from pathlib import Path
from statistics import median
from typing import TypeAlias

from .screen import DOWN, J, K, _app, _p95, _painted
from .table import Figure
from .terminal import Recording, Replay
from .without import CHANGES

WITHOUT = Path(__file__).with_name("without.py")
ROUNDS = 5
KEYS = (J, J, DOWN, J, K)
ERRORS = 4.0  # seconds of keys after the scan, while the app reads the errors of failed tasks
CHANGED = 10  # tasks that go or come back before each refresh
REFRESHES = 6
REFRESHED = 0.8  # seconds of keys after each refresh
LONGEST = 60.0  # seconds until a scan is over, and until all errors are read

Times: TypeAlias = dict[str, list[float]]


def mechanism_figures(root: Path) -> Iterator[Figure]:
    """One row for each time and mechanism, with the value of each run in the reference column."""
    runs: dict[str, list[Times]] = {name: [] for name in CHANGES}
    for _ in range(ROUNDS):
        for name in random.sample(sorted(CHANGES), len(CHANGES)):
            runs[name].append(_run(name, root))
    for what in runs["with all"][0]:
        of_many = _p95 if "keys" in what else median
        for name, times in runs.items():
            whole = of_many([value for run in times for value in run[what]])
            each = " ".join(f"{of_many(run[what]) * 1e3:.0f}" for run in times)
            yield Figure(f"{what}, {name}", f"{whole * 1e3:.0f} ms", each)


def _run(name: str, root: Path) -> Times:
    """Start the app, and press keys while it scans and reads errors. Then move tasks out of the
    root or back, refresh, and press keys; several times."""
    python, _, _, *arguments = _app(root)
    away = root.with_name("away")
    away.mkdir(exist_ok=True)
    folders = sorted((root / "hipercow" / "tasks").iterdir())[:CHANGED]
    moved = {next(folder.iterdir()): away / folder.name for folder in folders}
    tasks = int(root.name.partition("-")[2])
    totals = [f"{number:,}".encode() for number in (tasks - CHANGED, tasks)]
    pressed: list[float] = []
    refreshed: list[float] = []

    def press(seconds: float) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pressed.append(app.press(KEYS[len(pressed) % len(KEYS)]))
            app.watch(0.1 + random.random() / 50)
        return len(pressed)

    with Recording([python, str(WITHOUT), name, *arguments]) as app:
        app.watch(0.8)
        scanned = press(0.1)
        while _first(app.chunks, totals[1], 0) is None and time.monotonic() < app.began + LONGEST:
            scanned = press(0.1)
        errors = press(ERRORS)
        app.watch(LONGEST, quiet=3)
        for number in range(REFRESHES):
            for path, place in moved.items():
                path.rename(place) if number % 2 == 0 else place.rename(path)
            refreshed.append(app.press(b"r"))
            app.watch(random.random() / 20)
            press(REFRESHED)
        ended = time.monotonic()
    screen, keys, views = Replay(app.chunks), [], []
    for when, then in pairwise([*pressed, ended]):
        screen.play(before=when)
        keys.append(_painted(screen, when, min(then, when + 1)))
    for number, (when, then) in enumerate(pairwise([*refreshed, ended])):
        views.append(min(_first(app.chunks, totals[number % 2], when) or inf, then) - when)
    return {
        "first scan": [(_first(app.chunks, totals[1], 0) or inf) - app.began],
        "keys in it": keys[: scanned - 1],
        "keys while errors are read": keys[scanned : errors - 1],
        "refresh": views,
        "keys after it": keys[errors:],
    }


def _first(chunks: Sequence[tuple[float, bytes]], text: bytes, after: float) -> float | None:
    """When the text first came after that time."""
    before = b""
    for when, raw in chunks:
        if when >= after:
            if text in before + raw:
                return when
            before = raw[-len(text) :]
    return None
