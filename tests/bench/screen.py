"""The time from a key to the answer on the screen. The app runs in a pseudo-terminal."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from .table import Figure, ratio, shown
from .terminal import Recording, Replay

STARTS = 3
EMPTY = "from textual.app import App; App().run()"
J, K, DOWN, UP, END, HOME = b"j", b"k", b"\x1b[6~", b"\x1b[5~", b"G", b"g"
MOVES = (J, J, K, DOWN, J, UP, END, K, HOME, J, DOWN, K) * 8
SETTLED = 12.0  # seconds after the first scan until the next scans are finished too
LONGEST = 1800.0  # seconds of the first scan
PAUSE = 0.35  # seconds between two keys, enough for all background work
MATCHED = re.compile(r"matched [\d,]+")
MEASURING = re.compile(r"measured [\d,]+/")
MEASURED_FOR = 12.0  # seconds in which keys are pressed in the Space tab
LABEL = re.compile(r"(?:┃|^)▌.*?([^\W\d]\w{3,})", re.M)  # of the current row: its first long word


def screen_figures(small: Path, big: Path) -> Iterator[Figure]:
    """Measure the times from start to frame and rows, from key to paint, and to filtered rows."""
    tasks = int(big.name.partition("-")[2])
    empty = [_start(_python("-c", EMPTY), None) for _ in range(STARTS)]
    starts = [_start(_app(big), big) for _ in range(STARTS)]
    frame = median(first for first, _, _ in starts)
    yield ratio("start to first frame / empty app", frame, median(e[0] for e in empty), 2)
    rows = median(rows - first for first, rows, _ in starts)
    yield _seconds("first frame to first rows, cold", rows, 0.5)
    few, _ = _moves(small)
    many, size = _moves(big)
    yield ratio("key to painted, p95 / at 1,000 tasks", _p95(many), _p95(few), 1.2)
    yield _seconds("key to painted, p95", _p95(many), 0.016)
    yield Figure("bytes to the terminal for j", f"{size:,}", "", size, 4096, "bytes")
    scanning = [taken for _, _, keys in starts for taken in keys]
    yield _seconds("key to painted while scanning, p95", _p95(scanning), 0.05)
    name = "key to painted while the Space tab measures, p95"
    yield _seconds(name, _p95(_keys_while_measuring(big)), 0.05)
    filters = _filters(big)
    yield _seconds("filter to highlight, p95", _p95(filters), 0.05 if tasks <= 100_000 else 0.25)


def memory_figure(big: Path) -> Figure:
    """Measure the memory of the app after all is read, and of an empty app."""
    name, tasks = "memory above an empty app", int(big.name.partition("-")[2])
    if not Path("/proc/self/statm").exists():
        return Figure(name, "not measured: no /proc")
    nothing = _resident(_python("-c", EMPTY), 3.0)
    ours = _resident(_app(big), max(SETTLED, tasks * 4e-4))
    # 80 MB at 100,000 tasks, 600 MB at a million, linear between and beyond.
    target = 80 + max(0, tasks - 100_000) * 520 / 900_000
    shown = f"{ours / 1e6:.0f} MB", f"{nothing / 1e6:.0f} MB"
    return Figure(name, *shown, (ours - nothing) / 1e6, target, "MB")


def _resident(command: list[str], settled: float) -> int:
    with Recording(command) as app:
        app.watch(settled)
        return app.resident()


def _seconds(name: str, measured: float, target: float) -> Figure:
    return Figure(name, shown(measured), "", measured * 1e3, target * 1e3, "ms")


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _app(root: Path) -> list[str]:
    return _python("-m", "hipercow_tui", str(root), "--read-only", "--no-index")


def _start(command: list[str], root: Path | None) -> tuple[float, float, list[float]]:
    """Return the seconds from start to first frame and first rows, and the seconds from each key
    during the first scan to its frame."""
    pressed: list[tuple[float, bytes]] = []
    with Recording(command) as app:
        app.watch(1.0)
        while root and time.monotonic() < app.began + 6:
            pressed.append((app.press(J if len(pressed) % 9 else DOWN), J))
            app.watch(0.1 + random.random() / 50)
    screen = Replay(app.chunks)
    if root is None:
        frame = screen.until(lambda: not screen.blank)
        assert frame is not None
        return frame - app.began, 0.0, []
    frame = screen.until(lambda: _framed(screen.lines))
    rows = screen.until(lambda: _cursor(screen.lines) is not None)
    assert frame is not None and rows is not None, "\n".join(screen.lines)
    keys = []
    for (when, _), (then, _) in pairwise(pressed):
        screen.play(before=when)
        if not any("reading" in line for line in screen.lines[:1]):
            break
        keys.append(_painted(screen, when, then))
    return frame - app.began, rows - app.began, keys


def _framed(lines: Sequence[str]) -> bool:
    """Whether the first frame is complete: footer, filters, and titles of columns."""
    text = "\n".join(lines)
    return (
        "Help" in lines[-1] and "failure" in text and re.search(r"status +what", text) is not None
    )


def _cursor(lines: Sequence[str]) -> str | None:
    """Return number and text of the line with the cursor."""
    for number, line in enumerate(lines):
        if "▌" in line:
            return f"{number} {line[line.index('▌') :]}"
    return None


def _painted(
    screen: Replay,
    when: float,
    then: float,
    moved: Callable[[Sequence[str], Sequence[str]], bool] | None = None,
) -> float:
    """Return the seconds from a key to the frame in which the cursor is on another row.

    ``when`` is the time of the key, and ``then`` that of the next one, which limits the result.
    ``moved`` compares the lines of two frames, by default with ``_moved``.
    """
    before, moved = screen.lines, moved or _moved
    found = screen.until(lambda: moved(before, screen.lines), before=then)
    return (found or then) - when


def _moved(before: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether the cursor is on another row.

    If adjacent rows have the same text, the two rows above the cursor show whether the table was
    scrolled by one row.
    """
    if _cursor(before) != _cursor(lines):
        return True
    at = next((number for number, line in enumerate(lines) if "▌" in line), 0)
    above, below = lines[at - 2 : at], before[at - 1 : at + 1]
    return above != before[at - 2 : at] and above == [line.replace("▌", " ") for line in below]


def _keys_while_measuring(root: Path) -> list[float]:
    """Return the seconds from each key in the Space tab to its frame while tasks are measured.

    The rows are sorted by name, so that the key alone moves the cursor to another label.
    """
    pressed: list[float] = []
    with Recording(_app(root)) as app:
        _settle(app)
        for key in (b"w", b">"):
            app.press(key)
            app.watch(PAUSE)
        end = time.monotonic() + MEASURED_FOR
        while time.monotonic() < end:
            pressed.append(app.press(K if len(pressed) % 2 else J))
            app.watch(0.1 + random.random() / 50)
    screen = Replay(app.chunks)
    keys = []
    for when, then in pairwise(pressed):
        screen.play(before=when)
        if not any(map(MEASURING.search, screen.lines)):
            break
        keys.append(_painted(screen, when, then, _has_other_label))
    return keys


def _has_other_label(before: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether the cursor is on a row with another label; its figures change while measuring."""
    return LABEL.findall("\n".join(before)) != LABEL.findall("\n".join(lines))


def _settle(app: Recording) -> None:
    """Wait until the header says that the first scan is finished, then for ``SETTLED`` seconds."""
    end = time.monotonic() + LONGEST
    seen = 0
    while not any(b"live" in raw for _, raw in app.chunks[seen:]) and time.monotonic() < end:
        seen = len(app.chunks)
        app.watch(1.0)
    app.watch(SETTLED)


def _moves(root: Path) -> tuple[list[float], float]:
    """Return the seconds from each key to its frame, and the bytes of output for one ``j``."""
    with Recording(_app(root)) as app:
        _settle(app)
        pressed = []
        for key in MOVES:
            pressed.append((app.press(key), key))
            app.watch(PAUSE + random.random() / 50)
    screen = Replay(app.chunks)
    times, sizes = [], []
    ends = [when for when, _ in pressed[1:]] + [time.monotonic()]
    for (when, key), then in zip(pressed, ends, strict=True):
        screen.play(before=when)
        if key == J:
            sizes.append(sum(len(raw) for came, raw in app.chunks if when <= came < then))
        times.append(_painted(screen, when, then))
    return times, median(sizes)


def _filters(root: Path) -> list[float]:
    """Return the seconds from each change of a filter to the frame with the new matches.

    The changes are statuses, letters of a glob and a drag of the age slider.
    """
    with Recording(_app(root)) as app:
        _settle(app)
        pressed = []

        def press(keys: bytes) -> None:
            pressed.append(app.press(keys))
            app.watch(PAUSE + random.random() / 50)

        for key in (b"1", b"2", b"3", b"1", b"4", b"3", b"1", b"2") * 4:
            press(key)
        at = _slider(app.chunks)
        app.press(f"\x1b[<0;{at[0]};{at[1]}M".encode())
        app.watch(1)
        for column in (*range(at[0] + 1, at[0] + 14), *range(at[0] + 12, at[0], -1)):
            press(f"\x1b[<32;{column};{at[1]}M".encode())
        app.press(f"\x1b[<0;{at[0]};{at[1]}m".encode())
        app.watch(1)
        press(b"0")
        line = _line_of(app.chunks, "or: fit_")
        app.press(f"\x1b[<0;{at[0]};{line}M\x1b[<0;{at[0]};{line}m".encode())
        app.watch(1)
        for letter in (*b"sweep_*", *b"\x7f" * 6, *b"*", *b"\x7f" * 2, *b"fit_*"):
            press(bytes([letter]))
    screen = Replay(app.chunks)
    times = []
    for when, then in zip(pressed, [*pressed[1:], time.monotonic()], strict=True):
        screen.play(before=when)
        before = _matched(screen.lines)
        found = screen.until(lambda: _matched(screen.lines) != before, before=then)  # noqa: B023
        if found is not None:
            times.append(found - when)
    return times


def _matched(lines: Sequence[str]) -> str:
    found = MATCHED.search("\n".join(lines))
    return found[0] if found else ""


def _slider(chunks: Sequence[tuple[float, bytes]]) -> tuple[int, int]:
    """Return column and line of the left end of the slider, from 1."""
    screen = Replay(chunks)
    screen.play(before=time.monotonic())
    number, line = next((n, line) for n, line in enumerate(screen.lines) if "○───" in line)
    return line.index("○") + 1, number + 1


def _line_of(chunks: Sequence[tuple[float, bytes]], text: str) -> int:
    """Return the number of the line with a text, from 1."""
    screen = Replay(chunks)
    screen.play(before=time.monotonic())
    return next(n for n, line in enumerate(screen.lines, 1) if text in line)
