"""Drive an app that has worker threads: press keys, wait, and read the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.browse.screen import BrowseScreen

PATIENCE = 30.0  # seconds; a busy machine is no failure


async def until(pilot: Pilot[Any], true: Callable[[], object]) -> None:
    """Wait until something has come true on the screen."""
    deadline = time.monotonic() + PATIENCE
    seconds = 0.02
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(seconds)  # to pause instead asks every widget each time
        seconds = min(seconds * 1.3, 0.1)  # most conditions draw the screen
    await pilot.pause()


def all_rows_shown(app: HipercowApp) -> bool:
    """Return whether the first scan is complete and its rows are in the table."""
    return app.browser.session.complete and not app.browser.tasks.rows_pending


async def heard(pilot: Pilot[Any]) -> None:
    """Wait until the question on the screen has the focus: keys that come earlier are dropped."""
    await until(pilot, lambda: pilot.app.focused is not None)


def screen_text(app: App[Any]) -> str:
    """Return the text of the screen, line by line, without colours; "" while its size changes."""
    width, height = app.size
    if app.screen._compositor.size != app.size:  # the width changes at another moment
        return ""
    visible_screen_stack.set(app._background_screens)  # for what a dialog does not cover
    lines = app.screen._compositor.render_strips()
    assert len(lines) == height
    long = [line.text for line in lines if line.cell_length != width]
    assert not long, f"no line is longer than the screen: {long}"
    return "\n".join(line.text for line in lines)


class Driven:
    """A running app, with helpers to press keys, to wait, and to read the screen."""

    def __init__(self, app: HipercowApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.browser: BrowseScreen = app.browser
        self.tasks = app.browser.tasks
        self.bundles = app.browser.bundles_pane.table
        self.errors = app.browser.errors_pane.table

    async def until(self, true: Callable[[], object]) -> None:
        await until(self.pilot, true)

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until all widgets have handled the messages of the last one. The
        Pilot waits for each widget in ``press`` and again in ``pause``."""
        await self.app._press_keys(keys)
        await self.pilot.pause()

    def shows(self, screen: type[Screen[Any]]) -> bool:
        return isinstance(self.app.screen, screen)

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def footer(self) -> str:
        return self.text.rstrip("\n").splitlines()[-1]
