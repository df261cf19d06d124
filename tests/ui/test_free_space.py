"""The free space in the header and in the report of a purge, and a full disk that a goal frees."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from mounts import fill_with, mounted
from plan_hosts import settled
from purge_stage import in_place, make_root
from small_root import DAY, NOW, task_id, write_task
from textual.widgets import Input
from ui_driving import heard, screen_text, until

from hipercow_tui.formats.free_space import FreeSpace, read_free_space
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.goal import GoalScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.workers import free_space
from hipercow_tui.ui.workers.free_space import FreeSpaceWorker

WIDE = (140, 40)


async def purge_plan(pilot: Any, app: HipercowApp, goal: str = "") -> None:
    """Purge all failed tasks for good, or as many as the goal needs."""
    await pilot.press("1", "p")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen))
    plan = app.screen
    assert isinstance(plan, PlanScreen)
    await settled(pilot, plan)
    if goal:
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        app.screen.query_one(Input).value = goal
        await until(pilot, lambda: app.screen.query_one("#dialog").border_subtitle)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is plan)
        await settled(pilot, plan)
    await pilot.press("D")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
    await heard(pilot)
    if app.screen.query("#number"):
        await pilot.press(*str(len(plan.plan.tasks)))
    await pilot.press("y")
    browser = app.browser
    await until(pilot, lambda: app.screen is browser and browser.query("JobResult"))


async def test_the_header_and_the_report_say_how_much_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaces = [FreeSpace(300 * 10**9, 2 * 10**12)]
    monkeypatch.setattr(free_space, "read_free_space", lambda path: spaces[-1])
    root = make_root(tmp_path)
    app = HipercowApp(root, clock=lambda: NOW)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        await until(pilot, lambda: " 300 GB free of 2 TB · live" in screen_text(app))
        spaces.append(FreeSpace(310 * 10**9, 2 * 10**12))
        await purge_plan(pilot, app)
        await until(pilot, lambda: "The file system has 310 GB free of 2 TB" in screen_text(app))
        text = screen_text(app)
        assert "Erased 6 tasks and 2 bundles: " in text and " 310 GB free of 2 TB · live" in text


async def test_a_full_disk_is_freed_by_a_goal_in_the_app(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=64m") as allowed:
        if not allowed:
            pytest.skip("mounting is not allowed")
        where = tmp_path / "disk"
        for number, days in ((1, 30), (2, 20), (3, 10)):
            ended = NOW - days * DAY
            folder = write_task(where, task_id(number), "failure", finished=ended)
            (folder / "result").write_bytes(os.urandom(4_000_000))
        fill_with(where / "filler")
        full = read_free_space(where)
        assert full is not None and full.free == 0
        app = HipercowApp(find_root(where), clock=lambda: NOW)
        async with app.run_test(size=WIDE) as pilot:
            await until(pilot, lambda: "0 B free of 67.1 MB" in screen_text(app))
            await purge_plan(pilot, app, "10 %")
            freed = read_free_space(where)
            assert freed is not None and freed.missing(10) == 0
            await until(pilot, lambda: f"{freed} · " in screen_text(app))
            assert "The goal of 10 % free (6.7 MB on disk), oldest first" in screen_text(app)
            await until(pilot, lambda: f"The file system has {freed} now" in screen_text(app))
            await pilot.press("H")
            await until(pilot, lambda: "The goal of 10 % free (6.7 MB on" in screen_text(app))
        assert in_place(find_root(where)) == {task_id(3)}


def test_the_free_space_is_read_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_space, "READ_EVERY", 0.01)
    threads: list[threading.Thread] = []
    enough = threading.Event()

    def take(space: FreeSpace | None) -> None:
        assert space is not None
        threads.append(threading.current_thread())
        if len(threads) == 3:
            enough.set()

    worker = FreeSpaceWorker(tmp_path, take, lambda error: pytest.fail(str(error)))
    assert not enough.wait(0.05)  # nothing is read before the first request
    worker.read_now()
    assert enough.wait(30)
    worker.stop()
    assert threading.main_thread() not in threads
