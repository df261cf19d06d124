"""The names in ``hipercow/tui/``. The name of a batch ends in its state, so one rename changes it.

20261123T231205Z-3f2a.preparing    not confirmed, or nothing is moved yet: never carried out
20261123T231205Z-3f2a              a confirmed purge or move to the trash, which runs or was
                                   interrupted
20261123T231205Z-3f2a.trash        in the trash, complete
20261123T231205Z-3f2a.erasing      its items are being erased: some may be incomplete
20261123T231205Z-3f2a.restoring    its items are being put back
20261123T231205Z-3f2a.kept         the quarantine: items that could not be put back
20261123T231205Z-3f2a.2.trash      in the trash, after it was taken over twice
history/                           one file for each purge, restore and emptying
check-20261123T231205Z-3f2a        not a batch: the check before the question whether there is space
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

TUI_FOLDER = "tui"  # the only folder that this app creates in a root
HISTORY = "history"
_TIME_ID = r"\d{8}T\d{6}Z-[0-9a-f]{4}"
# The id of a batch, or of a loose task.
BATCH_ID = re.compile(rf"(?:{_TIME_ID}|{TUI_FOLDER}-[0-9a-f]{{32}})\Z", re.ASCII)
_NAME = re.compile(
    rf"({_TIME_ID})(?:\.([1-9]\d{{0,8}}))?(?:\.(preparing|trash|erasing|restoring|kept))?\Z",
    re.ASCII,
)

_CHECK = "check-"  # no version of this app parses a name that begins so as that of a batch


class BatchState(StrEnum):
    """The state of a batch. The value ``kept`` means quarantined; it is part of file names and
    JSON."""

    PREPARING = "preparing"
    MOVING = "moving"
    TRASH = "trash"
    ERASING = "erasing"
    RESTORING = "restoring"
    QUARANTINED = "kept"


# States in which no process works and nothing was interrupted.
AT_REST = (BatchState.TRASH, BatchState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class BatchName:
    """The name of a batch: its id, how often it was taken over (``generation``), and its state.

    A process takes over a batch by a rename that raises ``generation``. If two processes try, the
    second one no longer finds the old name. Nor does a former owner that still runs.
    """

    batch_id: str
    generation: int = 0
    state: BatchState = BatchState.MOVING

    def __str__(self) -> str:
        generation = f".{self.generation}" if self.generation else ""
        state = "" if self.state is BatchState.MOVING else f".{self.state}"
        return self.batch_id + generation + state

    @property
    def owner_key(self) -> str:
        """A key for the batch under its present owner, the same in all states."""
        return f"{self.batch_id}.{self.generation}"

    def after_takeover(self, state: BatchState, others: Iterable[BatchName] = ()) -> BatchName:
        """Return the name after a takeover, in ``state``. Its generation is higher than that of all
        ``others`` of the same id, so that it differs from their names."""
        taken = (name.generation for name in others if name.batch_id == self.batch_id)
        return replace(self, generation=max(self.generation, *taken, 0) + 1, state=state)


def parse_batch_name(name: str) -> BatchName | None:
    """Parse the name of a folder in ``hipercow/tui/``; None if it is not the name of a batch."""
    found = _NAME.match(name)
    if found is None:
        return None
    return BatchName(found[1], int(found[2] or 0), BatchState(found[3] or BatchState.MOVING))


def new_check_name(when: float) -> str:
    """Return a new name for the folder of the check before the question; ``when`` is in seconds
    since the epoch."""
    return _CHECK + new_batch_id(when)


def is_check_name(name: str) -> bool:
    """Return whether a folder in ``hipercow/tui/`` has the name of such a check."""
    return name.startswith(_CHECK) and BATCH_ID.match(name, len(_CHECK)) is not None


def bundle_file(name: str) -> str:
    """Return the file name of a bundle in a batch. The name of a Python bundle can contain
    ``/``."""
    return name.replace("%", "%25").replace("/", "%2F")


def bundle_name(file: str) -> str:
    """Return the bundle name for the file name ``file`` in a batch."""
    return file.replace("%2F", "/").replace("%25", "%")


def new_batch_id(when: float) -> str:
    """Return a new batch id: the time ``when`` (seconds since the epoch) in UTC, and random
    digits."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when)) + f"-{secrets.token_hex(2)}"
