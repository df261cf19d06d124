"""Purge, trash and restore: the only package that changes a root. It may import ``formats``,
``domain`` and ``support``."""

from __future__ import annotations

from hipercow_tui.purging.batch_name import BatchState
from hipercow_tui.purging.executor import execute, move_to_trash, preflight
from hipercow_tui.purging.history import HistoryEntry, HistoryKind, read_history
from hipercow_tui.purging.results import (
    EmptyReport,
    ItemResult,
    Phase,
    Progress,
    PurgeReport,
    RestoreReport,
)
from hipercow_tui.purging.trash_actions import empty, finish, refuse_unerasable, restore
from hipercow_tui.purging.trash_listing import (
    TrashEntry,
    is_batch_in_use,
    list_interrupted,
    list_trash,
    measure_entry,
    older_than,
    trash_fingerprint,
)

__all__ = [
    "BatchState",
    "EmptyReport",
    "HistoryEntry",
    "HistoryKind",
    "ItemResult",
    "Phase",
    "Progress",
    "PurgeReport",
    "RestoreReport",
    "TrashEntry",
    "empty",
    "execute",
    "finish",
    "is_batch_in_use",
    "list_interrupted",
    "list_trash",
    "measure_entry",
    "move_to_trash",
    "older_than",
    "preflight",
    "read_history",
    "refuse_unerasable",
    "restore",
    "trash_fingerprint",
]
