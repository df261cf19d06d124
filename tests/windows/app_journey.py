"""Drive the app through a journey: ``python app_journey.py ROOT RUNNING``.

``ROOT`` is a copy of the recorded root, and ``RUNNING`` the id of a running task. It fails by an
AssertionError.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from ui_driving import all_rows_shown, heard, screen_text, until

from hipercow_tui.formats.root import find_root
from hipercow_tui.settings.saved_filters import FilterFile
from hipercow_tui.settings.theme_store import ThemeFile
from hipercow_tui.support.user_files import cache_folder
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.plan import PlanScreen

RECORDED = 1_795_450_000.0  # two hours after the recorded root was written


def contents(where: Path) -> dict[str, bytes]:
    """Return the content of each file of tasks and bundles."""
    found: dict[str, bytes] = {}
    for part in ("tasks", "bundles"):
        folder = where / "hipercow" / part
        found |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return found


async def journey(where: Path, running: str) -> None:
    app = HipercowApp(
        find_root(where / "hipercow" / "tasks"),
        indexed=True,
        filters=FilterFile.of_user(),
        theme=ThemeFile.of_user(),
        clock=lambda: RECORDED,
    )
    async with app.run_test(size=(118, 40), notifications=True) as pilot:

        async def shows(*texts: str) -> None:
            def shown() -> bool:
                text = screen_text(app)
                return all(wanted in text for wanted in texts)

            await when(shown)

        async def when(true: Callable[[], object]) -> None:
            try:
                await until(pilot, true)
            except AssertionError:
                raise AssertionError(f"not on the screen:\n{screen_text(app)}") from None

        await when(lambda: all_rows_shown(app))
        await shows("Tasks 37", "▶ running", "free of")
        await pilot.press("1", "m")
        await shows("matched 8", "only matched")
        await pilot.press("f", *"failed", "enter")
        await when(lambda: "failed" in FilterFile.of_user().read().filters)
        await pilot.press("0", "m")
        app.theme = "dracula"

        log = where / "hipercow" / "tasks" / running[:2] / running[2:] / "log"
        log.write_bytes(b"first line\r\n" * 100_000)
        app.browser.tasks.move_to(app.browser.tasks.keys.index(running))
        await pilot.press("l")
        await when(lambda: isinstance(app.screen, LogScreen))
        await shows("first line", "following")
        with log.open("ab") as file:
            file.write(b"grown by a line\r\n")
        await shows("grown by a line")
        log.rename(log.with_name("moved"))  # our reader must not prevent it
        log.with_name("moved").unlink()
        await pilot.press("escape")

        await pilot.press("1", "p")
        await when(lambda: isinstance(app.screen, PlanScreen))
        await shows("Plan", "8 tasks", "data_sweep", "overlap")
        before = contents(where)
        await pilot.press("D")
        await when(lambda: isinstance(app.screen, ConfirmScreen))
        await heard(pilot)
        await pilot.press("t")
        await shows("8 tasks and 2 bundles are in the trash", "Tasks 29")
        assert contents(where).keys() < before.keys()
        await pilot.press("escape")
        await pilot.press("U")
        await heard(pilot)
        await pilot.press("y")
        await shows("Tasks 37")
        assert contents(where) == before
        await pilot.press("escape", "q")
    theme = ThemeFile.of_user()
    assert theme is not None
    assert theme.read() == "dracula"
    assert list(cache_folder().iterdir())


if __name__ == "__main__":
    asyncio.run(journey(Path(sys.argv[1]), sys.argv[2]))
