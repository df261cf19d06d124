"""Keys that other programs have too, and what they do on each screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from textual.command import CommandPalette
from ui_driving import Driven, all_rows_shown

from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.demo.py_root import write_python_root
from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.column_store import ColumnFile
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.columns import ColumnsScreen
from hipercow_tui.ui.dialogs.sort_menu import SortMenuScreen
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.menu_list import MenuList
from hipercow_tui.ui.widgets.scroll_text import ScrollText
from hipercow_tui.ui.widgets.virtual_list import VirtualList
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

NOW = 1_795_450_000.0
IDS = tuple(map(task_id, range(60)))


@asynccontextmanager
async def browsing(
    root: Path, *, size: tuple[int, int] = (118, 40), columns: ColumnFile | None = None
) -> AsyncIterator[Driven]:
    app = HipercowApp(find_root(root), columns=columns, clock=lambda: NOW)
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


async def test_the_sort_menu_keeps_the_largest_first_with_the_other_definition_of_size(
    small: Path,
) -> None:
    async with browsing(small) as at:
        at.browser.tasks_pane.sort_by(SortKey.SIZE)
        seen = []
        for key in (SortKey.DISK, SortKey.DISK):
            await at.press("S")
            await at.until(partial(at.shows, SortMenuScreen))
            at.app.screen.dismiss(key)
            await at.until(lambda: at.app.screen is at.browser)
            seen.append(at.browser.session.state.sort)
        assert seen == [TaskSort(SortKey.DISK, True), TaskSort(SortKey.DISK, False)]


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


# Moving


async def test_half_pages_and_pages_move_the_cursor_of_tables(small: Path) -> None:
    async with browsing(small, size=(100, 24)) as at:
        page = len(at.tasks.visible_rows)
        await at.press("ctrl+d")
        assert at.tasks.cursor == round((page - 1) / 2)
        await at.press("ctrl+d", "ctrl+u", "ctrl+u")
        assert at.tasks.cursor == 0
        await at.press("ctrl+f")
        assert at.tasks.cursor == page - 1
        await at.press("ctrl+b")
        assert at.tasks.cursor == 0


async def test_half_pages_scroll_logs_lists_menus_and_text(small: Path) -> None:
    log = small / "hipercow" / "tasks" / IDS[59][:2] / IDS[59][2:] / "log"
    log.write_text("".join(f"line {n}\n" for n in range(500)))
    async with browsing(small, size=(100, 24)) as at:
        await at.press("g", "l")
        await at.until(lambda: "line 499" in at.text)
        await at.press("g")
        await at.until(lambda: "line 0 " in at.text)
        await at.press("ctrl+d")
        await at.until(lambda: "line 0 " not in at.text and "line 20 " in at.text)
        await at.press("ctrl+u")
        await at.until(lambda: "line 0 " in at.text)
        await at.press("escape", "question_mark", "ctrl+d")
        text = at.app.screen.query_one(ScrollText)
        assert 5 < text.scroll_offset.y < 20
        await at.press("ctrl+u")
        assert text.scroll_offset.y == 0
        await at.press("escape", "S", "ctrl+d", "ctrl+d")
        menu = at.app.screen.query_one(MenuList)
        assert menu.highlighted == menu.option_count - 1
        await at.press("ctrl+u", "ctrl+u")
        assert menu.highlighted == 0
        await at.press("escape", "1", "p")
        await at.until(lambda: at.shows(PlanScreen))
        lines = at.app.screen.query_one(VirtualList)
        await at.press("ctrl+d")
        assert 5 < lines.cursor < 15


async def test_brackets_go_to_the_next_and_previous_matched_row(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("right_square_bracket")
        await at.until(lambda: "Set a filter first" in at.text)
        await at.press("1")
        await at.until(lambda: at.tasks.view.matches == 20)
        await at.press("g", "right_square_bracket")
        assert at.tasks.cursor_key == IDS[57]
        await at.press("right_square_bracket")
        assert at.tasks.cursor_key == IDS[54]
        await at.press("left_square_bracket", "left_square_bracket")
        assert at.tasks.cursor_key == IDS[0], "before the first match comes the last"
        await at.press("m")
        await at.until(lambda: len(at.tasks.keys) == 20)
        await at.press("g", "right_square_bracket")
        assert at.tasks.cursor == 1
        await at.press("left_square_bracket", "left_square_bracket")
        assert at.tasks.cursor == 19


async def test_brackets_go_to_bundles_and_errors_of_matched_tasks(small: Path) -> None:
    write_bundle(small, "middle", [IDS[1]])
    write_bundle(small, "last", [IDS[3]])
    async with browsing(small) as at:
        await at.press("1", "b")
        await at.until(lambda: has_rows(at.bundles, 3) and at.tasks.view.matches == 20)
        names = [key for key in at.bundles.keys if key != "middle"]
        await at.press("G")
        visited = set()
        for _ in range(2):
            await at.press("right_square_bracket")
            visited.add(at.bundles.cursor_key)
        assert visited == set(names)
        await at.press("e")
        await at.until(lambda: has_rows(at.errors, 1))
        await at.press("right_square_bracket")
        assert at.errors.cursor == 0


# Keys that do nothing, or say what does it


async def test_keys_that_delete_elsewhere_say_that_p_plans(small: Path) -> None:
    async with browsing(small) as at:
        for pane in ("b", "b", "e"):
            for key in ("d", "x", "delete"):
                await at.press(key)
                assert "Nothing is deleted here · p shows the plan" in at.footer, key
                await at.press("j")
                assert "Nothing is deleted" not in at.text
            await at.press(pane)
        assert (small / "hipercow" / "tasks" / IDS[59][:2] / IDS[59][2:]).is_dir()


async def test_a_key_without_meaning_says_so_until_the_next_key(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("y")
        assert "'y' does nothing here · ? shows the keys" in at.footer
        assert not at.app._notifications
        await at.press("Y")
        assert "'Y' does nothing" in at.footer and "'y'" not in at.footer
        await at.press("j")
        assert "does nothing" not in at.text and "Help" in at.footer
        await at.press("U")
        assert "'U' does nothing here" in at.footer, "the trash is empty"
        await at.press("left")
        assert "'←' does nothing here" in at.footer
        await at.press("slash", "y")
        assert "does nothing" not in at.text
        await at.press("escape", "l")
        await at.until(lambda: at.shows(LogScreen))
        await at.press("z")
        assert "'z' does nothing here" in at.footer
        await at.press("escape", "escape")
        assert "does nothing" not in at.text


async def test_a_colon_opens_the_palette(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("colon")
        await at.until(lambda: at.shows(CommandPalette))
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.browser)


# The sort menu and the columns


async def test_the_sort_menu_names_every_column_and_sorts_by_a_hidden_one(small: Path) -> None:
    async with browsing(small, size=(80, 30)) as at:
        await at.press("G", "S")
        await at.until(lambda: at.shows(SortMenuScreen))
        text = at.text
        for key in SortKey:
            assert (f" {key} " in text) is (key is not SortKey.LANG), key
        assert "↓ finished" in text and "not shown" in text and "measures the tasks" in text
        menu = at.app.screen.query_one(MenuList)
        assert menu.highlighted == [key for key in SortKey if key != "lang"].index(SortKey.FINISHED)
        await at.press("k", "k", "k", "enter")
        await at.until(lambda: at.tasks.view.sort == TaskSort(SortKey.CREATED, True))
        assert at.tasks.cursor == 0 and "created↓" in at.text
        await at.press("S", "enter")
        await at.until(lambda: at.tasks.view.sort == TaskSort(SortKey.CREATED, False))
        await at.press("S", "escape")
        assert at.tasks.view.sort == TaskSort(SortKey.CREATED, False)


@pytest.mark.parametrize(("steps", "key"), [(2, SortKey.SIZE), (1, SortKey.DISK)])
async def test_sorting_by_size_measures_the_tasks(small: Path, steps: int, key: SortKey) -> None:
    async with browsing(small) as at:
        await at.press("S", "G", *"k" * steps, "enter")
        await at.until(lambda: at.tasks.view.sort == TaskSort(key, True))
        await at.until(lambda: {key, "files"} <= at.tasks.shown_columns)
        await at.until(lambda: "≥" not in at.text and " files" in at.text)


async def test_bundles_and_errors_have_a_sort_menu_too(small: Path) -> None:
    async with browsing(small) as at:
        for pane, key in (("b", "changed"), ("e", "message")):
            await at.press(pane, "S")
            await at.until(lambda: at.shows(SortMenuScreen))
            assert key in at.text
            await at.press("escape")


async def test_columns_are_chosen_and_remembered(small: Path, tmp_path: Path) -> None:
    file = ColumnFile(tmp_path / "config" / "columns.toml")
    async with browsing(small, size=(118, 30), columns=file) as at:
        assert "bundle" in at.tasks.shown_columns and "id" not in at.tasks.shown_columns
        await at.press("F")
        await at.until(lambda: at.shows(ColumnsScreen))
        assert "[x] bundle" in at.text and "[ ] id" in at.text and "lang" not in at.text
        await at.press("j", "j", "j", "space", "G", "enter")
        await at.until(lambda: "id" in at.tasks.shown_columns)
        assert "bundle" not in at.tasks.shown_columns
        await at.press("escape")
        await at.until(lambda: file.read() == {"tasks": {"bundle": False, "id": True}})
    async with browsing(small, size=(118, 30), columns=file) as at:
        await at.until(lambda: "id" in at.tasks.shown_columns)
        assert "bundle" not in at.tasks.shown_columns
        await at.press("z")
        await at.until(lambda: "size" in at.tasks.shown_columns)
        await at.press("F", "r", "escape")
        await at.until(lambda: file.read() == {})
        assert "bundle" in at.tasks.shown_columns


async def test_tables_are_drawn_without_any_of_their_columns(small: Path) -> None:
    write_python_root(small, seed=1, now=NOW)
    async with browsing(small, size=(200, 40)) as at:
        await at.press("z")
        await at.until(lambda: "size" in at.tasks.shown_columns)
        await at.until(lambda: not at.tasks.rows_pending)
        for key, table in (("b", at.bundles), ("e", at.errors), ("e", at.tasks)):
            await at.press(key)
            width = table.scrollable_content_region.width
            keys = [column.key for column in table.every_column(width)]
            assert len(keys) > 4
            for hidden in keys:
                table.choose_columns({other: other != hidden for other in keys})
                await at.pilot.pause()
                assert hidden not in table.shown_columns
                table.choose_columns({other: other == hidden for other in keys})
                await at.pilot.pause()
                assert table.shown_columns == {hidden}


async def test_chosen_columns_that_do_not_fit_have_a_note(small: Path) -> None:
    async with browsing(small, size=(80, 24)) as at:
        await at.press("F")
        assert "[ ] bundle" in at.text, "it is automatic, and there is no space"
        await at.press("j", "j", "j", "space", "j", "space", "j", "space", "j", "space")
        await at.until(lambda: "does not fit" in at.text)


async def test_one_column_always_stays(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("b", "F")
        number = at.app.screen.query_one(MenuList).option_count
        await at.press(*["space", "j"] * (number - 1), "space")
        assert len(at.bundles.shown_columns) == 1
        await at.until(lambda: "One column must stay" in at.text)


async def test_a_config_folder_that_can_not_be_written_is_a_sentence(
    small: Path, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("a file")
    file = ColumnFile(tmp_path / "config" / "columns.toml")
    async with browsing(small, columns=file) as at:
        await at.press("F", "space", "escape")
        await at.until(lambda: "not remembered" in " ".join(at.text.split()))
