"""Purge a root as a process of another machine, whose heartbeat is quick, and wait in the middle:
python purge_elsewhere.py ROOT."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from hipercow_tui.purging import heartbeat, process_identity

if __name__ == "__main__":
    heartbeat.INTERVAL = 0.1
    process_identity._pid_space = lambda: "another boot"
    sys.argv[0] = str(Path(__file__).with_name("purge_paused.py"))
    runpy.run_path(sys.argv[0], run_name="__main__")
