"""Child processes that ctrl+c does not reach, because each has a group of processes for itself.

On POSIX the group is a session. On Windows it is a process group, which ctrl+break reaches, and a
job, which can be ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

if sys.platform == "win32":
    from hipercow_tui.support.windows_job import Job

# Arguments of ``subprocess.Popen``. A worker has a lower priority; POSIX programs lower it by
# themselves, and keep the same arguments.
_OWN_GROUP: dict[str, Any] = {"start_new_session": True}
WORKER = _OWN_GROUP
if sys.platform == "win32":
    _OWN_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    WORKER = {
        "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP
        | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    }


class ProcessGroup:
    """A program that was started in a group for itself, with all processes that it starts.

    The arguments are those of ``subprocess.Popen``. Raises OSError.
    """

    def __init__(self, command: Sequence[str], **arguments: Any) -> None:
        self.process: subprocess.Popen[bytes] = subprocess.Popen(command, **_OWN_GROUP, **arguments)
        if sys.platform == "win32":
            self._job: Job | None = None
            with suppress(OSError):  # then only the program itself can be ended
                self._job = Job(int(self.process._handle))  # type: ignore[attr-defined]

    def end(self) -> Iterator[None]:
        """End the processes by steps: wait after each ``next``. First they are interrupted, at last
        they are killed."""
        if sys.platform == "win32":
            with suppress(OSError):  # there is no console
                self.process.send_signal(signal.CTRL_BREAK_EVENT)
            yield
            with suppress(OSError):  # they have ended
                (self._job or self.process).terminate()
            yield
        else:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                # The latter error is that of macOS, if they have ended.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, number)
                yield

    def close(self) -> None:
        """Release what the system keeps for the group, after the program has ended."""
        if sys.platform == "win32" and self._job is not None:
            self._job.close()
