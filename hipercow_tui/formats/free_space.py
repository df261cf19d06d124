"""Read how much space is free on the file system of a root."""

from __future__ import annotations

import math
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.support.filesystem import mount_at
from hipercow_tui.support.text import format_size

if sys.platform == "win32":
    from hipercow_tui.support.filesystem.windows import is_on_network

_MOUNTS = Path("/proc/self/mountinfo")
# File systems of file servers. Their space is often limited by a quota that statvfs does not know.
_NETWORK = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gpfs", "lustre"),
        *("nfs", "nfs4", "panfs", "smb3", "smbfs"),
    )
)
_SHORT_PART = 0.05
_SHORT_BYTES = 10**9


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """The bytes that the user can still write to a file system, and its size in bytes.

    ``network`` says whether it is on a file server, where others use the same space.
    """

    free: int
    size: int
    network: bool = False

    @property
    def short(self) -> bool:
        """Whether less than 5 % or less than 1 GB is free."""
        return self.free < max(_SHORT_PART * self.size, _SHORT_BYTES)

    def missing(self, percent: float) -> int:
        """Return the bytes that must be freed until this part of the file system is free."""
        return max(0, math.ceil(percent / 100 * self.size) - self.free)

    def __str__(self) -> str:
        share = "share " if self.network else ""
        return f"{share}{_round(self.free)} free of {_round(self.size)}"


def _round(number: int) -> str:
    return format_size(number).replace(".0 ", " ")


def read_free_space(path: Path) -> FreeSpace | None:
    """Return the free space of the file system that holds a folder; None if the file system does
    not say."""
    try:
        if sys.platform == "win32":
            usage = shutil.disk_usage(path)
            return FreeSpace(usage.free, usage.total, is_on_network(path))
        status = os.statvfs(path)
        network = _type_of(path) in _NETWORK
    except OSError:
        return None
    size = status.f_blocks * status.f_frsize
    return FreeSpace(status.f_bavail * status.f_frsize, size, network) if size else None


def _type_of(path: Path) -> str:
    """Return the type of the file system that holds a path; empty if it is not known. Raises
    OSError."""
    mount_id = mount_at(path).id
    with suppress(FileNotFoundError):  # a system without /proc
        for line in _MOUNTS.read_text("utf-8", "replace").splitlines():
            before, _, after = line.partition(" - ")
            if before.split(" ", 1)[0] == str(mount_id):
                return after.split(" ", 1)[0]
    return ""
