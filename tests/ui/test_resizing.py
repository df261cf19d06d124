"""Terminals that are resized at any time, down to 40 x 10."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Button, Input
from ui_driving import all_rows_shown, heard, screen_text, until

from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging import Phase, Progress, RestoreReport
from hipercow_tui.settings.saved_filters import FilterFile
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.browse.folding import LOW, NARROW
from hipercow_tui.ui.browse.screen import BrowseScreen
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.widgets.header import Freshness, HeaderBar, HeaderFacts
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.purge_job import JobSpec

NOW = 1_795_450_000.0  # two hours after the recorded root was written
SIZES = (
    (160, 45),
    (NARROW, LOW),
    (40, 10),
    (200, 10),
    (118, 36),
)
FEW_SIZES = (SIZES[0], SIZES[2], SIZES[-1])  # for what covers the whole screen
# The keys that lead to a state, a text on the screen in that state, and the keys that leave it.
# Those of one journey follow each other.
State: TypeAlias = tuple[tuple[str, ...], str, tuple[str, ...]]
JOURNEYS: dict[str, dict[str, State]] = {
    "tables": {
        "tasks": ((), "Tasks", ()),
        "details": (("enter",), "runs", ("escape",)),
        "search": (("slash", *"beta"), "beta", ("escape",)),
        "range": (("v", "j", "j"), "Tasks", ("escape",)),
        "bundles": (("b",), "Bundles", ("b",)),
        "errors": (("e",), "message", ("e",)),
        "filters": (("shift+tab",), "Filters", ("escape",)),
        "folded": (("h",), "no filter", ("h",)),
        "only matched": (("1", "m"), "Tasks", ()),
    },
    "dialogs": {
        "help": (("question_mark",), "Help", ("escape",)),
        "copy": (("c",), "Copy", ("escape",)),
        "problems": (("exclamation_mark",), "problem", ("escape",)),
        "pin": (("P",), "enter: pin", ("escape",)),
        "palette": (("ctrl+p",), "Search for commands", ("escape",)),
        "save filter": (("1", "f"), "enter: save", ("escape",)),
    },
    "screens": {
        "log": (("l",), "log", ("escape",)),
        "trash": (("T",), "Trash", ("escape",)),
        "history": (("H",), "History", ("escape",)),
        "messages": (("e", "o"), "Messages", ("escape", "e")),
        "inputs": (("b", "i"), "status", ("escape", "b")),
    },
    "plans": {
        "plan": (("1", "p"), "Plan", ()),
        "confirm": (("D",), "Cancel", ("escape",)),
        "save plan": (("e",), "enter: save", ("escape",)),
        "blocked plan": (("escape", "1", "6", "p"), "Plan", ("escape", "6")),
        "empty plan": (("4", "1", "2", "3", "tab", "5", "6", "0", "f"), "No filter", ()),
    },
}


@asynccontextmanager
async def browsing(root: Path) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    filters = FilterFile(root.parent / "filters.toml")
    app = HipercowApp(find_root(root), filters=filters, clock=lambda: NOW)
    async with app.run_test(size=(118, 36), notifications=True) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        yield app, pilot


async def resize(app: HipercowApp, pilot: Pilot[None], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    await until(pilot, lambda: screen_text(app).strip())


def cursor_is_visible(app: HipercowApp) -> bool:
    """Return whether the focused widget is on the screen, with the row under its cursor."""
    focused = app.screen.focused
    if focused is None:
        return True
    if not focused.is_on_screen:
        return False
    match focused:
        case VirtualTable() if focused.keys:
            return focused.cursor in focused.visible_rows and "▌" in screen_text(app)
        case VirtualList() if focused.count:
            return focused.cursor in focused.visible_lines
        case Input() | Button():
            return focused.region.height >= 1 and app.screen.region.overlaps(focused.region)
    return True


@pytest.mark.parametrize("journey", JOURNEYS)
async def test_every_screen_is_usable_at_every_size(sir_model: Path, journey: str) -> None:
    async with browsing(sir_model) as (app, pilot):
        for name, (keys, shown, back) in JOURNEYS[journey].items():
            await pilot.press(*keys)
            await until(pilot, lambda shown=shown: shown.lower() in screen_text(app).lower())  # type: ignore[misc]
            screen = app.screen
            if isinstance(screen, ChoiceScreen):
                await heard(pilot)
            for size in FEW_SIZES if journey in ("dialogs", "screens") else SIZES:
                await resize(app, pilot, *size)
                assert app.size == size, name
                await until(pilot, lambda: cursor_is_visible(app))
                await pilot.press("down")
                await until(pilot, lambda: cursor_is_visible(app))
            assert app.screen is screen, name
            assert shown.lower() in screen_text(app).lower(), name
            await pilot.press(*back)


async def test_resizing_during_a_purge(sir_model: Path) -> None:
    go_on = threading.Event()

    def act(heard: object, stop: threading.Event) -> RestoreReport:
        heard(Progress(Phase.ERASING, 3, 9, Size(12_000_000, 30)))  # type: ignore[operator]
        go_on.wait(60)
        return RestoreReport("stamp", (), ())

    async with browsing(sir_model) as (app, pilot):
        app.browser.purge.start(JobSpec("Purging", act))
        await until(pilot, lambda: "3/9" in screen_text(app))
        for size in SIZES:
            await resize(app, pilot, *size)
            assert "Erasing ████" in screen_text(app)
            await until(pilot, lambda: cursor_is_visible(app))
        go_on.set()
        await until(pilot, lambda: "Restored" in screen_text(app))
        for size in SIZES:
            await resize(app, pilot, *size)
            assert "Restored" in screen_text(app)


async def test_details_are_beside_below_or_on_demand_by_size(sir_model: Path) -> None:
    async with browsing(sir_model) as (app, pilot):
        details, tables = app.browser.query_one("#details"), app.browser.query_one("#tables")
        await resize(app, pilot, 160, 45)
        assert details.region.x >= tables.region.right
        await resize(app, pilot, 100, 30)
        assert details.region.y >= tables.region.bottom
        await resize(app, pilot, 100, LOW - 1)
        assert not details.is_on_screen
        await pilot.press("enter")
        await pilot.pause()
        assert details.is_on_screen and details.has_focus
        await pilot.press("escape")
        await pilot.pause()
        assert not details.is_on_screen and app.browser.tasks.has_focus


async def test_hidden_filters_are_named_in_the_frame(sir_model: Path) -> None:
    async with browsing(sir_model) as (app, pilot):
        await pilot.press("1", "shift+tab", *"sir_[a]*", "h")  # in a field, h is a letter
        await pilot.pause()
        assert "Filters" in screen_text(app)
        await pilot.press("escape", "h")
        await until(pilot, lambda: "Filters" not in screen_text(app))
        assert "status is failure · in bundle sir_[a]*h" in screen_text(app)
        await resize(app, pilot, 160, 45)  # hidden filters stay hidden
        assert "Filters" not in screen_text(app)
        await pilot.press("h")
        await until(pilot, lambda: "Filters" in screen_text(app))
        assert app.browser.tasks.has_focus


async def test_a_narrow_screen_shows_either_filters_or_tasks(sir_model: Path) -> None:
    async with browsing(sir_model) as (app, pilot):
        browser: BrowseScreen = app.browser
        await resize(app, pilot, NARROW - 1, 24)
        assert "Filters" not in screen_text(app) and "Tasks" in screen_text(app)
        assert "Palette" not in screen_text(app) and "? Help" in screen_text(app)
        await pilot.press("h")
        await until(pilot, lambda: browser.filters.has_focus_within)
        assert "Filters" in screen_text(app) and "Tasks" not in screen_text(app)
        await pilot.press("space", "escape")
        await until(pilot, lambda: browser.tasks.has_focus)
        assert "Tasks" in screen_text(app) and "status is failure" in screen_text(app)
        await pilot.press("h")
        await until(pilot, lambda: browser.filters.has_focus_within)
        await resize(app, pilot, 118, 36)
        assert "Filters" in screen_text(app) and "Tasks" in screen_text(app)
        assert "^p Palette" in screen_text(app)


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (
            100,
            "/p/sir ! 1 problem · live · R 4,812 · Python 8 · 3 running · 41 waiting · 9 s ago",
        ),
        (80, "/p/sir ! 1 problem · live · 3 running · 41 waiting · 9 s ago"),
        (60, "! 1 problem · live · 3 running · 9 s ago"),
        (40, "! 1 problem · live"),
    ],
)
async def test_the_header_leaves_out_problems_last(width: int, told: str) -> None:
    header = HeaderBar()
    header.facts = HeaderFacts(Path("/p/sir"), 3, 41, 1, langs=(("R", 4812), ("Python", 8)))
    header.freshness = Freshness(None, 9)

    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield header

    async with Host().run_test(size=(width, 5)) as pilot:
        await pilot.pause()
        line = screen_text(pilot.app).splitlines()[0]
        assert " ".join(line.split()).removeprefix("hipercow-tui ") == told


@pytest.mark.parametrize(
    ("width", "free", "shown"),
    [
        (118, 412, "share 412 GB free of 2 TB · live · R 4,812 · Python 8 · 3 running · 9 s ago"),
        (90, 412, "live · R 4,812 · Python 8 · 3 running · 9 s ago"),
        (66, 99, "share 99 GB free of 2 TB · live · 9 s ago"),
        (50, 99, "share 99 GB free of 2 TB · live"),
    ],
)
async def test_the_header_leaves_out_the_free_space_first_unless_it_is_short(
    width: int, free: int, shown: str
) -> None:
    header = HeaderBar()
    header.facts = HeaderFacts(Path("/p/sir"), 3, langs=(("R", 4812), ("Python", 8)))
    header.freshness = Freshness(None, 9)
    header.space = FreeSpace(free * 10**9, 2 * 10**12, network=True)

    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield header

    async with Host().run_test(size=(width, 5)) as pilot:
        await pilot.pause()
        line = screen_text(pilot.app).splitlines()[0]
        assert " ".join(line.split()).endswith(shown)
        assert line.count(" · ") == shown.count(" · ")
        spans = {span.style for span in header.render().spans}
        assert ("$text-warning" in spans) == (free == 99)


async def test_the_status_column_is_never_left_out(sir_model: Path) -> None:
    whole = {"✗": "failure", "✓": "success", "▶": "running", "◔": "submitted"}
    whole |= {"⊘": "cancelled", "○": "created"}
    async with browsing(sir_model) as (app, pilot):
        for width in range(40, 161, 7):
            await resize(app, pilot, width, 30)
            assert app.size.width == width
            shown = screen_text(app)
            for row in shown.splitlines():
                for half in ("✗ fail", "✓ succ", "▶ runn", "◔ subm", "⊘ canc", "○ crea"):
                    assert half not in row or f"{half[0]} {whole[half[0]]}" in row, width
            assert "✗ failure" in shown, width


async def test_the_text_of_an_empty_list_fits_80_columns(tmp_path: Path) -> None:
    (tmp_path / "hipercow" / "tasks").mkdir(parents=True)
    async with browsing(tmp_path) as (app, pilot):

        def says(told: tuple[str, ...]) -> bool:
            return all(one in screen_text(app) for one in told)

        await resize(app, pilot, 80, 24)
        for key, told in (
            ("g", ("No tasks yet", "creates one in R,", "in Python", "shows the keys")),
            ("b", ("No bundles", "in R makes one,", "in Python", "b: back to the tasks")),
            ("e", ("No tasks yet", "errors of failed tasks appear here", "e: back to the tasks")),
        ):
            await pilot.press(key)
            await until(pilot, partial(says, told))
