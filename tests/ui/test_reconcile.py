from __future__ import annotations

from pathlib import Path

import pytest
from r_stand_in import use_stub
from small_root import DAY, NOW, info_file, task_id, write_bundle, write_retries, write_task
from ui_driving import Driven, all_rows_shown

from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.reconcile import READ_ONLY, ReconcileScreen
from hipercow_tui.ui.screens.plan import PlanScreen

FAILED, LOST, ALIVE, ENDED, UNKNOWN = map(task_id, range(1, 6))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A failure with a lost retry, and other unfinished tasks: one is alive, one has ended without
    the marker of its end, one is unknown to the cluster. ``Rscript`` is a program that acts so."""
    (tmp_path / "bin").mkdir()
    use_stub(monkeypatch, tmp_path / "bin")
    where = tmp_path / "project"
    write_task(where, FAILED, "failure", finished=NOW - 3 * DAY)
    write_task(where, LOST, "running", retry_of=(FAILED, FAILED))
    write_retries(where, [(LOST, FAILED, FAILED)])
    write_task(where, ALIVE, "running")
    folder = write_task(where, ENDED, "running")
    (folder / "info").write_bytes(info_file("success", NOW - 2 * DAY, NOW - DAY, NOW - DAY / 2))
    write_task(where, UNKNOWN, "submitted")
    write_bundle(where, "sweep", [ALIVE, ENDED, UNKNOWN])
    says = {LOST: "failure", ALIVE: "running", ENDED: "success"}
    (where / "driver-says").write_text("".join(f"{i} {status}\n" for i, status in says.items()))
    return where


def words(driven: Driven) -> str:
    """The text on the screen without frames and line ends, which can be anywhere."""
    return " ".join(driven.text.replace("│", " ").split())


async def answered(driven: Driven, question: str, key: str) -> None:
    """Wait for the question, and answer it."""
    await driven.until(lambda: driven.shows(ChoiceScreen) and question in words(driven))
    await driven.until(lambda: driven.app.focused is not None)
    await driven.press(key)


async def test_r_frees_what_blocks_a_plan_and_reports_what_it_can_not_free(
    root: Path,
) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        driven = Driven(app, pilot)
        await driven.until(lambda: all_rows_shown(app) and app.browser.session.snapshot.bundles)

        app.browser.tasks.move_to(app.browser.tasks.keys.index(FAILED))
        await driven.press("space", "p")
        await driven.until(lambda: driven.shows(PlanScreen) and "blocked" in driven.text)
        assert "R: ask the cluster" in driven.text
        await driven.press("R")
        await answered(driven, "Ask the cluster about the task that blocks the plan?", "y")
        await driven.until(lambda: "R has finished" in driven.text)
        assert "freed 1: 1 became failure" in driven.text
        assert "Fixing status" in driven.text, "what R printed"
        assert "1 of 1 asked · 1 freed" in driven.text
        await driven.press("escape")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        await driven.until(lambda: plan.current and not plan.plan.refused and plan.measured)
        assert plan.refusal is None
        assert {one.task.id for one in plan.plan.tasks} == {FAILED, LOST}
        await driven.press("R")
        assert driven.shows(PlanScreen), "nothing blocks it any more"
        await driven.press("escape")
        await driven.until(lambda: app.screen is app.browser)

        await driven.press("u")
        app.browser.tasks.move_to(app.browser.tasks.keys.index(ENDED))
        await driven.until(lambda: "success 12 hours ago; the marker" in words(driven))
        app.browser.tasks.move_to(app.browser.tasks.keys.index(ALIVE))
        await driven.press("R")
        await driven.until(lambda: driven.shows(ChoiceScreen))
        assert "a: 1 task that may be stuck (!)" in words(driven)
        await driven.until(lambda: app.focused is not None)
        await driven.press("n")
        await driven.until(lambda: app.screen is app.browser)

        await driven.press("b", "R")
        await answered(driven, "y: 3 unfinished tasks of sweep", "y")
        await driven.until(lambda: "R has finished" in driven.text)
        assert "still alive 1" in driven.text
        assert "could not be asked 1" in driven.text
        assert "3 of 3 asked · 1 alive · 1 not recorded · 1 without answer" in driven.text
        await driven.press("c")
        marker = f"hipercow/tasks/{ENDED[:2]}/{ENDED[2:]}/status-success"
        assert app.clipboard == f'file.create("{marker}")'
        await driven.press("escape")
        await driven.until(lambda: app.screen is app.browser)

        (root / "sleep").touch()
        await driven.press("R")
        await answered(driven, "y: 3 unfinished tasks of sweep", "y")
        await driven.until(lambda: "1 of 3 asked · 1 alive · about" in driven.text)
        await driven.press("q")
        await driven.until(lambda: "R was stopped" in driven.text)
        assert "not asked 2: R ended before" in driven.text
        await driven.press("escape")
        await driven.until(lambda: app.screen is app.browser)

        (root / "no-hipercow").touch()
        await driven.press("R")
        await driven.until(lambda: "R is there but has no package hipercow" in words(driven))
        await driven.press("c", "escape")
        assert "try(hipercow::task_info(id))" in app.clipboard
        assert app.clipboard.count(ENDED) == 1, "the call is for the tasks of both choices"

        app.browser.session.read_only = True
        await driven.press("R")
        assert READ_ONLY in [one.message for one in app._notifications]
        assert not driven.shows(ReconcileScreen)
