"""Read how much space the user can still write on the file system of a root."""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.formats.quota import read_quota
from hipercow_tui.support.filesystem import mount_at
from hipercow_tui.support.text import format_size

if sys.platform == "win32":
    from hipercow_tui.support.filesystem.windows import is_on_network

_MOUNTS = Path("/proc/self/mountinfo")
# File systems of file servers. Their space is often limited by a quota that is not known here.
_NETWORK = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gpfs", "lustre"),
        *("nfs", "nfs4", "panfs", "smb3", "smbfs"),
    )
)
_ESCAPED = re.compile(r"\\([0-7]{3})")  # a space, tab, newline or backslash
_SHORT_PART = 0.05
_SHORT_BYTES = 10**9


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """The bytes that the user can still write to a file system, and its size in bytes.

    ``network`` says whether it is on a file server, where others use the same space. With
    ``quota``, both numbers are of a quota of the user, the group or the project.
    """

    free: int
    size: int
    network: bool = False
    quota: bool = False

    @property
    def short(self) -> bool:
        """Whether less than 5 % or less than 1 GB is free."""
        return self.free < max(_SHORT_PART * self.size, _SHORT_BYTES)

    def missing(self, percent: float) -> int:
        """Return the bytes that must be freed until this part of the file system is free."""
        return max(0, math.ceil(percent / 100 * self.size) - self.free)

    def __str__(self) -> str:
        scope = "quota " if self.quota else "share " if self.network else ""
        return f"{scope}{self._amount}"

    @property
    def sentence(self) -> str:
        """A sentence without a full stop, such as ``The quota has 2 GB free of 15 GB now``."""
        owner = "The quota" if self.quota else "The share" if self.network else "The file system"
        return f"{owner} has {self._amount} now"

    @property
    def _amount(self) -> str:
        return f"{_round(self.free)} free of {_round(self.size)}"


def _round(number: int) -> str:
    return format_size(number).replace(".0 ", " ")


def read_free_space(path: Path) -> FreeSpace | None:
    """Return the free space of the file system that holds a folder, or that of a quota if less is
    left of it. None if the file system does not say.

    A file server can take long to answer, and a quota up to ``quota.TIME_LIMIT``.
    """
    try:
        if sys.platform == "win32":
            usage = shutil.disk_usage(path)
            return FreeSpace(usage.free, usage.total, is_on_network(path))
        status = os.statvfs(path)
        mount_point, file_system = _mount(path)
        quota = read_quota(path, mount_point, file_system)
    except OSError:
        return None
    free, size = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    network = file_system in _NETWORK
    if quota is not None and (quota.free < free or not size):
        return FreeSpace(quota.free, quota.limit, network, quota=True)
    return FreeSpace(free, size, network) if size else None


def _mount(path: Path) -> tuple[str, str]:
    """Return where the file system that holds a path is mounted, and its type: the path itself and
    "" if that is not known. Raises OSError."""
    mount_id = mount_at(path).id
    with suppress(FileNotFoundError):  # a system without /proc
        for line in _MOUNTS.read_text("utf-8", "surrogateescape").split("\n"):
            before, _, after = line.partition(" - ")
            fields = before.split(" ")
            if fields[0] == str(mount_id):
                return _ESCAPED.sub(_unescaped, fields[4]), after.split(" ", 1)[0]
    return str(path), ""


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))
