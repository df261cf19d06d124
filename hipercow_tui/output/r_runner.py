"""Run a program of ``r_programs`` in a process of R, or another command.

R starts in the project's folder, with the profile and library of the user.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.formats.root import Root
from hipercow_tui.support.errors import RscriptError, os_error_text
from hipercow_tui.support.process_group import ProcessGroup
from hipercow_tui.support.text import escape_controls

_LOGGER = logging.getLogger(__name__)

PROGRAM = "Rscript"
_MAX_PIECE = 1 << 16  # bytes; a longer line is passed in pieces
_PATIENCE = 5.0  # seconds between two steps that stop R; the last one kills it

_VERSION = "cat(as.character(utils::packageVersion('hipercow')))"


@dataclass(frozen=True, slots=True)
class RResult:
    """How R ended: its exit status, and whether it was stopped on request."""

    status: int
    stopped: bool

    @property
    def succeeded(self) -> bool:
        """Whether R ended normally and without an error."""
        return self.status == 0 and not self.stopped


def hipercow_version(root: Root, stop: threading.Event) -> str:
    """Return the version of hipercow that R loads; takes about a second.

    Setting ``stop`` ends R, which a profile of the user can keep busy. Raises RscriptError if
    Rscript or the package is missing.
    """
    command, printed = [find_rscript(), "-e", _VERSION], deque[bytes](maxlen=1)
    result = run_command(command, (), root, printed.append, stop, stderr=subprocess.DEVNULL)
    if result.stopped:
        raise RscriptError("R was stopped")
    if result.status or not printed:
        raise RscriptError(
            "R is there but has no package hipercow: start the app where R finds the package"
        )
    return escape_controls(printed[0].decode("utf-8", "replace").strip())


def run(
    program: str,
    lines: Sequence[str],
    root: Root,
    on_line: Callable[[bytes], object],
    stop: threading.Event,
) -> RResult:
    """Run R code with lines on its standard input; ``on_line`` is called with each line it prints.

    ``program`` is one of ``r_programs``, and ``lines`` are what it reads. Setting ``stop``
    interrupts R, as ctrl+c does. Raises RscriptError if R can't be started.
    """
    return run_command([find_rscript(), "-e", program], lines, root, on_line, stop)


def run_command(
    command: Sequence[str],
    lines: Sequence[str],
    root: Root,
    on_line: Callable[[bytes], object],
    stop: threading.Event,
    *,
    stderr: int = subprocess.STDOUT,
) -> RResult:
    """Run any command in the project's folder, as ``run`` does with R.

    A very long line is passed in several pieces. ``stderr`` can be the descriptor of a file. If
    ``on_line`` raises an exception, the program is stopped, as by ``stop``.
    """
    name = Path(command[0]).stem
    try:
        group = ProcessGroup(
            command,
            cwd=root.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    except OSError as error:
        raise RscriptError(f"'{name}' can't be started: {os_error_text(error)}") from None
    process = group.process
    _LOGGER.info("%s: %d lines of input, process %d", name, len(lines), process.pid)
    ended = threading.Event()
    watch = threading.Thread(target=_stop, args=(group, stop, ended), daemon=True)
    watch.start()
    assert process.stdin is not None and process.stdout is not None
    try:
        with process.stdin as pipe:
            _write(pipe.fileno(), "".join(f"{line}\n" for line in lines).encode())
        with process.stdout as output:
            while line := output.readline(_MAX_PIECE):
                on_line(line)
    except BaseException:
        stop.set()  # its output is not read any more
        raise
    finally:
        status = process.wait()
        ended.set()
        watch.join()
        group.close()
    return RResult(status, stop.is_set())


def find_rscript() -> str:
    """Return the path of Rscript; raises RscriptError if it is not on the PATH."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise RscriptError(f"There is no '{PROGRAM}' on the PATH: start the app where R is")
    return program


def _write(fd: int, text: bytes) -> None:
    """Write to a pipe; if R ends before it has read all, it prints the reason itself."""
    while text:
        try:
            text = text[os.write(fd, text) :]
        except OSError:  # BrokenPipeError, or on Windows an invalid argument
            return


def _stop(group: ProcessGroup, stop: threading.Event, ended: threading.Event) -> None:
    """Wait until ``stop`` is set, then end R and its child processes."""
    while not ended.wait(0.1):
        if stop.is_set():
            for _ in group.end():
                if ended.wait(_PATIENCE):
                    return
            return
