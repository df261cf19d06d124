from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from small_root import DAY, info_file, task_id, write_bundle, write_retries, write_task
from textual.widgets import Input
from ui_driving import Driven, all_rows_shown, heard

from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.domain.filters import InBundle, TaskIds
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.help import HelpScreen
from hipercow_tui.ui.dialogs.problems import ProblemsScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.terminal_app import SIXTEEN_COLOURS
from hipercow_tui.ui.widgets.filters.age_slider import AgeSlider
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.widgets.task_details import TaskDetailsView

RECORDED = 1_795_450_000.0  # two hours after the recorded root was written
IDS = tuple(map(task_id, range(60)))


class BrowseDriven(Driven):
    async def type(self, text: str) -> None:
        await self.press(*("space" if c == " " else c for c in text))

    async def cursor_to(self, wanted: str) -> None:
        self.tasks.move_to(self.tasks.keys.index(wanted))
        await self.pilot.pause()

    @property
    def focused(self) -> str | None:
        return self.app.focused.id if self.app.focused else None


@asynccontextmanager
async def browsing(
    root: Path,
    *,
    size: tuple[int, int] = (118, 40),
    now: float = RECORDED,
    read_only: bool = False,
    indexed: bool = False,
) -> AsyncIterator[BrowseDriven]:
    app = HipercowApp(find_root(root), read_only=read_only, indexed=indexed, clock=lambda: now)
    async with app.run_test(size=size, notifications=True) as pilot:
        driven = BrowseDriven(app, pilot)
        await driven.until(lambda: all_rows_shown(app))
        yield driven


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a root of sixty tasks, the first the oldest, each third a failure, and two bundles."""
    for number, identity in enumerate(IDS):
        status = "failure" if number % 3 == 0 else "success"
        then = RECORDED - (90 - number) * DAY
        write_task(tmp_path, identity, status, created=then, finished=then + 600)
    write_bundle(tmp_path, "sweep_a", IDS[:20])
    write_bundle(tmp_path, "sweep_b", IDS[10:30])
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), (118, 40), (160, 45)])
async def test_a_recorded_root_is_shown_at_every_size(
    sir_model: Path, size: tuple[int, int]
) -> None:
    async with browsing(sir_model, size=size) as at:
        await at.until(lambda: "run_sir" in at.text or "expression" in at.text)
        text = at.text
        assert "sir-model" in text
        assert "Tasks 37" in text
        assert "▶ running" in text
        assert "live" in text
        assert "? Help" in text
        assert "p Plan" in text


async def test_the_details_show_the_call_and_the_error(
    sir_model: Path, sir_model_expected: dict[str, Any]
) -> None:
    names = sir_model_expected["names"]
    async with browsing(sir_model, size=(160, 45)) as at:
        await at.cursor_to(names["fail2"])
        await at.until(lambda: "attempt 2 of 3" in at.text)
        await at.until(lambda: "error" in at.text)
        chain = [line for line in at.text.splitlines() if "1 ✗" in line]
        assert chain
        await at.cursor_to(names["locals"])
        await at.until(
            lambda: "✓ success" in str(at.browser.query_one(TaskDetailsView).border_title)
        )


async def test_enter_opens_and_closes_full_details(small: Path) -> None:
    async with browsing(small, size=(80, 24)) as at:
        await at.press("enter")
        assert at.focused == "details"
        await at.until(lambda: IDS[59] in at.text)
        assert "Filters" not in at.text
        await at.press("enter")
        assert at.focused == "tasks"
        await at.press("enter", "escape")
        assert at.focused == "tasks"
        assert "Filters" in at.text


async def test_number_keys_filter_by_status_and_zero_clears(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1")
        await at.until(lambda: "matched 20" in at.text)
        await at.until(lambda: "+   2 bundles" in at.text)
        await at.press("m")
        await at.until(lambda: len(at.tasks.keys) == 20)
        await at.press("space", "0")
        await at.until(lambda: len(at.tasks.keys) == 60 and not at.tasks.view.filtered)
        assert at.tasks.marks is None


async def test_zero_removes_what_the_list_is_narrowed_to(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("b", "enter")
        await at.until(lambda: len(at.tasks.keys) == 20 and "Tasks › bundle sweep_" in at.text)
        await at.press("0")
        await at.until(lambda: len(at.tasks.keys) == 60 and "Tasks › " not in at.text)


async def test_setting_a_filter_scrolls_to_a_match(small: Path) -> None:
    only = task_id(61)
    write_task(
        small, only, "cancelled", created=RECORDED - 300 * DAY, finished=RECORDED - 299 * DAY
    )
    async with browsing(small, size=(80, 24)) as at:
        await at.press("2")
        await at.until(lambda: at.tasks.cursor_key == only)


async def test_a_list_without_matches_names_the_keys_to_press(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("2", "m")
        await at.until(lambda: "No task passes all filters" in at.text)
        assert "0 clears filters" in at.text


async def test_an_empty_root_explains_itself_and_shows_new_tasks(tmp_path: Path) -> None:
    (tmp_path / "hipercow").mkdir()
    async with browsing(tmp_path) as at:
        await at.until(lambda: "No tasks yet" in at.text)
        await at.press("j", "k", "space", "enter", "enter", "l", "v", "u", "b", "enter")
        write_task(tmp_path, IDS[0], "success")
        await at.until(lambda: at.tasks.keys == (IDS[0],))


async def test_tasks_are_sorted_by_keys_and_by_the_header(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("s")
        await at.until(lambda: at.tasks.keys[0] == IDS[0])
        assert at.tasks.cursor == 0
        await at.press("less_than_sign")
        await at.until(lambda: at.tasks.view.sort.key is SortKey.RAN)
        await at.press("less_than_sign", "less_than_sign")
        await at.until(lambda: at.tasks.view.sort.key is SortKey.CREATED)
        await at.pilot.click("#tasks", offset=(5, 0))
        await at.until(lambda: at.tasks.view.sort.key is SortKey.STATUS)
        assert "by status ↑" in at.text
        await at.press("greater_than_sign")
        await at.until(lambda: at.tasks.view.sort.key is SortKey.WHAT)


async def test_searching_moves_to_hits_and_reads_unread_tasks(sir_model: Path) -> None:
    async with browsing(sir_model, size=(80, 24)) as at:
        await at.press("slash")
        await at.type("again")
        await at.until(lambda: len(at.tasks.view.hits) == 2)
        first = at.tasks.cursor
        assert first in at.tasks.hits
        assert "2 hits" in at.text
        await at.press("enter", "n")
        assert at.tasks.cursor in at.tasks.hits
        assert at.tasks.cursor != first
        await at.press("N")
        assert at.tasks.cursor == first
        await at.press("escape")
        await at.until(lambda: not at.tasks.view.query)
        assert not at.browser.query_one("SearchBar").display
        await at.press("n")
        assert at.tasks.cursor == first


async def test_a_search_in_the_bundles_searches_bundles_and_stays_for_the_tasks(
    small: Path,
) -> None:
    async with browsing(small) as at:
        await at.press("b")
        await at.until(lambda: "sweep_b" in at.text)
        rows = {name: row for row, name in enumerate(at.browser.bundles_pane.table.keys)}

        def on(row: int) -> bool:
            return at.browser.bundles_pane.table.cursor == row

        for name in ("sweep_a", "sweep_b"):
            await at.press("slash")
            await at.type(name.upper())
            await at.until(partial(on, rows[name]))
            await at.until(lambda: "1 hit" in at.text and "reading" not in at.text)
            await at.press("enter", "n")
            assert at.focused == "bundles" and at.browser.bundles_pane.table.cursor == rows[name]
            await at.press("slash", *["backspace"] * len(name))
            await at.press("escape")
        await at.press("slash")
        await at.type("sweep")
        await at.until(lambda: "2 hits" in at.text)
        await at.press("enter", "g", "n")
        assert at.browser.bundles_pane.table.cursor == 1
        await at.press("n")
        assert at.browser.bundles_pane.table.cursor == 0
        await at.press("b")
        await at.until(lambda: f"{len(at.tasks.view.hits)} hits" in at.text)
        assert len(at.tasks.view.hits) > 2
        await at.press("escape")
        await at.until(lambda: not at.tasks.view.query)


async def test_letters_typed_into_a_search_run_no_action(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("slash")
        await at.type("q1 pm0?uy")
        assert at.browser.query_one("#search-text", Input).value == "q1 pm0?uy"
        assert not at.browser.filters.stack.given
        await at.press("escape")
        assert at.focused == "tasks"


async def test_enter_on_a_bundle_shows_only_its_tasks(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("b")
        await at.until(lambda: "sweep_a" in at.text and "its tasks" in at.text)
        name = at.browser.bundles_pane.table.cursor_key
        assert name in ("sweep_a", "sweep_b")
        await at.press("enter")
        await at.until(lambda: "matched 20" in at.text and len(at.tasks.keys) == 20)
        assert at.focused == "tasks"
        assert f"Tasks › bundle {name}" in at.text and f"› bundle {name}" in at.text
        assert at.browser.session.filters.in_bundle == InBundle.named(name)
        await at.press("b", "s", "less_than_sign", "s")
        assert "Bundles 2" in at.text


async def test_new_tasks_bundles_and_retries_appear_without_moving_the_cursor(small: Path) -> None:
    async with browsing(small, size=(80, 24)) as at:
        await at.cursor_to(IDS[30])
        await at.press("space")
        await at.cursor_to(IDS[30])
        line = at.tasks.cursor - at.tasks.scroll_offset.y
        for number in range(100, 110):
            write_task(small, task_id(number), "running", created=RECORDED)
        write_bundle(small, "new", [task_id(100)])
        retry = task_id(120)
        write_task(small, retry, "success", retry_of=(IDS[30], IDS[30]), finished=RECORDED)
        write_retries(small, [(retry, IDS[30], IDS[30])])
        await at.until(lambda: len(at.tasks.keys) == 71 and at.tasks.current.chain)  # type: ignore[union-attr]
        assert at.tasks.cursor_key == IDS[30]
        assert at.tasks.cursor - at.tasks.scroll_offset.y == line
        assert at.tasks.marks == frozenset(IDS[30:31])
        await at.until(lambda: "Bundles 3" in at.text)
        await at.until(lambda: "✗ failure → success, attempt 1 of 2" in at.text)
        assert "✗ → success" in at.text


async def test_a_changed_status_is_shown_while_the_cursor_is_on_another_row(small: Path) -> None:
    other = task_id(99)
    folder = write_task(small, other, "running", created=RECORDED)
    async with browsing(small) as at:
        await at.cursor_to(IDS[5])
        (folder / "status-success").touch()
        await at.until(lambda: at.browser.session.snapshot.tasks[other].status is Status.SUCCESS)
        assert at.tasks.cursor_key == IDS[5]


async def test_marks_of_a_task_that_is_gone_are_dropped(small: Path) -> None:
    async with browsing(small, size=(80, 24)) as at:
        await at.cursor_to(IDS[30])
        await at.press("space")
        await at.cursor_to(IDS[30])
        shutil.rmtree(small / "hipercow" / "tasks" / IDS[30][:2] / IDS[30][2:])
        await at.until(lambda: len(at.tasks.keys) == 59)
        assert at.tasks.cursor_key == IDS[29]
        assert at.tasks.marks == frozenset()
        await at.until(lambda: "! all removed" in at.text)
        assert at.browser.session.purge_filters.task_ids == TaskIds(frozenset())
        await at.press("p")
        await at.until(lambda: "All marked tasks are gone" in at.text)
        assert at.app.screen is at.browser


async def test_refresh_reads_the_root_at_once(small: Path) -> None:
    async with browsing(small) as at:
        write_task(small, task_id(99), "success", finished=RECORDED)
        await at.press("r")
        await at.until(lambda: len(at.tasks.keys) == 61)


async def test_a_plan_needs_a_filter(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("p")
        await at.until(lambda: "No filter" in at.text)
        assert at.app.screen is at.browser


async def test_the_plan_uses_a_new_scan(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1")
        shutil.rmtree(small / "hipercow" / "tasks" / IDS[0][:2] / IDS[0][2:])
        await at.press("p")
        await at.until(lambda: isinstance(at.app.screen, PlanScreen))
        screen = at.app.screen
        assert isinstance(screen, PlanScreen)
        assert len(screen.plan.tasks) == 19
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.browser)


async def test_a_plan_reads_tasks_that_are_known_only_from_the_index(
    small: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    index = ScanCache.of(find_root(small))
    clock = count(step=3.0)
    scanner = Scanner(find_root(small), index=index, monotonic=lambda: next(clock))
    for _ in range(4):
        list(scanner.scan())
    # Rewriting a file in place changes no folder, so only reading the file detects it.
    info = small / "hipercow" / "tasks" / IDS[0][:2] / IDS[0][2:] / "info"
    info.write_bytes(info_file("failure", RECORDED, RECORDED, RECORDED))
    async with browsing(small, indexed=True) as at:
        assert at.tasks.view.snapshot.tasks[IDS[0]].finished == RECORDED - 90 * DAY + 600
        at.browser.filters.toggle_status(Status.FAILURE)
        slider = at.app.query_one(AgeSlider)
        slider.post_message(AgeSlider.Moved(int(DAY)))
        await at.press("p")
        await at.until(lambda: isinstance(at.app.screen, PlanScreen))
        screen = at.app.screen
        assert isinstance(screen, PlanScreen)
        assert IDS[0] not in screen.plan.ids and len(screen.plan.ids) == 19
        assert at.tasks.view.snapshot.tasks[IDS[0]].finished == RECORDED


async def test_a_purge_from_filter_to_report(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1", "p")
        await at.until(lambda: isinstance(at.app.screen, PlanScreen))
        await at.until(lambda: "20 tasks · 2 bundles" in at.text)
        await at.press("D")
        await at.until(lambda: isinstance(at.app.screen, ConfirmScreen))
        await heard(at.pilot)
        await at.press("y")
        await at.until(lambda: at.app.browser.query(JobResult))
        await at.press("escape")
        await at.until(lambda: "Tasks 40 ── b Bundles 0" in at.text)
        assert "matched 0" in at.text
        assert not at.browser.purge.job
    left = {i for i in IDS if (small / "hipercow" / "tasks" / i[:2] / i[2:]).is_dir()}
    assert left == {i for number, i in enumerate(IDS) if number % 3}


async def test_read_only_is_shown_and_allows_a_plan(small: Path) -> None:
    async with browsing(small, read_only=True) as at:
        assert "read-only" in at.text
        await at.press("1", "p")
        await at.until(lambda: isinstance(at.app.screen, PlanScreen))
        await at.press("D", "y")
        assert "--read-only" in at.text
    assert all((small / "hipercow" / "tasks" / i[:2] / i[2:]).is_dir() for i in IDS)


async def test_keys_that_delete_in_other_programs_delete_nothing(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1", "y", "ctrl+d", "backspace", "ctrl+r", "delete", "D", "d", "x")
        await asyncio.sleep(0.2)
        assert at.app.screen is at.browser
    assert all((small / "hipercow" / "tasks" / i[:2] / i[2:]).is_dir() for i in IDS)


async def test_problems_are_counted_and_listed(small: Path) -> None:
    (small / "hipercow" / "retry").write_text("half a li")
    (small / "hipercow" / "tasks" / "ff" / ("e" * 30)).mkdir(parents=True)
    async with browsing(small) as at:
        # The header is updated at once, the rows later by a worker.
        await at.until(lambda: "2 problems" in at.text and "? broken" in at.text)
        await at.press("exclamation_mark")
        await at.until(lambda: isinstance(at.app.screen, ProblemsScreen))
        assert "'retry'" in at.text
        assert "no 'data'" in at.text
        await at.press("escape")


async def test_every_screen_can_be_drawn_in_sixteen_colours(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("1", "slash", "x", "enter")
        for theme in SIXTEEN_COLOURS:
            at.app.theme = theme
            await at.press("e")
            await at.until(lambda: "1 error" in at.text or "no message" in at.text)
            await at.press("e", "question_mark", "escape", "p")
            await at.until(lambda: isinstance(at.app.screen, PlanScreen) and "Plan" in at.text)
            await at.press("escape")
            await at.until(lambda: at.app.screen is at.browser and "✗ failure" in at.text)


async def test_help_lists_the_keys_and_the_rules(small: Path) -> None:
    async with browsing(small, size=(160, 110)) as at:
        await at.press("question_mark")
        await at.until(lambda: isinstance(at.app.screen, HelpScreen))
        for word in (
            "Mark all matched tasks; during a search",
            "Show the plan of a purge",
            "whole retry chain",
        ):
            assert word in at.text
        await at.press("escape")
        assert at.app.screen is at.browser


async def test_the_palette_offers_the_keys_as_commands(small: Path) -> None:
    async with browsing(small) as at:
        commands = {one.title: one for one in at.app.get_system_commands(at.browser)}
        assert {"Mark", "Search", "Plan", "Sort", "Refresh", "Help", "Quit"} <= set(commands)
        await commands["Mark"].callback()
        assert at.tasks.marks == frozenset(IDS[59:])


async def test_control_characters_in_names_are_escaped_on_the_screen(small: Path) -> None:
    hostile = "\x1b[31mred\x1b]0;t\x07 [b]x \u202e 表"
    (small / "hipercow" / "bundles" / hostile).write_text(IDS[0])
    marker = small / "hipercow" / "tasks" / IDS[59][:2] / IDS[59][2:] / "status-submitted"
    marker.write_text(hostile)
    async with browsing(small, size=(160, 45)) as at:
        await at.until(lambda: "driver" in at.text)
        await at.press("exclamation_mark")
        await at.until(lambda: "␛[31mred" in at.text)
        assert not {"\x1b", "\x07", "\u202e"} & set(at.text)


async def test_no_thread_posts_messages_after_quitting(small: Path) -> None:
    async with browsing(small) as at:
        await at.press("q")
    assert at.app.return_code == 0


def test_the_first_frame_imports_neither_the_scanner_nor_the_workers() -> None:
    """They take 0.1 s to import, so they are imported after it."""
    late = ("hipercow_tui.scanning", "hipercow_tui.purging", "hipercow_tui.ui.workers.services")
    code = (
        "import sys, hipercow_tui.ui.app;"
        f"print([name for name in sys.modules if name.startswith({late})])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
