"""What is in the trash of a root, as a screen tells it: looked at in a thread, sizes last."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import State, TrashLot, is_at_work, trash, trash_signs, trash_size
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import age, size, span, tasks_and_bundles

# File servers keep times to a second or so: what comes right after a look may not show.
_SETTLE = 2.5


@dataclass(frozen=True, slots=True)
class TrashLook:
    """The lots, the latest first, with the sizes by name that are known so far; ``problem`` says
    why they can't be read."""

    lots: tuple[TrashLot, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    problem: str = ""

    @property
    def undoable(self) -> tuple[TrashLot, ...]:
        """What an undo would bring back: the latest that is whole; of a purge in R and Python a lot
        of each."""
        whole = [lot for lot in self.lots if lot.state is State.TRASH]
        return self.together(whole[0]) if whole else ()

    def together(self, lot: TrashLot) -> tuple[TrashLot, ...]:
        """The lots of one purge, which are restored and erased together."""
        return tuple(one for one in self.lots if one.stamp == lot.stamp)

    @property
    def interrupted(self) -> tuple[TrashLot, ...]:
        """In which something broke off."""
        return tuple(lot for lot in self.lots if lot.interrupted)

    def in_short(self, now: float) -> str:
        """``trash 1.2 GB, 3 days``, by the oldest of what waits there; nothing if nothing does."""
        waiting = [lot for lot in self.lots if lot.state in (State.TRASH, State.KEPT)]
        if not waiting:
            return ""
        words = "trash"
        known = [self.sizes.get(str(lot.name)) for lot in waiting]
        if any(known):
            words += f" {size(sum(one.bytes for one in known if one))}"
        times = [lot.when for lot in waiting if lot.when is not None]
        return f"{words}, {span(max(1.0, now - min(times)))}" if times else words


class TrashLooker:
    """Looks at the trash of a root again and again. It reads only after something changed, and what
    it measured once it does not measure again: in the trash nothing grows."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._look = TrashLook()
        self._signs: object = None
        self._again = math.inf

    def forget(self) -> None:
        """Read at the next look, whatever the signs say."""
        self._signs = None

    def look(self) -> Iterator[TrashLook]:
        """What is there, the same object as before if nothing changed; then with its sizes, which
        cost a stat a file. Nothing is measured while someone works in it."""
        now, signs = time.monotonic(), trash_signs(self._root)
        if signs != self._signs:
            self._signs, self._again = signs, now + _SETTLE
        elif now >= self._again:
            self._again = math.inf
        elif all(is_at_work(self._root, lot) for lot in self._look.lots if lot.alive):
            yield self._look
            return
        for look in self._read(self._look):
            self._look = look
            yield look

    def _read(self, before: TrashLook) -> Iterator[TrashLook]:
        try:
            lots = tuple(reversed(trash(self._root)))
            same = {str(lot.name) for lot in lots if lot in before.lots}
            sizes = {name: one for name, one in before.sizes.items() if name in same}
            yield TrashLook(lots, sizes)
            missing = [lot for lot in lots if not lot.alive and str(lot.name) not in sizes]
            if missing:
                found = {str(lot.name): trash_size(self._root, lot) for lot in missing}
                sizes = sizes | {name: one for name, one in found.items() if one is not None}
                yield TrashLook(lots, sizes)
        except PurgeError as error:
            yield TrashLook(problem=str(error))


def contents(*lots: TrashLot, verb: str = "") -> str:
    """``1,204 tasks and 12 bundles``, and a verb such as ``goes/go``."""
    tasks, bundles = (sum(map(len, each)) for each in zip(*map(_held, lots), strict=True))
    return tasks_and_bundles(tasks, bundles, verb)


def _held(lot: TrashLot) -> tuple[Sequence[str], Sequence[str]]:
    return lot.tasks, lot.bundles


def made(lot: TrashLot, now: float) -> str:
    """How long ago it was made."""
    return "at an unknown time" if lot.when is None else age(lot.when, now)
