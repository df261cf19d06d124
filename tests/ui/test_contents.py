"""Enter in the trash and in the history lists what a purge held."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from purge_stage import ALL, BASE, LONE, OTHER, TIP, make_root, root_contents
from small_py_root import write_py_task
from small_root import NOW, task_id, write_task
from ui_driving import screen_text, until

from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import (
    HistoryKind,
    empty,
    list_trash,
    move_to_trash,
    read_history,
    restore,
)
from hipercow_tui.purging.batch_contents import (
    BatchContents,
    HeldTask,
    contents_of_action,
    contents_of_batches,
)
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.text import format_size, short_id
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.screens.contents import ContentsScreen
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.screens.trash import TrashScreen


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


def trash(root: Root, *ids: str, keep: frozenset[str] = frozenset()) -> str:
    filters = FilterStack(task_ids=TaskIds(frozenset(ids)))
    plan = make_plan(read_root(root), filters, now=NOW, kept_ids=keep)
    batch_id = move_to_trash(plan, root).trash
    assert batch_id is not None
    return batch_id


# The contents


def test_contents_of_a_batch_have_statuses_bundles_and_kept_chains(root: Root) -> None:
    trash(root, *ALL, keep=frozenset({LONE}))
    contents = contents_of_batches(root, list_trash(root))
    assert {task.id for task in contents.tasks} == set(ALL) - {LONE}
    assert {task.status for task in contents.tasks} == {Status.FAILURE}
    assert all(task.folder and (task.folder / task.id).is_dir() for task in contents.tasks)
    by_id = {task.id: task for task in contents.tasks}
    assert by_id[BASE].bundles == ("sweep",) and by_id[OTHER].bundles == ("solo",)
    assert set(contents.bundles) == {"sweep", "solo"}
    assert [task.id for task in contents.kept] == [LONE] and contents.kept[0].folder is None


def test_contents_without_a_manifest_are_the_ids(root: Root) -> None:
    trash(root, OTHER)
    (entry,) = list_trash(root)
    batch = root.hipercow / "tui" / str(entry.name)
    (batch / "manifest.json").unlink()
    (batch / "tasks" / OTHER).rename(batch / "erasing" / OTHER)
    contents = contents_of_batches(root, list_trash(root))
    assert contents.tasks == (
        HeldTask(OTHER, Lang.R, folder=batch / "erasing", note="partly erased"),
    )


def test_contents_of_the_history_name_what_stayed(root: Root) -> None:
    batch_id = trash(root, *ALL)
    (root.tasks / LONE[:2]).mkdir(exist_ok=True)
    (root.tasks / LONE[:2] / LONE[2:]).mkdir()  # it exists again
    restore(root, batch_id)
    restored, moved = read_history(root)
    assert restored.kind is HistoryKind.RESTORE and moved.kind is HistoryKind.TRASH
    contents = contents_of_action(root, restored)
    assert {task.id for task in contents.tasks} == set(ALL) - {LONE}
    assert {task.status for task in contents.tasks} == {Status.FAILURE}
    assert LONE in dict(contents.kept_back)
    assert {task.id for task in contents_of_action(root, moved).tasks} == set(ALL)


def test_contents_of_an_emptied_batch_are_those_of_the_history(root: Root) -> None:
    trash(root, OTHER)
    empty(root, list_trash(root))
    emptied = read_history(root)[0]
    (task,) = contents_of_action(root, emptied).tasks
    assert (task.id, task.lang, task.status, task.folder) == (OTHER, Lang.R, Status.FAILURE, None)
    assert task.finished is not None
    assert contents_of_action(root, emptied).bundles == ("solo",)


# The screen


async def test_enter_in_the_trash_lists_the_tasks_before_anything_is_asked(root: Root) -> None:
    write_py_task(root.path, task_id(20), "failure")
    both = find_root(root.path)
    sizes = measure_many(both, [TIP])
    trash(both, *ALL, task_id(20))
    before = root_contents(root)
    app = HipercowApp(both, clock=lambda: NOW)
    async with app.run_test(size=(118, 36)) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        await pilot.press("T")
        await until(pilot, lambda: "✓ complete" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ContentsScreen))
        size = format_size(sizes[TIP].bytes)
        await until(pilot, lambda: "tasks 7" in screen_text(app) and size in screen_text(app))
        assert "of Python and R" in screen_text(app)  # rows of the trash are of one language
        lines = screen_text(app).splitlines()
        line = next(line for line in lines if short_id(TIP) in line)
        assert "✗ failure" in line and size in line
        assert any("sweep" in line for line in lines if short_id(BASE) in line)
        assert "bundles 2" in screen_text(app)
        await pilot.press("G")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrashScreen))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await pilot.press("n")
    assert root_contents(root) == before


async def test_enter_in_the_history_lists_what_was_purged(root: Root) -> None:
    trash(root, *ALL, keep=frozenset({LONE}))
    app = HipercowApp(root, clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        await pilot.press("H")
        await until(pilot, lambda: "to the trash" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "kept by you 1" in screen_text(app))
        assert "tasks 5" in screen_text(app) and "To the trash" in screen_text(app)
        await pilot.press("G", "k", "k")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen))


async def test_enter_on_a_restore_in_the_history_shows_statuses_calls_and_sizes(root: Root) -> None:
    write_py_task(root.path, task_id(20), "failure")
    both = find_root(root.path)
    filters = FilterStack(task_ids=TaskIds(frozenset((*ALL, task_id(20)))))
    plan = make_plan(read_root(both), filters, now=NOW)
    sizes = measure_many(both, plan.ids)
    restore(both, str(move_to_trash(plan, both, sizes=sizes).trash))
    app = HipercowApp(both, clock=lambda: NOW)
    async with app.run_test(size=(118, 36)) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        await pilot.press("H")
        await until(pilot, lambda: screen_text(app).count("restored") == 2)
        for line in screen_text(app).splitlines():
            assert "restored" not in line or "B  " in line  # with its size
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(app).count("✗ failure") == 1)
        await until(pilot, lambda: "echo" in screen_text(app) or "command" in screen_text(app))
        await pilot.press("escape", "j", "enter")
        size = format_size(sizes[TIP].bytes)
        await until(pilot, lambda: size in screen_text(app))
        line = next(x for x in screen_text(app).splitlines() if short_id(TIP) in x)
        assert "✗ failure" in line and size in line


async def test_a_large_batch_is_listed_without_a_pause(tmp_path: Path) -> None:
    write_task(tmp_path, task_id(0), "failure")
    tasks = tuple(HeldTask(f"{number:032x}") for number in range(100_000))
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=(118, 36)) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        screen = ContentsScreen("Batch", lambda: BatchContents(tasks), clock=lambda: NOW)
        await app.push_screen(screen)
        await until(pilot, lambda: "tasks 100,000" in screen_text(app))
        began = time.perf_counter()
        await pilot.press("G")
        await until(pilot, lambda: short_id(tasks[-1].id) in screen_text(app))
        assert time.perf_counter() - began < 2
