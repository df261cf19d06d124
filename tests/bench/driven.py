"""The app on a root, driven without a terminal in a process of its own; prints times as JSON.

What a frame costs is in them: it is rendered to the bytes that a terminal would get.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

SIZE = (120, 40)
MOVES = ("j", "j", "pagedown", "k", "G", "j", "g", "pagedown", "pageup", "j") * 20
STATUSES = ("1", "2", "3", "4", "1", "5", "6", "3") * 5


class Driven:
    """An app whose frames are timed. ``painted`` is when the last one was."""

    def __init__(self, app: App[None], pilot: Pilot[None]) -> None:
        self.app, self.pilot, self.painted = app, pilot, 0.0
        display = app._display

        def timed(screen: Any, renderable: Any) -> None:
            if hasattr(renderable, "render_segments"):
                renderable.render_segments(app.console)
                self.painted = time.monotonic()
            display(screen, renderable)

        app._display = timed  # type: ignore[method-assign]

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            await asyncio.sleep(0.001)

    async def until_painted(self, act: Callable[[], object], true: Callable[[], object]) -> float:
        """Seconds from ``act`` to the first frame after which ``true`` holds."""
        began = time.monotonic()
        act()
        await self.until(lambda: self.painted > began and true())
        return self.painted - began

    def send(self, key: str) -> Callable[[], object]:
        return lambda: self.app.simulate_key(key)


async def drive(root: str) -> dict[str, Any]:
    from hipercow_tui.roots import find_root
    from hipercow_tui.ui.app import HipercowApp
    from hipercow_tui.ui.widgets.age_slider import AgeSlider

    app = HipercowApp(find_root(root), read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        found: dict[str, Any] = {"frame": time.monotonic()}
        driven = Driven(app, pilot)
        table, browser = app.browser.tasks, app.browser
        await driven.until(lambda: table.view.ids)
        await driven.until_painted(lambda: None, lambda: True)
        found["rows"] = driven.painted

        async def moved(key: str) -> float:
            before = table.cursor
            if key in ("j", "pagedown") and before == len(table.view.ids) - 1:
                key = "g"
            if key in ("k", "pageup", "g") and before == 0:
                key = "j"
            return await driven.until_painted(driven.send(key), lambda: table.cursor != before)

        async def filtered(act: Callable[[], object]) -> float:
            before = table.view
            return await driven.until_painted(
                act, lambda: table.view is not before and table.view.stack != before.stack
            )

        found["scanning"] = []
        while not browser._complete:
            found["scanning"].append(await moved("j" if len(found["scanning"]) % 9 else "pagedown"))
            await asyncio.sleep(0.01)
        found["complete"] = time.monotonic()
        await asyncio.sleep(3)
        found["moves"] = [await moved(key) for key in MOVES]
        found["filters"] = [await filtered(driven.send(key)) for key in STATUSES]
        app.query_one(AgeSlider).focus()
        await pilot.pause()
        for key in ("right", "right", "left", "right", "right") * 4:
            found["filters"].append(await filtered(driven.send(key)))
    return found


async def empty() -> dict[str, Any]:
    app: App[None] = App()
    async with app.run_test(size=SIZE):
        return {"frame": time.monotonic()}


if __name__ == "__main__":
    work = drive(sys.argv[1]) if len(sys.argv) > 1 else empty()
    sys.stdout.write(json.dumps(asyncio.run(work)))
