"""A root as a stream of snapshots: first everything, later only what can have changed.

Network file systems tell nobody of changes, so a root is polled. What is not touched again: tasks
that are final (SPEC section 2), in ``tasks/ab`` folders that stayed as they were.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from hipercow_tui.chains import Retry
from hipercow_tui.model import Snapshot, Status, Task
from hipercow_tui.roots import Root, r_root
from hipercow_tui.roots.relations import Relations
from hipercow_tui.text import visible

BATCH = 0.25  # seconds between two snapshots of a scan that is under way
SETTLE = 2.0  # seconds after which a folder's time of change tells of every further change


@dataclass(frozen=True, slots=True)
class ScanState:
    """How far a scan is: ``folders`` of ``of_folders`` read; ``changed`` and ``gone`` are the ids
    that differ from the state before. The last state of a scan is ``complete``."""

    snapshot: Snapshot
    folders: int
    of_folders: int
    complete: bool
    changed: frozenset[str]
    gone: frozenset[str]


def read_root(root: Root) -> Snapshot:
    """Everything there is to know of a root, read once."""
    scanner = Scanner(root)
    for state in scanner.scan():
        snapshot = state.snapshot
    return snapshot


class Scanner:
    """Reads one root again and again. Use it from one thread at a time.

    ``monotonic`` is a clock in seconds, for tests.
    """

    def __init__(self, root: Root, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.root = root
        self._monotonic = monotonic
        self._snapshot = Snapshot(root.path)
        self._relations = Relations(root)
        self._tasks: dict[str, Task] = {}
        self._unfinished: dict[str, None] = {}  # the ids of tasks that can still change, in order
        self._inodes: dict[str, dict[str, int]] = {}  # of each tasks/ab: id -> inode of its folder
        self._settling = _Settling()
        self._folder_problems: dict[str, str] = {}
        self._changed: set[str] = set()
        self._gone: set[str] = set()

    def scan(self) -> Iterator[ScanState]:
        """One pass over the root, as states a quarter of a second apart; the last is complete.

        Stop it by not asking for the next. Costs, where nothing changed, one stat for each
        ``tasks/ab``, each bundle, and each task that can still change.
        """
        self._tie_anew()
        prefixes = self._prefixes()
        due = self._monotonic() + BATCH
        links: list[Retry] = []
        for done, prefix in enumerate(prefixes):
            for task_id in self._to_read(prefix):
                links.extend(self._read(prefix, task_id))
                if self._monotonic() >= due:
                    yield self._state(done, len(prefixes), complete=False)
                    due = self._monotonic() + BATCH
        for prefix in self._inodes.keys() - set(prefixes):
            self._drop(self._inodes.pop(prefix))
        self._relations.adopt(links)
        self._tie_ends()
        yield self._state(len(prefixes), len(prefixes), complete=True)

    # The folders tasks/ab and what stands in them

    def _prefixes(self) -> list[str]:
        self._folder_problems = {}
        try:
            with os.scandir(self.root.tasks) as entries:
                folders = [entry for entry in entries if r_root.PREFIX.match(entry.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._folder_problem("tasks", error)
            return list(self._inodes)
        found = []
        for entry in sorted(folders, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.name)
            else:
                self._folder_problems[entry.name] = f"'tasks/{entry.name}' is no folder, not read"
        return found

    def _to_read(self, prefix: str) -> Iterable[str]:
        """The ids in ``tasks/ab`` whose folders are to be read; those gone are dropped."""
        known = self._inodes.get(prefix)
        path = f"{self.root.tasks}/{prefix}"
        now = self._monotonic()
        try:
            mtime = os.stat(path, follow_symlinks=False).st_mtime_ns
            settled = self._settling.unchanged(prefix, mtime, now)
            if known is None or not settled:
                known = self._list(prefix, path, known or {})
        except FileNotFoundError:
            known = {}
        except OSError as error:
            self._folder_problem(f"tasks/{prefix}", error)
            return ()
        fresh = [task_id for task_id in known if task_id not in self._tasks]
        return fresh + self._changed_folders(prefix, known, now)

    def _list(self, prefix: str, path: str, known: dict[str, int]) -> dict[str, int]:
        with os.scandir(path) as entries:
            found = {
                prefix + entry.name: entry.inode()
                for entry in entries
                if r_root.REST.match(entry.name) and self._is_folder(prefix, entry)
            }
        # A folder that came back under the same name is another one.
        self._drop(i for i, inode in known.items() if found.get(i) != inode)
        self._inodes[prefix] = found
        return found

    def _is_folder(self, prefix: str, entry: os.DirEntry[str]) -> bool:
        if entry.is_dir(follow_symlinks=False):
            return True
        if entry.is_symlink():
            name = f"tasks/{prefix}/{entry.name}"
            self._folder_problems[name] = f"'{name}' is a symbolic link, not followed"
        return False

    def _changed_folders(self, prefix: str, known: dict[str, int], now: float) -> list[str]:
        """The ids of tasks that can still change and whose folder has."""
        changed = []
        for task_id in [i for i in known if i in self._unfinished]:
            try:
                path = f"{self.root.tasks}/{prefix}/{task_id[2:]}"
                mtime = os.stat(path, follow_symlinks=False).st_mtime_ns
            except OSError:
                mtime = -1
            if not self._settling.unchanged(task_id, mtime, now):
                changed.append(task_id)
        return changed

    def _folder_problem(self, name: str, error: OSError) -> None:
        reason = visible(error.strerror or str(error))
        self._folder_problems[name] = f"'{name}' can't be read: {reason}"

    # Tasks

    def _read(self, prefix: str, task_id: str) -> Iterable[Retry]:
        """Read one task; yields the link that stands in its own ``data``."""
        relations = self._relations
        folder = f"{self.root.tasks}/{prefix}/{task_id[2:]}"
        record = r_root.read_task(folder, task_id, retried=task_id in relations.retried)
        if record is None:
            self._drop((task_id,))
            return
        if record.final:
            self._unfinished.pop(task_id, None)
            self._settling.forget(task_id)
        elif task_id not in self._unfinished:
            self._unfinished[task_id] = None
            self._settling.forget(task_id)
        chain = relations.chains.chain(task_id)
        task = Task(
            task_id,
            record.status,
            record.listing,
            record.created,
            record.started,
            record.finished,
            record.finished_estimated,
            None if chain else _own_tip(record.status, record.listing),
            relations.bundles_of.get(task_id, ()),
            chain,
            record.problem,
        )
        self._put(replace(task, tip_status=self._tip_status(task)) if chain else task)
        if record.retry:
            yield record.retry

    def _put(self, task: Task) -> None:
        if self._tasks.get(task.id) != task:
            self._tasks[task.id] = task
            self._changed.add(task.id)
            self._gone.discard(task.id)

    def _drop(self, ids: Iterable[str]) -> None:
        for task_id in ids:
            self._unfinished.pop(task_id, None)
            self._settling.forget(task_id)
            if self._tasks.pop(task_id, None) is not None:
                self._gone.add(task_id)
                self._changed.discard(task_id)

    # How tasks hang together

    def _tie_anew(self) -> None:
        """Read bundles and chains; tasks that are tied otherwise than before are changed."""
        relations = self._relations
        bundles_before, chains_before = relations.bundles_of, relations.chains
        relations.refresh()
        touched: set[str] = set()
        if relations.bundles_of is not bundles_before:
            now_of = relations.bundles_of
            touched |= {
                task_id
                for task_id in bundles_before.keys() | now_of.keys()
                if bundles_before.get(task_id) != now_of.get(task_id)
            }
        if relations.chains is not chains_before:
            touched |= {*chains_before.members(), *relations.chains.members()}
        self._tie(touched)

    def _tie_ends(self) -> None:
        """The status of a chain's end may have been read after its other members."""
        self._tie(self._relations.chains.members())

    def _tie(self, ids: Iterable[str]) -> None:
        relations = self._relations
        for task_id in ids:
            task = self._tasks.get(task_id)
            if task is not None:
                tied = replace(
                    task,
                    bundles=relations.bundles_of.get(task_id, ()),
                    chain=relations.chains.chain(task_id),
                )
                self._put(replace(tied, tip_status=self._tip_status(tied)))

    def _tip_status(self, task: Task) -> Status | None:
        tip_id = self._relations.chains.tip(task.id) if task.chain else task.id
        tip = task if tip_id == task.id else self._tasks.get(tip_id or "")
        return _own_tip(tip.status, tip.listing) if tip is not None else None

    def _state(self, done: int, of: int, *, complete: bool) -> ScanState:
        relations, known = self._relations, self._snapshot
        bundles = tuple(relations.bundles[name] for name in sorted(relations.bundles))
        problems = (*relations.problems, *self._folder_problems.values())
        same = (bundles, problems) == (known.bundles, known.problems)
        if self._changed or self._gone or not same or relations.chains is not known.chains:
            self._snapshot = Snapshot(
                self.root.path, dict(self._tasks), bundles, relations.chains, problems
            )
        state = ScanState(
            self._snapshot, done, of, complete, frozenset(self._changed), frozenset(self._gone)
        )
        self._changed.clear()
        self._gone.clear()
        return state


class _Settling:
    """Whether a folder has been listed since its time of change last moved, and so long after that
    a further change would have moved it again.

    Compares only this machine's clock with itself, for the file server's may differ; times of
    whole seconds are fine enough.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float, bool]] = {}

    def unchanged(self, key: str, mtime: int, now: float) -> bool:
        """True if nothing can have changed; False if the folder is to be listed now."""
        seen = self._seen.get(key)
        if seen is None or seen[0] != mtime:
            self._seen[key] = (mtime, now, False)
            return False
        if not seen[2]:
            self._seen[key] = (mtime, seen[1], now - seen[1] >= SETTLE)
            return False
        return True

    def forget(self, key: str) -> None:
        self._seen.pop(key, None)


def _own_tip(status: Status, listing: int) -> Status | None:
    """What a task counts as that is its own tip: one that does not exist has no status."""
    return status if status is not Status.BROKEN or listing < 0 else None
