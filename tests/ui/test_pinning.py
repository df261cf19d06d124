"""Pinning and unpinning on the main screen and in the plan."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from plan_hosts import (
    CANCELLED,
    FAILED,
    RETRIED,
    Host,
    lines_of,
    screen_on,
    settled,
    text_of,
    varied_root,
)
from small_root import task_id, write_bundle, write_retries, write_task
from textual.pilot import Pilot
from ui_driving import all_rows_shown, heard, screen_text, until

from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.records import RecordTarget, TargetKind
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import find_root
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.purging.record_files import add_pin
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.text import short_id
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.pin_note import PinNoteScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.widgets.row_rendering import PINNED

FIRST, RETRY, LONE, OTHER = map(task_id, range(1, 5))
USER = current_process().user


def pins_on_disk(where: Path) -> list[Pin]:
    return list(read_root(find_root(where)).pins.pins)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A chain of two, in bundle ``<a=sweep>`` with one more task, and a task in bundle ``solo``."""
    write_task(tmp_path, FIRST, "failure")
    write_task(tmp_path, RETRY, "failure", retry_of=(FIRST, FIRST))
    write_task(tmp_path, LONE, "failure")
    write_task(tmp_path, OTHER, "success")
    write_retries(tmp_path, [(RETRY, FIRST, FIRST)])
    write_bundle(tmp_path, "<a=sweep>", [FIRST, LONE])
    write_bundle(tmp_path, "solo", [OTHER])
    return tmp_path


@asynccontextmanager
async def browsing(
    where: Path, *, read_only: bool = False
) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    app = HipercowApp(find_root(where), indexed=False, read_only=read_only, clock=time.time)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        yield app, pilot


def go_to(app: HipercowApp, identity: str) -> None:
    row = app.browser.tasks.row_of(identity)
    assert row is not None
    app.browser.tasks.move_to(row)


async def pin(pilot: Pilot[None], note: str) -> None:
    """Press P, and type the note."""
    await pilot.press("P")
    await until(pilot, lambda: isinstance(pilot.app.screen, PinNoteScreen))
    await pilot.press(*note, "enter")
    await until(pilot, lambda: not isinstance(pilot.app.screen, PinNoteScreen))


def row_text(app: HipercowApp, identity: str) -> str:
    table = app.browser.tasks
    row = table.row_of(identity)
    assert row is not None
    return table.render_line(row + 1 - round(table.scroll_y)).text


async def test_p_pins_the_chain_with_a_note_and_p_again_unpins_it(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        go_to(app, FIRST)
        await pin(pilot, "figure 3")
        await until(pilot, lambda: app.browser.tasks.view.snapshot.held.keys() == {FIRST, RETRY})
        (made,) = pins_on_disk(project)
        assert (made.note, made.user, made.target.name) == ("figure 3", USER, FIRST)
        await until(pilot, lambda: f"pinned by {USER} on " in screen_text(app))
        assert "figure 3" in screen_text(app) and "Pinned chain" in screen_text(app)
        await pilot.press("1")
        await until(pilot, lambda: f"1 matched {PINNED} 2" in screen_text(app))
        await pilot.press("1")
        for identity, shown in ((FIRST, True), (RETRY, True), (LONE, False)):
            assert (PINNED in row_text(app, identity)) is shown

        go_to(app, RETRY)
        await pilot.press("P")
        await until(pilot, lambda: not app.browser.tasks.view.snapshot.held)
        assert pins_on_disk(project) == []
        assert PINNED not in row_text(app, FIRST)
        assert f"Unpinned chain {short_id(FIRST)}, which was" in screen_text(app)


async def test_esc_in_the_question_pins_nothing(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        await pilot.press("P")
        await until(pilot, lambda: isinstance(app.screen, PinNoteScreen))
        await pilot.press("x", "escape")
        await until(pilot, lambda: not isinstance(app.screen, PinNoteScreen))
        assert not (project / "hipercow" / "tui").exists()


async def test_p_pins_all_marked_chains_without_a_note(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        app.browser.session.marks.add([FIRST, RETRY, OTHER])
        await pin(pilot, "")
        await until(pilot, lambda: len(pins_on_disk(project)) == 2)
        assert {one.note for one in pins_on_disk(project)} == {""}
        await until(pilot, lambda: set(app.browser.session.snapshot.held) == {FIRST, RETRY, OTHER})
        await pilot.press("P")
        await until(pilot, lambda: pins_on_disk(project) == [])


async def test_a_bundle_is_pinned_and_unpinned_in_the_list_of_bundles(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        await pilot.press("b")
        table = app.browser.bundles_pane.table
        await until(pilot, lambda: len(table.keys) == 2)
        table.move_to(table.keys.index("<a=sweep>"))
        await pilot.pause()
        await pin(pilot, "mine")
        await until(pilot, lambda: set(app.browser.session.snapshot.held) == {FIRST, RETRY, LONE})
        (made,) = pins_on_disk(project)
        assert made.target == RecordTarget(TargetKind.BUNDLE, Lang.R, "<a=sweep>")
        await until(pilot, lambda: f"pinned by {USER} on " in screen_text(app))
        assert f" {PINNED}<a=sweep>" in screen_text(app)

        await pilot.press("b")  # a task of the bundle is not unpinned alone
        go_to(app, LONE)
        await pilot.press("P")
        await pilot.pause()
        assert "The pin of bundle <a=sweep> holds this" in screen_text(app)
        assert pins_on_disk(project) == [made]

        await pilot.press("b", "P")
        await until(pilot, lambda: pins_on_disk(project) == [])


async def test_an_error_is_not_pinned(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        await pilot.press("e", "P")
        await pilot.pause()
        assert "Go to a task or a bundle to pin it" in screen_text(app)


async def test_a_read_only_app_changes_no_pin(project: Path) -> None:
    async with browsing(project, read_only=True) as (app, pilot):
        await pilot.press("P")
        await pilot.pause()
        assert "Started with --read-only: pins can be viewed" in screen_text(app)
        assert not (project / "hipercow" / "tui").exists()


async def test_a_root_that_cant_be_written_is_a_sentence_on_the_screen(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        (project / "hipercow" / "tui").mkdir()
        (project / "hipercow" / "tui" / "pins").symlink_to(project)
        go_to(app, LONE)
        await pin(pilot, "x")
        await until(pilot, lambda: "Nothing was changed" in screen_text(app))


async def test_the_main_screen_follows_the_pins_of_other_users(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        add_pin(find_root(project), RecordTarget(TargetKind.CHAIN, Lang.R, LONE), "theirs")
        await until(pilot, lambda: LONE in app.browser.tasks.view.snapshot.held)
        await until(pilot, lambda: PINNED in row_text(app, LONE))


# The plan


async def test_p_in_the_plan_holds_a_chain_back_and_lets_it_go_again(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=(160, 45)) as pilot:
        await settled(pilot, screen)
        whole = screen.plan
        screen.lines.cursor = next(y for y, x in enumerate(lines_of(screen)) if "└" in x)
        await pin(pilot, "still needed")
        await until(pilot, lambda: screen.plan.ids == (CANCELLED,))
        await settled(pilot, screen)
        # After the chain, where the cursor was.
        assert lines_of(screen)[screen.lines.cursor].startswith(" ▾ bundles")
        lines = lines_of(screen)
        assert lines[-3] == " ▾ held back by pins · 2 tasks"
        assert all(f"{USER}: still needed" in line for line in lines[-2:])
        assert "2 tasks held back by pins" in text_of(app)

        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await heard(pilot)
        assert "2 tasks held back by pins." in " ".join(text_of(app).split())
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)

        screen.lines.cursor = len(lines) - 1
        await pilot.pause()
        assert f"pinned by {USER} on " in text_of(app)
        await pilot.press("P")
        await until(pilot, lambda: set(screen.plan.ids) == set(whole.ids))
        assert pins_on_disk(tmp_path) == []
        await settled(pilot, screen)
        assert screen.lines.cursor == screen.lines.count - 1  # the last line above the pins
        assert screen.pinning.changed


async def test_p_on_a_bundle_of_the_plan_pins_the_bundle(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with Host(screen).run_test(size=(160, 45)) as pilot:
        await settled(pilot, screen)
        screen.lines.cursor = next(y for y, x in enumerate(lines_of(screen)) if "- sweep_01" in x)
        await pin(pilot, "")
        await until(pilot, lambda: screen.plan.empty)
        (made,) = pins_on_disk(tmp_path)
        assert made.target.kind is TargetKind.BUNDLE
        assert {one.task.id for one in screen.plan.pinned} == {FAILED, RETRIED, CANCELLED}
        await until(pilot, lambda: screen.settled)
        assert screen.query_one("#list").display
        assert "P unpins what pins hold back" in text_of(pilot.app)


async def test_the_main_screen_shows_what_was_pinned_in_the_plan(project: Path) -> None:
    async with browsing(project) as (app, pilot):
        await pilot.press("1", "p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        await settled(pilot, screen)
        screen.lines.cursor = 1
        await pin(pilot, "")
        await until(pilot, lambda: bool(screen.plan.pinned))
        await pilot.press("escape")
        await until(pilot, lambda: bool(app.browser.tasks.view.snapshot.held))
