"""Reads the trash of a root for the screens: its batches, then their sizes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, SizeKind, freed_size
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    BatchState,
    TrashEntry,
    is_batch_in_use,
    list_trash,
    measure_entry,
    trash_fingerprint,
)
from hipercow_tui.purging.batch_name import BatchName
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import format_age, format_duration, tasks_and_bundles

# Seconds after a change until the trash is read once more: times on a file server have a resolution
# of a second or so, and a second change right after the first may not show.
_SETTLE = 2.5


# A purge of R and Python tasks makes two batches of one name.
BatchKey: TypeAlias = tuple[Lang, BatchName]


@dataclass(frozen=True, slots=True)
class TrashState:
    """The batches, the latest first, and the known sizes by the language and the name of the batch;
    ``problem`` says why they can't be read, else it is empty."""

    entries: tuple[TrashEntry, ...] = ()
    sizes: Mapping[BatchKey, Size] = field(default_factory=dict)
    problem: str = ""

    @property
    def undoable(self) -> tuple[TrashEntry, ...]:
        """The batches that an undo restores: the latest complete one, and the one of the other
        language if one purge made both."""
        complete = [batch for batch in self.entries if batch.state is BatchState.TRASH]
        return self.same_purge(complete[0]) if complete else ()

    def same_purge(self, batch: TrashEntry) -> tuple[TrashEntry, ...]:
        """Return the batches of one purge, which are restored and erased together."""
        return tuple(one for one in self.entries if one.batch_id == batch.batch_id)

    @property
    def interrupted(self) -> tuple[TrashEntry, ...]:
        """The batches that were interrupted."""
        return tuple(batch for batch in self.entries if batch.interrupted)

    def size_of(self, batches: Iterable[TrashEntry]) -> Size | None:
        """Return the size of batches together, as far as they are measured; None if none is."""
        known = [size for batch in batches if (size := self.sizes.get(_key(batch)))]
        return freed_size(known) if known else None

    def summary(self, now: float, kind: SizeKind) -> str:
        """Return ``trash 1.2 GB, oldest 3 days``, the age of the oldest batch; empty if the trash
        is.

        ``now`` is in seconds since the epoch."""
        batches = [
            batch
            for batch in self.entries
            if batch.state in (BatchState.TRASH, BatchState.QUARANTINED)
        ]
        if not batches:
            return ""
        words = "trash"
        size = self.size_of(batches)
        if size is not None:
            words += f" {kind.text(size.of(kind))}"
        times = [batch.confirmed_at for batch in batches if batch.confirmed_at is not None]
        return f"{words}, oldest {format_duration(max(1.0, now - min(times)))}" if times else words


class TrashMonitor:
    """Reads the trash of a root if it has changed since last time. A batch is measured once: its
    size does not change."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._state = TrashState()
        self._fingerprint: object = None
        self._read_again_at = math.inf

    def forget(self) -> None:
        """Read the trash the next time, even if nothing seems to have changed."""
        self._fingerprint = None

    def read(self) -> Iterator[TrashState]:
        """Yield the state, the same object as before if nothing changed; then the state with new
        sizes, which take a stat for each file. A batch in use is not measured."""
        now, fingerprint = time.monotonic(), trash_fingerprint(self._root)
        if fingerprint != self._fingerprint:
            self._fingerprint, self._read_again_at = fingerprint, now + _SETTLE
        elif now >= self._read_again_at:
            self._read_again_at = math.inf
        elif all(
            is_batch_in_use(self._root, batch) for batch in self._state.entries if batch.in_use
        ):
            yield self._state
            return
        for state in self._read_batches(self._state):
            self._state = state
            yield state

    def _read_batches(self, before: TrashState) -> Iterator[TrashState]:
        try:
            batches = tuple(reversed(list_trash(self._root)))
            same = {_key(batch) for batch in batches if batch in before.entries}
            sizes = {key: one for key, one in before.sizes.items() if key in same}
            yield TrashState(batches, sizes)
            missing = [batch for batch in batches if not batch.in_use and _key(batch) not in sizes]
            if missing:
                found = {_key(batch): measure_entry(self._root, batch) for batch in missing}
                sizes = sizes | {key: one for key, one in found.items() if one is not None}
                yield TrashState(batches, sizes)
        except PurgeError as error:
            yield TrashState(problem=str(error))


def _key(batch: TrashEntry) -> BatchKey:
    return batch.lang, batch.name


def contents_text(*batches: TrashEntry, verb: str = "") -> str:
    """Return ``1,204 tasks and 12 bundles``, followed by a verb such as ``goes/go``."""
    tasks, bundles = (sum(map(len, each)) for each in zip(*map(_contents, batches), strict=True))
    return tasks_and_bundles(tasks, bundles, verb)


def _contents(batch: TrashEntry) -> tuple[Sequence[str], Sequence[str]]:
    return batch.tasks, batch.bundles


def age_text(batch: TrashEntry, now: float) -> str:
    """Return the age of a batch, such as ``3 days ago``."""
    return "unknown time" if batch.confirmed_at is None else format_age(batch.confirmed_at, now)
