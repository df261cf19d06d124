"""The tab of space, driven by keys."""

from __future__ import annotations

import gc
import re
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from small_root import DAY, NOW, task_id, write_bundle, write_task
from textual.pilot import Pilot
from ui_driving import PATIENCE, all_rows_shown, screen_text, until

import hipercow_tui
from hipercow_tui.analysis.space_rows import SpaceKey
from hipercow_tui.analysis.space_usage import SpaceGrouping
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.scanning.usage_reader import MeasuringProgress, UsageReader
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.browse.space_pane import SpacePane
from hipercow_tui.ui.dialogs.pin_note import PinNoteScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.workers.space_view import SpaceRequest, SpaceView, SpaceViewBuilder

IDS = tuple(map(task_id, range(12)))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve tasks, each a kilobyte larger than the one before, in two bundles; one runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    where = tmp_path / "project"
    for number, identity in enumerate(IDS):
        status = "running" if number == 1 else "failure" if number % 2 else "success"
        folder = write_task(where, identity, status, finished=NOW - number * 40 * DAY)
        (folder / "result").write_bytes(bytes(1000 * (number + 1)))
    write_bundle(where, "small", IDS[:5])
    write_bundle(where, "large", IDS[5:])
    (where / "hipercow" / "lib").mkdir()
    (where / "hipercow" / "lib" / "package").write_bytes(bytes(3333))
    return where


@asynccontextmanager
async def space_of(
    root: Path, size: tuple[int, int] = (118, 40), clock: Callable[[], float] = lambda: NOW
) -> AsyncIterator[tuple[SpacePane, Pilot[None]]]:
    app = HipercowApp(find_root(root), clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("w")
        sizes = app.browser.session.services.sizes
        await until(pilot, lambda: sizes.parts is not None and sizes.progress is None)
        yield app.browser.space_pane, pilot


def shown(pane: SpacePane) -> SpaceView:
    view = pane.table.shown
    assert view is not None
    return view


def amount_of(group: Mapping[str, Any]) -> dict[str, int]:
    return {key: group[key] for key in ("bytes", "files", "disk_bytes")}


def has_groups(pane: SpacePane, groups: Mapping[str, dict[str, int]]) -> bool:
    rows = [row for row in shown(pane).rows if not row.is_rest]
    return {row.key: row.amount._asdict() for row in rows} == groups


async def test_groups_have_the_amounts_of_the_command(root: Path) -> None:
    async with space_of(root, clock=time.time) as (pane, pilot):
        for by in SpaceGrouping:
            expected = hipercow_tui.space(root, by=by.value)
            groups = {group["label"]: amount_of(group) for group in expected["groups"]}
            await until(pilot, partial(has_groups, pane, groups))
            assert shown(pane).usage.total._asdict() == expected["total"]
            assert shown(pane).usage.purgeable._asdict() == expected["purgeable"]
            await pilot.press("t")
        await until(pilot, lambda: shown(pane).request.by is SpaceGrouping.BUNDLE)


async def test_enter_goes_down_to_files_and_esc_goes_up_to_the_same_rows(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with space_of(root, (80, 24)) as (pane, pilot):
        kept: list[str] = []  # a list of the tab must not keep all garbage for ever
        monkeypatch.setattr(gc, "freeze", lambda: kept.append("garbage"))
        await until(pilot, lambda: pane.table.keys[:2] == ("bundle large", "bundle small"))
        await pilot.press("j", "enter")
        await until(pilot, lambda: pane.table.keys == IDS[4::-1])
        await until(pilot, lambda: "Space › small" in screen_text(pilot.app))
        assert pane.table.cursor == 0
        await pilot.press("j", "j", "j")
        await until(pilot, lambda: "submitted or running" in screen_text(pilot.app))
        assert pane.task is not None and pane.task.id == IDS[1]
        await pilot.press("enter")
        await until(pilot, lambda: "result" in pane.table.keys)
        assert "Space › small › " + IDS[1][:8] in screen_text(pilot.app)
        assert "space Mark" not in screen_text(pilot.app), "a file can't be marked"
        await pilot.press("space")
        await until(pilot, lambda: "'space' does nothing here" in screen_text(pilot.app))
        await pilot.press("a")
        await until(pilot, lambda: "'a' does nothing here" in screen_text(pilot.app))
        assert pane.session.marks.ids is None and pane.table.cursor == 0
        assert SpaceKey.PURGEABLE not in [choice.key for choice in pane.sort_choices]
        await pilot.press("enter")  # a file can't be entered
        await pilot.press("escape")
        await until(pilot, lambda: pane.table.cursor_key == IDS[1])
        await pilot.press("escape")
        await until(pilot, lambda: pane.table.cursor_key == "bundle small")
        await until(pilot, lambda: "space Mark" in screen_text(pilot.app))
        assert "Space ›" not in screen_text(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: "nothing to go back to · w shows" in screen_text(pilot.app))
        await pilot.press("Z")
        await until(pilot, lambda: "on disk" in screen_text(pilot.app))
        await pilot.press("G")
        assert "not tasks" in screen_text(pilot.app) and "lib" in pane.table.keys
        assert not kept
        await pilot.press("w")
        await until(pilot, lambda: "w Space ━" in screen_text(pilot.app))


async def test_enter_before_a_list_arrives_acts_on_that_list(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrives, make_list = threading.Event(), SpaceViewBuilder._list

    def make_list_late(builder: SpaceViewBuilder, request: SpaceRequest) -> SpaceView:
        assert arrives.wait(PATIENCE)
        return make_list(builder, request)

    async with space_of(root) as (pane, pilot):
        await until(pilot, lambda: pane.table.keys[:1] == ("bundle large",))
        monkeypatch.setattr(SpaceViewBuilder, "_list", make_list_late)
        await pilot.press("t", "t", "enter", "enter", "enter", "escape")
        assert shown(pane).request.by is SpaceGrouping.BUNDLE and not pane.steps
        arrives.set()
        await until(pilot, lambda: len(pane.steps) == 2)
        assert pane.steps == ("failure", IDS[11][:8])
        assert "result" in pane.table.keys


async def test_marks_and_plans_are_those_of_the_groups(root: Path) -> None:
    async with space_of(root) as (pane, pilot):
        await until(pilot, lambda: "bundle large" in pane.table.keys)
        await pilot.press("slash", *"small", "enter")
        await until(pilot, lambda: pane.table.hits == [1] and pane.table.cursor == 1)
        await pilot.press("escape", "g", "space")
        assert pane.session.marks.ids == frozenset(IDS[5:])
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanScreen))
        assert isinstance(pilot.app.screen, PlanScreen)
        assert set(pilot.app.screen.plan.ids) == set(IDS[5:])
        await pilot.press("escape", "w", "z")
        sizes = pane.session.services.sizes
        assert sizes.progress is None, "the tab has measured these tasks"
        await pilot.press("w", "G", "space")
        assert pane.session.marks.ids == frozenset(IDS[5:]), "nothing of the rest can be marked"


async def test_the_order_of_rows_is_the_one_that_is_named(root: Path) -> None:
    async with space_of(root, (80, 24)) as (pane, pilot):
        await pilot.press("t", "t", "t")
        await until(pilot, lambda: "age↑" in screen_text(pilot.app))
        assert [row.label for row in shown(pane).rows if row.opens] == [
            "not finished",
            "under 1 day",
            "30 to 90 days",
            "90 to 365 days",
            "over 365 days",
        ]
        await pilot.press("<")
        await until(pilot, lambda: "size↓" in screen_text(pilot.app))
        sizes = [row.amount.bytes for row in shown(pane).rows if row.opens]
        assert sizes == sorted(sizes, reverse=True)
        await pilot.press("t", "t", "<")
        await until(pilot, lambda: "sorted by files ↓" in screen_text(pilot.app))
        assert shown(pane).request.by is SpaceGrouping.TASK, "its ages are not the order of tasks"


async def test_the_other_definition_of_size_shows_the_largest_rows(root: Path) -> None:
    async with space_of(root, (80, 24)) as (pane, pilot):
        await pilot.press("t", "t", "t", "t", "t")
        await until(pilot, lambda: pane.table.keys[:2] == IDS[:-3:-1])
        await pilot.press("j", "Z")
        await until(pilot, lambda: pane.table.keys[:3] == IDS[8:11])
        assert (pane.table.cursor_key, pane.table.cursor) == (IDS[10], 2)
        assert pane.table.scroll_offset.y == 0, "a larger row is above the screen"


async def test_a_bundle_or_the_marked_tasks_can_be_pinned(root: Path) -> None:
    async with space_of(root) as (pane, pilot):

        def go_to(key: str) -> None:
            number = pane.table.row_of(key)
            assert number is not None
            pane.table.move_to(number)

        def pinned() -> set[str]:
            return {pin.target.name for pin in read_root(find_root(root)).pins.pins}

        await until(pilot, lambda: "bundle large" in pane.table.keys)
        go_to("bundle large")
        await pilot.press("P")
        await until(pilot, lambda: isinstance(pilot.app.screen, PinNoteScreen))
        assert "Pin bundle large" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, lambda: "¶" in screen_text(pilot.app))
        await until(pilot, lambda: "can go    nothing" in screen_text(pilot.app))
        assert pinned() == {"large"}
        go_to("bundle small")
        await pilot.press("enter")
        await until(pilot, lambda: pane.table.keys == IDS[4::-1])
        await pilot.press("space", "space", "P")
        await until(pilot, lambda: isinstance(pilot.app.screen, PinNoteScreen))
        await pilot.press("enter")
        await until(pilot, lambda: pinned() == {"large", *IDS[3:5]})


async def test_changes_on_the_disk_are_measured_again(root: Path) -> None:
    async with space_of(root) as (pane, pilot):
        await until(pilot, lambda: "bundle large" in pane.table.keys)
        before = shown(pane).usage.tasks.bytes
        folder = root / "hipercow" / "tasks" / IDS[1][:2] / IDS[1][2:]
        (folder / "log").write_bytes(bytes(500))
        await pilot.press("r")
        await until(pilot, lambda: shown(pane).usage.tasks.bytes == before + 500)
        gone = shown(pane).usage.amounts[IDS[11]].bytes
        shutil.rmtree(root / "hipercow" / "tasks" / IDS[11][:2] / IDS[11][2:])
        await pilot.press("r")
        await until(pilot, lambda: shown(pane).usage.tasks.bytes == before + 500 - gone)


async def test_measuring_shows_its_progress_and_stops_and_continues(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = UsageReader.read

    def read_slowly(
        reader: UsageReader, *arguments: Any, stop: threading.Event, **options: Any
    ) -> Iterator[MeasuringProgress]:
        for done in range(1000):
            yield MeasuringProgress(done, 1000)
            if stop.wait(0.02):
                return

    monkeypatch.setattr(UsageReader, "read", read_slowly)
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: all_rows_shown(app))
        await pilot.press("w")
        await until(pilot, lambda: re.search(r"measured \d+/1,000, esc stops", screen_text(app)))
        await until(pilot, lambda: re.search(r"00, \d+ s left, esc", screen_text(app)))
        await pilot.press("escape")
        await until(pilot, lambda: "not all measured, z measures" in screen_text(app))
        await pilot.press("w", "w")
        assert app.browser.session.services.sizes.progress is None, "the user stopped it"
        monkeypatch.setattr(UsageReader, "read", measure)
        await pilot.press("z")
        await until(pilot, lambda: re.search(r"Space [\d.]+ kB", screen_text(app)))
        assert "not all measured" not in screen_text(app)
