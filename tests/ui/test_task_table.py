from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import DAY, NOW, snapshot_of, task_id
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from ui_driving import screen_text

from hipercow_tui.analysis.task_sorting import SortKey, TaskSort
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.analysis.task_view import TaskView, make_view
from hipercow_tui.domain.filters import FilterStack, TaskIds, WithStatus
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.ui.cells import PlacedColumn
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.row_rendering import RenderedRow
from hipercow_tui.ui.widgets.task_cells import (
    duration_text,
    finished_text,
    inputs_text,
    short_age,
    status_cell,
)
from hipercow_tui.ui.widgets.task_table import TaskTable

BY_ID = TaskSort(SortKey.ID, False)


class CountingTable(TaskTable):
    drawn = 0

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        self.drawn += 1
        return super().row(index, layout)


class TableApp(App[None]):
    CSS_PATH = "../../hipercow_tui/ui/app.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.summaries: dict[str, TaskSummary] = {}
        self.marked: list[frozenset[str] | None] = []

    def compose(self) -> ComposeResult:
        marks = Marks(lambda: self.marked.append(marks.ids))
        yield CountingTable(self.summaries, marks)

    @property
    def table(self) -> CountingTable:
        return self.query_one(CountingTable)


def tasks(numbers: Sequence[int]) -> Snapshot:
    return snapshot_of(
        Task(task_id(n), Status.SUCCESS, 1, NOW - n * DAY, None, NOW - n * DAY) for n in numbers
    )


def view_of(numbers: Sequence[int]) -> TaskView:
    return make_view(tasks(numbers), FilterStack(), BY_ID)


async def shown(pilot: Pilot[Any], table: TaskTable, view: TaskView) -> None:
    table.show(view, NOW)
    await pilot.pause()


def ids(*numbers: int) -> frozenset[str]:
    return frozenset(map(task_id, numbers))


async def test_keys_move_the_cursor_and_the_page() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(200)))
        for keys, row in (
            ("j", 1), ("down", 2), ("k", 1), ("up", 0), ("up", 0), ("G", 199), ("j", 199),
            ("g", 0), ("pagedown", 19), ("pagedown", 38), ("pageup", 19), ("end", 199), ("home", 0),
        ):  # fmt: skip
            await pilot.press(keys)
            assert table.cursor == row, keys
            assert row in table.visible_rows, keys


async def test_only_visible_rows_are_drawn_and_moving_redraws_two() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(5000)))
        assert table.drawn <= 25
        table.drawn = 0
        await pilot.press("j")
        assert table.drawn <= 2
        table.drawn = 0
        await pilot.press("G")
        assert table.drawn <= 25


async def test_space_marks_or_unmarks_and_advances() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10)))
        await pilot.press("space", "space")
        assert (table.cursor, table.marks) == (2, ids(0, 1))
        assert screen_text(app).count("*") == 2
        await pilot.press("k", "space")
        assert table.marks == ids(0)
        await pilot.press("g", "space")
        assert table.marks is None, "no mark is no filter"
        assert app.marked == [ids(0), ids(0, 1), ids(0), None]


async def test_a_range_is_marked_in_both_directions() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10)))
        await pilot.press("j", "j", "v", "j", "j", "v")
        assert table.marks == ids(2, 3, 4)
        await pilot.press("G", "v", "k", "v")
        assert table.marks == ids(2, 3, 4, 8, 9)
        await pilot.press("v", "k", "k")
        assert table.drop_range()
        assert not table.drop_range()
        await pilot.press("u")
        assert table.marks is None


async def test_a_range_keeps_its_start_when_rows_change() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10, 20)))
        await pilot.press("j", "j", "v", "j")
        await shown(pilot, table, view_of(range(5, 20)))
        await pilot.press("v")
        assert table.marks == ids(12, 13)


async def test_a_marks_all_matched_tasks_that_are_shown() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        snapshot = tasks(range(10))
        failed = snapshot.tasks[task_id(3)]._replace(
            status=Status.FAILURE, latest_status=Status.FAILURE
        )
        snapshot = replace(snapshot, tasks={**snapshot.tasks, failed.id: failed})
        stack = FilterStack(with_status=WithStatus(frozenset({Status.SUCCESS})))
        await shown(pilot, table, make_view(snapshot, stack, BY_ID))
        await pilot.press("a")
        assert table.marks == ids(*range(10)) - ids(3)


async def test_marks_of_missing_tasks_are_an_empty_filter() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10)))
        await pilot.press("space", "space")
        await shown(pilot, table, view_of(range(1, 10)))
        assert table.marks == ids(1)
        await shown(pilot, table, view_of(range(5, 10)))
        assert table.marks == frozenset()
        await pilot.press("u")
        assert table.marks is None


async def test_the_cursor_moves_to_the_next_row_if_its_task_is_gone() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10)))
        await pilot.press("j", "j", "j")
        await shown(pilot, table, view_of([0, 1, 2, 5, 6]))
        assert table.cursor_key == task_id(5)
        await shown(pilot, table, view_of([0, 1]))
        assert table.cursor_key == task_id(1)
        await shown(pilot, table, view_of([]))
        assert table.cursor_key is None
        await shown(pilot, table, view_of([7, 8]))
        assert table.cursor_key == task_id(7)


@given(
    st.lists(st.sets(st.integers(0, 60), min_size=1), min_size=2, max_size=5),
    st.lists(st.sampled_from(["j", "k", "G", "pagedown", "scroll"]), max_size=6),
)
@settings(max_examples=25, deadline=None)
async def test_cursor_and_lines_on_screen_stay_with_their_tasks(
    steps: list[set[int]], keys: list[str]
) -> None:
    app = TableApp()
    async with app.run_test(size=(80, 12)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(sorted(steps[0])))
        for key in keys:
            if key == "scroll":
                table.scroll_to(y=table.scroll_offset.y + 5, animate=False)
            else:
                await pilot.press(key)
        for numbers in steps[1:]:
            before = table.cursor_key
            offset = table.cursor - table.scroll_offset.y
            await shown(pilot, table, view_of(sorted(numbers)))
            assert 0 <= table.cursor < len(numbers)
            if before in table.keys:
                assert table.cursor_key == before
                room = len(numbers) - 11
                if 0 <= offset < 11 and 0 <= table.cursor - offset <= room:
                    assert table.cursor - table.scroll_offset.y == offset


async def test_a_row_on_the_last_line_stays_there_after_rows_are_removed() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 12)) as pilot:
        table = app.table
        await shown(pilot, table, view_of([*range(12), 58]))
        await pilot.press("G")
        assert table.cursor - table.scroll_offset.y == 10
        await shown(pilot, table, view_of([*range(11), 58]))
        assert table.cursor_key == task_id(58)
        assert table.cursor - table.scroll_offset.y == 10


async def test_a_cursor_on_the_first_row_stays_there_while_the_table_fills() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 12)) as pilot:
        table = app.table
        table.rows_pending = True
        await shown(pilot, table, view_of([30, 40]))
        await shown(pilot, table, view_of([10, 20, 30, 40]))
        assert (table.cursor, table.cursor_key, table.scroll_offset.y) == (0, task_id(10), 0)
        await pilot.press("j")
        await shown(pilot, table, view_of([1, 5, 10, 20, 30, 40]))
        assert table.cursor_key == task_id(20)
        await pilot.press("g")
        table.rows_pending = False
        await shown(pilot, table, view_of([0, 1, 5, 10, 20, 30, 40]))
        assert table.cursor_key == task_id(1), "once it is whole, every task is kept"


async def test_clicks_move_the_cursor_or_sort_on_the_header() -> None:
    sorted_by: list[str] = []

    class ClickedApp(TableApp):
        def on_virtual_table_header_clicked(self, message: TaskTable.HeaderClicked) -> None:
            sorted_by.append(message.column)

    app = ClickedApp()
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        await shown(pilot, table, view_of(range(10)))
        await pilot.click(TaskTable, offset=(10, 5))
        assert table.cursor == 4
        await pilot.click(TaskTable, offset=(10, 19))
        assert table.cursor == 4, "there is no row"
        await pilot.click(TaskTable, offset=(4, 0))
        assert sorted_by == [SortKey.STATUS]
        assert table.marks is None


@pytest.mark.parametrize("width", [20, 40, 52, 80, 118, 160, 240])
async def test_statuses_are_never_cut_at_any_width(width: int) -> None:
    app = TableApp()
    async with app.run_test(size=(width, 12)) as pilot:
        snapshot = snapshot_of(
            [
                Task(task_id(0), Status.CANCELLED, 1, NOW, None, NOW - 320 * DAY, True),
                Task(task_id(1), Status.SUBMITTED, 1, NOW - DAY),
                Task(task_id(2), Status.FAILURE, 1, NOW, None, NOW - 45),
            ],
            {"a_bundle_with_a_long_name_indeed": (task_id(0),), "b": (task_id(0),)},
            [(task_id(1), task_id(0), task_id(0))],
        )
        app.summaries |= {
            i: TaskSummary("run_sir(beta, gamma)", "beta = 0.91") for i in snapshot.tasks
        }
        await shown(pilot, app.table, make_view(snapshot, FilterStack(), BY_ID))
        text = screen_text(app)
        assert "✗ failure" in text
        assert ("⊘ → submitted" if width < 115 else "⊘ cancelled → submitted") in text
        assert "◔ submitted" in text
        if width >= 52:
            assert "~10" in text
            assert "beta = 0.91" in text


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "[red]markup[/red] [@click=app.quit]x[/]",
    "\u202edetsrever \u2066x",
    "表計算🐄👩\u200d🔬❤\ufe0f",
    "e\u0301" * 40,
    "\u0301\u0302 begins",
    "x" * 10_000,
    "a\nb\rc\td\x9b31m",
    "\ud800 lone",
)


async def test_control_characters_are_shown_and_not_executed() -> None:
    app = TableApp()
    async with app.run_test(size=(100, 21)) as pilot:
        names: dict[str, tuple[str, ...]] = {f"b{n}": (task_id(n),) for n in range(len(HOSTILE))}
        snapshot = snapshot_of(
            [
                Task(task_id(n), Status.FAILURE, 1, NOW)._replace(problem=text)
                for n, text in enumerate(HOSTILE)
            ],
            names | {text: (task_id(n),) for n, text in enumerate(HOSTILE)},
        )
        await shown(pilot, app.table, make_view(snapshot, FilterStack(), BY_ID, query="[red]"))
        text = screen_text(app)
        assert "␛[2J" in text
        assert "[red]" in text
        for raw in ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\u200d", "\ud800", "\t", "\r"):
            assert raw not in text


def test_a_status_is_never_shown_by_its_colour_alone() -> None:
    chain = (task_id(0), task_id(1))
    retried = Task(task_id(0), Status.FAILURE, latest_status=Status.SUCCESS, chain=chain)

    def said(task: Task, *, long: bool) -> str:
        return "".join(text for text, _ in status_cell(task, long=long))

    assert said(retried, long=True) == "✗ failure → success"
    assert said(retried, long=False) == "✗ → success"
    assert said(retried._replace(latest_status=None), long=True) == "✗ failure → gone"
    assert said(retried._replace(latest_status=Status.FAILURE), long=True) == "✗ failure"


def test_inputs_text_drops_spaces_first_and_then_the_end() -> None:
    varies = "beta = 0.91, gamma = 0.2"
    assert inputs_text(varies, 24) == varies
    assert inputs_text(varies, 19) == "beta=0.91 gamma=0.2"
    assert inputs_text(varies, 12) == "beta=0.91 g…"
    assert inputs_text(varies, 11) == "beta=0.91…"


def test_finished_text_shows_the_age() -> None:
    task = Task(task_id(0), Status.SUCCESS, finished=NOW - 21 * DAY)
    assert finished_text(task, NOW, long=True) == "3 weeks ago"
    assert finished_text(task, NOW, long=False) == "3w"
    assert finished_text(task._replace(finished_estimated=True), NOW, long=True) == "~3 weeks ago"
    assert finished_text(task._replace(finished=None), NOW, long=True) == "—"
    told = ("just now", "1 month ago", "11 months ago", "59 minutes ago")
    assert [*map(short_age, told)] == ["now", "1mo", "11mo", "59min"]


def test_duration_text_is_short_and_marks_estimates() -> None:
    told = (None, 0.0, 12.9, 240.0, 59 * 60.0, 400 * DAY)
    assert [*map(duration_text, told)] == ["—", "<1s", "12s", "4min", "59min", "1y"]
    assert duration_text(240, estimated=True) == "~4min"


TIMED = snapshot_of(
    [
        Task(task_id(1), Status.SUCCESS, 1, NOW - DAY, NOW - DAY + 240, NOW - DAY + 252),
        Task(task_id(2), Status.FAILURE, 1, NOW - DAY, NOW - DAY + 5, NOW - DAY + 7205, True),
        Task(task_id(3), Status.RUNNING, 1, NOW - 3700, NOW - 600),
        Task(task_id(4), Status.SUBMITTED, 1, NOW - 90),
    ]
)


@pytest.mark.parametrize(
    ("width", "key", "shown", "hidden"),
    [
        (130, SortKey.FINISHED, ["waited", "ran", "id", "finished"], []),
        (90, SortKey.FINISHED, ["ran", "finished"], ["waited", "id"]),
        (78, SortKey.FINISHED, ["ran", "ended"], ["waited", "id"]),
        (60, SortKey.FINISHED, ["ended"], ["waited", "ran"]),
        (60, SortKey.WAITED, ["waited↓"], ["ran"]),
        (60, SortKey.RAN, ["ran↓"], ["waited"]),
    ],
)
async def test_waited_and_ran_are_shown_if_there_is_space_or_they_are_sorted_by(
    width: int, key: SortKey, shown: list[str], hidden: list[str]
) -> None:
    app = TableApp()
    async with app.run_test(size=(width, 12)) as pilot:
        app.table.show(make_view(TIMED, FilterStack(), BY_ID), NOW)
        await pilot.pause()
        view = make_view(TIMED, FilterStack(), TaskSort(key, key is not SortKey.FINISHED), now=NOW)
        app.table.show(view, NOW)
        await pilot.pause()
        header, *rows = screen_text(app).splitlines()
        words = header.replace("finished↑", "finished").replace("ended↑", "ended").split()
        assert set(shown) <= set(words), header
        assert not set(hidden) & set(words), header
        for name, values in (
            ("waited", ("4min", "5s", "51min", "1min")),
            ("ran", ("12s", "~2h", "10min", "—")),
        ):
            if name in header:
                at = header.index(name)
                assert {row[at:].split()[0] for row in rows[:4]} == set(values)


def test_marks_and_the_filter_are_the_same() -> None:
    marked = FilterStack(task_ids=TaskIds(frozenset()))
    assert make_view(tasks(range(3)), marked, BY_ID).matched == frozenset()
