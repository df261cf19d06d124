"""Child processes that ctrl+c does not reach, because each has a group of processes for itself.

On POSIX the group is a session. On Windows it is a process group, which ctrl+break reaches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

# Arguments of ``subprocess.Popen``. A worker has a lower priority; POSIX programs lower it by
# themselves, and keep the same arguments.
OWN_GROUP: dict[str, Any] = {"start_new_session": True}
WORKER = OWN_GROUP
if sys.platform == "win32":
    OWN_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    WORKER = {
        "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP
        | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    }


def end_group(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process of ``OWN_GROUP`` and its children, by steps: wait after each ``next``. First
    they are interrupted, at last they are killed."""
    if sys.platform == "win32":
        with suppress(OSError):  # there is no console
            process.send_signal(signal.CTRL_BREAK_EVENT)
        yield
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, check=False)
        yield
    else:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, if it ended
                os.killpg(process.pid, number)
            yield
