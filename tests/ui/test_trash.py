from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from purge_stage import ALL, BASE, LONE, folder_of, in_place, lots, make_root, plan_of, whole
from small_root import NOW, write_bundle
from textual.pilot import Pilot
from textual.screen import Screen
from ui_driving import screen_text, until

from hipercow_tui.purging import State, history, move_to_trash, trash
from hipercow_tui.purging.heart import DEAD_AFTER
from hipercow_tui.roots import Root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.screens.confirm import ConfirmScreen
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.question import QuestionScreen
from hipercow_tui.ui.screens.summary import SummaryScreen
from hipercow_tui.ui.screens.trash import TrashScreen


class Driven:
    def __init__(self, app: HipercowApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def notes(self) -> str:
        return "\n".join(note.message for note in self.app._notifications)

    async def shows(self, *texts: str) -> None:
        await until(self.pilot, lambda: all(text in self.text for text in texts))

    async def on(self, kind: type[Screen[Any]]) -> None:
        await until(self.pilot, lambda: isinstance(self.app.screen, kind))

    async def answer(self, key: str, asked: type[Screen[Any]] = QuestionScreen) -> None:
        await self.on(asked)
        await until(self.pilot, lambda: self.app.focused is not None)
        assert self.app.focused is not None and self.app.focused.id == "cancel"
        await self.pilot.press(key)

    async def back(self) -> None:
        """Out of a summary, to the browser."""
        await self.pilot.press("escape")
        await until(self.pilot, lambda: self.app.screen is self.app.browser)


@asynccontextmanager
async def driving(
    root: Root, *, size: tuple[int, int] = (118, 36), read_only: bool = False
) -> AsyncIterator[Driven]:
    app = HipercowApp(root, read_only=read_only, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.browser._complete)
        yield Driven(app, pilot)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


def trashed(root: Root) -> str:
    return str(move_to_trash(plan_of(root), root).trash)


def broken_off(root: Root) -> None:
    """A purge that is killed by its seventh rename, a good while ago."""
    child = os.fork()
    if child == 0:
        left, real = iter(range(6)), os.rename

        def rename(*args: Any, **kwargs: Any) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), 9)
            real(*args, **kwargs)

        os.rename = rename
        move_to_trash(plan_of(root), root)
        os._exit(0)
    os.waitpid(child, 0)
    (lot,) = lots(root)
    before = lot.stat().st_mtime - 10 * DEAD_AFTER
    os.utime(lot / "alive", (before, before))


async def test_what_was_moved_to_the_trash_comes_back_by_u(root: Root) -> None:
    before = whole(root)
    async with driving(root) as at:
        await at.pilot.press("1", "p")
        await at.on(PlanScreen)
        await at.shows("6 tasks")
        await at.pilot.press("D")
        await at.answer("t", ConfirmScreen)
        await at.on(SummaryScreen)
        await at.shows("6 tasks and 2 bundles are in the trash", "U undoes")
        assert in_place(root) == set() and trash(root)[0].state is State.TRASH
        await at.back()
        await at.shows("Tasks 0", "trash ")
        await at.pilot.press("U")
        await at.answer("n")
        await asyncio.sleep(0.1)
        assert trash(root)
        await at.pilot.press("U")
        await at.answer("y")
        await at.on(SummaryScreen)
        await at.shows("6 tasks and 2 bundles are back in their places")
        await at.back()
        await at.shows("Tasks 6")
        await until(at.pilot, lambda: not at.app.browser.header.trash)
    assert whole(root) == before and trash(root) == ()


async def test_what_exists_again_is_kept_aside_and_told(root: Root) -> None:
    trashed(root)
    folder_of(root, LONE).mkdir(parents=True)
    write_bundle(root.path, "solo", [BASE])
    async with driving(root, size=(80, 24)) as at:
        await at.shows("trash ")
        await at.pilot.press("U")
        await at.answer("y")
        await at.on(SummaryScreen)
        await at.shows("Restored, but not all", "Not put back", LONE)
        await at.back()
        await at.pilot.press("T")
        await at.shows("? kept aside", "1 task", "1 bundle")
    assert in_place(root) == set(ALL)


@pytest.mark.parametrize("key", ["E", "e"])
async def test_the_trash_is_emptied_only_after_a_question(root: Root, key: str) -> None:
    trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ whole", "6 tasks", "2 bundles", " kB")
        await at.pilot.press(key)
        await at.answer("enter")
        await at.on(TrashScreen)
        assert len(trash(root)) == 1
        await at.pilot.press(key)
        await at.shows("6 tasks and 2 bundles", "erased for good")
        await at.answer("y")
        await at.on(SummaryScreen)
        await at.shows("Trash emptied", "6 tasks and 2 bundles are gone")
        await at.back()
        await at.pilot.press("T")
        await at.shows("The trash is empty")
    assert trash(root) == () and in_place(root) == set()


@pytest.mark.parametrize("key", ["r", "enter"])
async def test_a_lot_is_restored_from_the_list(root: Root, key: str) -> None:
    before = whole(root)
    trashed(root)
    async with driving(root, size=(80, 24)) as at:
        await at.pilot.press("T")
        await at.shows("✓ whole")
        await at.pilot.press(key)
        await at.answer("y")
        await at.on(SummaryScreen)
        await at.shows("are back in their places")
    assert whole(root) == before


@pytest.mark.parametrize("key", ["f", "r"])
async def test_an_interrupted_purge_is_told_and_finished_or_restored(root: Root, key: str) -> None:
    before = whole(root)
    broken_off(root)
    assert in_place(root) != set(ALL)
    async with driving(root) as at:
        await until(at.pilot, lambda: "was interrupted: T to finish or restore it" in at.notes)
        await at.shows("! interrupted: T")
        await at.pilot.press("T")
        await at.shows("! interrupted", "f finishes it, r restores it")
        await at.pilot.press("e")  # not what it is for
        assert isinstance(at.app.screen, TrashScreen)
        await at.pilot.press(key)
        await at.answer("y")
        await at.on(SummaryScreen)
        await at.shows("Moved to the trash" if key == "f" else "Restored")
        await at.back()
        await until(at.pilot, lambda: "interrupted" not in at.app.browser.header.trash)
    if key == "r":
        assert whole(root) == before
    else:
        assert in_place(root) == set() and trash(root)[0].state is State.TRASH


async def test_read_only_looks_and_changes_nothing(root: Root) -> None:
    trashed(root)
    before = whole(root)
    async with driving(root, read_only=True) as at:
        await at.shows("trash ")
        await at.pilot.press("U")
        await until(at.pilot, lambda: "--read-only" in at.notes)
        await at.pilot.press("T")
        await at.shows("✓ whole", "--read-only")
        await at.pilot.press("r", "e", "E", "enter")
        await at.pilot.pause()
        assert isinstance(at.app.screen, TrashScreen)
    assert whole(root) == before and len(trash(root)) == 1


async def test_a_lot_that_is_gone_meanwhile_is_a_sentence(root: Root) -> None:
    stamp = trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ whole")
        await at.pilot.press("r")
        await at.on(QuestionScreen)
        (lot,) = lots(root)
        lot.rename(root.path / "elsewhere")
        await at.answer("y")
        await until(at.pilot, lambda: f"There is no '{stamp}'" in at.notes)


async def test_the_history_tells_what_was_done(root: Root) -> None:
    trashed(root)
    async with driving(root, size=(80, 24)) as at:
        await at.pilot.press("T")
        await at.shows("✓ whole")
        await at.pilot.press("h")
        await at.on(HistoryScreen)
        await at.shows("to the trash", "6 tasks", "2 bundles", "status is failure")
        await at.pilot.press("escape", "escape")
        await until(at.pilot, lambda: at.app.screen is at.app.browser)
        await at.pilot.press("H")
        await at.on(HistoryScreen)
        await at.shows("1 entry")
    assert len(history(root)) == 1


async def test_hostile_names_in_the_trash_are_harmless(root: Root) -> None:
    trashed(root)
    (lot,) = lots(root)
    (lot / "bundles" / "\x1b[2J[bold]").write_text("x")
    manifest = (lot / "manifest.json").read_text()
    (lot / "manifest.json").write_text(manifest.replace('"user":"', '"user":"[red]\\u001b[2J'))
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("3 bundles", "[red]␛[2J")
        assert "\x1b" not in at.text
