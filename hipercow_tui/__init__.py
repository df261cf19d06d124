"""Browse, filter and safely purge the tasks of a hipercow root.

``scan`` reads a root, ``space`` measures it, ``errors`` groups its failures, ``purge`` deletes
tasks by filters, ``pin`` holds tasks back from every purge, ``note`` writes a note on them, and
``wait`` waits until tasks have ended. The command line and the app do the same.
"""

from __future__ import annotations

import logging

from hipercow_tui.api import PartlyFailedError, errors, note, pin, purge, scan, space, unpin, wait
from hipercow_tui.domain.blocked import Blocked, BlockedError
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.domain.waits import WaitProgress, WaitTimeoutError
from hipercow_tui.support.errors import (
    BadFilterError,
    FilterError,
    GoalError,
    HipercowTuiError,
    NoFilterError,
    PurgeError,
    RootError,
    UnknownTasksError,
    UnsubmittedError,
    WaitError,
)

__version__ = "0.1.0"

__all__ = [
    "BadFilterError",
    "Blocked",
    "BlockedError",
    "Bundle",
    "FilterError",
    "GoalError",
    "HipercowTuiError",
    "Lang",
    "NoFilterError",
    "PartlyFailedError",
    "PurgeError",
    "RootError",
    "Snapshot",
    "Status",
    "Task",
    "UnknownTasksError",
    "UnsubmittedError",
    "WaitError",
    "WaitProgress",
    "WaitTimeoutError",
    "errors",
    "note",
    "pin",
    "purge",
    "scan",
    "space",
    "unpin",
    "wait",
]

# Without a handler, Python prints warnings of a library on standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())
