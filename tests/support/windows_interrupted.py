"""Purge a root on Windows by the command line, and stop or end the process in the middle.

python windows_interrupted.py break ROOT: the process gets the signal of ctrl+break.
python windows_interrupted.py die ROOT: the process is terminated.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from purge_stage import LONE

from hipercow_tui.cli.main import main
from hipercow_tui.support import filesystem


def purge(where: str, interrupt: Callable[[], object]) -> int:
    """Purge the failed tasks of a root, and call ``interrupt`` after LONE was moved. Return the
    exit status."""
    really_rename = filesystem.rename

    def rename(source: str, *arguments: Any) -> None:
        really_rename(source, *arguments)
        if source == LONE[2:]:
            interrupt()

    with patch.object(filesystem, "rename", rename):
        return main(["purge", where, "--with-status", "failure", "--yes"])


def wait_for_ctrl_c() -> None:
    stop: Any = signal.getsignal(signal.SIGINT)
    received = []

    def receive(*signals: Any) -> None:
        received.append(signals)
        stop(*signals)

    signal.signal(signal.SIGINT, receive)
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    while not received:  # Windows does not interrupt a longer wait
        time.sleep(0.02)


def press_ctrl_break() -> None:
    signal.raise_signal(getattr(signal, "SIGBREAK"))  # noqa: B009 - only Windows has it


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    action, where = sys.argv[1:]
    sys.exit(purge(where, press_ctrl_break if action == "break" else terminate))
