"""Who works in a root: a user, on a machine, in a process. Written into manifests, heartbeats and
history."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Process ids mean the same only within one boot of one machine, and within one container.
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process; ``space`` tells where its ``pid`` means something, empty where that is unknown."""

    user: str
    host: str
    pid: int
    space: str

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.pid}"

    @property
    def is_gone(self) -> bool:
        """Whether it certainly runs no more; a process elsewhere can't be asked."""
        if not self.space or self.space != _space():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> ProcessIdentity | None:
        """What ``as_json`` gave; None for anything else."""
        kinds = {"user": str, "host": str, "pid": int, "space": str}
        if not isinstance(data, dict) or data.keys() != kinds.keys():
            return None
        if not all(type(data[key]) is kind for key, kind in kinds.items()):
            return None
        # Signal 0 to a process 0 or below would ask whole groups.
        return cls(**data) if 0 < data["pid"] < 1 << 31 else None


def current_process() -> ProcessIdentity:
    """This process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as in a container
        user = str(os.getuid())
    return ProcessIdentity(user, socket.gethostname(), os.getpid(), _space())


def _space() -> str:
    with suppress(OSError):
        return f"{_BOOT.read_text('utf-8').strip()} {_SPACE.readlink()}"
    return ""
