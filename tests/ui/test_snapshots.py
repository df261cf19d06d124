"""Snapshots of the screens; ``pytest tests/ui/test_snapshots.py --snapshot-update`` writes them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from ui_driving import PATIENCE, screen_text, until

from hipercow_tui.demo import write_root
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import BatchState, HistoryEntry, HistoryKind, TrashEntry
from hipercow_tui.purging.batch_name import BatchName
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.process_identity import ProcessIdentity
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.screens import history, plan_purging
from hipercow_tui.ui.widgets.header import Freshness, HeaderBar
from hipercow_tui.ui.workers.trash_monitor import TrashMonitor, TrashState

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the time zone can't be set")

NOW = 1_795_500_000.0  # seconds since the epoch
DAY = 86_400.0
SMALL, WIDE = (80, 24), (160, 45)
# The keys that lead to each screen.
SCREENS = {
    "tasks": "",
    "filters": "1 2 m tab",
    "bundles": "b j",
    "errors": "e j",
    "space": "w j",
    "inputs": "b g i",
    "plan": "1 2 p",
    "confirm": "1 2 p x D",
    "log": "1 m l",
    "copy": "1 m c",
    "help": "question_mark",
    "trash": "T",
    "history": "H",
}
STILL = 0.5  # seconds without a change, after which a screen is complete
USER = ProcessIdentity("ada", "login1", 1, "")
TASKS = tuple(f"{number:032x}" for number in range(12))


def entry(batch_id: str, state: BatchState, tasks: int, days: float) -> TrashEntry:
    name = BatchName(batch_id, state=state)
    return TrashEntry(
        name, TASKS[:tasks], ("sweep_03",), (), NOW - days * DAY, USER, PurgeMode.TRASH, False, True
    )


BATCHES = (
    entry("20261122T231205Z-3f2a", BatchState.TRASH, 12, 2),
    entry("20261110T081500Z-77ee", BatchState.MOVING, 3, 14),
)
STATE = TrashState(BATCHES, {(BATCHES[0].lang, BATCHES[0].name): Size(2_100_000, 120)})
HISTORY = (
    HistoryEntry(
        HistoryKind.TRASH,
        NOW - 2 * DAY,
        USER,
        ("20261122T231205Z-3f2a",),
        "status is failure",
        TASKS,
        ("sweep_03",),
    ),
    HistoryEntry(
        HistoryKind.PURGE,
        NOW - 30 * DAY,
        USER,
        ("20261025T100000Z-1234",),
        "finished before 2 weeks ago",
        TASKS[:5],
        kept_back=((TASKS[5], "its status changed"),),
        bytes=73_000_000,
        files=60,
    ),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The demo with a fixed seed and clock; the screen shows another path."""
    folder = tmp_path_factory.mktemp("demo") / "sir-model"
    write_root(folder, tasks=300, seed=1, now=NOW)
    return replace(find_root(folder), path=Path("/home/you/sir-model"))


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Fix the environment, the time zone and all texts that depend on the machine or the time."""
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("XDG_CACHE_HOME", str(tmp_path / "cache")),
        ("XDG_CONFIG_HOME", str(tmp_path / "config")),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")
    monkeypatch.setattr(
        HeaderBar,
        "validate_freshness",
        lambda _, freshness: Freshness(freshness.percent, 0),
        raising=False,
    )
    monkeypatch.setattr(HipercowApp, "notify", lambda *_, **__: None)
    monkeypatch.setattr(TrashMonitor, "read", lambda _: iter((STATE,)))
    monkeypatch.setattr(history, "read_history", lambda _: HISTORY)
    monkeypatch.setattr(plan_purging, "preflight", lambda *_: None)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def still(pilot: Pilot[Any]) -> None:
    """Wait until nothing is read or measured and the screen does not change."""
    last = ""
    began = since = time.monotonic()

    def is_still() -> bool:
        nonlocal last, since
        text = screen_text(pilot.app)
        busy = not text or any(word in text for word in ("reading", "eading …", "measuring"))
        if busy or text != last:
            last, since = text, time.monotonic()
        return time.monotonic() - since > STILL

    while not is_still():
        assert time.monotonic() - began < PATIENCE, "the screen always changes"
        await asyncio.sleep(STILL / 5)  # each look draws the screen


CASES = [
    *(pytest.param(keys, SMALL, id=name) for name, keys in SCREENS.items()),
    *(pytest.param(SCREENS[name], WIDE, id=f"{name}-wide") for name in ("tasks", "errors", "plan")),
]


@pytest.mark.usefixtures("draw_at_once")
@pytest.mark.parametrize(("keys", "size"), CASES)
def test_screen(
    keys: str, size: tuple[int, int], root: Root, snap_compare: Callable[..., bool]
) -> None:
    async def drive(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: "live" in screen_text(pilot.app))
        await still(pilot)
        for key in keys.split():
            await pilot.press(key)
            await still(pilot)
        pilot.app.screen.refresh()  # else the screen below a dialog is sometimes not dimmed
        await pilot.pause()

    app = HipercowApp(root, clock=lambda: NOW)
    assert snap_compare(app, terminal_size=size, run_before=drive)
