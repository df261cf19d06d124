"""The identity of a process: its user, machine and process id. It is written into manifests,
heartbeats and the history."""

from __future__ import annotations

import ctypes
import getpass
import os
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if sys.platform == "win32":
    from hipercow_tui.support.windows_process import has_ended, space_of_this_process

# A process id is unique only within one boot of one machine, and within one container.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
_BOOT_SESSION_SIZE = 64  # bytes: a UUID as text has 37


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process. ``space`` is where ``pid`` is unique: the boot and the process id namespace, on
    Windows the machine and the time when the process began. It is empty if unknown."""

    user: str
    host: str
    pid: int
    space: str

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.pid}"

    @property
    def is_gone(self) -> bool:
        """Whether the process certainly has ended. False for a process of another machine."""
        if sys.platform == "win32":
            # Machines whose disks were cloned have the same id.
            return self.host == socket.gethostname() and has_ended(self.pid, self.space)
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
        if sys.platform == "win32":
            return space_of_this_process()
        return f"{_BOOT_ID.read_text('utf-8').strip()} {_PID_NAMESPACE.readlink()}"
    return _boot_session()


def _boot_session() -> str:
    """Return the id of this boot of macOS, which has no process id namespaces; empty on another
    system."""
    size = ctypes.c_size_t(_BOOT_SESSION_SIZE)
    session = ctypes.create_string_buffer(size.value)
    with suppress(OSError, AttributeError, TypeError):  # no such function, or no C library
        sysctl = ctypes.CDLL(None).sysctlbyname
        if sysctl(b"kern.bootsessionuuid", session, ctypes.byref(size), None, 0) == 0:
            return session.value.decode("ascii", "replace")
    return ""
