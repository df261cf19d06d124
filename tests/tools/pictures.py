"""Write the pictures of the documents: ``python -m tests.tools.pictures FOLDER``.

They show the demo with a fixed seed and a fixed clock, so they are the same each time. With
``--sights``, each picture is also written as people with a colour vision deficiency see it.
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

from .colour_sight import DEFICIENCIES, simulate_picture

NOW = 1_795_500_000.0  # seconds since the epoch
SIZE = (118, 36)  # columns and rows
SIZES = {"space": (80, 24), "space-by-age": (160, 45)}  # of other pictures
PAUSE = 0.3  # seconds after a key, to read and draw

# Parts that differ between two pictures of the same screen.
_VARYING = re.compile(r"terminal-\d+-|\d+(&#160;|\s)s(&#160;|\s)ago")
STEPS = {
    "inputs": ("b", *"jjjjjjjjjj", "i", "G", "k"),
    "errors": ("escape", "e", "j", "j", "space"),
    "browse": ("u", "e", "1", "2", "shift+tab", *"sweep_* forecast-* !*_01", "escape"),
    "plan": ("p",),
    "confirm": ("D",),
    "log": ("escape", "escape", "l", "e"),
    "space": ("escape", "0", "w", "j"),
    "space-by-age": ("t", "t", "t", "j"),
}


async def write_pictures(folder: Path, deficiencies: Iterable[str] = ()) -> None:
    """Write an SVG picture for each of STEPS, and one for each deficiency."""
    with tempfile.TemporaryDirectory() as temporary:
        folder_of_root = Path(temporary) / "sir-model"
        write_root(folder_of_root, seed=1, now=NOW)
        root = replace(find_root(folder_of_root), path=Path("/home/you/sir-model"))
        app = HipercowApp(root, clock=lambda: NOW)
        async with app.run_test(size=SIZE) as pilot:
            await _settled_picture(pilot)
            for name, keys in STEPS.items():
                await pilot.resize_terminal(*SIZES.get(name, SIZE))
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause(PAUSE)
                picture = await _settled_picture(pilot)
                (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
                for deficiency in deficiencies:
                    seen = simulate_picture(picture, deficiency)
                    (folder / f"{name}-{deficiency}.svg").write_text(seen, encoding="utf-8")


async def _settled_picture(pilot: Pilot[None]) -> str:
    """Return the picture when nothing is read or measured and the screen has stopped changing."""
    last, same = "", 0
    while same < 6:
        await pilot.pause(0.15)
        shown = pilot.app.export_screenshot()
        stable = _VARYING.sub("", shown)
        unchanged = stable == last and not re.search(
            r"reading|measuring|measured \d|read \d", stable
        )
        last, same = stable, same + 1 if unchanged else 0
    return shown


if __name__ == "__main__":
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    folders = [word for word in sys.argv[1:] if word != "--sights"]
    into = Path(folders[0] if folders else "screenshots")
    asyncio.run(write_pictures(into, DEFICIENCIES if "--sights" in sys.argv else ()))
