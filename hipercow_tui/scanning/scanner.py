"""Scan a root repeatedly: everything at first, later only what can have changed.

Network file systems do not notify of changes, so a root is polled (docs/decisions/polling.md). A
final task (docs/spec.md, section 2) is not read again as long as its ``tasks/ab`` is unchanged.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import compress, repeat
from math import inf
from operator import is_

from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.unread import Unread
from hipercow_tui.formats.records import NoteReader, PinReader, read_records
from hipercow_tui.formats.relations import relations_of
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.task_row import Columns, FolderTimes, TaskRow, folder_times
from hipercow_tui.scanning.batch_reader import ReadBatch, read_batches, split_into_batches
from hipercow_tui.scanning.scan_cache import CachedFolder, CachedRoot, ScanCache, cached_folder
from hipercow_tui.scanning.shard_listing import (
    MTIME_GRANULARITY_NS,
    ChangeTracker,
    Shard,
    find_shards,
    list_shard,
)
from hipercow_tui.scanning.task_linker import TaskLinker
from hipercow_tui.scanning.task_store import TaskStore
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text

_LOGGER = logging.getLogger(__name__)

SNAPSHOT_INTERVAL = 0.25  # seconds between two snapshots during a scan
FIRST_SNAPSHOT_DELAY = 0.03  # seconds until the first snapshot, so that rows are shown soon


@dataclass(frozen=True, slots=True)
class ScanState:
    """The progress of a scan.

    Attributes:
        snapshot: The root as known so far.
        folders_done, folder_count: How many of the ``tasks/ab`` were read.
        complete: Whether this is the last state of the scan.
        changed: The ids of tasks changed or added since the previous state.
        removed_ids: The ids of tasks removed since the previous state.
        seconds: The time spent in the scan, without the time between its states.
    """

    snapshot: Snapshot
    folders_done: int
    folder_count: int
    complete: bool
    changed: frozenset[str]
    removed_ids: frozenset[str]
    seconds: float = 0.0


def read_root(root: Root, index: ScanCache | None = None) -> Snapshot:
    """Read a root once, both languages.

    Tasks in the index are compared with the listings and not read. Without an index everything is
    read. The index is used for R only.
    """
    r, *python = root.parts
    snapshot = _read_language(r, index)
    return combine_snapshots(snapshot, _read_language(python[0])) if python else snapshot


def _read_language(root: Root, index: ScanCache | None = None) -> Snapshot:
    scanner = Scanner(root, index=index, intermediate_states=False)
    with without_garbage_collection():
        for state in scanner.scan():
            snapshot = state.snapshot
    return snapshot


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Suspend garbage collection: among 100,000 new tasks it takes 0.3 s and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Scanner:
    """Scans the root of one language repeatedly. Use it from one thread at a time.

    Args:
        root: The root to scan.
        index: The tasks of the last start. The scanner reads it once, and keeps it up to date.
        intermediate_states: Whether a scan yields states before it is complete.
        monotonic: A clock in seconds, for tests.
    """

    def __init__(
        self,
        root: Root,
        *,
        index: ScanCache | None = None,
        intermediate_states: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._tasks_path = str(root.tasks)
        self._monotonic = monotonic
        self._snapshot = Snapshot(root.path, lang=root.lang)
        self._relations = relations_of(root)
        self._pins = PinReader(root.lang)
        self._notes = NoteReader(root.lang)
        self._linker = TaskLinker(self._relations)
        self._store = TaskStore(monotonic)
        self._shards: dict[str, Shard] = {}
        self._tasks_unread: str | None = None  # a sentence if ``tasks`` can't be listed
        self._shard_problems: dict[str, str] = {}  # a sentence on each ``tasks/ab`` not a folder
        self._unlisted: dict[str, str] = {}  # a sentence on each ``tasks/ab`` that can't be listed
        self._pending: dict[str, dict[str, None]] = {}  # ids of tasks still to be read, by shard
        # Until the first pass is complete: the ids in bundles and chains, so that tasks use the
        # same string objects.
        self._interned_ids: dict[str, str] = {}
        self._first_pass_done = False
        self._server_clock = 0  # the latest ctime seen on the file server, nanoseconds
        self._pass_server_time = 0  # the same when this pass began
        self._pass_began = 0.0
        self._intermediate_states = intermediate_states
        self._index = index
        self._cached: dict[str, bytes] = {}  # shards of the index that were not compared yet
        self._cached_shards: set[str] = set()  # shards that were loaded from the index
        self._reread: set[str] = set()  # tasks of ``_cached_shards`` that were read since
        self._changes_since_save = 0
        self._cache_unsettled = False

    def scan(self) -> Iterator[ScanState]:
        """Scan the root once, and yield a state every quarter of a second; the last is complete.

        To stop, close the iterator; the next scan continues there. If nothing changed, a scan costs
        one stat for each ``tasks/ab``, each bundle, and each task that can still change.
        """
        clock = self._monotonic
        self._pass_began = resumed = clock()
        spent = 0.0
        pause = self._pause if self._store.tasks else FIRST_SNAPSHOT_DELAY
        if not self._intermediate_states:
            pause = inf
        cached = self._load_index()
        if cached:
            _LOGGER.info("%d folders from the index", len(cached.folders))
        read_records(self.root, self._pins, self._notes)
        # A first scan shows rows before it reads the bundles: there can be 20,000.
        linked = bool(cached or self._store.tasks) or not self._intermediate_states
        if linked:
            self._refresh_relations()
        else:
            self._relations.refresh_chains()
        # The time of creation is in another file if a task is a retry.
        self._mark_pending(cached.retried ^ self._relations.retried if cached else ())
        shards = self._find_shards()
        batches = self._batches(shards)
        with closing(read_batches(self._tasks_path, batches, self.root.lang)) as answers:
            for batch, rows in answers:
                self._add_rows(batch.ids, rows)
                if (now := clock()) >= resumed + pause or (self._store.tasks and not linked):
                    spent += now - resumed
                    yield self._make_state(batch.done, len(shards), spent, complete=False)
                    resumed, pause = clock(), self._pause
                if not linked:
                    self._refresh_relations()
                    linked = True
        if not linked:
            self._refresh_relations()
        self._finish_pass(shards)
        spent += clock() - resumed
        yield self._make_state(len(shards), len(shards), spent, complete=True)
        self._save_index()

    def _finish_pass(self, shards: Collection[str]) -> None:
        for name in self._shards.keys() - shards:
            self._remove_tasks(self._shards.pop(name).ids)
        self._pending.clear()
        self._interned_ids, self._first_pass_done = {}, True
        self._update_relations(self._linker.stale_ids())
        self._relations.release_memory()

    @property
    def _pause(self) -> float:
        """The seconds between two snapshots; at most a tenth of the time is spent on copies."""
        return max(SNAPSHOT_INTERVAL, 10 * self._store.copy_time)

    def invalidate_cached(self, ids: Iterable[str]) -> bool:
        """Mark tasks, and all bundles, for reading in the next pass if they came from the index.

        Needed before a purge. Returns whether anything was marked.
        """
        unread = {
            task_id
            for task_id in ids
            if task_id[:2] in self._cached_shards
            and task_id not in self._reread
            and task_id in self._store.tasks
        }
        self._mark_pending(unread)
        return self._relations.invalidate() or bool(unread)

    def _mark_pending(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            self._pending.setdefault(task_id[:2], {})[task_id] = None

    # The index

    def _load_index(self) -> CachedRoot | None:
        """Load the index, in the first pass only."""
        if self._index is None or self._shards or self._cached:
            return None
        cached = self._index.load()
        self._cached = dict(cached.folders)
        self._relations.seed_from_cache(cached.bundles)
        return cached if self._cached else None

    def _load_cached(self, cached: CachedFolder) -> None:
        """Add the tasks of a shard from the index, without those that are pending or removed."""
        pending = self._pending[cached.folder.name]
        ids, columns = cached.ids, cached.columns
        if pending or cached.folder.ids is not ids:
            current = set(cached.folder.ids).difference(pending)
            places = [place for place, task_id in enumerate(ids) if task_id in current]
            ids = [ids[place] for place in places]
            columns = Columns._make([column[place] for place in places] for column in columns)
        with without_garbage_collection():
            # A shard is loaded before anything in it is read, so none of its tasks is known.
            self._store.add_new(ids, self._linker.make_tasks(ids, columns, self._store.tasks))
            gc.freeze()
        self._cached_shards.add(cached.folder.name)

    def _save_index(self) -> None:
        """Save the index if a fiftieth of it is out of date, or if it was saved unsettled.

        Unsettled means that a shard could still change without a change of its mtime. Each task in
        such a shard costs a stat at the next start.
        """
        if self._index is None:
            return
        settled = all(shard.tracker.mtime_trusted for shard in self._shards.values())
        outdated = self._changes_since_save * 50 > len(self._store.tasks)
        if outdated or (self._cache_unsettled and settled):
            relations, before = self._relations, self._server_clock - MTIME_GRANULARITY_NS
            bundles = [one for one in relations.all_bundles if one.stamp[2] <= before]
            sound = [one for one in bundles if one.problem is None and not one.link]
            self._index.save(self._shards.values(), self._store.tasks, relations.retried, sound)
            self._changes_since_save, self._cache_unsettled = 0, not settled

    # The folders tasks/ab and their entries

    def _find_shards(self) -> dict[str, FolderTimes]:
        self._tasks_unread, self._shard_problems = None, {}
        try:
            shards = find_shards(self._tasks_path, self._shard_problems)
        except FileNotFoundError:
            shards = {}
        except OSError as error:
            self._tasks_unread = f"'tasks' can't be read: {os_error_text(error)}"
            known = self._shards.items()
            shards = {name: shard.tracker.times or (0, 0) for name, shard in known}
        self._unlisted = {name: why for name, why in self._unlisted.items() if name in shards}
        self._pass_server_time = self._server_clock = max(
            [self._server_clock, *(ctime for _, ctime in shards.values())]
        )
        return shards

    def _batches(self, shards: dict[str, FolderTimes]) -> Iterator[ReadBatch]:
        """List the shards one by one, and yield the tasks to read in each."""
        retried = self._relations.retried
        for done, (name, times) in enumerate(shards.items(), 1):
            section = self._cached.get(name)
            cached = cached_folder(section, self._interned_ids) if section else None
            shard = self._shards.get(name) or (cached.folder if cached else Shard(name))
            pending = self._pending.setdefault(name, {})
            try:
                self._list_shard(shard, times, pending, cached)
            except FileNotFoundError:
                continue  # removed since; the next pass finds out
            except OSError as error:
                self._unlisted[name] = f"'tasks/{name}' can't be read: {os_error_text(error)}"
                continue
            self._unlisted.pop(name, None)
            self._shards[name] = shard
            if cached:
                del self._cached[name]
                self._cache_unsettled |= cached.unsettled
                self._load_cached(cached)
            yield from split_into_batches(tuple(pending), retried, done, len(shards))

    def _list_shard(
        self,
        shard: Shard,
        times: FolderTimes,
        pending: dict[str, None],
        cached: CachedFolder | None,
    ) -> None:
        """Add the tasks of a shard that have to be read to ``pending``; remove the missing ones.

        ``cached`` is the shard in the index, which was settled when it was saved. Raises OSError.
        """
        if not shard.tracker.is_unchanged(times):
            seen = self._monotonic()
            changed = times != shard.tracker.times
            if changed or not (
                cached and cached.lists(filesystem.list_names(f"{self._tasks_path}/{shard.name}"))
            ):
                listed = list_shard(self._tasks_path, shard, self._interned_ids)
                for task_id in listed.removed:  # a link in its place is not read as the task
                    shard.unfinished.pop(task_id, None)
                self._remove_tasks(listed.removed)
                pending.update(dict.fromkeys(listed.added))
            if changed:
                pending.update(dict.fromkeys(self._recreated(shard, pending)))
                shard.server_time_ns = self._pass_server_time
            shard.tracker.record_read(
                times, seen=seen, began=self._pass_began, newest=self._pass_server_time
            )
        for task_id, tracker in shard.unfinished.items():
            if task_id not in pending and not tracker.is_unchanged(self._folder_times(task_id)):
                pending[task_id] = None

    def _recreated(self, shard: Shard, pending: Collection[str]) -> Iterator[str]:
        """Yield the final tasks with a folder that changed since the shard was last listed.

        ext4 gives a folder that is deleted and created again the same inode.
        """
        for task_id in shard.ids:
            known = task_id in pending or task_id in shard.unfinished
            if not known and self._folder_times(task_id)[1] >= shard.server_time_ns:
                yield task_id

    def _folder_times(self, task_id: str) -> FolderTimes:
        found = folder_times(f"{self._tasks_path}/{task_id[:2]}/{task_id[2:]}")
        self._server_clock = max(self._server_clock, found[1])
        return found

    @property
    def _unread(self) -> Unread:
        unread = self._relations.unread
        places = self._shard_problems | self._unlisted
        for shard in self._shards.values():
            if shard.problems:
                places |= shard.problems
        files = filter(None, (self._tasks_unread, self._pins.latest.unread))
        return replace(unread, files=(*files, *unread.files), places=places)

    # Tasks

    def _add_rows(self, ids: Sequence[str], rows: Sequence[TaskRow | None]) -> None:
        """Add the tasks that were read in one shard; a row is None if the folder is missing."""
        if not ids:
            return
        name = ids[0][:2]
        pending = self._pending[name]
        for task_id in ids:
            del pending[task_id]
        self._changes_since_save += len(ids)
        if name in self._cached_shards:
            self._reread.update(ids)
        if not all(rows):  # a row is never empty
            self._remove_tasks([i for i, row in zip(ids, rows, strict=True) if row is None])
            ids = [i for i, row in zip(ids, rows, strict=True) if row is not None]
            rows = [row for row in rows if row is not None]
        if not rows:
            return
        columns = Columns._make(zip(*filter(None, rows), strict=True))
        self._track_changes(self._shards[name], ids, columns.folder_times)
        if any(columns.retry):
            for task_id, retry in zip(ids, columns.retry, strict=True):
                if retry:
                    self._linker.add_link(RetryLink(task_id, *retry))
        self._store.update(ids, self._linker.make_tasks(ids, columns, self._store.tasks))

    def _track_changes(
        self, shard: Shard, ids: Collection[str], times: Sequence[FolderTimes | None]
    ) -> None:
        """Record the folder times of tasks that can still change; None is for a final task."""
        seen, unfinished = self._monotonic(), shard.unfinished
        if unfinished:
            for task_id in compress(ids, map(is_, times, repeat(None))):
                unfinished.pop(task_id, None)
        for task_id, changed in zip(ids, times, strict=True):
            if changed is not None:
                tracker = unfinished.setdefault(task_id, ChangeTracker())
                tracker.record_read(
                    changed, seen=seen, began=self._pass_began, newest=self._pass_server_time
                )
                self._server_clock = max(self._server_clock, changed[1])

    def _remove_tasks(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            shard = self._shards.get(task_id[:2])
            if shard:
                shard.unfinished.pop(task_id, None)
            if task_id in self._store.tasks:
                self._store.remove(task_id)
                self._changes_since_save += 1
                self._linker.record_removed(task_id)

    # Relations

    def _refresh_relations(self) -> None:
        """Read changed bundles and chains, and update the tasks that they affect."""
        relations = self._relations
        retried_before = relations.retried
        affected = self._linker.refresh(self._store.tasks)
        if not self._first_pass_done:
            for ids in (relations.chains.members(), relations.bundles_of):
                self._interned_ids.update(zip(ids, ids, strict=True))
        self._mark_pending((retried_before ^ relations.retried) & self._store.tasks.keys())
        self._update_relations(affected)

    def _update_relations(self, ids: Iterable[str]) -> None:
        known = self._store.tasks
        present = [task_id for task_id in ids if task_id in known]
        tasks = [self._linker.with_relations(known[task_id], known) for task_id in present]
        self._store.update(present, tasks)

    def _make_state(self, done: int, count: int, seconds: float, *, complete: bool) -> ScanState:
        relations, last = self._relations, self._snapshot
        unread = self._unread
        pins, notes = self._pins.latest, self._notes.latest
        of_notes = (notes.unread,) if notes.unread else ()
        problems = (*unread.sentences, *relations.problems, *of_notes)
        if (
            self._store.changed
            or self._store.removed
            or relations.all_bundles is not last.bundles
            or relations.chains is not last.chains
            or problems != last.problems
            or unread != last.unread
            or pins.pins != last.pins.pins
            or notes.notes != last.notes.notes
        ):
            self._snapshot = Snapshot(
                root=self.root.path,
                tasks=self._store.share(),
                bundles=relations.all_bundles,
                chains=relations.chains,
                problems=problems,
                lang=self.root.lang,
                unread=unread,
                pins=pins,
                notes=notes,
            )
        changed, removed = self._store.take_changes()
        return ScanState(self._snapshot, done, count, complete, changed, removed, seconds)
