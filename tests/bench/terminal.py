"""A program in a pseudo-terminal. Its output is recorded with times, and replayed afterwards.

The screen is not computed during the recording, because that would slow down the program.
"""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import pyte

COLUMNS, ROWS = 120, 40


@dataclass
class Recording:
    """A running program and its output.

    Attributes:
        command: The program and its arguments.
        began: When it was started, on the monotonic clock.
        chunks: The output, with its times on the same clock.
    """

    command: list[str]
    began: float = 0.0
    chunks: list[tuple[float, bytes]] = field(default_factory=list)

    def __enter__(self) -> Recording:
        self.began = time.monotonic()
        self._pid, self._fd = pty.fork()
        if not self._pid:
            size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            more = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            os.execve(self.command[0], self.command, {**os.environ, **more})
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def resident(self) -> int:
        """Return the resident memory of the program, in bytes."""
        pages = Path(f"/proc/{self._pid}/statm").read_text("ascii").split()[1]
        return int(pages) * resource.getpagesize()

    def press(self, keys: bytes) -> float:
        """Send keys; return the time."""
        now = time.monotonic()
        os.write(self._fd, keys)
        return now

    def watch(self, seconds: float, *, quiet: float | None = None) -> None:
        """Record for ``seconds``, or until there is no output for ``quiet`` seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            wait = left if quiet is None else min(left, quiet)
            if select.select([self._fd], [], [], wait)[0]:
                raw = os.read(self._fd, 1 << 20)
                self.chunks.append((time.monotonic(), raw))
            elif quiet is not None:
                return


class Replay:
    """The screen of a recording at any time."""

    def __init__(self, chunks: Sequence[tuple[float, bytes]]) -> None:
        self._chunks = iter(chunks)
        self._next = next(self._chunks, None)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    @property
    def blank(self) -> bool:
        """Whether nothing has been drawn, not even a background."""
        cell: Any = self._screen.buffer[ROWS // 2][COLUMNS // 2]
        return bool(cell.bg == "default")

    def play(self, *, before: float) -> None:
        """Replay the output before a time."""
        while self._next is not None and self._next[0] < before:
            self._step()

    def until(self, condition: Callable[[], object], *, before: float = inf) -> float | None:
        """Replay until a condition holds, and return the time; None if it never holds.

        Output after ``before`` is not replayed, because it answers another key.
        """
        while self._next is not None and self._next[0] < before:
            when = self._next[0]
            self._step()
            if condition():
                return when
        return None

    def _step(self) -> None:
        assert self._next is not None
        # pyte misreads some of Textual's queries that end with m as colours.
        self._stream.feed(self._next[1])
        self._next = next(self._chunks, None)
