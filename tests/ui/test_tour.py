"""The tour of the guide and its beginning in the README, key by key on the demo."""

from __future__ import annotations

import re
from pathlib import Path

from textual.pilot import Pilot
from ui_driving import screen_text, until

from hipercow_tui.demo import write_root
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen

README = Path(__file__).parents[2] / "README.md"
GUIDE = README.parent / "hipercow_tui" / "docs" / "guide.md"
NOW = 1_795_500_000.0
ANSWERS = ("t", "y")
NAMES = {"Enter": "enter", "esc": "escape"}
# The words that the screen shows after the keys of each row.
SHOWN = (
    ("274 matched", "[x] ✗ failure", "[x] ⊘ cancelled"),
    ("only matched",),
    ("log", "status: failure"),
    ("Plan  3 tasks", "1 matched, 2 drawn in", "first attempt of", "forecast-2026-w48"),
    ("Plan  274 tasks", "matched · 274 tasks"),
    ("Plan  273 tasks", "1 chain kept by you (1 task)", "matched · 273 tasks · 1 kept by you"),
    ("Cancel (n)", "Move to trash (t)", "Purge for good (y)"),
    ("Moved to the trash", "273 tasks and 33 bundles", "esc: close"),
    ("Restored", "273 tasks and 33 bundles", "esc: close"),
    ("Tasks 2,042", "nothing: no filter set"),
    ("step size too small", "Enter: show them"),
    ("beta", "gamma", "145 tasks · 145 failed"),
    ("Tasks › error 'step size", "145 matched", "2 blocked"),
    ("Refused, because 2 tasks are blocked",),
    ("2 chains left out",),
    ("differing inputs", "Enter: show them"),
    ("to_check", "status"),
)


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


async def test_the_tour_shows_the_described_results(tmp_path: Path) -> None:
    write_root(tmp_path, seed=1, now=NOW)
    write_python_root(tmp_path, seed=1, now=NOW)
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    assert len(steps()) == len(SHOWN)
    async with app.run_test(size=(118, 36)) as pilot:
        await shows(pilot, "Tasks 2,042", "live")
        for (keys, back), words in zip(steps(), SHOWN, strict=True):
            for key in keys:
                await press(pilot, key)
            await shows(pilot, *words)
            if back:
                await press(pilot, "escape")


async def press(pilot: Pilot[None], key: str) -> None:
    """Press a key; wait first until a dialog accepts input."""
    if key in ANSWERS:
        await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceScreen))
        await until(pilot, lambda: pilot.app.focused is not None)
    await pilot.press(key)
    await pilot.pause(0.1)


async def shows(pilot: Pilot[None], *words: str) -> None:
    try:
        await until(pilot, lambda: all(word in screen_text(pilot.app) for word in words))
    except AssertionError:
        raise AssertionError(f"no {words} on\n{screen_text(pilot.app)}") from None
