"""Read the disk quotas of the user, the group and the project, which ``statvfs`` does not know.

The programs that print it are ``lfs`` on Lustre, else ``quota`` of the Linux quota tools.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
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
# The line before the quotas of a group in the output of ``quota``, and before those of any owner.
_GROUP = re.compile(r"Disk quotas for group .*\(gid (\d+)\):", re.ASCII)
_OWNER = re.compile(r"^(?=Disk quotas for )", re.MULTILINE)
_PROJECT = re.compile(r"\s*([1-9]\d*)\s", re.ASCII)  # the output of ``lfs project -d``; 0 is none


@dataclass(frozen=True, slots=True)
class Quota:
    """The bytes that a user, group or project has on a file system, and may have."""

    used: int
    limit: int

    @property
    def free(self) -> int:
        """The bytes that can still be written; 0 if the limit is exceeded."""
        return max(0, self.limit - self.used)


def read_quota(folder: Path, mount_point: str, file_system: str) -> Quota | None:
    """Return the quota that leaves the least for new files in a folder: of this user, of their
    group, or on Lustre of the project of the folder.

    The folder is on a file system of a type such as ``nfs``, mounted at ``mount_point``. The result
    is None if there is no quota, or if no program says so within ``TIME_LIMIT``. Raises OSError if
    the folder can't be examined.
    """
    name = "lfs" if file_system == "lustre" else "quota"
    program = shutil.which(name)
    if sys.platform == "win32" or program is None:
        return None
    group, deadline = _group_of_new_files(folder), time.monotonic() + TIME_LIMIT

    def run(*arguments: str) -> str:
        try:
            return _read_output((program, *arguments), deadline).decode("utf-8", "replace")
        except OSError:
            return ""

    if name == "quota":
        # No wrapped lines; grace times as numbers, so that no column is empty.
        outputs = _of_group(run("-u", "-g", "-w", "-p", "-f", mount_point), group)
    else:
        owners = [("-u", str(os.geteuid())), ("-g", str(group))]
        if project := _PROJECT.match(run("project", "-d", str(folder))):
            owners.append(("-p", project[1]))
        outputs = [run("quota", "-q", *owner, mount_point) for owner in owners]
    quotas = filter(None, map(parse_quota, outputs))
    return min(quotas, key=lambda quota: quota.free, default=None)


def _group_of_new_files(folder: Path) -> int:
    """Return the id of the group of new files in a folder. Raises OSError."""
    status = folder.stat()
    if sys.platform == "win32" or status.st_mode & stat.S_ISGID:
        return status.st_gid
    return os.getegid()


def _of_group(output: str, group: int) -> list[str]:
    """Return the parts of the output of ``quota -u -g`` without those on other groups."""
    parts = ((part, _GROUP.match(part)) for part in _OWNER.split(output))
    return [part for part, owner in parts if owner is None or int(owner[1]) == group]


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


def _read_output(command: tuple[str, ...], deadline: float) -> bytes:
    """Return the output of a program; empty if it does not end by ``deadline``, on the monotonic
    clock. Raises OSError.

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
        output = _read_all(pipe, deadline)
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, if it ended
                os.killpg(program.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # it may be in a call that can't be interrupted
        program.wait(timeout=0.1)
    return output


def _read_all(pipe: IO[bytes], deadline: float) -> bytes:
    """Read a pipe to its end; return nothing if that takes too long, or is too much."""
    output = b""
    with DefaultSelector() as ready:
        ready.register(pipe, EVENT_READ)
        while len(output) < _MAX_OUTPUT and ready.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), _MAX_OUTPUT)
            if not piece:
                return output
            output += piece
    return b""
