"""Keeping chains on the screen of a plan: what is shown, confirmed, saved and copied."""

from __future__ import annotations

import gc
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from plan_hosts import (
    CANCELLED,
    FAILED,
    KEPT,
    RETRIED,
    RUNNING,
    STUCK,
    Host,
    lines_of,
    screen_on,
    settled,
    text_of,
    varied_root,
)
from rich.text import Text
from small_root import task_id, write_bundle, write_task
from textual.pilot import Pilot
from textual.widgets import Input
from ui_driving import heard, until

from hipercow_tui.domain.filters import FilterStack, InBundle
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.support.text import short_id
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.screens import plan_purging
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.workers import plan_sizes, plan_view
from hipercow_tui.ui.workers.purge_job import JobSpec

WIDE = (160, 45)


def line_with(screen: PlanScreen, text: str) -> int:
    return next(y for y, line in enumerate(lines_of(screen)) if text in line)


def struck(line: Text) -> str:
    """The part of a line that is struck through."""
    spans = [span for span in line.spans if not isinstance(span.style, str) and span.style.strike]
    return "".join(line.plain[span.start : span.end] for span in spans)


async def go_to(pilot: Pilot[Any], screen: PlanScreen, text: str) -> None:
    screen.lines.cursor = line_with(screen, text)
    await pilot.pause()


async def test_space_keeps_the_chain_and_the_numbers_follow(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        before, whole = lines_of(screen), screen.plan
        await go_to(pilot, screen, "-▾ ✗ failure")
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.ids == (CANCELLED,)
        assert {one.task.id for one in screen.plan.kept} == {FAILED, RETRIED}
        lines = lines_of(screen)
        assert len(lines) == len(before)
        assert "kept by you" in lines[3] and short_id(FAILED) in lines[3]
        assert " - " not in lines[3] and " ! " not in lines[4]
        assert short_id(FAILED) in struck(screen.lines.line(3))
        assert "kept by you" not in struck(screen.lines.line(3))
        assert short_id(RETRIED) in struck(screen.lines.line(4))
        assert lines[2].startswith(" ▾ with their retry chain · 0 tasks · 2 kept by you")
        assert "3 tasks: 1 goes, 2 stay without it" in lines[6]
        shown = text_of(app)
        assert "1 task · 1 bundle" in shown and "1 chain kept by you (2 tasks)" in shown
        assert "a retry chain goes as a whole" not in shown
        assert screen.lines.cursor == 5  # after the chain

        await go_to(pilot, screen, "└ ✓ success")
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan is whole
        assert lines_of(screen) == before


async def test_a_large_plan_is_left_out_of_garbage_collections_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(plan_view, "_LARGE_PLAN", 1)
    monkeypatch.setattr(gc, "freeze", lambda: calls.append("freeze"))
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("j", "space", "t", "slash", "x")
        await settled(pilot, screen)
    assert gc.isenabled() and calls == ["freeze"]


async def test_space_on_a_bundle_keeps_its_gone_ids_too(tmp_path: Path) -> None:
    write_task(tmp_path, FAILED, "failure")
    write_bundle(tmp_path, "half", [FAILED, RETRIED])
    write_bundle(tmp_path, "none", [STUCK])
    screen = screen_on(tmp_path, FilterStack(in_bundle=InBundle.of("*")))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        for name, left in (("- half", ["none"]), ("- none", [])):
            await go_to(pilot, screen, name)
            await pilot.press("space")
            await settled(pilot, screen)
            assert [one.bundle.name for one in screen.plan.bundles] == left
        assert screen.plan.empty
        await go_to(pilot, screen, "▾ bundles")
        await pilot.press("space")
        await settled(pilot, screen)
        assert [one.bundle.name for one in screen.plan.bundles] == ["half", "none"]


async def test_space_on_a_bundle_keeps_every_chain_that_takes_it(tmp_path: Path) -> None:
    where = varied_root(tmp_path, blocked=False)
    alone = task_id(9)
    write_task(where, alone, "failure")
    write_bundle(where, "other", [alone])
    screen = screen_on(where)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await go_to(pilot, screen, "- sweep_01")
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.ids == (alone,)
        assert [one.bundle.name for one in screen.plan.bundles] == ["other"]
        y = line_with(screen, "stays, because you keep its tasks")
        assert "sweep_01" in struck(screen.lines.line(y))
        assert "2 chains kept by you (3 tasks)" in text_of(app)
        screen.lines.cursor = y
        await pilot.press("space")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {FAILED, RETRIED, CANCELLED, alone}
        assert not screen.plan.kept

        await pilot.press("t", "g", "]")
        await settled(pilot, screen)
        assert "sweep_01 · 3 tasks: 2 go" in lines_of(screen)[screen.lines.cursor]
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.ids == (alone,)


async def test_space_on_a_title_keeps_the_whole_group(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("space")
        await settled(pilot, screen)
        assert set(screen.plan.ids) == {FAILED, RETRIED}
        assert lines_of(screen)[screen.lines.cursor].startswith(" ▾ with their retry chain")
        await go_to(pilot, screen, "▾ bundles")
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.empty


async def test_a_plan_of_which_all_is_kept_is_not_purged(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("space", "space")
        await settled(pilot, screen)
        assert "Nothing to purge" in text_of(app)
        assert "2 chains kept by you (3 tasks)" in text_of(app)
        footer = text_of(app).splitlines()[-1]
        assert "Keep" in footer and not {"Purge…", "Save plan", "Copy"} & set(footer.split())
        await pilot.press("D", "e", "c")
        await pilot.pause()
        assert app.screen is screen
        assert "You keep everything: space takes a chain back" in screen.why_disabled("purge")


async def test_keeping_a_blocked_chain_frees_the_rest_of_the_plan(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with (app := Host(screen)).run_test(size=(120, 30)) as pilot:
        await settled(pilot, screen)
        assert screen.plan.refused
        await go_to(pilot, screen, "▶ running")
        await pilot.press("space")
        await settled(pilot, screen)
        assert not screen.plan.refused
        assert set(screen.plan.ids) == {FAILED, RETRIED, CANCELLED}
        assert {one.task.id for one in screen.plan.kept} == {STUCK, RUNNING}
        assert "kept by you" in lines_of(screen)[line_with(screen, "▶ running")]
        assert "3 tasks · 1 bundle" in text_of(app)
        # A chain that x leaves out can't be kept: it stays anyway.
        await pilot.press("x")
        await settled(pilot, screen)
        await go_to(pilot, screen, "▶ running")
        kept = screen.plan.kept
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.kept == kept
        await pilot.press("x")
        await settled(pilot, screen)
        await go_to(pilot, screen, "▶ running")
        await pilot.press("space")
        await settled(pilot, screen)
        assert screen.plan.refused and not screen.plan.kept


async def test_what_is_left_is_confirmed_saved_and_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = varied_root(tmp_path / "root", blocked=False)
    monkeypatch.chdir(tmp_path)
    screen = screen_on(where)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await go_to(pilot, screen, "-▾ ✗ failure")
        await pilot.press("space", "c")
        await settled(pilot, screen)
        assert CANCELLED in app.clipboard and FAILED not in app.clipboard
        await pilot.press("e")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        app.screen.query_one(Input).value = "plan.json"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        saved = json.loads((tmp_path / "plan.json").read_text())
        assert [one["id"] for one in saved["tasks"]] == [CANCELLED]
        assert FAILED in json.dumps(saved["kept"]) and RETRIED in json.dumps(saved["kept"])
        await pilot.press("D")
        await until(pilot, lambda: "Purge 1 task and 1 bundle?" in text_of(app))
        await heard(pilot)
        await pilot.press("t")
        await until(pilot, lambda: bool(app.answers))
        job = app.answers[0]
        assert isinstance(job, JobSpec)
        assert KEPT not in screen.plan.ids and screen.plan.ids == (CANCELLED,)


class Gate:
    """A function that waits until the gate is opened."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.open = threading.Event()

    def __call__(self, *args: Any, **named: Any) -> Any:
        assert self.open.wait(30)
        return self.function(*args, **named)


async def test_no_number_of_the_plan_before_is_shown_while_the_next_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(make_plan)
    monkeypatch.setattr(plan_view, "make_plan", gate)
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        assert "3 tasks · 1 bundle" in text_of(app) and "2 go" in text_of(app)
        await go_to(pilot, screen, "-▾ ✗ failure")
        await pilot.press("space")
        await until(pilot, lambda: "counting …" in text_of(app))
        shown = text_of(app)
        assert "kept by you" in lines_of(screen)[3]
        assert "would go" not in shown and "1 drawn in" not in shown and "2 go" not in shown
        await pilot.press("D")
        await pilot.pause(0.1)
        assert app.screen is screen  # the question is about the plan that is being made
        gate.open.set()
        await until(pilot, lambda: "Purge 1 task and 1 bundle?" in text_of(app))


async def test_a_key_for_the_plan_before_is_forgotten_when_it_changes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(make_plan)
    monkeypatch.setattr(plan_view, "make_plan", gate)
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await go_to(pilot, screen, "-▾ ✗ failure")
        await pilot.press("space", "D", "k", "k", "space")
        gate.open.set()
        await settled(pilot, screen)
        await pilot.pause(0.2)
        assert app.screen is screen and not isinstance(app.screen, ConfirmScreen)


async def test_a_plan_that_is_changed_during_the_check_is_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, making = Gate(lambda *_: None), Gate(make_plan)
    monkeypatch.setattr(plan_purging, "preflight", checking)
    monkeypatch.setattr(plan_view, "make_plan", making)
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("D", "space")
        checking.open.set()
        await pilot.pause(0.2)
        assert app.screen is screen
        making.open.set()
        await settled(pilot, screen)
        await pilot.pause(0.1)
        assert app.screen is screen
        await pilot.press("D")
        await until(pilot, lambda: "Purge 2 tasks and 1 bundle?" in text_of(app))


async def test_the_size_is_that_of_the_present_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {FAILED: 1000, RETRIED: 2000, CANCELLED: 40_000}
    gate = Gate(lambda root, i: Size(sizes[i], 1))
    monkeypatch.setattr(plan_sizes, "measure", gate)
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: screen.settled)
        assert "measuring 0%" in text_of(app) and "kB" not in text_of(app)
        await pilot.press("space")
        await until(pilot, lambda: screen.settled)
        assert "measuring 0%" in text_of(app) and "kB" not in text_of(app)
        gate.open.set()
        await settled(pilot, screen)
        assert "3.0 kB in 2 files would go" in text_of(app)
        assert "measuring" not in text_of(app)
        await pilot.press("g", "space")
        await settled(pilot, screen)
        assert "43.0 kB in 3 files would go" in text_of(app)


async def test_the_first_plan_is_not_changed_by_keeping(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    plan: PurgePlan = screen.plan
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("space")
        await settled(pilot, screen)
        assert plan.kept == () and len(plan.tasks) == 3


async def test_the_view_is_made_outside_of_the_ui_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noting(function: Any) -> Any:
        def noted(*args: Any, **named: Any) -> Any:
            threads.append(threading.current_thread())
            return function(*args, **named)

        return noted

    for name in ("make_plan", "make_tree", "tree_rows", "group_figures", "find_hits"):
        monkeypatch.setattr(plan_view, name, noting(getattr(plan_view, name)))
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("space", "t", "x", "slash", "a")
        await settled(pilot, screen)
    assert len(threads) > 5 and threading.main_thread() not in threads


async def test_space_on_a_line_without_a_chain_says_so(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        plan = screen.plan
        screen.lines.cursor = 1
        await pilot.press("space")
        assert "No chain of the plan is here" in "".join(n.message for n in app._notifications)
        assert screen.plan is plan
