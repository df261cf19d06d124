"""The identity of a process: its user, machine and process id. It is written into manifests,
heartbeats and the history."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# A process id is unique only within one boot of one machine, and within one container.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process. ``space`` is the boot and the process id namespace in which ``pid`` is unique;
    empty if unknown."""

    user: str
    host: str
    pid: int
    space: str

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.pid}"

    @property
    def is_gone(self) -> bool:
        """Whether the process certainly has ended. False for a process of another machine."""
        if not self.space or self.space != _pid_space():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    def as_json(self) -> dict[str, Any]:
        """Return the identity as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> ProcessIdentity | None:
        """Create an identity from the values that ``as_json`` returned; None for others."""
        kinds = {"user": str, "host": str, "pid": int, "space": str}
        if not isinstance(data, dict) or data.keys() != kinds.keys():
            return None
        if not all(type(data[key]) is kind for key, kind in kinds.items()):
            return None
        # os.kill with a process id of 0 or below is for process groups.
        return cls(**data) if 0 < data["pid"] < 1 << 31 else None


def current_process() -> ProcessIdentity:
    """Return the identity of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user id without a name, as in a container
        user = "unknown"
        if sys.platform != "win32":
            user = str(os.getuid())
    return ProcessIdentity(user, socket.gethostname(), os.getpid(), _pid_space())


def _pid_space() -> str:
    with suppress(OSError):
        return f"{_BOOT_ID.read_text('utf-8').strip()} {_PID_NAMESPACE.readlink()}"
    return ""
