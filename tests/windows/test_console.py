"""Programs in a console of Windows. Wine makes one of a pseudo-terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from purge_stage import ALL, has_no_batches, in_place, make_root, root_contents
from windows_rig import CHECKOUT, Windows

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
import pexpect

Start = Callable[..., "pexpect.spawn[str]"]
PATIENCE = 60  # seconds
# The first argument is the folder of temporary files.
_IN_DEMO = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from hipercow_tui.demo import living_root
with living_root(60) as root:
    print(root.parent.name, flush=True)
    while True:
        time.sleep(0.1)
"""
_APP = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from hipercow_tui.cli.main import main
sys.exit(main(["--demo-tasks", "30"]))
"""
# The same folder has the root.
_PURGE = """
import sys
from windows_interrupted import purge, wait_for_ctrl_c
sys.exit(purge(sys.argv[1], wait_for_ctrl_c))
"""


@pytest.fixture
def start(windows: Windows, tmp_path: Path) -> Start:
    """Start a program in a console, with the folder of the test for temporary files."""

    def start(program: str, **more: str) -> pexpect.spawn[str]:
        command, *words = windows.command("-c", program, windows.path(tmp_path))
        return pexpect.spawn(
            command,
            words,
            env=os.environ | windows.environment() | {"TERM": "xterm-256color"} | more,
            cwd=str(CHECKOUT),
            dimensions=(40, 120),
            timeout=PATIENCE,
            encoding="utf-8",
        )

    return start


def demos(folder: Path) -> list[Path]:
    return list(folder.glob("hipercow-demo-*"))


def end(console: pexpect.spawn[str]) -> int | None:
    console.expect(pexpect.EOF)
    console.close()
    return console.exitstatus


def test_ctrl_c_ends_a_demo_and_removes_its_folder(start: Start, tmp_path: Path) -> None:
    console = start(_IN_DEMO)
    console.expect("hipercow-demo-[a-z0-9_]{8}")
    assert demos(tmp_path)
    console.send("\x03")
    assert end(console) == 130, (console.before or "")[-1500:]
    assert not demos(tmp_path)


def test_ctrl_c_during_a_purge_puts_everything_back(start: Start, tmp_path: Path) -> None:
    root = make_root(tmp_path)
    before = root_contents(root)
    console = start(_PURGE)
    console.expect("waiting")
    assert in_place(root) < set(ALL)
    console.send("\x03")
    assert end(console) == 130, (console.before or "")[-1500:]
    assert root_contents(root) == before and has_no_batches(root)


def test_the_app_opens_in_a_console_without_colours_and_leaves_it(
    start: Start, tmp_path: Path
) -> None:
    console = start(_APP, NO_COLOR="1")
    console.expect("Would go")
    assert demos(tmp_path)
    console.send("q")
    assert end(console) == 0, (console.before or "")[-1500:]
    assert not demos(tmp_path)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", console.before or "")
