"""The tour of the guide and its beginning in the README, key by key on the demo."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot
from ui_driving import screen_text, until

from hipercow_tui.demo import write_root
from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen

README = Path(__file__).parents[2] / "README.md"
GUIDE = README.parent / "hipercow_tui" / "docs" / "guide.md"
NOW = 1_795_500_000.0
ANSWERS = ("t", "y")
NAMES = {"Enter": "enter", "esc": "escape"}
# The words that the screen shows after the keys of each row, with the names of numbers.
SHOWN = (
    ("{matched} matched", "[x] ✗ failure", "[x] ⊘ cancelled"),
    ("only matched",),
    ("by attempts ↓",),
    ("log", "status: failure"),
    ("Plan  4 tasks", "1 matched, 3 drawn in", "attempt of", "sweep_"),
    ("Plan  {matched} tasks", "matched · {matched} tasks"),
    ("Plan  {less} tasks", "1 chain kept by you (1 task)", "{less} tasks · 1 kept by you"),
    ("Cancel (n)", "Move to trash (t)", "Purge for good (y)"),
    ("Moved to the trash", "{less} tasks and {bundles} bundles", "esc: close"),
    ("Restored", "{less} tasks and {bundles} bundles", "esc: close"),
    ("Tasks {tasks}", "nothing: no filter set"),
    ("step size too small", "Enter: show them"),
    ("beta", "gamma", "{error} tasks · {error} failed"),
    ("Tasks › error 'step size", "{error} matched"),
    ("Plan  ", "step size too small"),
    ("differing inputs", "Enter: show them"),
    ("Refused, because {submitted} tasks are blocked",),
    ("{submitted} chains left out",),
    ("{newest}", "status"),
)
# At the start of the demo, and after the cluster has worked for some minutes.
NUMBERS = {
    0: {
        "matched": "274",
        "less": "273",
        "bundles": "33",
        "tasks": "2,042",
        "error": "145",
        "submitted": "47",
        "newest": "to_check",
    },
    300: {
        "matched": "279",
        "less": "278",
        "bundles": "35",
        "tasks": "2,126",
        "error": "145",
        "submitted": "46",
        "newest": "forecast-2026-w48_4",
    },
}


def rows(page: Path) -> list[tuple[str, str]]:
    """Return the keys and the text of each row of the tour of a page."""
    tour = page.read_text("utf-8").partition("\n## Tour\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| ((?:`[^`]+` ?)+) \| (.*) \|$", tour, re.MULTILINE)


def steps() -> list[tuple[list[str], bool]]:
    """Return the keys of each row of the tour, and whether esc goes back afterwards."""
    return [
        ([NAMES.get(key, key) for key in re.findall(r"`([^`]+)`", keys)], "`esc`" in text)
        for keys, text in rows(GUIDE)
    ]


def test_the_tour_of_the_readme_is_the_beginning_of_the_guides() -> None:
    short = rows(README)
    assert len(short) > 5
    assert short == rows(GUIDE)[: len(short)]


@pytest.mark.parametrize("steps_of_the_cluster", NUMBERS)
async def test_the_tour_shows_the_described_results(
    tmp_path: Path, steps_of_the_cluster: int
) -> None:
    jobs = write_root(tmp_path, seed=1, now=NOW)
    write_python_root(tmp_path, seed=1, now=NOW)
    cluster = Cluster(tmp_path, jobs)
    now = NOW
    for _ in range(steps_of_the_cluster):
        now += 0.9
        cluster.step(now)
    numbers = NUMBERS[steps_of_the_cluster]
    app = HipercowApp(find_root(tmp_path), clock=lambda: now)
    assert len(steps()) == len(SHOWN)
    async with app.run_test(size=(118, 36)) as pilot:
        await shows(pilot, f"Tasks {numbers['tasks']}", "live")
        for (keys, back), words in zip(steps(), SHOWN, strict=True):
            for key in keys:
                await press(pilot, key)
            await shows(pilot, *(word.format(**numbers) for word in words))
            if back:
                await press(pilot, "escape")


async def press(pilot: Pilot[None], key: str) -> None:
    """Press a key; wait first until a dialog accepts input."""
    if key in ANSWERS:
        await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceScreen))
        await until(pilot, lambda: pilot.app.focused is not None)
    await pilot.press(key)
    await pilot.pause(0.05)


async def shows(pilot: Pilot[None], *words: str) -> None:
    try:
        await until(pilot, lambda: all(word in screen_text(pilot.app) for word in words))
    except AssertionError:
        raise AssertionError(f"no {words} on\n{screen_text(pilot.app)}") from None
