"""What is in the trash of a root, as a screen tells it: looked at in a thread, sizes last."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    BatchState,
    TrashEntry,
    is_batch_in_use,
    list_trash,
    measure_entry,
    trash_fingerprint,
)
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import format_age, format_duration, format_size, tasks_and_bundles

# File servers keep times to a second or so: what comes right after a look may not show.
_SETTLE = 2.5


@dataclass(frozen=True, slots=True)
class TrashState:
    """The lots, the latest first, with the sizes by name that are known so far; ``problem`` says
    why they can't be read."""

    entries: tuple[TrashEntry, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    problem: str = ""

    @property
    def undoable(self) -> tuple[TrashEntry, ...]:
        """What an undo would bring back: the latest that is whole; of a purge in R and Python a lot
        of each."""
        whole = [batch for batch in self.entries if batch.state is BatchState.TRASH]
        return self.together(whole[0]) if whole else ()

    def together(self, batch: TrashEntry) -> tuple[TrashEntry, ...]:
        """The lots of one purge, which are restored and erased together."""
        return tuple(one for one in self.entries if one.batch_id == batch.batch_id)

    @property
    def interrupted(self) -> tuple[TrashEntry, ...]:
        """In which something broke off."""
        return tuple(batch for batch in self.entries if batch.interrupted)

    def in_short(self, now: float) -> str:
        """``trash 1.2 GB, 3 days``, by the oldest of what waits there; nothing if nothing does."""
        waiting = [
            batch
            for batch in self.entries
            if batch.state in (BatchState.TRASH, BatchState.QUARANTINED)
        ]
        if not waiting:
            return ""
        words = "trash"
        known = [self.sizes.get(str(batch.name)) for batch in waiting]
        if any(known):
            words += f" {format_size(sum(one.bytes for one in known if one))}"
        times = [batch.confirmed_at for batch in waiting if batch.confirmed_at is not None]
        return f"{words}, {format_duration(max(1.0, now - min(times)))}" if times else words


class TrashMonitor:
    """Looks at the trash of a root again and again. It reads only after something changed, and what
    it measured once it does not measure again: in the trash nothing grows."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._look = TrashState()
        self._signs: object = None
        self._again = math.inf

    def forget(self) -> None:
        """Read at the next look, whatever the signs say."""
        self._signs = None

    def look(self) -> Iterator[TrashState]:
        """What is there, the same object as before if nothing changed; then with its sizes, which
        cost a stat a file. Nothing is measured while someone works in it."""
        now, signs = time.monotonic(), trash_fingerprint(self._root)
        if signs != self._signs:
            self._signs, self._again = signs, now + _SETTLE
        elif now >= self._again:
            self._again = math.inf
        elif all(
            is_batch_in_use(self._root, batch) for batch in self._look.entries if batch.in_use
        ):
            yield self._look
            return
        for look in self._read(self._look):
            self._look = look
            yield look

    def _read(self, before: TrashState) -> Iterator[TrashState]:
        try:
            batches = tuple(reversed(list_trash(self._root)))
            same = {str(batch.name) for batch in batches if batch in before.entries}
            sizes = {name: one for name, one in before.sizes.items() if name in same}
            yield TrashState(batches, sizes)
            missing = [
                batch for batch in batches if not batch.in_use and str(batch.name) not in sizes
            ]
            if missing:
                found = {str(batch.name): measure_entry(self._root, batch) for batch in missing}
                sizes = sizes | {name: one for name, one in found.items() if one is not None}
                yield TrashState(batches, sizes)
        except PurgeError as error:
            yield TrashState(problem=str(error))


def contents(*batches: TrashEntry, verb: str = "") -> str:
    """``1,204 tasks and 12 bundles``, and a verb such as ``goes/go``."""
    tasks, bundles = (sum(map(len, each)) for each in zip(*map(_held, batches), strict=True))
    return tasks_and_bundles(tasks, bundles, verb)


def _held(batch: TrashEntry) -> tuple[Sequence[str], Sequence[str]]:
    return batch.tasks, batch.bundles


def made(batch: TrashEntry, now: float) -> str:
    """How long ago it was made."""
    return (
        "at an unknown time" if batch.confirmed_at is None else format_age(batch.confirmed_at, now)
    )
