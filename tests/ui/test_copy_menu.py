from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from r_stand_in import NEW_ID, use_stub
from small_root import DAY, NOW, snapshot_of, task_id, write_bundle, write_retries, write_task
from textual.pilot import Pilot
from ui_driving import screen_text, until

from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.cancel import CancelScreen
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen, CopySource, _purge_note

RUNNING, FAILED, RETRIED, DONE = map(task_id, range(1, 5))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A running task, a failure that was retried and failed again, and a success, in a bundle; and
    an Rscript that acts like that of R."""
    (tmp_path / "bin").mkdir()
    use_stub(monkeypatch, tmp_path / "bin")
    where = tmp_path / "project"
    write_task(where, RUNNING, "running")
    write_task(where, FAILED, "failure", finished=NOW - 3 * DAY)
    write_task(where, RETRIED, "failure", retry_of=(FAILED, FAILED), finished=NOW - 2 * DAY)
    write_task(where, DONE, "success", finished=NOW - 4 * DAY)
    write_retries(where, [(RETRIED, FAILED, FAILED)])
    write_bundle(where, "sweep", [RUNNING, FAILED, DONE])
    return where


@asynccontextmanager
async def browsing(
    root: Path, size: tuple[int, int] = (118, 40), *, read_only: bool = False
) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    app = HipercowApp(find_root(root), read_only=read_only, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: len(app.browser.tasks.keys) == 4)
        await until(pilot, lambda: app.browser.session.snapshot.bundles)
        yield app, pilot


async def menu(app: HipercowApp, pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys, "c")
    await until(pilot, lambda: isinstance(app.screen, CopyMenuScreen))
    return screen_text(app)


def test_the_note_of_a_purge_counts_the_bundles_of_the_whole_chains() -> None:
    snapshot = snapshot_of(
        [Task(FAILED, Status.FAILURE), Task(RETRIED, Status.FAILURE)],
        bundles={"one": (FAILED,), "two": (RETRIED,)},
        links=[(RETRIED, FAILED, FAILED)],
    )
    source = CopySource("", (snapshot.tasks[FAILED],), snapshot, {})
    assert _purge_note(source, [FAILED]) == "1 task + 1 in its chain + 2 bundles"


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_menu_shows_a_note_for_each_entry(root: Path, size: tuple[int, int]) -> None:
    async with browsing(root, size) as (app, pilot):
        shown = await menu(app, pilot, "space", "space", "space", "space")
        assert "Copy: 4 marked tasks" in shown
        assert "4 tasks + 1 bundle" in shown
        assert "1 task; 3 not submitted or running" in shown
        assert "2 tasks, 1 of them a success, 1 by a later" in shown
        assert f"{'':27}attempt; 1 not ended" in shown


async def test_a_letter_copies_an_entry(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        app.browser.tasks.move_to(app.browser.tasks.keys.index(FAILED))
        for key, copied in (
            ("i", FAILED),
            ("p", f'hipercow::hipercow_purge(task_ids = "{FAILED}")'),
            ("t", f'hipercow::task_retry("{RETRIED}")'),
            ("l", f'hipercow::task_log_show("{FAILED}", follow = FALSE)'),
            ("s", f'hipercow::task_info("{FAILED}", follow = FALSE)'),
        ):
            shown = await menu(app, pilot)
            assert "Copy: ✗ failure 020000…0002" in shown
            await pilot.press(key)
            await until(pilot, lambda: app.screen is app.browser)
            assert app.clipboard == copied
            await until(pilot, lambda: "Copied: " in screen_text(app))


async def test_rows_have_tabs_and_titles(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        await until(pilot, lambda: len(app.browser.session.services.summaries.summaries) == 4)
        await menu(app, pilot, "space", "space")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.screen is app.browser)
        titles, *lines = [line.split("\t") for line in app.clipboard.split("\n")]
        assert titles[:3] == ["id", "status", "what"]
        assert [line[:5] for line in lines] == [
            [RUNNING, "running", "x", "", "sweep"],
            [RETRIED, "failure", "x", "", ""],
        ]
        assert all(len(line) == len(titles) for line in lines)


async def test_the_name_or_the_ids_of_a_bundle_are_copied(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        assert "Copy: bundle sweep" in await menu(app, pilot, "b")
        await pilot.press("n")
        await until(pilot, lambda: app.screen is app.browser)
        assert app.clipboard == "sweep"
        await menu(app, pilot)
        await pilot.press("i")
        assert app.clipboard.split() == [RUNNING, FAILED, DONE]


async def test_disabled_entries_show_the_reason(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        app.browser.tasks.move_to(app.browser.tasks.keys.index(DONE))
        shown = await menu(app, pilot)
        assert "nothing to do: not submitted or running" in shown
        await pilot.press("c", "C")
        assert isinstance(app.screen, CopyMenuScreen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.browser)


async def test_read_only_copies_and_runs_nothing(root: Path) -> None:
    async with browsing(root, read_only=True) as (app, pilot):
        assert "started with --read-only" in await menu(app, pilot)
        await pilot.press("C")
        assert isinstance(app.screen, CopyMenuScreen)
        await pilot.press("i")
        assert app.clipboard == RUNNING


async def test_r_cancels_after_a_question_and_its_output_is_shown(root: Path) -> None:
    async with browsing(root, (80, 24)) as (app, pilot):
        await menu(app, pilot)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        assert "hipercow 0.0.1" in screen_text(app)
        await listening(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: "R has finished" in screen_text(app))
        shown = screen_text(app)
        assert "✔ called for 1␛]0;owned␇" in shown
        assert (root / "task_cancel").read_text() == RUNNING
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.browser)


async def listening(app: HipercowApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.focused is not None and app.focused.id == "cancel")


async def test_cancel_has_the_focus(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        await menu(app, pilot)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await listening(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.browser)
        assert not (root / "task_cancel").exists()


async def let_r_retry(app: HipercowApp, pilot: Pilot[None], expected: str) -> str:
    await menu(app, pilot)
    await pilot.press("T")
    await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
    await listening(app, pilot)
    await pilot.press("d")
    await until(pilot, lambda: expected in screen_text(app))
    return screen_text(app)


async def test_r_retries_latest_attempts_and_its_errors_are_shown(root: Path) -> None:
    (root / "fail").touch()
    async with browsing(root) as (app, pilot):
        await pilot.press(*["space"] * 4)
        await let_r_retry(app, pilot, "R failed with status 1")
        assert set((root / "task_retry").read_text().split()) == {RETRIED, DONE}
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.browser)
        (root / "fail").unlink()
        assert NEW_ID in await let_r_retry(app, pilot, "R has finished")


async def test_escape_stops_r(root: Path) -> None:
    (root / "sleep").touch()
    async with browsing(root) as (app, pilot):
        await menu(app, pilot)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await listening(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: "esc: stop" in screen_text(app))
        await until(pilot, lambda: "called for 1" in screen_text(app))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "R is still running" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "R was stopped" in screen_text(app))


async def test_a_missing_rscript_is_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    async with browsing(root) as (app, pilot):
        await menu(app, pilot)
        await pilot.press("C")
        await until(pilot, lambda: "There is no 'Rscript' on the PATH" in screen_text(app))
        assert isinstance(app.screen, CancelScreen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.browser)
