"""The program in a real pseudo-terminal, driven by keys, as a person would drive it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest
from small_root import task_id, write_bundle, write_task

ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


class Terminal:
    """A child in a pseudo-terminal, and the screen a person would see."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str],
        program: Sequence[str] = ("-m", "hipercow_tui"),
        rows: int = 24,
        columns: int = 80,
    ):
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            [*program, *arguments],
            env=env,
            dimensions=(rows, columns),
            timeout=20,
        )
        self.modes_before = termios.tcgetattr(self.child.child_fd)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.seen = b""

    def read(self) -> None:
        try:
            data = self.child.read_nonblocking(65536, timeout=0.05)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.seen += data
        self.stream.feed(data)

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def wait(self, expected: str | Callable[[str], Any], seconds: float = 30) -> str:
        """Wait until the screen shows a pattern; fails with what it shows instead."""
        found = expected if callable(expected) else re.compile(expected).search
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()
            if found(self.text()):
                return self.text()
        raise AssertionError(f"{expected!r} never came up; the screen is:\n{self.text()}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.child.send(key)

    def leave(self) -> int:
        end = time.monotonic() + 20
        while self.child.isalive() and time.monotonic() < end:
            self.read()
        self.read()
        self.child.close()
        assert self.child.exitstatus is not None, self.text()
        return self.child.exitstatus

    def assert_left_as_it_was(self) -> None:
        raw = self.seen.decode("utf-8", "replace")
        assert raw.rfind(LEAVE_ALTERNATE) > raw.rfind(ENTER_ALTERNATE)
        assert raw.rfind(SHOW_CURSOR) > raw.rfind("\x1b[?25l")
        for mode in ("1000", "1002", "1003", "1006", "2004"):
            assert raw.rfind(f"\x1b[?{mode}l") >= raw.rfind(f"\x1b[?{mode}h")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    kept = {
        key: os.environ[key] for key in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if key in os.environ
    }
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "TEXTUAL_ANIMATIONS": "none",
    }


@pytest.fixture
def started() -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.child.close(force=True)


def test_the_demo_from_start_to_purge_to_quit(env: dict[str, str], started: list[Terminal]) -> None:
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


def test_hostile_names_and_text_reach_no_terminal(
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
    terminal.wait(r"failure")
    terminal.press("l")
    terminal.wait(r"bold")
    terminal.press("\x1b")
    terminal.wait(lambda text: "esc" not in text and "live" in text)
    terminal.press("q")
    assert terminal.leave() == 0
    assert b"\x1b]0;owned" not in terminal.seen
    assert b"owned" in terminal.seen


@pytest.mark.parametrize("arguments", [[], ["--demo"]])
def test_a_dumb_terminal_gets_a_sentence(
    tmp_path: Path, env: dict[str, str], started: list[Terminal], arguments: list[str]
) -> None:
    terminal = Terminal(*(arguments or [str(tmp_path)]), env={**env, "TERM": "dumb"})
    started.append(terminal)
    assert terminal.leave() == 1
    assert "the app needs a terminal" in terminal.text()
    assert b"\x1b" not in terminal.seen


def test_no_terminal_gets_a_sentence(tmp_path: Path, env: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "hipercow_tui", str(tmp_path)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=env,
        text=True,
        check=False,
    )
    assert ran.returncode == 1 and "the app needs a terminal" in ran.stderr


def test_the_command_line_asks_and_takes_no_for_an_answer(
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
from hipercow_tui.cli import main
from hipercow_tui.ui.screens.browse import BrowseScreen

def broken(self):
    secret = "what was read from disk"
    raise LookupError("\x1b[31mno such thing")

BrowseScreen.action_refresh = broken
sys.exit(main(sys.argv[1:]))
"""


def test_an_error_of_our_own_is_a_sentence_and_restores_the_terminal(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    write_task(tmp_path, task_id(1), "success")
    terminal = Terminal(str(tmp_path), env=env, program=("-c", BROKEN))
    started.append(terminal)
    terminal.wait(r"live")
    terminal.press("r")
    assert terminal.leave() == 1
    left = terminal.seen.split(LEAVE_ALTERNATE.encode())[-1]
    assert b"Please report: LookupError in" in left and b"Traceback" not in left
    assert b"secret" not in left and b"\x1b[31mno" not in left
    terminal.assert_left_as_it_was()
