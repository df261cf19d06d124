from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from failing import result_file, write_failed
from small_root import DAY, task_id, write_bundle, write_task
from ui_driving import Driven, all_rows_shown

from hipercow_tui.analysis.sweep import make_sweep
from hipercow_tui.analysis.sweep_chart import ChartModel, make_chart, with_grid
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.py_details import read_details_without_error
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen, MessageTable
from hipercow_tui.ui.screens.sweep import UPDATE_INTERVAL, SweepScreen
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers import summary_loader
from hipercow_tui.ui.workers.sweep_builder import SweepBuilder, SweepModel, SweepRequest

NOW = 1_795_450_000.0
IDS = tuple(map(task_id, range(40)))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Forty tasks with beta from 0 to 3.9, the last ten failed; one task without inputs."""
    for n, identity in enumerate(IDS):
        folder = write_failed(tmp_path, identity, result_file("no"), beta=n / 10, ended=NOW - DAY)
        if n < 30:
            (folder / "status-failure").rename(folder / "status-success")
    write_task(tmp_path, task_id(50), "success", created=NOW - DAY, finished=NOW - DAY)
    write_bundle(tmp_path, "sweep", IDS)
    return tmp_path


class SweepDriven(Driven):
    @property
    def screen(self) -> SweepScreen:
        assert isinstance(self.app.screen, SweepScreen)
        return self.app.screen

    @property
    def first(self) -> str:
        return self.screen.table.keys[0]


@asynccontextmanager
async def inputs_of_the_bundle(
    root: Path, size: tuple[int, int] = (118, 40), *keys: str
) -> AsyncIterator[SweepDriven]:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        at = SweepDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.press(*(keys or ("b", "i")))
        await at.until(lambda: isinstance(app.screen, SweepScreen))
        await at.until(lambda: at.screen.table.keys and not at.screen.table.rows_pending)
        yield at


@pytest.mark.parametrize("size", [(80, 24), (118, 40), (160, 45)])
async def test_varying_input_is_a_column_with_its_failure_rates(
    sweep: Path, size: tuple[int, int]
) -> None:
    async with inputs_of_the_bundle(sweep, size) as at:
        await at.until(lambda: "sweep  40 tasks · 10 failed" in at.text)
        assert "beta↑" in at.text
        lines = at.text.splitlines()
        along = next(place for place, line in enumerate(lines) if line.startswith(" beta  "))
        bars = lines[along].split("beta")[1].strip()
        assert bars.count("▁") == 3 * bars.count("█") and bars.endswith("█")
        ticks = [float(word) for word in lines[along + 1].replace("▏", " ").split()]
        assert ticks[0] == 0 and ticks[-1] >= 3.5 and len(ticks) >= 5
        assert at.screen.table.keys == IDS


async def test_table_is_sorted_by_any_column(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("s")
        await at.until(lambda: at.first == IDS[39])
        await at.press("less_than_sign")
        await at.until(lambda: "status↑" in at.text)
        await at.press("greater_than_sign")
        await at.until(lambda: at.first == IDS[0])
        at.screen.table.post_message(VirtualTable.HeaderClicked(at.screen.table, "finished"))
        await at.until(lambda: "finished↓" in at.text)
        at.screen.table.post_message(VirtualTable.HeaderClicked(at.screen.table, "id"))


async def test_the_sort_menu_names_the_inputs(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("G", "S")
        await at.until(lambda: "Sort by" in at.text and "↑ beta" in at.text)
        await at.press("enter")
        await at.until(lambda: at.first == IDS[39] and at.screen.table.cursor == 0)
        await at.press("S", "k", "enter")
        await at.until(lambda: "status↑" in at.text)


async def test_search_finds_names_and_values(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("slash", *"beta", "greater_than_sign", "equals_sign", "3", "enter")
        await at.until(lambda: "10 hits" in at.text)
        assert at.screen.table.cursor_key == IDS[30]
        await at.press("n")
        assert at.screen.table.cursor_key == IDS[31]
        await at.press("N", "N")
        assert at.screen.table.cursor_key == IDS[39]
        await at.press("escape")
        await at.until(lambda: "hits" not in at.text)
        await at.press("n", "escape")
        await at.until(lambda: at.app.screen is not None and "Filters" in at.text)


async def test_enter_goes_to_the_task(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("j", "j", "enter")
        await at.until(lambda: not isinstance(at.app.screen, SweepScreen))
        browser = at.app.browser
        assert browser.panes.current.table is browser.tasks and browser.tasks.cursor_key == IDS[2]
        await at.press("i")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen))


async def test_inputs_of_an_error_are_shown(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep, (118, 40), "e", "i") as at:
        await at.until(lambda: "no  10 tasks · 10 failed" in at.text)
        await at.until(lambda: "compared with 30 successful tasks" in at.text)
        assert at.screen.table.keys == IDS[30:]
        assert at.text.count("█") and at.text.count("▁")


async def test_known_inputs_are_not_read_again(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summaries of the tasks table and the failures of the Errors tab are used."""
    async with inputs_of_the_bundle(sweep) as at:
        await at.until(lambda: "beta↑" in at.text)
        await at.press("escape")
        monkeypatch.setattr(summary_loader, "read_details_without_error", None)
        await at.press("i")
        await at.until(lambda: isinstance(at.app.screen, SweepScreen))
        await at.until(lambda: "40 tasks · 10 failed" in at.text and "beta↑" in at.text)
        assert not at.screen.table.rows_pending


async def test_changed_inputs_are_shown(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        folder = sweep / "hipercow" / "tasks" / IDS[0][:2] / IDS[0][2:]
        shutil.rmtree(folder)
        write_failed(sweep, IDS[0], result_file("no"), beta=77.5, ended=NOW - DAY)
        await at.until(lambda: "77.5" in at.text)


async def test_table_follows_the_root(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        for identity in IDS[20:]:
            shutil.rmtree(sweep / "hipercow" / "tasks" / identity[:2] / identity[2:])
        await at.until(lambda: "20 tasks · 0 failed" in at.text)
        shutil.rmtree(sweep / "hipercow" / "tasks")
        (sweep / "hipercow" / "tasks").mkdir()
        await at.until(lambda: "These tasks are gone" in at.text)


async def test_head_says_that_no_input_differs(sweep: Path) -> None:
    write_bundle(sweep, "sweep", IDS[:1])
    async with inputs_of_the_bundle(sweep) as at:
        await at.until(lambda: "no input differs   in all: beta = 0" in at.text)
        await at.press("s", "greater_than_sign", "slash", "x", "escape", "escape")


async def test_task_without_a_bundle_has_a_hint(sweep: Path) -> None:
    app = HipercowApp(find_root(sweep), clock=lambda: NOW)
    async with app.run_test(size=(118, 40), notifications=True) as pilot:
        at = SweepDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        app.browser.tasks.move_to(app.browser.tasks.keys.index(task_id(50)))
        await at.press("i")
        await at.until(lambda: "for a bundle or an error" in at.text)


async def test_error_without_successful_tasks_shows_the_number_of_failures(sweep: Path) -> None:
    write_bundle(sweep, "sweep", IDS[30:])
    async with inputs_of_the_bundle(sweep, (118, 40), "e", "i") as at:
        await at.until(lambda: "no other task of their bundles succeeded" in at.text)
        assert "%" not in at.text


async def test_chart_says_how_many_tasks_to_compare_with_are_being_read(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = read_details_without_error, threading.Event()

    def wait_and_read(root: Root, identity: str, lang: Lang) -> TaskDetails:
        go_on.wait(15)
        return read(root, identity, lang)

    monkeypatch.setattr(summary_loader, "read_details_without_error", wait_and_read)
    app = HipercowApp(find_root(sweep), clock=lambda: NOW)
    async with app.run_test(size=(118, 40), notifications=True) as pilot:
        at = SweepDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.press("e")
        await at.press("i")
        await at.until(lambda: isinstance(app.screen, SweepScreen))
        await at.until(lambda: "reading 30 more …" in at.text)
        assert "no other task" not in at.text
        go_on.set()
        await at.until(lambda: "compared with 30 successful tasks of the same bundles " in at.text)


async def test_no_model_is_built_while_nothing_was_read(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, go_on = [], threading.Event()
    build = SweepBuilder.build

    def noted(self: SweepBuilder, request: SweepRequest) -> SweepModel:
        built.append(request)
        return build(self, request)

    def wait(root: Root, identity: str, lang: Lang) -> TaskDetails:
        go_on.wait(15)
        return read_details_without_error(root, identity, lang)

    monkeypatch.setattr(SweepBuilder, "build", noted)
    monkeypatch.setattr(summary_loader, "read_details_without_error", wait)
    app = HipercowApp(find_root(sweep), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        at = SweepDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.press("b", "i")
        await at.until(lambda: " to read" in at.text)
        await pilot.pause(5 * UPDATE_INTERVAL)
        assert len(built) <= 2
        go_on.set()
        await at.until(lambda: at.screen.table.keys == IDS and "to read" not in at.text)


async def test_head_says_how_many_tasks_do_not_fit_into_memory(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_loader, "MAX_SUMMARIES", 25)
    async with inputs_of_the_bundle(sweep) as at:
        await at.until(lambda: "not read: too many to keep in memory" in at.text)
        assert "to read" not in at.text
        assert f" {40 - len(at.screen.table.keys)} not read" in at.text


async def test_range_of_bars_is_marked_and_the_screen_stays(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("tab", "right", "right", "shift+right")
        await at.until(lambda: "0 of 4 failed, 0% · 0.4 ≤ beta < 0.8" in at.text)
        await at.press("space")
        await at.until(lambda: "Marked 4 tasks with 0.4 ≤ beta < 0.8" in at.text)
        await at.press("escape", "escape", "escape")
        await at.until(lambda: "Filters" in at.text)
        assert at.app.browser.tasks.marks == frozenset(IDS[4:8])


async def test_enter_narrows_to_the_bars_of_a_range_begun_with_v(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep, (118, 40), "e", "i") as at:
        await at.until(lambda: "compared with 30" in at.text)
        await at.press("tab", "end", "v", *["left"] * 5)
        await at.until(lambda: "10 of 12 failed, 83% · 2.8 ≤ beta < 4.0" in at.text)
        await at.press("enter")
        await at.until(lambda: not isinstance(at.app.screen, SweepScreen))
        browser = at.app.browser
        await at.until(lambda: set(browser.tasks.keys) == set(IDS[30:]))
        assert browser.tasks.marks is None
        assert browser.panes.current.table is browser.tasks


async def test_bars_without_a_task_of_the_error_choose_nothing(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep, (118, 40), "e", "i") as at:
        await at.until(lambda: "compared with 30" in at.text)
        await at.press("tab", "enter")
        await at.until(lambda: "No task with 0.0 ≤ beta < 0.2 is in the table" in at.text)
        assert isinstance(at.app.screen, SweepScreen)


@pytest.fixture
def two_inputs(tmp_path: Path) -> Path:
    """Sixty tasks of two inputs; those with a large beta and the method "b" failed."""
    for n in range(60):
        method = "ab"[n % 2]
        folder = write_failed(
            tmp_path, task_id(n), result_file("no"), beta=n // 6, method=method, ended=NOW - DAY
        )
        if n // 6 < 5 or method == "a":
            (folder / "status-failure").rename(folder / "status-success")
    write_bundle(tmp_path, "grid", map(task_id, range(60)))
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_cells_of_a_grid_are_chosen_with_the_cursor(
    two_inputs: Path, size: tuple[int, int]
) -> None:
    async with inputs_of_the_bundle(two_inputs, size, "e", "i") as at:
        await at.until(lambda: "compared with 45" in at.text)
        await at.press("tab", "x")
        await at.until(lambda: "beta →" in at.text and "method ↓" in at.text)
        await at.press("end", "down", "shift+left")
        await at.until(lambda: "12 of 12 failed, 100%" in at.text)
        assert "██100%" in at.text
        await at.press("space")
        await at.until(lambda: "Marked 12 tasks" in at.text)
        assert at.app.browser.tasks.marks == frozenset(map(task_id, range(37, 60, 2)))
        await at.press("escape", "escape")
        await at.until(lambda: "beta →" not in at.text)
        await at.press("escape")
        assert at.screen.focused is at.screen.table


async def test_esc_after_narrowing_goes_back_to_the_chart_and_the_table(two_inputs: Path) -> None:
    async with inputs_of_the_bundle(two_inputs, (118, 40), "e", "i") as at:
        await at.until(lambda: "compared with 45" in at.text)

        def back() -> bool:
            return isinstance(at.app.screen, SweepScreen)

        await at.press("S", "k", "enter")  # another order
        await at.until(lambda: "status↑" in at.text)
        await at.press("tab", "x")
        await at.until(lambda: "beta →" in at.text)
        await at.press("end", "down", "shift+left")
        await at.until(lambda: "12 of 12 failed, 100%" in at.text)
        head = at.screen.chart.chosen_region.label
        await at.press("enter")
        await at.until(lambda: not back() and len(at.app.browser.tasks.keys) == 12)
        await at.press("escape")
        await at.until(back)
        await at.until(lambda: f"12 of 12 failed, 100% · {head}" in at.text)
        assert at.screen.chart.has_focus and "status↑" in at.text
        await at.press("left", "left")  # the range and the cursor are still those of before
        assert at.screen.chart.chosen_region.label != head

        await at.press("tab", "j", "j", "j", "enter")  # a task of the table
        task = at.app.browser.tasks
        await at.until(lambda: not back())
        chosen = task.cursor_key
        await at.press("escape")
        await at.until(back)
        await at.until(lambda: at.screen.table.cursor_key == chosen)
        assert at.screen.table.has_focus
        await at.press("escape")
        await at.until(lambda: not back() and at.app.browser.session.state.pane == "errors")


async def test_esc_after_going_to_a_task_goes_back_to_its_message(sweep: Path) -> None:
    app = HipercowApp(find_root(sweep), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        at = Driven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.press("e", "o", "j", "j")
        await at.until(lambda: isinstance(app.screen, ErrorMessagesScreen))
        chosen = app.screen.query_one(MessageTable).cursor_key
        await at.press("enter")
        await at.until(lambda: app.browser.tasks.cursor_key == chosen)
        await at.press("escape")
        await at.until(lambda: isinstance(app.screen, ErrorMessagesScreen))
        assert app.screen.query_one(MessageTable).cursor_key == chosen


async def test_mouse_chooses_in_the_chart_as_the_keys_do(two_inputs: Path) -> None:
    async with inputs_of_the_bundle(two_inputs, (80, 24), "e", "i") as at:
        await at.until(lambda: "compared with 45" in at.text)
        chart = at.screen.chart

        def cell_of(text: str) -> tuple[int, int]:
            lines = at.text.splitlines()[chart.region.y :]
            found = next(y for y, line in enumerate(lines) if text in line)
            return lines[found].index(text), found

        x, y = cell_of(" 8  ")
        await at.pilot.click(chart, offset=(x + 1, y))
        await at.until(lambda: "3 of 6 failed, 50% · beta = 8" in at.text)
        await at.press("x")
        await at.until(lambda: "beta →" in at.text)
        x, y = cell_of("██100%")
        await at.pilot.mouse_down(chart, offset=(x, y))
        await at.pilot.hover(chart, offset=(x + 8, y))
        await at.pilot.mouse_up(chart, offset=(x + 8, y))
        region = chart.chosen_region
        assert region.spans[0][1] == region.spans[0][0] + 1
        await at.pilot.click(chart, offset=(0, y))
        assert chart.chosen_region == region
        await at.pilot.double_click(chart, offset=(x, y))
        await at.until(lambda: not isinstance(at.app.screen, SweepScreen))


def chart_of(*rows: tuple[int, int]) -> ChartModel:
    """Return the chart of tasks with these values of alpha and beta, all of which failed."""
    inputs = {
        IDS[n]: (("alpha", str(alpha)), ("beta", str(beta))) for n, (alpha, beta) in enumerate(rows)
    }
    return make_chart(make_sweep(inputs), frozenset(inputs), None)


async def test_chart_cursor_stays_on_its_input_and_value_while_inputs_are_read(
    sweep: Path,
) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        chart = at.screen.chart
        chart.show(chart_of((1, 1), (1, 3)))
        await at.press("tab", "right")
        assert chart.chosen_region.label == "beta = 3"
        chart.show(chart_of((1, 1), (1, 3), (2, 2)))
        assert chart.chosen_region.label == "beta = 3"


async def test_range_of_bars_is_dropped_if_the_bins_differ(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        chart = at.screen.chart
        chart.show(chart_of((1, 1), (1, 3)))
        await at.press("tab", "shift+right")
        assert chart.chosen_region.label == "beta = 1, 3"
        chart.show(chart_of((1, 1), (1, 3), (1, 3)))
        assert chart.chosen_region.label == "beta = 1, 3"
        chart.show(chart_of((1, 1), (1, 3), (1, 2)))
        assert chart.chosen_region.label == "beta = 3"


def test_grid_shows_its_inputs_when_another_input_begins_to_differ() -> None:
    inputs = {task_id(n): (("a", "1"), ("b", str(n % 2)), ("c", str(n % 3))) for n in range(6)}
    more = inputs | {task_id(6): (("a", "2"), ("b", "0"), ("c", "0"))}
    names = ("b", "c")
    chart = with_grid(make_chart(make_sweep(more), frozenset(), None), names, frozenset())
    assert chart.grid is not None
    assert [chart.grid_axes[place].name for place in chart.grid] == ["b", "c"]


async def test_grid_of_one_input_is_refused(sweep: Path) -> None:
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("tab", "x")
        await at.until(lambda: "A grid needs two inputs that differ" in at.text)


async def test_models_are_built_outside_the_thread_of_the_screen(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()
    build = SweepBuilder.build

    def noted(self: SweepBuilder, request: SweepRequest) -> SweepModel:
        threads.add(threading.current_thread())
        return build(self, request)

    monkeypatch.setattr(SweepBuilder, "build", noted)
    async with inputs_of_the_bundle(sweep) as at:
        await at.press("s")
        await at.until(lambda: at.first == IDS[39])
    assert threads and threading.main_thread() not in threads


async def test_chart_is_drawn_in_terminals_of_any_size(two_inputs: Path) -> None:
    async with inputs_of_the_bundle(two_inputs, (80, 24), "e", "i") as at:
        await at.until(lambda: "compared with 45" in at.text)
        await at.press("tab")
        for keys in (("down", "end"), ("x", "down", "shift+left")):
            await at.press(*keys)
            for size in ((40, 12), (30, 6), (200, 60), (20, 5), (118, 36)):
                await at.pilot.resize_terminal(*size)
                await at.until(lambda: at.text)
                assert len(at.text.splitlines()) == at.app.size.height
        await at.until(lambda: "method →" in at.text)
