"""Start the app on a root with an interrupted purge, and restore it by keys.

python app_recovery.py ROOT. It fails by an AssertionError.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ui_driving import heard, screen_text, until

from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen


async def recover(where: Path) -> None:
    app = HipercowApp(find_root(where))
    async with app.run_test(size=(118, 40), notifications=True) as pilot:

        async def shows(text: str) -> None:
            try:
                await until(pilot, lambda: text in screen_text(app))
            except AssertionError:
                raise AssertionError(f"not on the screen:\n{screen_text(app)}") from None

        await shows("! interrupted: T")
        await pilot.press("T")
        await shows("f: finish, r: restore")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await heard(pilot)
        await pilot.press("y")
        await shows("Restored")
        await pilot.press("escape", "q")


if __name__ == "__main__":
    asyncio.run(recover(Path(sys.argv[1])))
