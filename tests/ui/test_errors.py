from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from failing import result_file, write_failed
from failing_in_r import FRAMES
from small_root import DAY, task_id, write_bundle, write_task
from textual.widgets import Input
from ui_driving import Driven, all_rows_shown

from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.help import HelpScreen
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.widgets.error_table import ErrorTable, bar
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

NOW = 1_795_450_000.0
SMALL = tuple(map(task_id, range(12)))
FIT = tuple(map(task_id, range(20, 25)))
OTHER = task_id(30)
SWEEP_B = SavedFilter(in_bundle=("sweep_b",))
HOSTILE = "\x1b[31mred\x1b]0;t\x07 [b]x[/b] \u202e 表"


class ErrorsDriven(Driven):
    @property
    def counts(self) -> list[int]:
        return [len(group.ids) for group in self.errors.groups]


@asynccontextmanager
async def browsing(
    root: Path, *, size: tuple[int, int] = (118, 40), indexed: bool = False
) -> AsyncIterator[ErrorsDriven]:
    app = HipercowApp(find_root(root), indexed=indexed, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        at = ErrorsDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        yield at


@asynccontextmanager
async def triaging(root: Path, *, size: tuple[int, int] = (118, 40)) -> AsyncIterator[ErrorsDriven]:
    """Open the app and wait until all errors are shown."""
    async with browsing(root, size=size) as at:
        await at.press("e")
        failed = set(at.browser.session.snapshot.with_status(Status.FAILURE))
        # A board of an earlier look, without the last that failed, may be the first to come.
        await at.until(lambda: sum(at.counts) == len(failed) and not at.errors.progress)
        yield at


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Twelve failures of one kind over two bundles, five of another by rlang, one that has no
    result, and ten successes."""
    for n, identity in enumerate(SMALL):
        result = result_file(f"too small: beta = {n / 100}", warning="careful now")
        write_failed(tmp_path, identity, result, beta=n / 100, ended=NOW - (30 + n) * DAY)
    for n, identity in enumerate(FIT):
        result = result_file("It didn't fit", ("x", f"Rhat is 1.{n}"), ("i", "Try again"))
        write_failed(tmp_path, identity, result, ended=NOW - (10 + n) * DAY)
    write_failed(tmp_path, OTHER, None, ended=NOW - DAY)
    for n in range(40, 50):
        write_task(tmp_path, task_id(n), "success", created=NOW - 90 * DAY, finished=NOW - 80 * DAY)
    write_bundle(tmp_path, "sweep_a", SMALL[:8])
    write_bundle(tmp_path, "sweep_b", [*SMALL[8:], *FIT])
    return tmp_path


@pytest.mark.parametrize("size", [(80, 24), (118, 40), (160, 45)])
async def test_errors_are_shown_at_every_size(broken: Path, size: tuple[int, int]) -> None:
    async with triaging(broken, size=size) as at:
        await at.until(lambda: "e Errors" not in at.text and "Errors 3" in at.text)
        assert at.counts == [12, 5, 1]
        for word in ("too small: ", "It didn't fit", "✗ 12 tasks", "differs", "beta = 0 … 0.11"):
            assert word in at.text, word
        assert "too small: beta = <n>" in at.text
        await at.press("j")
        await at.until(lambda: "✖ Rhat is 1.<n>" in at.text or "✖ Rhat is <n>" in at.text)
        assert "✗ 5 tasks" in at.text
        await at.press("G")
        await at.until(lambda: "no message" in at.text)


async def test_enter_shows_only_the_tasks_of_an_error_and_p_plans_them(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("enter")
        await at.until(lambda: set(at.tasks.keys) == set(SMALL))
        assert at.browser.panes.current.table is at.tasks and at.tasks.marks is None
        await at.until(lambda: "Tasks › error 'too small: beta" in at.text)
        await at.press("e", "j", "enter")
        await at.until(lambda: set(at.tasks.keys) == set(FIT))
        await at.press("p")
        await at.until(lambda: isinstance(at.app.screen, PlanScreen))
        screen = at.app.screen
        assert isinstance(screen, PlanScreen)
        assert set(screen.plan.ids) == set(FIT)


async def test_space_adds_marks_and_u_removes_all(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("space", "space")
        await at.until(lambda: at.tasks.marks == frozenset(SMALL) | frozenset(FIT))
        assert [line[28] for line in at.text.splitlines()[2:6]] == [" ", "*", "*", " "]
        assert at.errors.cursor == 2
        await at.press("g", "space")
        await at.until(lambda: at.tasks.marks == frozenset(FIT))
        await at.press("u")
        await at.until(lambda: at.tasks.marks is None)
        await at.press("a")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL, *FIT, OTHER}))


async def test_an_error_without_a_task_that_passes_the_filters_is_not_opened(broken: Path) -> None:
    async with triaging(broken) as at:
        at.browser.filters.apply_saved(SWEEP_B)
        await at.until(lambda: at.tasks.view.filtered and len(at.tasks.view.matched) == 9)
        await at.until(lambda: "4 pass the filters" in at.text)
        await at.press("enter")
        await at.until(lambda: set(at.tasks.keys) == set(SMALL))
        assert at.tasks.view.matched == set(SMALL[8:]), "those in the bundle"
        await at.press("e", "G", "enter")
        await at.until(lambda: "passes the filters: 0 removes them" in at.text)
        assert at.browser.panes.current.table is at.errors


async def test_space_marks_all_tasks_of_an_error_and_a_those_that_pass(broken: Path) -> None:
    async with triaging(broken) as at:
        at.browser.filters.apply_saved(SWEEP_B)
        await at.until(lambda: "4 pass the filters" in at.text)
        await at.press("space")
        await at.until(lambda: "! 4 of 12 pass" in at.text)
        assert at.tasks.marks == frozenset(SMALL)
        await at.press("u", "a")
        await at.until(lambda: at.tasks.marks == frozenset({*SMALL[8:], *FIT}))
        assert [line[28] for line in at.text.splitlines()[2:6]] == [" ", "-", "*", " "]


async def test_o_shows_every_message_with_its_task(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("o")
        await at.until(lambda: isinstance(at.app.screen, ErrorMessagesScreen))
        await at.until(lambda: "12 tasks · 12 messages" in at.text)
        assert "too small: beta = 0.05" in at.text
        await at.press("j", "j")
        await at.until(lambda: "Warning message:" in at.text and "careful now" in at.text)
        await at.press("c")
        await at.until(lambda: "Copied the message" in at.text)
        assert at.app.clipboard == "too small: beta = 0.02"
        await at.press("enter")
        await at.until(lambda: at.app.screen is at.browser)
        assert at.browser.panes.current.table is at.tasks and at.tasks.cursor_key == SMALL[2]
        await at.press("o")
        await at.until(
            lambda: isinstance(at.app.screen, ErrorMessagesScreen) and "12 tasks" in at.text
        )
        await at.press("question_mark")
        await at.until(lambda: isinstance(at.app.screen, HelpScreen))
        await at.press("escape", "escape")
        await at.until(lambda: at.app.screen is at.browser)


async def test_the_details_of_a_failure_show_its_warnings(broken: Path) -> None:
    async with browsing(broken, size=(160, 45)) as at:
        at.tasks.move_to(at.tasks.keys.index(SMALL[3]))
        await at.until(lambda: "Warning message:" in at.text and "careful now" in at.text)


async def test_o_needs_a_failed_task(broken: Path) -> None:
    async with browsing(broken) as at:
        at.tasks.move_to(at.tasks.keys.index(task_id(40)))
        await at.press("o")
        await at.until(lambda: "no error here" in at.text)


async def test_errors_are_sorted_by_keys_and_headers(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("s")
        await at.until(lambda: at.counts == [1, 5, 12])
        await at.press("less_than_sign")
        await at.until(lambda: "last↓" in at.text and at.counts == [1, 5, 12])
        await at.press("s")
        await at.until(lambda: at.counts == [12, 5, 1])
        at.errors.post_message(VirtualTable.HeaderClicked(at.errors, "message"))
        await at.until(lambda: at.counts[1:] == [5, 12])
        at.errors.post_message(VirtualTable.HeaderClicked(at.errors, "bar"))
        await at.press("greater_than_sign")
        await at.until(lambda: "differing inputs↑" in at.text)


async def test_keys_switch_between_the_tabs(broken: Path) -> None:
    async with browsing(broken) as at:
        bundles = at.browser.bundles_pane.table
        for key, table in (
            ("e", at.errors), ("b", bundles), ("e", at.errors), ("e", at.tasks),
            ("b", bundles), ("b", at.tasks),
        ):  # fmt: skip
            await at.press(key)
            assert at.browser.panes.current.table is table and at.app.focused is table
        await at.press("e", "c", "l", "m", "n", "v")
        assert at.app.screen is at.browser


async def test_new_failures_appear_and_purged_ones_disappear(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("j")
        for number in range(60, 70):
            again = result_file("It didn't fit", ("x", "Rhat is 3"), ("i", "Try again"))
            write_failed(broken, task_id(number), again, ended=NOW)
        await at.until(lambda: at.counts == [15, 12, 1])
        assert at.errors.current is not None and len(at.errors.current.ids) == 15
        for identity in SMALL:
            shutil.rmtree(broken / "hipercow" / "tasks" / identity[:2] / identity[2:])
        await at.until(lambda: at.counts == [15, 1])
        await at.until(lambda: "Errors 2" in at.text)


async def test_the_errors_of_a_root_without_failures_are_explained(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(1), "success")
    async with browsing(tmp_path) as at:
        await at.press("e")
        await at.until(lambda: "No task has failed" in at.text)
        write_failed(tmp_path, task_id(2), result_file("oh no"))
        await at.until(lambda: "oh no" in at.text)


async def test_an_empty_root_says_where_errors_will_appear(tmp_path: Path) -> None:
    (tmp_path / "hipercow").mkdir()
    async with browsing(tmp_path) as at:
        await at.press("e")
        await at.until(lambda: "No tasks yet" in at.text)


async def test_the_second_start_reads_errors_from_the_cache(
    broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    index = ScanCache.of(find_root(broken))
    assert index is not None
    for _ in range(2):
        async with browsing(broken, indexed=True) as at:
            await at.until(lambda at=at: at.counts == [12, 5, 1] and not at.errors.progress)  # type: ignore[misc]
            saved = index.path.with_suffix(".errors")
            await at.until(saved.exists)
        for identity in SMALL:
            (broken / "hipercow" / "tasks" / identity[:2] / identity[2:] / "result").write_text("x")


async def test_control_characters_in_messages_are_escaped(broken: Path) -> None:
    write_failed(broken, task_id(70), result_file(HOSTILE, warning=HOSTILE), ended=NOW)
    async with triaging(broken, size=(160, 45)) as at:
        at.errors.move_to(next(i for i, g in enumerate(at.errors.groups) if "red" in g.text))
        await at.until(lambda: "✗ 1 task" in at.text and "[b]x[/b]" in at.text)
        assert not {"\x1b", "\x07", "\u202e"} & set(at.text)
        await at.press("o")
        await at.until(lambda: isinstance(at.app.screen, ErrorMessagesScreen) and "[b]x" in at.text)
        assert not {"\x1b", "\x07", "\u202e"} & set(at.text)


def test_a_bar_is_full_for_the_most_and_never_empty() -> None:
    assert bar(10, 10, 4) == "████"
    assert bar(5, 10, 4) == "██"
    assert bar(1, 100_000, 4) == "▏"
    assert bar(10, 16, 1) == "▋"


def test_an_empty_table_has_nothing_under_the_cursor() -> None:
    table = ErrorTable(Marks())
    assert table.current is None and table.progress == "" and table.empty_text == ("Reading …",)


async def test_the_cursor_stays_on_the_most_frequent_error_while_errors_are_read(
    broken: Path,
) -> None:
    async with triaging(broken) as at:
        whole = at.browser.session.errors
        assert whole is not None and at.counts == [12, 5, 1]
        rare = replace(whole, groups=whole.groups[2:], read=1)
        at.errors.show(rare)
        assert at.errors.cursor == 0
        at.errors.show(whole)  # the last groups end the reading
        assert at.errors.current == whole.groups[0]
        await at.press("j")
        at.errors.show(replace(whole, groups=whole.groups[::-1]))
        assert at.errors.current == whole.groups[1]


async def test_a_search_finds_tasks_by_error_and_a_marks_them(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("slash", *"rhat", "enter", "a")
        await at.until(lambda: at.tasks.marks == frozenset(FIT))
        await at.until(lambda: "5 hits" in at.text)
        await at.press("escape", "u", "slash", *"small", "enter")
        await at.until(lambda: len(at.tasks.view.hits) == 12 and "reading" not in at.text)
        at.browser.filters.apply_saved(SWEEP_B)
        await at.until(lambda: at.tasks.view.filtered)
        await at.press("a")
        await at.until(lambda: at.tasks.marks == frozenset(SMALL[8:]))


async def test_a_search_in_the_errors_searches_errors(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("slash", *"RHAT")
        await at.until(lambda: "1 hit" in at.text and at.errors.cursor == 1)
        assert at.browser.panes.current.table is at.errors and "reading" not in at.text
        await at.press("enter")
        assert at.app.focused is at.errors
        await at.press("g", "n")
        assert at.errors.cursor == 1
        await at.press("a")
        await at.until(lambda: at.tasks.marks == frozenset(FIT))
        await at.press("e")
        await at.until(lambda: "5 hits" in at.text)
        await at.press("e", "u", "escape")
        await at.until(lambda: not at.errors.needle and at.browser.panes.current.table is at.errors)


async def test_errors_are_found_by_all_their_columns(broken: Path) -> None:
    async with triaging(broken) as at:
        for query, rows in (
            ("sweep_b", [0, 1]),
            ("beta 0", [0]),
            ("beta > 0.1", [0]),
            ("beta > 0.11", []),
            ("beta = <n>", [0]),
            ("run", [0]),
            ("nowhere", []),
        ):
            await at.press("slash")
            at.browser.query_one("#search-text", Input).value = query
            await at.until(lambda rows=rows: list(at.errors.hits) == rows)  # type: ignore[misc]
            said = "no hit" if not rows else "1 hit" if len(rows) == 1 else f"{len(rows)} hits"
            await at.until(lambda said=said: said in at.text)  # type: ignore[misc]
            await at.press("enter", "G", "n")
            assert at.errors.cursor == (rows[0] if rows else 2), query
            await at.press("N")
            assert at.errors.cursor == (rows[-1] if rows else 2), query
            if not rows:
                await at.press("a")
                await at.until(lambda: "found passes the filters" in at.text)
                assert at.tasks.marks is None
            await at.press("escape")


async def test_a_comparison_finds_tasks_by_number_and_marks_only_these(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("slash", *"beta=0.1", "enter", "a")
        await at.until(lambda: at.tasks.marks == frozenset(SMALL[10:11]))
        await at.press("u", "e")
        await at.until(lambda: "1 hit" in at.text and at.tasks.needle_of(0) is not None)
        assert at.tasks.view.hits == (at.tasks.row_of(SMALL[10]),)
        await at.press("slash", *["backspace"] * 3, *"0.09", "enter")
        await at.until(lambda: at.tasks.view.hits == (at.tasks.row_of(SMALL[9]),))
        assert at.tasks.needle_of(at.tasks.view.hits[0]) == "beta = 0.09"


async def test_a_later_error_is_found_by_a_running_search(broken: Path) -> None:
    async with triaging(broken) as at:
        await at.press("slash", *"brand new", "enter")
        await at.until(lambda: "no hit" in at.text)
        write_failed(broken, task_id(60), result_file("a brand new error"), ended=NOW)
        await at.press("r")
        await at.until(lambda: "1 hit" in at.text)
        await at.press("n")
        assert at.errors.current is not None and "brand new" in at.errors.current.text


async def test_a_search_without_hits_marks_nothing(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("slash", *"nowhere", "enter", "a")
        await at.until(lambda: "found passes the filters" in at.text)
        assert at.tasks.marks is None
        await at.press("escape", "a")
        await at.until(lambda: at.tasks.marks and len(at.tasks.marks) == 28)


async def test_new_failures_are_found_during_a_search(broken: Path) -> None:
    async with browsing(broken) as at:
        await at.press("slash", *"rhat", "enter")
        await at.until(lambda: len(at.tasks.view.hits) == 5)
        result = result_file("It didn't fit", ("x", "Rhat is 9"))
        write_failed(broken, task_id(60), result, ended=NOW - DAY)
        await at.press("r")
        await at.until(lambda: len(at.tasks.view.hits) == 6)


NAMES = ("fit", "nested", "caused", "turned", "turned", "expression")


@pytest.fixture
def framed(tmp_path: Path) -> Path:
    """Failures that the real package recorded: three in check(), two in turned(), one in no known
    function. Two ran on one node."""
    for n, name in enumerate(NAMES):
        raw = (FRAMES / f"{name}.rds").read_bytes()
        folder = write_failed(tmp_path, task_id(n), raw, ended=NOW - n * DAY)
        if n in (1, 3):
            (folder / "log.outer").write_text("Running\nrunning on: node042\n")
    return tmp_path


async def test_t_groups_by_frame_and_node_and_keeps_the_cursor_on_the_task(
    framed: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "errors.toml"
    rules.write_text('[[rule]]\npattern = "coercion"\nname = "bad number"\n[[rule]]\nname = "x"\n')
    app = HipercowApp(find_root(framed), clock=lambda: NOW, rules=RuleFile(rules))
    async with app.run_test(size=(118, 40), notifications=True) as pilot:
        at = ErrorsDriven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        assert "t Group" not in at.footer
        await at.press("e")
        await at.until(lambda: sorted(at.counts) == [1, 1, 2, 2] and not at.errors.progress)
        (note,) = app._notifications
        assert "errors.toml, rule 2: it needs a pattern and a name" in note.message
        app.clear_notifications()  # the message covers a part of the table
        await at.until(lambda: "bad number" in at.text and "by message" in at.text)
        assert "t Group" in at.footer
        at.errors.move_to(at.errors.row_with(task_id(2)) or 0)
        await at.press("t")
        await at.until(lambda: at.counts == [3, 2, 1])
        current = at.errors.current
        assert current is not None and current.text == "check()"
        await at.until(lambda: "by frame" in at.text and "most frequent message" in at.text)
        assert "no frame known" in at.text and "+1" in at.text
        await at.press("enter")
        await at.until(lambda: set(at.tasks.keys) == set(map(task_id, (0, 1, 2))))
        await at.until(lambda: "Tasks › frame 'check()'" in at.text)
        await at.press("escape", "t")
        await at.until(lambda: at.errors.by == "node" and at.counts == [4, 2])
        assert at.errors.current is at.errors.groups[0]
        await at.until(lambda: "node042" in at.text and "no node known" in at.text)
        await at.press("t")
        await at.until(lambda: sorted(at.counts) == [1, 1, 2, 2])
        assert at.errors.current and at.errors.current.ids == (task_id(2),)
