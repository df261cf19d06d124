"""Browse, filter and safely purge the tasks of a hipercow root.

``scan`` reads a root, ``space`` measures it, and ``purge`` deletes tasks by filters. The command
line and the app do the same.
"""

from __future__ import annotations

import logging

from hipercow_tui.api import PartlyFailedError, PurgedIds, purge, scan, space
from hipercow_tui.domain.blocked import Blocked, BlockedError
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.support.errors import (
    BadFilterError,
    FilterError,
    HipercowTuiError,
    NoFilterError,
    PurgeError,
    RootError,
    UnknownTasksError,
)

__version__ = "0.1.0"

__all__ = [
    "BadFilterError",
    "Blocked",
    "BlockedError",
    "Bundle",
    "FilterError",
    "HipercowTuiError",
    "Lang",
    "NoFilterError",
    "PartlyFailedError",
    "PurgeError",
    "PurgedIds",
    "RootError",
    "Snapshot",
    "Status",
    "Task",
    "UnknownTasksError",
    "purge",
    "scan",
    "space",
]

# Without a handler, Python prints warnings of a library on standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())
