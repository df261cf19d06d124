"""A Python process that answers requests through a pipe.

Because of the interpreter lock, threads use only one core, and a busy thread delays the keys. The
process is started as a program and never forked, because a fork copies locks but not the threads
that hold them. Requests and answers are plain values, encoded by ``marshal``.
"""

from __future__ import annotations

import logging
import marshal
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from hipercow_tui.support.process_group import WORKER

_LOGGER = logging.getLogger(__name__)

_HANDSHAKE = b"hipercow-tui reads\n"
PROGRAM = f"""
import os, sys
_, module, argument, folder, *sys.path = sys.argv
os.chdir(folder)
from importlib import import_module
serve = import_module(module).serve
sys.stdout.buffer.write({_HANDSHAKE!r})
sys.stdout.buffer.flush()
serve(sys.stdin.buffer, sys.stdout.buffer, argument)
"""


class WorkerProcess:
    """Runs ``serve(requests, answers, argument)`` of a module in a process.

    ``module`` is its name and ``folder`` the working directory. ``serve`` calls ``read_value``
    until that returns None, and answers with ``write_value``. Raises OSError if the process can't
    be started.
    """

    def __init__(self, module: str, argument: str, folder: str) -> None:
        search_path = [str(Path(entry).resolve()) for entry in sys.path]
        # The program changes to the folder itself. With cwd=, a child that waits for a file server
        # before it runs the program would keep our pipes open.
        self._program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, module, argument, folder, *search_path],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **WORKER,
        )
        _LOGGER.debug("started process %d for %s", self._program.pid, module)
        # It is killed at exit at the latest: it may be waiting for a file server that hangs.
        self._kill = weakref.finalize(self, self._program.kill)
        assert self._program.stdin and self._program.stdout
        self._input, self.output = self._program.stdin, self._program.stdout
        self._greeted = False

    def send(self, request: Any) -> None:
        """Send a request. If the process has ended, ``receive`` returns None."""
        with suppress(OSError):
            write_value(self._input, request)

    def receive(self) -> Any:
        """Return the next answer; None if the process has ended or is not ours."""
        # In a program that embeds Python, sys.executable can be that program.
        if not self._greeted and _read(self.output, len(_HANDSHAKE)) != _HANDSHAKE:
            return None
        self._greeted = True
        return read_value(self.output)

    def kill(self) -> None:
        """Kill the process, from any thread: ``receive`` returns None."""
        self._kill()

    def close(self) -> None:
        """Kill the process. If it waits for a file server, it ends when that answers."""
        self._kill()
        self._input.close()
        self.output.close()
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(timeout=0.1)


def write_value(pipe: IO[bytes], value: Any) -> None:
    """Write a value to a pipe. Raises OSError if the reader has closed it."""
    raw = marshal.dumps(value)
    pipe.write(len(raw).to_bytes(4, "little") + raw)
    pipe.flush()


def read_value(pipe: IO[bytes]) -> Any:
    """Return the next value; None at the end of the pipe."""
    size = int.from_bytes(_read(pipe, 4), "little")
    raw = _read(pipe, size)
    return marshal.loads(raw) if size and len(raw) == size else None


def _read(pipe: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes; fewer at the end of the pipe."""
    raw = b""
    while len(raw) < size and (piece := pipe.read(size - len(raw))):
        raw += piece
    return raw
