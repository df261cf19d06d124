"""The pictures of the README, taken of a demo root: ``python -m hipercow_tui.ui.pictures FOLDER``.

The demo's seed and the clock are fixed, so that they show the same root every time. With
``--sights`` each is also written as the colour-blind see it, to look whether statuses stay apart.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from hipercow_tui.demo import write_root
from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.colour_sight import DEFICIENCIES, simulate_picture

NOW = 1_795_500_000.0  # seconds since the epoch
SIZE = (118, 36)  # columns and rows
PAUSE = 0.3  # seconds after a key, in which what it asked for is read

# What differs between two pictures of the same: the seconds since the last look, and so their ids.
_VARYING = re.compile(r"terminal-\d+-|\d+(&#160;|\s)s(&#160;|\s)ago")
STEPS = {
    "inputs": ("b", *"jjjjjjjjjj", "i", "G", "k"),
    "errors": ("escape", "e", "j", "j", "space"),
    "browse": ("u", "e", "1", "2", "shift+tab", *"sweep_* forecast-* !*_01", "escape"),
    "plan": ("p",),
    "confirm": ("D",),
    "log": ("escape", "escape", "l", "e"),
}


async def write_pictures(folder: Path, sights: Iterable[str] = ()) -> None:
    """Write one SVG a step of the journey from the filters to the confirmation, and one of a
    log; and of each one for every kind of sight."""
    with tempfile.TemporaryDirectory() as made:
        where = Path(made) / "sir-model"
        write_root(where, seed=1, now=NOW)
        root = replace(find_root(where), path=Path("/home/you/sir-model"))
        app = HipercowApp(root, clock=lambda: NOW)
        async with app.run_test(size=SIZE) as pilot:
            await _settled_picture(pilot)
            for name, keys in STEPS.items():
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(PAUSE)
                picture = await _settled_picture(pilot)
                (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
                for sight in sights:
                    seen = simulate_picture(picture, sight)
                    (folder / f"{name}-{sight}.svg").write_text(seen, encoding="utf-8")


async def _settled_picture(pilot: Pilot[None]) -> str:
    """The screen once its background work is painted: nothing changes but the seconds since the
    last look, and nothing is being read or measured."""
    last, same = "", 0
    while same < 6:
        await pilot.pause(0.15)
        shown = pilot.app.export_screenshot()
        told = _VARYING.sub("", shown)
        calm = told == last and not re.search(r"reading|measuring|read \d", told)
        last, same = told, same + 1 if calm else 0
    return shown


if __name__ == "__main__":
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    folders = [word for word in sys.argv[1:] if word != "--sights"]
    into = Path(folders[0] if folders else "screenshots")
    asyncio.run(write_pictures(into, DEFICIENCIES if "--sights" in sys.argv else ()))
