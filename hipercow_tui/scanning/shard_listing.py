"""List the shards, which are the folders ``tasks/ab``, and detect changes of a folder."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter

from hipercow_tui.formats.r_layout import SHARD_NAME, TASK_FOLDER_NAME
from hipercow_tui.formats.task_row import FolderTimes
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.filesystem import Entry

# Seconds after a change of a folder from which any further change has another mtime.
MTIME_GRANULARITY = 2.0
MTIME_GRANULARITY_NS = int(MTIME_GRANULARITY * 1e9)


@dataclass(slots=True)
class ChangeTracker:
    """Decides whether a folder can have changed since it was read.

    File servers count time in steps of up to a second, so a change soon after another one may not
    change the mtime. The times are trusted if the folder was read two seconds or more after its
    last change. Times of different clocks are never compared: two seconds have passed if they have
    on the local clock since these times were first seen, or if something else on the file server
    changed two seconds later.

    Attributes:
        times: The times of the folder when it was last read.
        first_seen: When these times were first seen, on the local clock.
        mtime_trusted: Whether a further change would have changed the times.
    """

    times: FolderTimes | None = None
    first_seen: float = 0.0
    mtime_trusted: bool = False

    def is_unchanged(self, times: FolderTimes) -> bool:
        """Return whether a folder with these times can't have changed since it was read."""
        return self.mtime_trusted and times == self.times

    def record_read(self, times: FolderTimes, *, seen: float, began: float, newest: int) -> None:
        """Record that the folder was read when it had these times.

        On the local clock the times were looked up at ``seen``, and reading began at or after
        ``began``. On the clock of the server it began at ``newest`` (nanoseconds) or later.
        """
        if times != self.times:
            self.times, self.first_seen = times, seen
        self.mtime_trusted = (
            began - self.first_seen >= MTIME_GRANULARITY
            or max(times) <= newest - MTIME_GRANULARITY_NS
        )


@dataclass(slots=True)
class Shard:
    """One folder ``tasks/ab``.

    Attributes:
        name: ``ab``.
        tracker: The changes of the folder.
        server_time_ns: A lower bound of the time on the file server, in nanoseconds, when the
            folder was last found changed.
        ids: The ids of its tasks.
        inodes: The inodes of the task folders, in the same order.
        unfinished: The tasks that can still change.
        problems: A sentence for each id with an entry that is not a folder.
    """

    name: str
    tracker: ChangeTracker = field(default_factory=ChangeTracker)
    server_time_ns: int = 0
    ids: Collection[str] = ()
    inodes: array[int] = field(default_factory=lambda: array("Q"))
    unfinished: dict[str, ChangeTracker] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardChanges:
    """The changes of a shard since its last listing.

    A task folder that was replaced by another one is in both ``removed`` and ``added``.
    """

    removed: Collection[str]
    added: Collection[str]


def find_shards(tasks: str, unread: dict[str, str]) -> dict[str, FolderTimes]:
    """Return the times of the folders ``tasks/ab`` by name, in order. Raises OSError.

    A sentence on each that is not a folder, or can't be examined, is added to ``unread``.
    """
    with filesystem.scan(tasks) as entries:
        named = [entry for entry in entries if SHARD_NAME.match(entry.name)]
    found: dict[str, FolderTimes] = {}
    for entry in sorted(named, key=attrgetter("name")):
        try:
            if not entry.is_dir(follow_symlinks=False):
                unread[entry.name] = f"'tasks/{entry.name}' {_kind_text(entry)}, not read"
                continue
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            unread[entry.name] = f"'tasks/{entry.name}' can't be examined: {os_error_text(error)}"
            continue
        found[entry.name] = (status.st_mtime_ns, status.st_ctime_ns)
    return found


def list_shard(tasks: str, shard: Shard, interned: Mapping[str, str]) -> ShardChanges:
    """List a shard below ``tasks`` and update it; raises OSError.

    ``interned`` has string objects to use for known ids: a million ids take 88 MB.
    """
    name = shard.name
    with filesystem.scan(f"{tasks}/{name}") as scanned:
        entries = list(scanned)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    only_folders = len(folders) == len(entries)
    shard.problems = {} if only_folders else _non_folder_problems(name, entries, folders)
    names, inodes = [e.name for e in folders], array("Q", [e.inode() for e in folders])
    if inodes == shard.inodes and names == [task_id[2:] for task_id in shard.ids]:
        return ShardChanges((), ())
    if not all(map(TASK_FOLDER_NAME.match, names)):
        are_tasks = list(map(bool, map(TASK_FOLDER_NAME.match, names)))
        names, inodes = list(compress(names, are_tasks)), array("Q", compress(inodes, are_tasks))
    ids = [name + rest for rest in names]
    ids = list(map(interned.get, ids, ids))
    known = dict(zip(shard.ids, shard.inodes, strict=True))
    shard.ids, shard.inodes = tuple(ids), inodes
    if not known:
        return ShardChanges((), shard.ids)
    found = dict(zip(ids, inodes, strict=True))
    removed = [i for i, inode in known.items() if found.get(i) != inode]
    added = [i for i, inode in found.items() if known.get(i) != inode]
    return ShardChanges(removed, added)


def _non_folder_problems(
    name: str, entries: Iterable[Entry], folders: Iterable[Entry]
) -> Mapping[str, str]:
    are_folders = {entry.name for entry in folders}
    return {
        name + entry.name: f"'tasks/{name}/{entry.name}' {_kind_text(entry)}, not read"
        for entry in entries
        if entry.name not in are_folders and TASK_FOLDER_NAME.match(entry.name)
    }


def _kind_text(entry: Entry) -> str:
    return "is a symbolic link" if entry.is_symlink() else "is not a folder"
