"""Keys that other programs have too, and what they do on each screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from textual.pilot import Pilot
from textual.screen import Screen
from ui_driving import all_rows_shown, screen_text, until

from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.browse.screen import BrowseScreen
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

NOW = 1_795_450_000.0
IDS = tuple(map(task_id, range(60)))


class Driven:
    def __init__(self, app: HipercowApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.browser: BrowseScreen = app.browser
        self.tasks = app.browser.tasks
        self.bundles = app.browser.bundles_pane.table
        self.errors = app.browser.errors_pane.table

    async def until(self, true: Callable[[], object]) -> None:
        await until(self.pilot, true)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def shows(self, screen: type[Screen[Any]]) -> bool:
        return isinstance(self.app.screen, screen)

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def footer(self) -> str:
        return self.text.rstrip("\n").splitlines()[-1]


@asynccontextmanager
async def browsing(root: Path, *, size: tuple[int, int] = (118, 40)) -> AsyncIterator[Driven]:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        at = Driven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        yield at


def has_rows(table: VirtualTable, number: int) -> bool:
    return len(table.keys) == number and not table.rows_pending


def is_on_top(table: VirtualTable) -> bool:
    return table.cursor == 0


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Sixty tasks, the first the oldest, each third a failure with an input, and a bundle."""
    for number, identity in enumerate(IDS):
        then = NOW - (90 - number) * DAY
        if number % 3 == 0:
            result = result_file(f"too small: beta = {number / 100}")
            write_failed(tmp_path, identity, result, beta=number / 100, ended=then)
        else:
            write_task(tmp_path, identity, "success", created=then - 600, finished=then)
    write_bundle(tmp_path, "sweep", IDS[:20])
    return tmp_path


# Sorting, filters, logs


async def test_zero_shows_all_tasks_again(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1", "m")
        await at.until(lambda: len(at.tasks.keys) == 20)
        await at.press("0")
        await at.until(lambda: len(at.tasks.keys) == 60)
        assert not at.browser.session.state.only_matched
        await at.press("1")
        await at.until(lambda: at.tasks.view.matches == 20)
        assert len(at.tasks.keys) == 60


@pytest.mark.parametrize("key", ["s", "less_than_sign", "greater_than_sign"])
async def test_another_order_is_shown_from_its_top(small: Path, key: str) -> None:
    async with browsing(small) as at:
        await at.press("G")
        assert at.tasks.cursor == 59
        before = at.tasks.view.sort
        await at.press(key)
        await at.until(lambda: at.tasks.view.sort != before and at.tasks.cursor == 0)
        assert at.tasks.scroll_offset.y == 0


async def test_other_orders_of_bundles_errors_and_inputs_are_shown_from_their_top(
    small: Path,
) -> None:
    write_bundle(small, "other", IDS[30:40])
    write_failed(small, task_id(70), result_file("something else"), ended=NOW - DAY)
    async with browsing(small) as at:
        for key, table in (("b", at.bundles), ("e", at.errors)):
            await at.press(key)
            await at.until(partial(has_rows, table, 2))
            await at.press("G")
            assert table.cursor == 1
            await at.press("s")
            await at.until(partial(is_on_top, table))
        await at.press("b", "i")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen))
        screen = at.app.screen
        assert isinstance(screen, SweepScreen)
        await at.until(lambda: screen.table.keys and not screen.table.rows_pending)
        await at.press("G", "s")
        assert screen.table.cursor == 0


async def test_the_largest_task_is_shown_while_tasks_are_measured(small: Path) -> None:
    large = small / "hipercow" / "tasks" / IDS[7][:2] / IDS[7][2:] / "result"
    large.write_bytes(bytes(1_000_000))
    async with browsing(small) as at:
        at.browser.tasks_pane.sort_by(SortKey.SIZE)
        await at.press("z")
        await at.until(lambda: at.tasks.view.sort == TaskSort(SortKey.SIZE, True))
        await at.until(lambda: at.tasks.keys[0] == IDS[7] and at.tasks.cursor_key == IDS[7])
        assert at.tasks.scroll_offset.y == 0


async def test_keys_of_the_slider_open_no_screen(small: Path) -> None:
    async with browsing(small) as at:
        slider = at.app.query_one(AgeSlider)
        slider.focus()
        await at.press("l", "l")
        await at.until(lambda: slider.column == 2)
        await at.press("h", "i", "o", "c")
        assert slider.column == 1
        assert at.app.screen is at.browser and not at.app._notifications


async def test_l_opens_the_log_of_a_message_and_of_a_row_of_inputs(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("e")
        await at.until(lambda: at.errors.keys)
        for key, kind in (("o", ErrorMessagesScreen), ("i", SweepScreen)):
            await at.press(key)
            await at.until(partial(at.shows, kind))
            table = at.app.screen.query_one(VirtualTable)
            await at.until(partial(has_rows, table, 20))
            await at.press("j", "l")
            await at.until(lambda: isinstance(at.app.screen, LogScreen))
            log = at.app.screen
            assert isinstance(log, LogScreen) and log._task_id == table.keys[1]
            await at.press("escape", "escape")
            await at.until(lambda: at.app.screen is at.browser)
