"""What the folders of all tasks hold, measured once and kept for the next start.

A task is measured once if its files can't change any more. Its usage is kept in memory and in a
cache file.
"""

from __future__ import annotations

import marshal
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, TypeAlias

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.folder_size import FolderUsage, usage_from_values
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.batch_reader import ReadBatch, measure_batches, split_into_batches
from hipercow_tui.scanning.cache_file import CacheFile

# Seconds after its end (or creation) in which the files of a task may still be written. That takes
# a minute, but the clock of the machine that ran it may be hours slow.
SETTLING_TIME = 6 * 3600.0
_PIECE = 500  # tasks that are decoded at once
_MARSHAL = 2  # the last version without references, which cost time
# The files of such tasks change only together with ``files_mask``, once they are settled.
_FINAL = (Status.SUCCESS, Status.FAILURE, Status.CANCELLED, Status.CREATED)

# By task id: the ``files_mask`` of the task when it was measured, and its usage.
_Known: TypeAlias = dict[str, tuple[int, FolderUsage]]


class UsageCache(CacheFile):
    """The usages of the final tasks of one root."""

    __slots__ = ()
    SUFFIX: ClassVar[str] = ".usage"
    MAGIC: ClassVar[bytes] = b"hipercow-tui usage 1\n"

    def load(self) -> _Known:
        """Read the file; the result is empty if there is no valid one."""
        data = self.read()
        known: _Known = {}
        # In pieces, because no other thread runs while one is decoded.
        for piece in marshal.loads(data) if data is not None else ():
            for task_id, mask, values in marshal.loads(piece):
                known[task_id] = mask, usage_from_values(values)
        return known

    def save(self, known: _Known) -> None:
        """Replace the file, if that is possible."""
        rows = [(task_id, mask, tuple(usage)) for task_id, (mask, usage) in known.items()]
        pieces = [
            marshal.dumps(rows[start : start + _PIECE], _MARSHAL)
            for start in range(0, len(rows), _PIECE)
        ]
        self.write(marshal.dumps(pieces, _MARSHAL))


@dataclass(frozen=True, slots=True)
class MeasuringProgress:
    """How many of the tasks are measured, those that were known included."""

    done: int
    total: int


class UsageReader:
    """Measures the tasks of successive snapshots. Use it from one thread at a time.

    ``cache`` is None if nothing is kept for the next start.
    """

    def __init__(self, root: Root, cache: UsageCache | None) -> None:
        self._root = root
        self._cache = cache
        self._known: _Known | None = None  # None before the cache was read
        self._unsaved = False  # whether the cache lacks a task of ``_known``

    def read(
        self,
        snapshot: Snapshot,
        add: Callable[[str, FolderUsage], object],
        *,
        now: float,
        stop: threading.Event | None = None,
        ids: Collection[str] | None = None,
    ) -> Generator[MeasuringProgress, None, None]:
        """Call ``add`` with the id and the usage of each task, and yield the progress.

        Tasks that are gone or can't be read completely have none. ``now`` is in seconds since the
        epoch. Measuring ends when ``stop`` is set, or when the iterator is closed; what was
        measured is kept. With ``ids``, only these tasks are measured, and ``save`` writes the
        cache; another call may then be made before the iterator ends.
        """
        tasks, known = snapshot.tasks, self._load()
        if ids is not None:
            tasks = {task_id: tasks[task_id] for task_id in ids if task_id in tasks}
        waiting: list[Task] = []
        for task_id, task in tasks.items():
            found = known.get(task_id)
            if found is not None and found[0] == task.files_mask and task.status in _FINAL:
                add(task_id, found[1])
            else:
                waiting.append(task)
        done = len(tasks) - len(waiting)
        yield MeasuringProgress(done, len(tasks))
        try:
            for batch, measured in self._measure(waiting):
                for task_id, usage in zip(batch.ids, measured, strict=True):
                    if usage is None:
                        continue
                    add(task_id, usage)
                    task = tasks[task_id]
                    if _is_settled(task, now) and not usage.shared:
                        known[task_id] = task.files_mask, usage
                        self._unsaved = True
                done += len(batch.ids)
                yield MeasuringProgress(done, len(tasks))
                if stop is not None and stop.is_set():
                    break
        finally:
            if ids is None:
                self.save(snapshot)

    def _measure(
        self, tasks: Sequence[Task]
    ) -> Iterator[tuple[ReadBatch, list[FolderUsage | None]]]:
        for lang in Lang:
            ids = sorted(task.id for task in tasks if task.lang is lang)
            folder = str(self._root.part(lang).tasks)
            with closing(measure_batches(folder, _batches(ids))) as answers:
                yield from answers

    def _load(self) -> _Known:
        if self._known is None:
            self._known = self._cache.load() if self._cache is not None else {}
        return self._known

    def save(self, snapshot: Snapshot) -> None:
        """Write the cache if it lacks a task; tasks that are gone are left out."""
        if self._cache is None or not self._unsaved:
            return
        known = self._load()
        for task_id in known.keys() - snapshot.tasks.keys():
            del known[task_id]
        self._cache.save(known)
        self._unsaved = False


def _batches(ids: Sequence[str]) -> Iterator[ReadBatch]:
    """Split sorted ids into batches, each of one ``tasks/ab``."""
    shards = [(name, list(members)) for name, members in groupby(ids, key=lambda i: i[:2])]
    for done, (_, members) in enumerate(shards, 1):
        yield from split_into_batches(members, frozenset(), done, len(shards))


def _is_settled(task: Task, now: float) -> bool:
    """Return whether the files of a task don't change any more."""
    changed = task.created if task.status is Status.CREATED else task.finished
    return task.status in _FINAL and changed is not None and changed < now - SETTLING_TIME
