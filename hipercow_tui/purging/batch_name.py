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

TUI = "tui"  # our only folder in a root
HISTORY = "history"
_STAMP = r"\d{8}T\d{6}Z-[0-9a-f]{4}"
STAMP = re.compile(rf"(?:{_STAMP}|{TUI}-[0-9a-f]{{32}})\Z", re.ASCII)  # or a task without a lot
_NAME = re.compile(
    rf"({_STAMP})(?:\.([1-9]\d{{0,8}}))?(?:\.(preparing|trash|erasing|restoring|kept))?\Z", re.ASCII
)


class State(StrEnum):
    """What is happening, or happened, to a lot."""

    PREPARING = "preparing"
    MOVING = "moving"
    TRASH = "trash"
    ERASING = "erasing"
    RESTORING = "restoring"
    KEPT = "kept"


# No process works in such a lot, and none was interrupted in it.
AT_REST = (State.TRASH, State.KEPT)


@dataclass(frozen=True, slots=True)
class LotName:
    """A lot's name: when it began, how often it was taken over, and its state.

    Taking a lot over is a rename that raises ``turn``. Of two processes that try, one finds
    nothing at the old name, and so does a former owner that still runs.
    """

    stamp: str
    turn: int = 0
    state: State = State.MOVING

    def __str__(self) -> str:
        turn = f".{self.turn}" if self.turn else ""
        return self.stamp + turn + ("" if self.state is State.MOVING else f".{self.state}")

    @property
    def owner(self) -> str:
        """What the time with one owner is called by, in whatever state."""
        return f"{self.stamp}.{self.turn}"

    def taken(self, state: State, others: Iterable[LotName] = ()) -> LotName:
        """The name after taking it over, in ``state``: its turn is above that of the ``others`` of
        the same stamp too, so that it meets none of them."""
        turns = (name.turn for name in others if name.stamp == self.stamp)
        return replace(self, turn=max(self.turn, *turns, 0) + 1, state=state)


def parse(name: str) -> LotName | None:
    """The lot of that name; None if it is no lot's."""
    found = _NAME.match(name)
    if found is None:
        return None
    return LotName(found[1], int(found[2] or 0), State(found[3] or State.MOVING))


def bundle_file(name: str) -> str:
    """The name of a bundle's file in a lot: one of Python may have folders in it."""
    return name.replace("%", "%25").replace("/", "%2F")


def bundle_name(file: str) -> str:
    """The name of the bundle in that file of a lot."""
    return file.replace("%2F", "/").replace("%25", "%")


def new_stamp(when: float) -> str:
    """A lot's time in UTC, and something random; ``when`` is in seconds since the epoch."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when)) + f"-{secrets.token_hex(2)}"
