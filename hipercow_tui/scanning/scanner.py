"""A root as a stream of snapshots: first everything, later only what can have changed.

Network file systems tell nobody of changes, so a root is polled. What is not touched again: tasks
that are final (docs/spec.md, section 2), in ``tasks/ab`` folders that stayed as they were.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from math import inf

from hipercow_tui.domain.combined_snapshot import combine
from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.domain.unread import Unread
from hipercow_tui.formats.r_layout import FolderTimes, Row, folder_times
from hipercow_tui.formats.relations import relations_of
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.batch_reader import ReadBatch, read_batches, split_into_batches
from hipercow_tui.scanning.scan_cache import CachedFolder, CachedRoot, ScanCache, cached_folder
from hipercow_tui.scanning.shard_listing import (
    MTIME_GRANULARITY_NS,
    ChangeTracker,
    Shard,
    find_folders,
    list_folder,
)
from hipercow_tui.scanning.task_linker import TaskLinker
from hipercow_tui.support.errors import os_error_text

BATCH = 0.25  # seconds between two snapshots of a scan that is under way
FIRST = 0.03  # seconds until the first one: rows to look at


@dataclass(frozen=True, slots=True)
class ScanState:
    """How far a scan is: ``folders`` of ``folder_count`` read, in ``seconds`` of its own time;
    ``changed`` and ``gone`` are the ids that differ from the state before. The last state of a
    scan is ``complete``."""

    snapshot: Snapshot
    folders: int
    folder_count: int
    complete: bool
    changed: frozenset[str]
    removed_ids: frozenset[str]
    seconds: float = 0.0


def read_root(root: Root, index: ScanCache | None = None) -> Snapshot:
    """Everything there is to know of a root, of both languages, read once; what is in the index is
    compared with the listings and not read. Without one, everything is read."""
    r, *python = root.parts
    read = _read_part(r, index)
    return combine(read, _read_part(python[0])) if python else read


def _read_part(root: Root, index: ScanCache | None = None) -> Snapshot:
    scanner = Scanner(root, index=index)
    scanner._first_pause = scanner._pause = inf
    with _uncollected():
        for state in scanner.scan():
            snapshot = state.snapshot
    return snapshot


@contextmanager
def _uncollected() -> Iterator[None]:
    """To look for garbage among 100,000 new tasks, none of which is any, takes 0.3 s."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Scanner:
    """Reads the root of one language again and again. Use it from one thread at a time.

    ``index`` is what was known of the root the last time, and is kept up to date. ``between`` is
    called between two steps of some milliseconds, where others may go first. ``monotonic`` is a
    clock in seconds, for tests.
    """

    def __init__(
        self,
        root: Root,
        *,
        index: ScanCache | None = None,
        between: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._between = between
        self._tasks_path = str(root.tasks)
        self._monotonic = monotonic
        self._snapshot = Snapshot(root.path, lang=root.lang)
        self._relations = relations_of(root)
        self._linker = TaskLinker(self._relations)
        self._tasks: dict[str, Task] = {}
        self._handed_out = False  # whether a snapshot holds _tasks: then it is copied to be changed
        self._folders: dict[str, Shard] = {}
        self._tasks_unread: str | None = None  # a sentence, if ``tasks`` itself can't be listed
        self._no_folders: dict[str, str] = {}  # a sentence on each ``tasks/ab`` that is none
        self._unlisted: dict[str, str] = {}  # a sentence on each folder that can't be listed
        self._due: dict[str, dict[str, None]] = {}  # by folder, the ids of tasks still to be read
        # Ids in bundles and chains: the first pass, until it has passed, uses these objects.
        self._same: dict[str, str] = {}
        self._passed = False
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._server_clock = 0  # the newest time of change seen on the file server, nanoseconds
        self._newest = 0  # what it was when this pass began to read
        self._began = 0.0
        self._first_pause, self._pause = FIRST, BATCH
        self._index = index
        self._cached: dict[str, memoryview] = {}  # what of the index was not compared yet
        self._adopted: set[str] = set()  # folders of which tasks may be known from the index alone
        self._read: set[str] = set()  # tasks in these that have been read since
        self._unsaved = 0
        self._unsettled = False

    def scan(self) -> Iterator[ScanState]:
        """One pass over the root, as states a quarter of a second apart; the last is complete.

        Stop it by closing it; the next goes on where it was. Costs, where nothing changed, one stat
        for each ``tasks/ab``, each bundle, and each task that can still change.
        """
        clock = self._monotonic
        self._began = resumed = clock()
        spent = 0.0
        pause = self._pause if self._tasks else self._first_pause
        cached = self._load_index()
        # Rows are there to look at before bundles are read, which may be 20,000.
        tied = bool(cached or self._tasks) or self._first_pause == inf
        if tied:
            self._refresh_relations()
        else:
            self._relations.refresh_chains()
        # Where the time of creation stands depends on whether a task is a retry.
        self._read_again(cached.retried ^ self._relations.retried if cached else ())
        folders = self._find_folders()
        with closing(
            read_batches(self._tasks_path, self._parts(folders), self.root.lang)
        ) as answers:
            for part, rows in answers:
                self._let_go_first()
                self._take(part.ids, rows)
                if (now := clock()) >= resumed + pause or (self._tasks and not tied):
                    spent += now - resumed
                    yield self._state(part.done, len(folders), spent, complete=False)
                    resumed, pause = clock(), self._pause
                if not tied:
                    self._refresh_relations()
                    tied = True
        if not tied:
            self._refresh_relations()
        for name in self._folders.keys() - folders.keys():
            self._drop(self._folders.pop(name).ids)
        self._due.clear()
        self._same, self._passed = {}, True
        self._update_relations(self._linker.stale_ids())
        self._relations.let_go()
        spent += clock() - resumed
        yield self._state(len(folders), len(folders), spent, complete=True)
        self._save_index()

    def _let_go_first(self) -> None:
        if self._snapshot.tasks:  # nobody waits for anything but the first of them
            self._between()

    def invalidate_cached(self, ids: Iterable[str]) -> bool:
        """Have the next pass read what is known from the index alone of these tasks, and of all
        bundles, as is due before a purge; whether there is any."""
        unread = {
            task_id
            for task_id in ids
            if task_id[:2] in self._adopted and task_id not in self._read and task_id in self._tasks
        }
        self._read_again(unread)
        return self._relations.invalidate() or bool(unread)

    def _read_again(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            self._due.setdefault(task_id[:2], {})[task_id] = None

    # What was known the last time

    def _load_index(self) -> CachedRoot | None:
        """What was known the last time, once: for the first pass."""
        if self._index is None or self._folders or self._cached:
            return None
        cached = self._index.load()
        self._cached = dict(cached.folders)
        self._relations.seed_from_cache(cached.bundles)
        return cached if self._cached else None

    def _load_cached(self, cached: CachedFolder) -> None:
        due = self._due[cached.folder.name]
        ids, columns = cached.ids, cached.columns
        if due or cached.folder.ids is not ids:
            standing = set(cached.folder.ids).difference(due)
            places = [place for place, task_id in enumerate(ids) if task_id in standing]
            ids = [ids[place] for place in places]
            columns = [[column[place] for place in places] for column in columns]
        with _uncollected():
            # None of these is known yet: a folder is adopted once, before anything in it is read.
            tasks = self._linker.tasks(ids, columns, self._tasks)
            self._own_tasks().update(zip(ids, tasks, strict=True))
            gc.freeze()
        self._changed.update(ids)
        self._adopted.add(cached.folder.name)

    def _save_index(self) -> None:
        """Where a fiftieth of it is out of date, or it has been written while folders still could
        change unnoticed, which costs a stat for each task in them the next time."""
        if self._index is None:
            return
        settled = all(folder.tracker.mtime_trusted for folder in self._folders.values())
        if self._unsaved * 50 > len(self._tasks) or (self._unsettled and settled):
            relations, before = self._relations, self._server_clock - MTIME_GRANULARITY_NS
            bundles = [one for one in relations.all_bundles if one.stamp[2] <= before]
            sound = [one for one in bundles if one.problem is None and not one.link]
            self._index.save(self._folders.values(), self._tasks, relations.retried, sound)
            self._unsaved, self._unsettled = 0, not settled

    # The folders tasks/ab and what stands in them

    def _find_folders(self) -> dict[str, FolderTimes]:
        self._tasks_unread, self._no_folders = None, {}
        try:
            folders = find_folders(self._tasks_path, self._no_folders)
        except FileNotFoundError:
            folders = {}
        except OSError as error:
            self._tasks_unread = f"'tasks' can't be read: {os_error_text(error)}"
            known = self._folders.items()
            folders = {name: folder.tracker.times or (0, 0) for name, folder in known}
        self._unlisted = {name: why for name, why in self._unlisted.items() if name in folders}
        self._newest = self._server_clock = max(
            [self._server_clock, *(changed for _, changed in folders.values())]
        )
        return folders

    def _parts(self, folders: dict[str, FolderTimes]) -> Iterator[ReadBatch]:
        retried = self._relations.retried
        for done, (name, moments) in enumerate(folders.items(), 1):
            section = self._cached.get(name)
            cached = cached_folder(section, self._same) if section else None
            folder = self._folders.get(name) or (cached.folder if cached else Shard(name))
            due = self._due.setdefault(name, {})
            try:
                self._list_folder(folder, moments, due, cached)
            except FileNotFoundError:
                continue  # gone since: the next pass tells
            except OSError as error:
                self._unlisted[name] = f"'tasks/{name}' can't be read: {os_error_text(error)}"
                continue
            self._unlisted.pop(name, None)
            self._folders[name] = folder
            if cached:
                del self._cached[name]
                self._unsettled |= cached.unsettled
                self._load_cached(cached)
            yield from split_into_batches(tuple(due), retried, done, len(folders))

    def _list_folder(
        self, folder: Shard, moments: FolderTimes, due: dict[str, None], cached: CachedFolder | None
    ) -> None:
        """Put into ``due`` the ids in ``tasks/ab`` whose folders are to be read; drop what is
        gone. What was ``kept`` from the last time was settled then. Raises OSError."""
        if not folder.tracker.is_unchanged(moments):
            seen = self._monotonic()
            moved = moments != folder.tracker.times
            if moved or not (
                cached and cached.lists(os.listdir(f"{self._tasks_path}/{folder.name}"))
            ):
                listed = list_folder(self._tasks_path, folder, self._same)
                for task_id in listed.removed:  # a link in its place must not be read as the task
                    folder.unfinished.pop(task_id, None)
                self._drop(listed.removed)
                due.update(dict.fromkeys(listed.added))
            if moved:
                due.update(dict.fromkeys(self._recreated(folder, due)))
                folder.server_time_ns = self._newest
            folder.tracker.record_read(moments, seen=seen, began=self._began, newest=self._newest)
        for task_id, watch in folder.unfinished.items():
            if task_id not in due and not watch.is_unchanged(self._moments(task_id)):
                due[task_id] = None

    def _recreated(self, folder: Shard, due: Collection[str]) -> Iterator[str]:
        """The final tasks whose folder has changed since ``tasks/ab`` was last listed: ext4 gives a
        folder that is deleted and made anew the inode it had before."""
        for task_id in folder.ids:
            known = task_id in due or task_id in folder.unfinished
            if not known and self._moments(task_id)[1] >= folder.server_time_ns:
                yield task_id

    def _moments(self, task_id: str) -> FolderTimes:
        found = folder_times(f"{self._tasks_path}/{task_id[:2]}/{task_id[2:]}")
        self._server_clock = max(self._server_clock, found[1])
        return found

    @property
    def _unread(self) -> Unread:
        """What could not be read, so far."""
        unread = self._relations.unread
        places = self._no_folders | self._unlisted
        for folder in self._folders.values():
            if folder.problems:
                places |= folder.problems
        files = (self._tasks_unread, *unread.files) if self._tasks_unread else unread.files
        return replace(unread, files=files, places=places)

    # Tasks

    def _take(self, ids: Sequence[str], rows: Sequence[Row | None]) -> None:
        """Take in what was read of tasks in one folder."""
        if not ids:
            return
        seen = self._monotonic()
        self._unsaved += len(ids)
        due, unfinished = self._due[ids[0][:2]], self._folders[ids[0][:2]].unfinished
        found: dict[str, Row] = {}
        for task_id, row in zip(ids, rows, strict=True):
            del due[task_id]
            if row is None:
                self._drop((task_id,))
                continue
            found[task_id] = row
            moments, retry = row[5], row[7]
            if moments is not None:
                watch = unfinished.setdefault(task_id, ChangeTracker())
                watch.record_read(moments, seen=seen, began=self._began, newest=self._newest)
                self._server_clock = max(self._server_clock, moments[1])
            elif task_id in unfinished:
                del unfinished[task_id]
            if retry:
                self._linker.add_link(RetryLink(task_id, *retry))
        if ids[0][:2] in self._adopted:
            self._read.update(ids)
        if found:
            columns = tuple(zip(*found.values(), strict=True))
            self._put(found, self._linker.tasks(tuple(found), columns, self._tasks))

    def _put(self, ids: Iterable[str], tasks: Iterable[Task]) -> None:
        known = self._tasks
        fresh = dict(zip(ids, tasks, strict=True))
        if not known.keys().isdisjoint(fresh):
            fresh = {i: task for i, task in fresh.items() if known.get(i) != task}
        if fresh:
            self._own_tasks().update(fresh)
            self._changed.update(fresh)
            if self._gone:
                self._gone.difference_update(fresh)

    def _drop(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            folder = self._folders.get(task_id[:2])
            if folder:
                folder.unfinished.pop(task_id, None)
            if task_id in self._tasks:
                del self._own_tasks()[task_id]
                self._unsaved += 1
                self._gone.add(task_id)
                self._changed.discard(task_id)
                self._linker.note_removed(task_id)

    def _own_tasks(self) -> dict[str, Task]:
        if self._handed_out:
            began = self._monotonic()
            self._tasks = dict(self._tasks)
            self._handed_out = False
            # A million tasks take 50 ms to copy: no more than a tenth of the time.
            self._pause = max(BATCH, 10 * (self._monotonic() - began))
        return self._tasks

    # How tasks hang together

    def _refresh_relations(self) -> None:
        """Read bundles and chains; tasks that are tied otherwise than before are changed."""
        relations = self._relations
        retried_before = relations.retried
        touched = self._linker.refresh(self._tasks, self._let_go_first)
        if not self._passed:
            for ids in (relations.chains.members(), relations.bundles_of):
                self._same.update(zip(ids, ids, strict=True))
        self._read_again((retried_before ^ relations.retried) & self._tasks.keys())
        self._update_relations(touched)

    def _update_relations(self, ids: Iterable[str]) -> None:
        known = self._tasks
        standing = [task_id for task_id in ids if task_id in known]
        self._put(
            standing, [self._linker.with_relations(known[task_id], known) for task_id in standing]
        )

    def _state(self, done: int, of: int, seconds: float, *, complete: bool) -> ScanState:
        relations, known = self._relations, self._snapshot
        bundles = relations.all_bundles
        unread = self._unread
        problems = (*unread.sentences, *relations.problems)
        if (
            self._changed
            or self._gone
            or bundles is not known.bundles
            or relations.chains is not known.chains
            or problems != known.problems
            or unread != known.unread
        ):
            self._handed_out = True
            self._snapshot = Snapshot(
                self.root.path,
                self._tasks,
                bundles,
                relations.chains,
                problems,
                self.root.lang,
                unread=unread,
            )
        changed, gone = frozenset(self._changed), frozenset(self._gone)
        self._changed.clear()
        self._gone.clear()
        return ScanState(self._snapshot, done, of, complete, changed, gone, seconds)
