"""Which frame the benchmark takes as the answer to a key."""

from __future__ import annotations

from itertools import pairwise

import pytest
from bench.screen import _has_other_label, _painted
from bench.terminal import ROWS, Replay


def drawn(*rows: str, cursor: int) -> bytes:
    """Return the output that draws a table; its first row is on line 3 of the screen."""
    lines = [f"{'▌' if number == cursor else ' '}{row}" for number, row in enumerate(rows)]
    shown = ["", "", *lines][:ROWS]
    return "".join(f"\x1b[{at};1H{line}\x1b[K" for at, line in enumerate(shown, 1)).encode()


def painted(*frames: tuple[float, bytes], keys: tuple[float, ...]) -> list[float]:
    replay = Replay(frames)
    found = []
    for when, then in pairwise(keys):
        replay.play(before=when)
        found.append(_painted(replay, when, then))
    return found


def test_a_frame_counts_for_the_last_key_before_it() -> None:
    times = painted(
        (0.5, drawn("a", "b", "c", cursor=0)),
        (1.01, drawn("a", "b", "c", cursor=1)),
        (3.02, drawn("a", "b", "c", cursor=2)),
        keys=(1.0, 2.0, 3.0, 4.0),
    )
    assert times == pytest.approx([0.01, 1.0, 0.02]), "the second key has no frame"


def test_equal_rows_are_distinguished_by_the_rows_above() -> None:
    times = painted(
        (0.5, drawn("a", "b", "same", cursor=2)),
        (1.01, drawn("b", "same", "same", cursor=2)),
        (2.02, drawn("same", "same", "other", cursor=2)),
        keys=(1.0, 2.0, 3.0),
    )
    assert times == pytest.approx([0.01, 0.02])


def test_new_figures_are_no_answer_in_the_space_tab() -> None:
    rows = (
        "  3.0 kB  0.1 % ▏   heavy_gecko  1   3.0 kB",
        "  1.0 kB  0.1 % ▏   in 2 bundles  9   0 B",
    )
    more = "  7.0 kB  0.2 % ▎   heavy_gecko  2   7.0 kB", rows[1]
    frames = drawn(*rows, cursor=0), drawn(*more, cursor=0), drawn(*more, cursor=1)
    replay = Replay(list(zip((0.5, 1.01, 1.02), frames, strict=True)))
    replay.play(before=1.0)
    assert _painted(replay, 1.0, 2.0, _has_other_label) == pytest.approx(0.02)
