"""How the chains of a plan are grouped and sorted on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

_Kind = TypeVar("_Kind", bound=StrEnum)


class Grouping(StrEnum):
    """What the chains of a plan are grouped by."""

    REASON = "reason"
    BUNDLE = "bundle"
    ERROR = "error"
    AGE = "age"
    NOTHING = "nothing"


class ChainKey(StrEnum):
    """What the chains of a group are sorted by."""

    AGE = "age"
    SIZE = "size"
    WHAT = "what runs"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the chains of a plan are grouped and sorted; with ``reverse`` the largest or newest
    first."""

    grouping: Grouping = Grouping.REASON
    key: ChainKey = ChainKey.AGE
    reverse: bool = True

    @property
    def grouping_text(self) -> str:
        """``by reason``, or ``not grouped``."""
        return "not grouped" if self.grouping is Grouping.NOTHING else f"by {self.grouping}"

    def regrouped(self) -> Arrangement:
        """Return the arrangement with the next grouping."""
        return Arrangement(_next(Grouping, self.grouping, 1), self.key, self.reverse)

    def reversed(self) -> Arrangement:
        """Return the arrangement in the opposite order."""
        return Arrangement(self.grouping, self.key, not self.reverse)

    def resorted(self, step: int) -> Arrangement:
        """Return the arrangement by the next (1) or previous (-1) key.

        Ages and sizes begin with the newest and largest, texts with the first.
        """
        return self.sorted_by(_next(ChainKey, self.key, step))

    def sorted_by(self, key: ChainKey) -> Arrangement:
        """Return the arrangement by a key: reversed if it is the key already."""
        if key is self.key:
            return self.reversed()
        return Arrangement(self.grouping, key, key in (ChainKey.AGE, ChainKey.SIZE))


def _next(kinds: type[_Kind], present: _Kind, step: int) -> _Kind:
    every = list(kinds)
    return every[(every.index(present) + step) % len(every)]
