"""The names of what stands in ``hipercow/tui/``: a lot's name tells its state, so that one rename
changes it.

    20261123T231205Z-3f2a.preparing    not confirmed, or not begun: never carried out
    20261123T231205Z-3f2a              a confirmed purge, or move to the trash, is running or was
                                       interrupted
    20261123T231205Z-3f2a.trash        in the trash, whole
    20261123T231205Z-3f2a.erasing      something in it may no longer be whole
    20261123T231205Z-3f2a.restoring    being put back
    20261123T231205Z-3f2a.kept         what could not be put back, beside the lot it was in
    20261123T231205Z-3f2a.2.trash      the same, taken over for the second time
    history/                           what was done
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

TUI_FOLDER = "tui"  # our only folder in a root
HISTORY = "history"
_STAMP = r"\d{8}T\d{6}Z-[0-9a-f]{4}"
BATCH_ID = re.compile(
    rf"(?:{_STAMP}|{TUI_FOLDER}-[0-9a-f]{{32}})\Z", re.ASCII
)  # or a task without a lot
_NAME = re.compile(
    rf"({_STAMP})(?:\.([1-9]\d{{0,8}}))?(?:\.(preparing|trash|erasing|restoring|kept))?\Z", re.ASCII
)


class BatchState(StrEnum):
    """What is happening, or happened, to a lot."""

    PREPARING = "preparing"
    MOVING = "moving"
    TRASH = "trash"
    ERASING = "erasing"
    RESTORING = "restoring"
    QUARANTINED = "kept"


# No process works in such a lot, and none was interrupted in it.
AT_REST = (BatchState.TRASH, BatchState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class BatchName:
    """A lot's name: when it began, how often it was taken over, and its state.

    Taking a lot over is a rename that raises ``generation``. Of two processes that try, one finds
    nothing at the old name, and so does a former owner that still runs.
    """

    batch_id: str
    generation: int = 0
    state: BatchState = BatchState.MOVING

    def __str__(self) -> str:
        turn = f".{self.generation}" if self.generation else ""
        return self.batch_id + turn + ("" if self.state is BatchState.MOVING else f".{self.state}")

    @property
    def owner_key(self) -> str:
        """What the time with one owner is called by, in whatever state."""
        return f"{self.batch_id}.{self.generation}"

    def after_takeover(self, state: BatchState, others: Iterable[BatchName] = ()) -> BatchName:
        """The name after taking it over, in ``state``: its turn is above that of the ``others`` of
        the same stamp too, so that it meets none of them."""
        turns = (name.generation for name in others if name.batch_id == self.batch_id)
        return replace(self, generation=max(self.generation, *turns, 0) + 1, state=state)


def parse_batch_name(name: str) -> BatchName | None:
    """The lot of that name; None if it is no lot's."""
    found = _NAME.match(name)
    if found is None:
        return None
    return BatchName(found[1], int(found[2] or 0), BatchState(found[3] or BatchState.MOVING))


def bundle_file(name: str) -> str:
    """The name of a bundle's file in a lot: one of Python may have folders in it."""
    return name.replace("%", "%25").replace("/", "%2F")


def bundle_name(file: str) -> str:
    """The name of the bundle in that file of a lot."""
    return file.replace("%2F", "/").replace("%25", "%")


def new_batch_id(when: float) -> str:
    """A lot's time in UTC, and something random; ``when`` is in seconds since the epoch."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when)) + f"-{secrets.token_hex(2)}"
