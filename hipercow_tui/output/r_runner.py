"""Runs hipercow for R in a process of its own, for what only R can do: cancel and retry tasks.

Ids go in by standard input and the program is always the same text, so nothing from disk is ever
parsed as R. R starts in the project's folder, with the user's own profile and library.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hipercow_tui.domain.task import TASK_ID
from hipercow_tui.formats.root import Root
from hipercow_tui.output.r_calls import RAction
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.support.text import escape_controls

PROGRAM = "Rscript"
_PATIENCE = 5.0  # seconds from asking R to stop until it is killed

# task_retry() gives the new ids; task_cancel() tells what it did by itself.
_IDS = 'from <- file("stdin"); ids <- readLines(from); close(from); '
_PROGRAMS = {
    RAction.CANCEL: _IDS + "invisible(hipercow::task_cancel(ids))",
    RAction.RETRY: _IDS + "writeLines(hipercow::task_retry(ids))",
}
_VERSION = 'cat(as.character(utils::packageVersion("hipercow")))'


@dataclass(frozen=True, slots=True)
class RResult:
    """How R ended: its exit status, and whether it was asked to stop."""

    status: int
    stopped: bool

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was to do."""
        return self.status == 0 and not self.stopped


def hipercow_version(root: Root) -> str:
    """The version of hipercow that R would load; takes a second or so.

    Raises RscriptError, which says what is missing.
    """
    run = subprocess.run(
        [_found(), "-e", _VERSION],
        cwd=root.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if run.returncode:
        raise RscriptError(
            "R is there but has no package hipercow: start the app with the R that you use for it"
        )
    return escape_controls(run.stdout.decode("utf-8", "replace").splitlines()[-1])


def run(
    act: RAction,
    ids: Sequence[str],
    root: Root,
    heard: Callable[[bytes], object],
    stop: threading.Event,
) -> RResult:
    """Have R act on these tasks; ``heard`` is given each line that R prints, as it comes.

    Once ``stop`` is set, R is interrupted as by ctrl+c. Raises RscriptError if it can't be started.
    """
    if not all(map(TASK_ID.match, ids)):
        raise RscriptError("Only ids of tasks are handed to R")
    try:
        process = subprocess.Popen(
            [_found(), "-e", _PROGRAMS[act]],
            cwd=root.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise RscriptError(f"R could not be started: {error.strerror}") from None
    ended = threading.Event()
    watch = threading.Thread(target=_stop, args=(process, stop, ended), daemon=True)
    watch.start()
    assert process.stdin is not None and process.stdout is not None
    with process.stdin as to_r:
        _write(to_r.fileno(), "".join(f"{task_id}\n" for task_id in ids).encode())
    with process.stdout as said:
        for line in said:
            heard(line)
    status = process.wait()
    ended.set()
    return RResult(status, stop.is_set())


def _found() -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        raise RscriptError(f"There is no '{PROGRAM}' on the PATH: start the app where R is")
    return program


def _write(fd: int, text: bytes) -> None:
    """What R doesn't read, since it ended early, is not our concern: it says why."""
    while text:
        try:
            text = text[os.write(fd, text) :]
        except BrokenPipeError:
            return


def _stop(process: subprocess.Popen[bytes], stop: threading.Event, ended: threading.Event) -> None:
    """Ends R, and what it started, once it is asked for."""
    while not ended.wait(0.1):
        if stop.is_set():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                if ended.wait(_PATIENCE):
                    return
            return
