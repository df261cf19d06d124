"""Run a child in a real pseudo-terminal, and read its screen."""

from __future__ import annotations

import re
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Any

import pexpect
import pyte

ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


class Terminal:
    """A child in a pseudo-terminal, and its screen."""

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

    def wait(self, expected: str | Callable[[str], Any], seconds: float = 60) -> str:
        """Wait until the screen shows a pattern. Fail with its text otherwise."""
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
        """Wait until the child ends. Return its exit status."""
        end = time.monotonic() + 60
        while self.child.isalive() and time.monotonic() < end:
            self.read()
        for _ in range(20):  # the output that is still in the buffer of the terminal
            self.read()
        self.modes_after = termios.tcgetattr(self.child.child_fd)
        self.child.close()
        assert self.child.exitstatus is not None, self.text()
        return self.child.exitstatus

    def go_away(self) -> int:
        """Close the terminal. Return the exit status of the child; negative, the number of the
        signal that killed it."""
        process = self.child.ptyproc  # type: ignore[attr-defined]
        process.fileobj.close()
        process.closed = self.child.closed = True
        end = time.monotonic() + 60
        while self.child.isalive():
            assert time.monotonic() < end, "it never ended"
            time.sleep(0.02)
        status: int | None = self.child.exitstatus
        return status if status is not None else -(self.child.signalstatus or 0)

    def assert_left_as_it_was(self) -> None:
        raw = self.seen.decode("utf-8", "replace")
        assert raw.rfind(LEAVE_ALTERNATE) > raw.rfind(ENTER_ALTERNATE)
        assert raw.rfind(SHOW_CURSOR) > raw.rfind("\x1b[?25l")
        for mode in ("1000", "1002", "1003", "1006", "2004"):
            assert raw.rfind(f"\x1b[?{mode}l") >= raw.rfind(f"\x1b[?{mode}h")
