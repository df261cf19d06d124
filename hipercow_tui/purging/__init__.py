"""Purge, restore and empty: the only package that changes a root. It may import ``scanning`` and
lower packages."""

from __future__ import annotations

from hipercow_tui.purging.batch_name import BatchState
from hipercow_tui.purging.both_languages import (
    empty,
    finish,
    history,
    is_batch_in_use,
    list_interrupted,
    list_trash,
    restore,
    trash_size,
)
from hipercow_tui.purging.executor import execute, move_to_trash, preflight
from hipercow_tui.purging.history import HistoryEntry, HistoryKind
from hipercow_tui.purging.results import (
    EmptyReport,
    ItemResult,
    Phase,
    Progress,
    PurgeReport,
    RestoreReport,
)
from hipercow_tui.purging.trash_actions import refuse_unerasable
from hipercow_tui.purging.trash_listing import TrashEntry, trash_fingerprint

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
    "history",
    "is_batch_in_use",
    "list_interrupted",
    "list_trash",
    "move_to_trash",
    "preflight",
    "refuse_unerasable",
    "restore",
    "trash_fingerprint",
    "trash_size",
]
