"""The only package that changes a root: it moves, checks, then erases; imports ``formats`` and what
that may import."""

from __future__ import annotations

from hipercow_tui.purging.batch_name import State
from hipercow_tui.purging.both_languages import (
    empty,
    finish,
    history,
    interrupted,
    is_at_work,
    restore,
    trash,
    trash_size,
)
from hipercow_tui.purging.executor import carry_out, move_to_trash, safety_check
from hipercow_tui.purging.history import HistoryEntry, Kind
from hipercow_tui.purging.results import (
    EmptyReport,
    Outcome,
    Phase,
    Progress,
    PurgeReport,
    RestoreReport,
)
from hipercow_tui.purging.trash_actions import refuse_unerasable
from hipercow_tui.purging.trash_listing import TrashLot, trash_signs

__all__ = [
    "EmptyReport",
    "HistoryEntry",
    "Kind",
    "Outcome",
    "Phase",
    "Progress",
    "PurgeReport",
    "RestoreReport",
    "State",
    "TrashLot",
    "carry_out",
    "empty",
    "finish",
    "history",
    "interrupted",
    "is_at_work",
    "move_to_trash",
    "refuse_unerasable",
    "restore",
    "safety_check",
    "trash",
    "trash_signs",
    "trash_size",
]
