"""The app on a root of both R and Python."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from purge_stage import plan_of
from py_stage import FAILED, FIRST, KEPT, R_TASK, SECOND, THIRD, in_place_of_both, make_both, recent
from small_py_root import py_dir, py_folder, write_py_bundle, write_py_task
from small_root import NOW, task_id
from textual.pilot import Pilot
from ui_driving import heard, screen_text, until

from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.filters import InBundle
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import move_to_trash
from hipercow_tui.settings.saved_filters import SavedFilter
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.screens.trash import TrashScreen
from hipercow_tui.ui.widgets.filters.language import LanguageFilter
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.widgets.sweep_table import SweepTable
from hipercow_tui.ui.widgets.task_cells import split_command
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

LONG = task_id(60)


@asynccontextmanager
async def driven(root: Root) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    app = HipercowApp(root, clock=lambda: NOW)
    async with app.run_test(size=(150, 40)) as pilot:
        await until(pilot, lambda: len(app.browser.tasks.keys) > 0 and "live" in screen_text(app))
        yield app, pilot


def shows(table: VirtualTable, keys: set[str]) -> bool:
    return set(table.keys) == keys


async def test_a_root_of_both_is_one_list_with_a_column_and_counts(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        await until(pilot, lambda: "echo hello" in screen_text(app))
        shown = screen_text(app)
        assert "R 1 · Python 6" in shown and " lang" in shown
        rows = [line for line in shown.splitlines() if "echo hello" in line]
        assert len(rows) >= 6 and sum("Python" in row for row in rows) == 6
        await pilot.press("b")
        await until(pilot, lambda: "deep/er/one .x" in screen_text(app))
        names = [line.name for line in app.browser.bundles_pane.table._bundles]
        assert sorted(names) == ["deep/er/one .x", "stays", "sweep", "sweep"]


async def test_a_root_of_one_language_shows_no_language(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    shutil.rmtree(py_dir(tmp_path))
    async with driven(root) as (app, _):
        assert " lang" not in screen_text(app) and "Python" not in screen_text(app)
        assert not app.browser.query_one(LanguageFilter).display
        assert SortKey.LANG not in app.browser.tasks_pane.sort_keys


async def test_the_order_can_be_changed_after_one_language_has_gone(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        pane = app.browser.tasks_pane
        pane.sort_by(SortKey.LANG)
        shutil.rmtree(py_dir(tmp_path))
        app.browser.action_refresh()
        await until(pilot, lambda: SortKey.LANG not in pane.sort_keys)
        await pilot.press("greater_than_sign")
        assert pane.sort_key in pane.sort_keys


async def test_one_language_can_be_selected_and_purged(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    async with driven(root) as (app, pilot):
        chooser = app.browser.query_one(LanguageFilter)
        await until(pilot, lambda: chooser.display)
        chooser.focus()
        await pilot.press("space", "space")
        assert chooser.lang is Lang.PY and "Python, 6 tasks" in screen_text(app)
        await pilot.press("1")
        await until(pilot, lambda: app.browser.tasks.view.matched == frozenset(FAILED))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await heard(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.browser.query(JobResult))
        assert in_place_of_both(root) == {R_TASK, *KEPT} and recent(root) == list(KEPT)


@pytest.mark.parametrize(("lang", "ids"), [(Lang.R, {R_TASK}), (Lang.PY, {FIRST, SECOND, KEPT[0]})])
async def test_bundles_with_one_name_are_two_rows(
    tmp_path: Path, lang: Lang, ids: set[str]
) -> None:
    """The cursor stays on its bundle, Enter shows its tasks, i their inputs."""
    async with driven(make_both(tmp_path)) as (app, pilot):
        bundles, tasks = app.browser.bundles_pane.table, app.browser.tasks
        await pilot.press("b")
        await until(pilot, lambda: len(bundles.keys) == 4)
        assert len(set(bundles.keys)) == 4
        langs = [line.lang if line.name == "sweep" else None for line in bundles._bundles]
        bundles.cursor = langs.index(lang)
        for name in ("aaa", "zzz"):  # one more before it, one more behind it
            write_py_bundle(tmp_path, name, [KEPT[1]])
        app.browser.action_refresh()
        await until(pilot, lambda: len(bundles.keys) == 6)
        line = bundles.current
        assert line is not None and (line.name, line.lang) == ("sweep", lang)
        for key in ("s", "less_than_sign", "greater_than_sign", "s"):
            await pilot.press(key)
            await until(pilot, lambda: bundles._sort == app.browser.session.state.bundle_sort)
            rows = [(line.name, line.lang) for line in bundles._bundles]
            assert bundles.cursor == 0
            bundles.move_to(rows.index(("sweep", lang)))
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, SweepScreen))
        await until(pilot, lambda: set(app.screen.query_one(SweepTable).keys) == ids)
        await pilot.press("escape", "enter")
        await until(pilot, lambda: tasks.view.matched == ids)
        await pilot.press("a")  # only these tasks are marked
        await until(pilot, lambda: set(tasks.marks or ()) == ids)


async def test_inputs_of_a_task_are_those_of_its_bundle(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        wanted = {FIRST: {FIRST, SECOND, KEPT[0]}, R_TASK: {R_TASK}}
        for task, ids in wanted.items():
            app.browser.tasks.move_to(app.browser.tasks.keys.index(task))
            await pilot.press("i")
            await until(pilot, lambda: isinstance(app.screen, SweepScreen))
            table = app.screen.query_one(SweepTable)
            await until(pilot, partial(shows, table, ids))
            await pilot.press("escape")


async def test_details_and_log_of_a_python_task_are_shown(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    (py_folder(tmp_path, FIRST) / "log").write_text("what python printed\n")
    async with driven(root) as (app, pilot):
        app.browser.tasks.move_to(app.browser.tasks.keys.index(FIRST))
        await until(pilot, lambda: "shell" in screen_text(app) and "default" in screen_text(app))
        await pilot.press("l")
        await until(pilot, lambda: "what python printed" in screen_text(app))


async def test_copied_commands_of_python_tasks_are_for_a_shell(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        app.browser.tasks.move_to(app.browser.tasks.keys.index(FIRST))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CopyMenuScreen))
        assert "hipercow task log" in screen_text(app)
        shown = screen_text(app)
        assert "hipercow for Python has no purge" in shown and "task_cancel" not in shown
        assert "status   its status, in a shell" in shown and "in R" not in shown
        await pilot.press("l")
        assert app.clipboard == f"hipercow task log {FIRST}"
        await pilot.press("b")
        await until(pilot, lambda: len(app.browser.bundles_pane.table.keys) == 4)
        bundles = app.browser.bundles_pane.table
        for line in bundles._bundles:
            bundles.cursor = bundles._bundles.index(line)
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, CopyMenuScreen))
            assert ("hipercow bundle" in screen_text(app)) == (line.lang is Lang.PY)
            await pilot.press("i")
            expected = {("r", "sweep"): (R_TASK,), ("py", "stays"): KEPT}
            if wanted := expected.get((line.lang.value, line.name)):
                assert app.clipboard.split() == list(wanted)


async def test_a_plan_of_both_names_the_language_of_a_bundle(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        await pilot.press("1", "p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, lambda: "sweep of R " in screen_text(app))
        assert "sweep of Python " in screen_text(app) and "Copy R call" in screen_text(app)


async def test_a_plan_of_python_tasks_offers_no_r_call(tmp_path: Path) -> None:
    async with driven(make_both(tmp_path)) as (app, pilot):
        globs = InBundle.named("deep/er/one .x").patterns
        app.browser.filters.apply_saved(SavedFilter(in_bundle=globs, lang=Lang.PY))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, lambda: "deep/er/one .x " in screen_text(app))
        assert "of Python " not in screen_text(app).partition("one .x")[2].splitlines()[0]
        assert "Copy R call" not in screen_text(app)


async def test_questions_about_the_trash_count_both_languages(tmp_path: Path) -> None:
    """The batches of one purge of both languages are restored and erased together."""
    root = make_both(tmp_path)
    move_to_trash(plan_of(root), root)
    async with driven(root) as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        assert "4 tasks and 3 bundles" in screen_text(app)
        await heard(pilot)
        await pilot.press("escape", "T")
        await until(pilot, lambda: isinstance(app.screen, TrashScreen))
        await until(pilot, lambda: "2 batches" in screen_text(app))
        for key in ("r", "e"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
            assert "4 tasks and 3 bundles" in screen_text(app)
            await heard(pilot)
            await pilot.press("escape")
        assert in_place_of_both(root) == set(KEPT)


async def test_errors_of_python_tasks_are_the_ends_of_their_logs(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    for number, identity in enumerate(FAILED):
        told = f"step 1\nTraceback (most recent call last):\n  File\nValueError: beta = {number}\n"
        (py_folder(tmp_path, identity) / "log").write_text(told)
    async with driven(root) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: "ValueError: beta = <n>" in screen_text(app))
        app.browser.action_show("tasks")
        app.browser.tasks.move_to(app.browser.tasks.keys.index(THIRD))
        await until(pilot, lambda: "error" in screen_text(app) and "beta = 2" in screen_text(app))


async def test_a_name_that_is_not_utf_8_can_be_copied(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    write_py_bundle(tmp_path, name := os.fsdecode(b"caf\xe9"), [KEPT[1]])
    async with driven(root) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: len(app.browser.bundles_pane.table.keys) == 5)
        bundles = app.browser.bundles_pane.table
        bundles.cursor = [line.name for line in bundles._bundles].index(name)
        await pilot.press("c", "n")
        assert app.clipboard == "caf\\udce9"
        await pilot.press("c", "b")
        assert app.clipboard == "hipercow bundle status $'caf\\351'"


async def test_a_long_command_continues_in_the_column_for_inputs(tmp_path: Path) -> None:
    root = make_both(tmp_path)
    cmd = ("python", "build_tree.py", "--region", "capital", "--seed", "12")
    write_py_task(tmp_path, LONG, "failure", cmd=cmd)
    app = HipercowApp(root, clock=lambda: NOW)
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: "build_tree" in screen_text(app))
        await until(pilot, lambda: "python build_tree.py  --reg" in screen_text(app))
        (row,) = [line for line in screen_text(app).splitlines() if "build_tree" in line][:1]
        assert "-seed 12 " in row  # the end of a command tells it from others
        app.browser.tasks.move_to(app.browser.tasks.keys.index(LONG))
        await pilot.press("space", "p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, lambda: " ".join(cmd) in screen_text(app).split("matched · 1 task")[-1])


@pytest.mark.parametrize(
    ("what", "width", "head", "rest"),
    [
        ("echo hello", 10, "echo hello", ""),
        ("echo hello", 9, "echo", "hello"),
        ("echo  two", 8, "echo ", "two"),
        ("./a-long-program x", 9, "./a-long-program x", ""),
        ("", 3, "", ""),
        ("日本 日本 x", 5, "日本", "日本 x"),
    ],
)
def test_a_command_is_cut_at_a_word(what: str, width: int, head: str, rest: str) -> None:
    assert split_command(TaskSummary(what), width) == TaskSummary(head, rest)
