"""A process of our own that answers requests through a pipe.

One interpreter lock lets one core work, and a thread that is busy keeps the screen's thread from
its keys. Such a process is started as a program, never forked: a fork copies the locks of threads
that it does not copy. Only plain values go through its pipes, by ``marshal``.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_HANDSHAKE = b"hipercow-tui reads\n"
PROGRAM = f"""
import os, sys
_, module, word, where, *sys.path = sys.argv
os.chdir(where)
from importlib import import_module
serve = import_module(module).serve
sys.stdout.buffer.write({_HANDSHAKE!r})
sys.stdout.buffer.flush()
serve(sys.stdin.buffer, sys.stdout.buffer, word)
"""


class WorkerProcess:
    """Runs ``serve(requests, answers, word)`` of a module, in the folder ``where``.

    ``serve`` reads requests by ``read_value`` until there is none, and answers by ``write_value``.
    Raises OSError where it can't be started.
    """

    def __init__(self, module: str, word: str, where: str) -> None:
        places = [str(Path(place).resolve()) for place in sys.path]
        # It goes to its folder by itself. Where a file server hangs, a fork that has not become
        # another program yet would keep our pipes open.
        self._program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, module, word, where, *places],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # ctrl+c is meant for us
        )
        # At the latest when we end: where a file server hangs, it would wait for an answer.
        self._kill = weakref.finalize(self, self._program.kill)
        assert self._program.stdin and self._program.stdout
        self._input, self.output = self._program.stdin, self._program.stdout
        self._greeted = False

    def send(self, request: Any) -> None:
        """Ask; whether it has ended is told by its output."""
        with suppress(OSError):
            write_value(self._input, request)

    def receive(self) -> Any:
        """Its next answer; None if it has ended, or was never ours."""
        # What is called Python may be another program, where Python is part of that.
        if not self._greeted and _whole(self.output, len(_HANDSHAKE)) != _HANDSHAKE:
            return None
        self._greeted = True
        return read_value(self.output)

    def close(self) -> None:
        """End it, now. It only reads; where a file server hangs it ends when that answers."""
        self._kill()
        self._input.close()
        self.output.close()
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(timeout=0.1)


def write_value(pipe: IO[bytes], value: Any) -> None:
    """Raises OSError where nobody reads."""
    raw = marshal.dumps(value)
    pipe.write(len(raw).to_bytes(4, "little") + raw)
    pipe.flush()


def read_value(pipe: IO[bytes]) -> Any:
    """The next value; None where the pipe has ended."""
    size = int.from_bytes(_whole(pipe, 4), "little")
    raw = _whole(pipe, size)
    return marshal.loads(raw) if size and len(raw) == size else None


def _whole(pipe: IO[bytes], size: int) -> bytes:
    """So many bytes; fewer where the pipe ends before."""
    raw = b""
    while len(raw) < size and (piece := pipe.read(size - len(raw))):
        raw += piece
    return raw
