"""Read the disk quota of the user, which ``statvfs`` does not know.

The programs that print it are ``lfs`` on Lustre, else ``quota`` of the Linux quota tools.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import IO

TIME_LIMIT = 3.0  # seconds; ``quota`` waits for a file server that does not answer
_MAX_OUTPUT = 1 << 16  # bytes
_BLOCK = 1024  # bytes; both programs count in kilobytes
# The last eight words of a line: used, soft limit, hard limit and grace time, of blocks and of
# files. A star marks a number above its limit, brackets one that is not exact. The name of the file
# system, before them, can contain spaces, or be on a line above.
_NUMBERS = re.compile(
    r"(?:^|\s)\[?(\d+)\]?\*?\s+(\d+)\s+(\d+)\s+\S+\s+\[?\d+\]?\*?\s+\d+\s+\d+\s+\S+\s*$",
    re.ASCII | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """The bytes that a user has on a file system, and may have."""

    used: int
    limit: int

    @property
    def free(self) -> int:
        """The bytes that the user can still write; 0 if the limit is exceeded."""
        return max(0, self.limit - self.used)


def read_quota(mount_point: str, file_system: str) -> Quota | None:
    """Return the quota of this user on a mounted file system of a type such as ``nfs``; None if
    there is none, or if no program says so within ``TIME_LIMIT``."""
    name = "lfs" if file_system == "lustre" else "quota"
    program = shutil.which(name)
    if sys.platform == "win32" or program is None:
        return None
    command: tuple[str, ...]
    if name == "lfs":
        command = (program, "quota", "-q", "-u", str(os.geteuid()), mount_point)
    else:  # no wrapped lines; grace times as numbers, so that no column is empty
        command = (program, "-w", "-p", "-f", mount_point)
    try:
        output = _read_output(command)
    except OSError:
        return None
    return parse_quota(output.decode("utf-8", "replace"))


def parse_quota(output: str) -> Quota | None:
    """Return the quota in the output of ``quota -w -p`` or ``lfs quota -q``; None if there is none.

    The smaller limit counts: above the soft limit, users can write only for some days.
    """
    found = _NUMBERS.search(output)
    if found is None:
        return None
    used, *limits = (_BLOCK * int(number) for number in found.groups())
    limit = min(filter(None, limits), default=0)
    return Quota(used, limit) if limit else None


def _read_output(command: tuple[str, ...]) -> bytes:
    """Return the output of a program; empty if it does not end in time. Raises OSError.

    The exit status says nothing: ``quota`` fails if the quota is exceeded.
    """
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # ctrl+c must reach only the app
        env={**os.environ, "LC_ALL": "C"},
    )
    assert program.stdout
    with program.stdout as pipe:
        output = _read_all(pipe)
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, if it ended
                os.killpg(program.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # it may be in a call that can't be interrupted
        program.wait(timeout=0.1)
    return output


def _read_all(pipe: IO[bytes]) -> bytes:
    """Read a pipe to its end; return nothing if that takes too long, or is too much."""
    deadline = time.monotonic() + TIME_LIMIT
    output = b""
    with DefaultSelector() as ready:
        ready.register(pipe, EVENT_READ)
        while len(output) < _MAX_OUTPUT and ready.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), _MAX_OUTPUT)
            if not piece:
                return output
            output += piece
    return b""
