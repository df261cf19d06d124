"""The tree of a plan: folding, grouping, order, search, columns, and screens that open from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from failing import result_file, write_failed
from plan_hosts import (
    CANCELLED,
    FAILED,
    RETRIED,
    RUNNING,
    Host,
    lines_of,
    screen_on,
    settled,
    text_of,
    varied_root,
)
from small_root import DAY, NOW, task_id, write_bundle, write_retries
from textual.pilot import Pilot
from textual.widgets import Input
from ui_driving import all_rows_shown, screen_text, until

import hipercow_tui
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.formats.root import find_root
from hipercow_tui.support.text import short_id
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.help import HelpScreen
from hipercow_tui.ui.screen_keys import PLAN_KEYS
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.screens.task_details import TaskDetailsScreen
from hipercow_tui.ui.widgets.plan_columns import Widest, plan_layout

WIDE = (160, 45)
IDS = tuple(map(task_id, range(1, 7)))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Six failures with an input: two errors, two bundles, the last two in a chain."""
    for n, identity in enumerate(IDS):
        message = f"could not read file {n}" if n < 4 else "out of memory"
        write_failed(tmp_path, identity, result_file(message), beta=n / 10, ended=NOW - n * DAY)
    write_bundle(tmp_path, "one", IDS[:2])
    write_bundle(tmp_path, "two", IDS[2:5])
    write_retries(tmp_path, [(IDS[5], IDS[4], IDS[4])])
    return tmp_path


class Planning:
    """The plan of all failures in the app."""

    def __init__(self, app: HipercowApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> PlanScreen:
        assert isinstance(self.app.screen, PlanScreen)
        return self.app.screen

    @property
    def lines(self) -> list[str]:
        return lines_of(self.screen)

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def task_at_cursor(self) -> str:
        task = self.screen.lines.current_task
        return task.id if task else ""

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        if isinstance(self.app.screen, PlanScreen):
            await settled(self.pilot, self.app.screen)

    async def open(self) -> None:
        await self.pilot.press("p")
        await until(self.pilot, lambda: isinstance(self.app.screen, PlanScreen))
        await settled(self.pilot, self.screen)


@asynccontextmanager
async def planning(root: Path, size: tuple[int, int] = WIDE) -> AsyncIterator[Planning]:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("1")
        at = Planning(app, pilot)
        await at.open()
        yield at


async def test_left_and_right_fold_chains_and_groups(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        before = lines_of(screen)
        screen.lines.cursor = 4
        await pilot.press("left")
        assert screen.lines.cursor == 3 and lines_of(screen) == before  # to the chain
        await pilot.press("left")
        folded = lines_of(screen)
        assert len(folded) == len(before) - 1
        assert folded[3].startswith("   -▸ ✗ failure") and "1 more in its chain" in folded[3]
        await pilot.press("left", "left")
        assert screen.lines.cursor == 2 and lines_of(screen)[2].startswith(" ▸ with their")
        assert len(lines_of(screen)) == len(before) - 2
        await pilot.press("left")
        assert screen.lines.cursor == 2  # a title has nothing above it
        await pilot.press("right")
        assert lines_of(screen) == folded
        await pilot.press("down", "right", "right")
        assert lines_of(screen) == before


async def test_a_click_on_a_sign_folds_a_click_elsewhere_does_not(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        number = screen.lines.count
        await pilot.click(screen.lines, offset=(30, 3))
        assert (screen.lines.cursor, screen.lines.count) == (3, number)
        await pilot.click(screen.lines, offset=(4, 3))
        assert screen.lines.count == number - 1
        await pilot.click(screen.lines, offset=(4, 3))
        assert screen.lines.count == number
        await pilot.click(screen.lines, offset=(1, 2))
        assert screen.lines.count == number - 2


async def test_a_click_on_the_title_of_a_column_sorts_by_it(broken: Path) -> None:
    async with planning(broken) as at:
        for title, shown in (("size", "size ↓"), ("size", "size ↑"), ("what runs", "what runs ↑")):
            columns = at.screen.query_one("#columns")
            place = str(at.screen.lines.header()).index(title)
            await at.pilot.click(columns, offset=(place + 1, 0))
            await settled(at.pilot, at.screen)
            assert shown in at.text


async def test_a_double_click_opens_the_details(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.double_click(screen.lines, offset=(30, 4))
        await until(pilot, lambda: isinstance(app.screen, TaskDetailsScreen))
        await until(pilot, lambda: RETRIED in text_of(app))


async def test_a_chain_has_the_size_of_all_its_tasks(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        sizes = screen.lines.known.sizes
        total = sizes[FAILED].bytes + sizes[RETRIED].bytes
        assert f"{total} B" in lines_of(screen)[3]
        assert f"{sizes[RETRIED].bytes} B" in lines_of(screen)[4]
        screen.lines.cursor = 3
        await pilot.pause()
        assert f"{FAILED}  2 tasks in its chain  takes bundle sweep_01" in text_of(app)


async def test_t_changes_the_groups_and_the_head_of_the_columns_says_which(broken: Path) -> None:
    async with planning(broken) as at:
        assert "by reason" in at.text
        assert at.lines[0].startswith(" ▾ matched · 6 tasks")
        await at.press("t")
        assert "by bundle" in at.text
        titles = [line.split(" · ")[0].strip() for line in at.lines if line.startswith(" ▾")]
        assert titles == ["▾ one", "▾ two"]
        await at.press("t")
        assert "by error" in at.text
        await until(at.pilot, lambda: "could not read file <n>" in at.text)
        await at.press("t")
        assert "by age" in at.text and "1 to 7 days old" in at.text
        await at.press("t")
        assert "not grouped" in at.text and at.lines[0].startswith(" ▾ all · 6 tasks")
        await at.press("t")
        assert "by reason" in at.text


async def test_the_order_changes_and_begins_at_the_top(broken: Path) -> None:
    async with planning(broken) as at:
        assert "age ↑" in at.text
        first = short_id(IDS[0])
        assert first in at.lines[1]
        await at.press("G", "s")
        assert "age ↓" in at.text and at.screen.lines.cursor == 0
        assert first in at.lines[6] and short_id(IDS[4]) in at.lines[1]
        await at.press("greater_than_sign")
        assert "size ↓" in at.text
        await at.press("greater_than_sign")
        assert "what runs ↑" in at.text and first in at.lines[1]
        await at.press("greater_than_sign")
        assert "id ↑" in at.text
        await at.press("less_than_sign", "less_than_sign")
        assert "size ↓" in at.text


async def test_other_lines_are_read_when_groups_or_folding_bring_them_on_the_screen(
    tmp_path: Path,
) -> None:
    for n in range(60):
        write_failed(tmp_path, task_id(n), result_file("no"), beta=n / 10, ended=NOW - n * DAY)
    async with planning(tmp_path, (80, 24)) as at:
        at.screen.lines.known.summaries.clear()  # type: ignore[attr-defined]
        for key in ("s", "t", "left"):
            await at.press(key)  # waits until the visible lines are read
            if key != "left":
                assert "beta" in at.lines[2]


async def test_groups_and_order_are_kept_for_the_next_plan(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("t", "s")
        await at.press("escape")
        await at.open()
        assert "by bundle" in at.text and "age ↓" in at.text


async def test_enter_shows_the_details_of_the_task(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("j", "enter")
        await until(at.pilot, lambda: isinstance(at.app.screen, TaskDetailsScreen))
        await until(at.pilot, lambda: "could not read file 0" in at.text and "beta = 0" in at.text)
        await at.press("l")
        await until(at.pilot, lambda: isinstance(at.app.screen, LogScreen))
        await at.press("escape")
        await until(at.pilot, lambda: isinstance(at.app.screen, TaskDetailsScreen))
        await at.press("enter")
        await until(at.pilot, lambda: isinstance(at.app.screen, PlanScreen))
        assert at.task_at_cursor == IDS[0]


async def test_keys_that_can_do_nothing_are_not_in_the_footer_and_say_why(broken: Path) -> None:
    async with planning(broken) as at:
        assert "Purge…" in at.text and "Save plan" in at.text
        await at.press("space")  # on the title of all chains
        await until(at.pilot, lambda: "everything" in at.text)
        footer = at.text.splitlines()[-1]
        assert "Keep" in footer and "Purge" not in footer and "Save" not in footer
        await at.press("D")
        assert "You keep everything: space takes" in at.text.splitlines()[-1]
        await at.press("e")
        assert "There is nothing in the plan to save" in at.text.splitlines()[-1]


async def test_enter_on_a_title_folds_it(broken: Path) -> None:
    async with planning(broken) as at:
        before = at.lines
        await at.press("enter")
        assert len(at.lines) == len(before) - 6
        await at.press("enter")
        assert at.lines == before


async def test_l_shows_the_log_of_the_task(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("l")
        assert "Only a task has a log" in "".join(note.message for note in at.app._notifications)
        await at.press("j", "l")
        await until(at.pilot, lambda: isinstance(at.app.screen, LogScreen))
        await until(at.pilot, lambda: short_id(IDS[0]) in at.text)
        await at.press("escape")
        await until(at.pilot, lambda: isinstance(at.app.screen, PlanScreen))


async def test_i_shows_the_inputs_of_the_bundle_and_goes_to_a_task(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("j", "j", "i")
        await until(at.pilot, lambda: isinstance(at.app.screen, SweepScreen))
        await until(at.pilot, lambda: "Bundle one" in at.text and "beta" in at.text)
        screen = at.app.screen
        assert isinstance(screen, SweepScreen)
        await until(at.pilot, lambda: set(screen.table.keys) == set(IDS[:2]))
        chosen = screen.table.keys[0]
        await at.press("enter")
        await until(at.pilot, lambda: isinstance(at.app.screen, PlanScreen))
        assert at.task_at_cursor == chosen


async def test_the_inputs_of_a_plan_offer_no_marks_and_no_plan(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("i")
        await until(at.pilot, lambda: isinstance(at.app.screen, SweepScreen))
        screen = at.app.screen
        assert isinstance(screen, SweepScreen)
        await until(at.pilot, lambda: set(screen.table.keys) == set(IDS))
        for place in (screen.table, screen.chart):
            place.focus()
            await at.pilot.pause()
            offered = {active.binding.action for active in screen.active_bindings.values()}
            marking = {"mark", "mark_all", "unmark", "choose('mark')", "choose('narrow')", "plan"}
            assert not offered & marking and "log" in offered
            assert "Mark" not in at.text and "Narrow" not in at.text
            for key in ("space", "a", "p"):
                await at.press(key)
                assert f"'{key}' does nothing here" in at.text and at.app.screen is screen


async def test_i_on_a_title_shows_the_inputs_of_its_tasks(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("i")
        await until(at.pilot, lambda: isinstance(at.app.screen, SweepScreen))
        screen = at.app.screen
        assert isinstance(screen, SweepScreen)
        await until(at.pilot, lambda: set(screen.table.keys) == set(IDS))
        assert "Plan, matched" in at.text
        await at.press("escape")
        at.screen.lines.cursor = next(y for y, line in enumerate(at.lines) if "▾ bundles" in line)
        await at.press("i")
        await until(at.pilot, lambda: isinstance(at.app.screen, SweepScreen))
        shown = at.app.screen
        assert isinstance(shown, SweepScreen)
        await until(at.pilot, lambda: set(shown.table.keys) == set(IDS[:5]))


async def test_a_search_goes_to_hits_and_n_to_the_next(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("n")
        assert "There is no search" in "".join(note.message for note in at.app._notifications)
        await at.press("slash", *"memory")
        await until(at.pilot, lambda: "2 hits" in at.text)
        assert at.task_at_cursor == IDS[4]
        await at.press("enter", "n")
        assert at.task_at_cursor == IDS[5]
        await at.press("n")
        assert at.task_at_cursor == IDS[4]
        await at.press("N")
        assert at.task_at_cursor == IDS[5]
        await at.press("left", "left", "g", "n")
        assert at.task_at_cursor == IDS[4]  # the chain with a hit that is folded
        await at.press("escape")
        assert isinstance(at.app.screen, PlanScreen) and "2 hits" not in at.text
        await at.press("escape")
        assert not isinstance(at.app.screen, PlanScreen)


@pytest.mark.parametrize("query", ["beta > 0.25", IDS[3][:8], "two"])
async def test_a_search_finds_inputs_ids_and_bundles(broken: Path, query: str) -> None:
    async with planning(broken) as at:
        await at.pilot.press("slash")
        at.screen.query_one(Input).value = query
        found = {"two": IDS[2]}.get(query, IDS[3])
        await until(at.pilot, lambda: at.task_at_cursor == found)


async def test_space_is_a_letter_of_the_search(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("slash", *"of", "space", *"mem")
        assert at.screen.query_one(Input).value == "of mem"
        assert not at.screen.plan.kept


async def test_a_search_reads_the_tasks_that_are_left_out_too(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with (app := Host(screen)).run_test(size=(120, 9)) as pilot:
        screen._ask_for_view(skip_blocked=True)  # before the tasks that block are visible
        await settled(pilot, screen)
        await pilot.press("slash", "z")
        await until(pilot, lambda: "no hit" in text_of(app) and "more" not in text_of(app))
        assert RUNNING in screen.lines.known.summaries


async def test_inputs_use_the_width_of_the_terminal(tmp_path: Path) -> None:
    whole = ", ".join(f"input_{n} = {n}" for n in range(5))
    varied_root(tmp_path, blocked=False)
    for size in ((200, 50), (80, 24)):
        screen = screen_on(tmp_path)
        summaries = screen._known.summaries
        assert isinstance(summaries, dict)
        summaries[CANCELLED] = TaskSummary("run(x)", whole)
        async with (app := Host(screen)).run_test(size=size) as pilot:
            await settled(pilot, screen)
            screen.lines.cursor = 1
            await pilot.pause()
            assert whole in text_of(app)  # at 80 cells only below the list
            assert (whole in lines_of(screen)[1]) is (size[0] == 200)
            assert "input_0" in lines_of(screen)[1]


@pytest.mark.parametrize("width", [20, 40, 79, 80, 99, 100, 119, 120, 149, 150, 160, 200, 400])
@pytest.mark.parametrize("widest", [Widest(), Widest(30, 60, 12, 20), Widest(200, 300, 90, 99)])
def test_the_columns_fill_the_width_exactly(width: int, widest: Widest) -> None:
    layout = plan_layout(width, widest)
    columns = (layout.what, layout.second, layout.bundle, layout.age, layout.size, layout.id)
    assert 19 + sum(columns) + layout.caution == width or width < 40
    assert min(columns) >= 0
    if width >= 200 and widest.second == 60:
        assert layout.second >= 62


async def test_the_help_lists_the_keys_of_the_plan(broken: Path) -> None:
    async with planning(broken) as at:
        await at.press("question_mark")
        await until(at.pilot, lambda: isinstance(at.app.screen, HelpScreen))
    assert {key.id for key in PLAN_KEYS} >= {"plan.keep", "plan.group", "plan.details", "plan.log"}


async def test_the_line_under_the_cursor_is_in_full_at_80_cells(tmp_path: Path) -> None:
    where = varied_root(tmp_path, blocked=False)
    hipercow_tui.note(FAILED, text="wrong grid", root=where)
    screen = screen_on(where)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        screen.lines.cursor = 4
        await pilot.pause()
        shown = text_of(app)
        assert f"{RETRIED}  retry of {short_id(FAILED)}  note: wrong grid" in shown
        assert "! with status success: included with its chain" in shown
        assert short_id(CANCELLED) not in shown
