"""A goal on the screen of a plan: only the chains that it needs are shown, confirmed and saved."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from plan_hosts import Host, lines_of, screen_on, settled, text_of
from small_root import DAY, NOW, task_id, write_bundle, write_retries, write_task
from textual.pilot import Pilot
from textual.widgets import Input
from ui_driving import heard, screen_text, until

from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import measure
from hipercow_tui.formats.free_space import FreeSpace
from hipercow_tui.support.text import short_id
from hipercow_tui.ui.dialogs import goal as goal_dialog
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.goal import GoalScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.workers import plan_sizes

WIDE = (130, 40)
OLD, LARGE, NEW, BUSY, RETRY = map(task_id, range(1, 6))
FAILURES = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow=False))


def goal_root(where: Path, *, blocked: bool = False) -> Path:
    """Three failures of 1, 3 and 2 kB; the oldest is first, and was retried. Each is in a bundle.
    With ``blocked``, one more has a retry that is running."""
    for identity, days, size in ((OLD, 30, 1000), (LARGE, 20, 3000), (NEW, 10, 2000)):
        folder = write_task(where, identity, "failure", finished=NOW - days * DAY)
        (folder / "result").write_bytes(bytes(size))
        write_bundle(where, f"of_{identity[:2]}", [identity])
    write_task(where, RETRY, "success", retry_of=(OLD, OLD), finished=NOW - 29 * DAY)
    links = [(RETRY, OLD, OLD)]
    if blocked:
        write_task(where, task_id(8), "failure")
        write_task(where, BUSY, "running", retry_of=(task_id(8), task_id(8)))
        links.append((BUSY, task_id(8), task_id(8)))
    write_retries(where, links)
    return where


async def set_goal(pilot: Pilot[Any], screen: PlanScreen, text: str, *keys: str) -> None:
    await pilot.press("f")
    await until(pilot, lambda: isinstance(pilot.app.screen, GoalScreen))
    await heard(pilot)
    pilot.app.screen.query_one(Input).value = text
    await until(pilot, lambda: pilot.app.screen.query_one("#dialog").border_subtitle)
    await pilot.press(*keys, "enter")
    await until(pilot, lambda: pilot.app.screen is screen)


async def test_a_goal_shows_only_the_chains_that_it_needs(tmp_path: Path) -> None:
    screen = screen_on(goal_root(tmp_path), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        before, whole = lines_of(screen), screen.plan
        await set_goal(pilot, screen, "2 kB")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {OLD, RETRY, LARGE}
        assert [one.bundle.name for one in screen.plan.bundles] == ["of_01", "of_02"]
        shown = text_of(app)
        assert "3 tasks · 2 bundles" in shown and short_id(NEW) not in shown
        assert "The goal of 2.0 kB, oldest first, stops at " in shown

        await set_goal(pilot, screen, "2 kB", "down")
        await settled(pilot, screen)
        assert screen.plan.ids == (LARGE,)
        await set_goal(pilot, screen, "3 files", "up")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {OLD, RETRY}

        await set_goal(pilot, screen, "")
        await settled(pilot, screen)
        assert screen.plan.ids == whole.ids and not screen.plan.goal
        assert lines_of(screen) == before


async def test_another_chain_is_chosen_for_a_kept_one(tmp_path: Path) -> None:
    screen = screen_on(goal_root(tmp_path), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await set_goal(pilot, screen, "3 kB", "down")
        await settled(pilot, screen)
        assert screen.plan.ids == (LARGE,)
        screen.lines.cursor = next(y for y, one in enumerate(lines_of(screen)) if " - " in one)
        await pilot.press("space")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {NEW, OLD, RETRY}
        assert [one.task.id for one in screen.plan.kept] == [LARGE]
        assert "1 chain kept by you (1 task)" in text_of(app)
        screen.lines.cursor = next(
            y for y, one in enumerate(lines_of(screen)) if "kept by you" in one and "02" in one
        )
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.ids == (LARGE,) and not screen.plan.kept


async def test_an_unreachable_goal_takes_nothing_and_says_what_is_possible(tmp_path: Path) -> None:
    screen = screen_on(goal_root(tmp_path, blocked=True), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: screen.settled)
        assert screen.plan.refused
        await set_goal(pilot, screen, "1 GB")
        await settled(pilot, screen)
        assert screen.plan.empty and not screen.plan.refused
        shown = text_of(app)
        assert "The goal of 1.0 GB can't be reached: only " in shown
        assert "left out: 1 blocked" in shown and "x Leave" not in shown
        await pilot.press("D")
        await pilot.pause()
        assert app.screen is screen and "can't be reached" in text_of(app)

        await set_goal(pilot, screen, "1 kB")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {OLD, RETRY} and not screen.plan.refused


async def test_a_goal_that_is_met_already_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goal_dialog, "read_free_space", lambda path: FreeSpace(20, 100))
    screen = screen_on(goal_root(tmp_path), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await set_goal(pilot, screen, "15 %")
        await settled(pilot, screen)
        assert screen.plan.empty
        shown = text_of(app)
        assert "The goal of 15 % free is met already, so nothing goes" in shown
        assert "f: change or remove the goal" in shown
        await set_goal(pilot, screen, "25 %")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {OLD, RETRY}
        assert "The goal of 25 % free (5 B on disk), oldest first" in text_of(app)


async def test_tasks_of_the_last_hour_go_only_if_the_dialog_includes_them(tmp_path: Path) -> None:
    goal_root(tmp_path)
    young = task_id(9)
    folder = write_task(tmp_path, young, "failure", created=NOW - 600, finished=NOW - 60)
    (folder / "result").write_bytes(bytes(9000))
    screen = screen_on(tmp_path, FAILURES)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await set_goal(pilot, screen, "8 kB")
        await settled(pilot, screen)
        assert screen.plan.empty
        assert "1 created within the last hour" in " ".join(text_of(app).split())
        await set_goal(pilot, screen, "8 kB", "ctrl+r")
        await settled(pilot, screen)
        assert young in screen.plan.ids
        await pilot.press("f")
        await until(pilot, lambda: "[x] also tasks of the last hour" in screen_text(app))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "[ ] also tasks of the last hour" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await settled(pilot, screen)
        assert screen.plan.empty


async def test_nothing_is_confirmed_before_the_goal_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def slowly(*args: Any) -> Any:
        assert go.wait(30)
        return measure(*args)

    monkeypatch.setattr(plan_sizes, "measure", slowly)
    screen = screen_on(goal_root(tmp_path), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: screen.settled)
        await set_goal(pilot, screen, "1 kB")
        await until(pilot, lambda: screen.settled)
        assert not screen.current
        assert "measuring 0%, for the goal of 1.0 kB" in text_of(app)
        assert "4 tasks" not in text_of(app)
        await pilot.press("D")
        await pilot.pause(0.1)
        assert app.screen is screen
        go.set()
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        question = " ".join(text_of(app).split())
        assert "Purge 2 tasks and 1 bundle?" in question
        assert "The goal of 1.0 kB, oldest first, stops" in question


async def test_a_saved_plan_has_the_goal(tmp_path: Path) -> None:
    screen = screen_on(goal_root(tmp_path / "project"), FAILURES)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await set_goal(pilot, screen, "1 kB")
        await pilot.press("e")
        await until(pilot, lambda: app.screen is not screen)
        app.screen.query_one(Input).value = str(tmp_path / "plan.json")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
    saved = json.loads((tmp_path / "plan.json").read_bytes())
    assert {task["id"] for task in saved["tasks"]} == {OLD, RETRY}
    assert saved["goal"].startswith("The goal of 1.0 kB, oldest first, stops at")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("20 GB", "20.0 GB, oldest first"),
        ("20G", "'20G' has no known unit: write '20 GB'"),
        ("15%", "15 % free"),
        ("1,000 files", "1,000 files, oldest first"),
        ("101 %", "is not a percentage"),
        ("", "such as 20 GB, 20 GiB, 15 % or 1,000 files"),
    ],
)
async def test_the_dialog_says_what_the_text_means(tmp_path: Path, text: str, note: str) -> None:
    screen = screen_on(goal_root(tmp_path), FAILURES)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        app.screen.query_one(Input).value = text
        await until(pilot, lambda: note in " ".join(screen_text(app).split()))
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is screen and not screen.plan.goal
