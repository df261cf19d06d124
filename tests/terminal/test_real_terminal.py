"""The program in a real pseudo-terminal, driven by keys, as a person would drive it."""

from __future__ import annotations

import re
import subprocess
import sys
import termios
import time
from functools import partial
from pathlib import Path

import pytest
from real_terminal import LEAVE_ALTERNATE, Terminal
from small_root import task_id, write_bundle, write_task


def test_demo_from_start_to_purge_to_quit(env: dict[str, str], started: list[Terminal]) -> None:
    terminal = Terminal("--demo", "--demo-tasks", "300", env=env)
    started.append(terminal)
    terminal.wait(r"live")
    assert list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))
    modes = termios.tcgetattr(terminal.child.child_fd)
    assert modes != terminal.modes_before

    terminal.press("2")  # cancelled: a few, none of them alive
    terminal.wait(r"\[[x✓✔]\].*cancelled")
    terminal.press("p")
    shown = terminal.wait(r"D Purge")
    assert "status is cancelled" in shown
    if re.search(r"chains? blocked", shown):
        terminal.press("x")
        terminal.wait(r"left out")
    terminal.press("D")
    asked = terminal.wait(r"Cancel")
    time.sleep(0.6)
    if number := re.search(r"Type ([\d,]+)", asked):
        terminal.press(number[1].replace(",", ""), "\t")
    terminal.press("y")
    terminal.wait(r"Purged")
    terminal.press("\x1b")
    terminal.wait(lambda text: "esc" not in text and "live" in text)
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()
    assert not list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))


def test_hostile_names_and_text_are_escaped(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    (folder / "log").write_bytes(
        b"\x1b]0;owned\x07\x1b[2J\xff\xfe \x9b31m [bold]x[/bold]" + b"a" * 9999
    )
    write_bundle(tmp_path, "mine", [task_id(1)])
    (tmp_path / "hipercow" / "bundles" / "\x1b]0;owned\x07").write_text(task_id(1))
    terminal = Terminal(str(tmp_path), env=env)
    started.append(terminal)
    terminal.wait(r"▌  ✗ failure")
    terminal.press("l")
    terminal.wait(r"bold")
    terminal.press("\x1b")
    terminal.wait(lambda text: "esc" not in text and "live" in text)
    terminal.press("q")
    assert terminal.leave() == 0
    assert b"\x1b]0;owned" not in terminal.seen
    assert b"owned" in terminal.seen


@pytest.mark.parametrize("arguments", [[], ["--demo"]])
def test_dumb_terminal_gets_a_message(
    tmp_path: Path, env: dict[str, str], started: list[Terminal], arguments: list[str]
) -> None:
    terminal = Terminal(*(arguments or [str(tmp_path)]), env={**env, "TERM": "dumb"})
    started.append(terminal)
    assert terminal.leave() == 1
    assert "the app needs a terminal" in terminal.text()
    assert b"\x1b" not in terminal.seen


def test_pipe_instead_of_a_terminal_gets_a_message(tmp_path: Path, env: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "hipercow_tui", str(tmp_path)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=env,
        text=True,
        check=False,
    )
    assert ran.returncode == 1 and "the app needs a terminal" in ran.stderr


def test_command_asks_and_accepts_no(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    folder = write_task(tmp_path, task_id(1), "failure")
    for answer, gone in (("\n", False), ("n\n", False), ("y\n", True)):
        terminal = Terminal("purge", str(tmp_path), "--with-status", "failure", env=env)
        started.append(terminal)
        terminal.wait(r"\[y/N\]")
        terminal.press(answer)
        assert terminal.leave() == (0 if gone else 1)
        assert folder.exists() is not gone


BROKEN = """
import sys
from hipercow_tui.cli.main import main
from hipercow_tui.ui.browse.screen import BrowseScreen

def broken(self):
    secret = "what was read from disk"
    raise LookupError("\x1b[31mno such thing")

BrowseScreen.action_refresh = broken
sys.exit(main(sys.argv[1:]))
"""


def test_unexpected_error_is_a_message_and_restores_the_terminal(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    write_task(tmp_path, task_id(1), "success")
    terminal = Terminal(str(tmp_path), env=env, program=("-c", BROKEN))
    started.append(terminal)
    terminal.wait(r"live")
    terminal.press("r")
    assert terminal.leave() == 1
    left = terminal.seen.split(LEAVE_ALTERNATE.encode())[-1]
    assert b"unexpected error: LookupError in" in left and b"Traceback" not in left
    assert b"secret" not in left and b"\x1b[31mno" not in left
    terminal.assert_left_as_it_was()


def holds(cache: Path, files: int, _shown: str) -> bool:
    return len(list(cache.rglob("*.index"))) == files


def test_index_is_written_for_the_next_start_except_with_no_index(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    for number in range(5):
        write_task(tmp_path / "project", task_id(number), "success")
    cache = tmp_path / "cache"
    for flags, files in ((["--no-index"], 0), ([], 1)):
        arguments = [str(tmp_path / "project"), *flags]
        terminal = Terminal(*arguments, env=env | {"XDG_CACHE_HOME": str(cache)})
        started.append(terminal)
        terminal.wait(r"live")
        terminal.wait(partial(holds, cache, files))
        terminal.press("q")
        assert terminal.leave() == 0
        assert len(list(cache.rglob("*.index"))) == files


def test_terminal_without_utf8_gets_ascii(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    terminal = Terminal(str(tmp_path), env={**env, "LANG": "C"})
    started.append(terminal)
    shown = terminal.wait(r"x failure")
    assert re.search(r"^\+-+ Filters -+\+", shown, re.MULTILINE) or "- Filters -" in shown
    terminal.press("?")
    terminal.wait(r"C\.UTF-8")
    terminal.press("\r")
    terminal.wait(lambda text: "esc" not in text)
    terminal.press("q")
    assert terminal.leave() == 0
    assert terminal.seen.isascii()


@pytest.mark.parametrize("mouse", [True, False])
def test_no_mouse_leaves_the_mouse_to_the_terminal(
    tmp_path: Path, env: dict[str, str], started: list[Terminal], *, mouse: bool
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    terminal = Terminal(str(tmp_path), *([] if mouse else ["--no-mouse"]), env=env)
    started.append(terminal)
    terminal.wait(r"✗ failure")
    terminal.press("q")
    assert terminal.leave() == 0
    assert (b"\x1b[?1000h" in terminal.seen) is mouse
