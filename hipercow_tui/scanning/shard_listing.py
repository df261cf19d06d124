"""The folders ``tasks/ab``: which tasks stand there, and whether that must be looked at again."""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter

from hipercow_tui.formats.r_layout import PREFIX, REST, FolderTimes
from hipercow_tui.support.errors import os_error_text

MTIME_GRANULARITY = (
    2.0  # seconds after which a folder's time of change tells of every further change
)
MTIME_GRANULARITY_NS = int(MTIME_GRANULARITY * 1e9)


@dataclass(slots=True)
class ChangeTracker:
    """Whether a folder has been read since it last changed, and so long after that a further change
    would have moved its time again: file servers count time in steps of up to a second.

    Times of different clocks are never compared. Two seconds have gone by if they have on our
    clock, ``since`` we first saw the folder so, or if something else on the file server changed
    that much later.
    """

    times: FolderTimes | None = None
    since: float = 0.0
    mtime_trusted: bool = False

    def is_unchanged(self, moments: FolderTimes) -> bool:
        """Whether nothing can have changed."""
        return self.mtime_trusted and moments == self.times

    def record_read(self, moments: FolderTimes, *, seen: float, began: float, newest: int) -> None:
        """It was read after ``began`` on our clock, and no earlier than ``server_time_ns`` on the
        server's; on our clock it was ``seen`` to have changed last at these moments."""
        if moments != self.times:
            self.times, self.since = moments, seen
        self.mtime_trusted = (
            began - self.since >= MTIME_GRANULARITY or max(moments) <= newest - MTIME_GRANULARITY_NS
        )


@dataclass(slots=True)
class Shard:
    """One ``tasks/ab``: the ids of its tasks, the inodes of their folders in the same order, and
    those of them that can still change. ``server_time_ns`` is how late it was on the file server, at the
    least, when it was last found changed. ``problems`` has a sentence for each id whose entry is not a
    folder."""

    name: str
    tracker: ChangeTracker = field(default_factory=ChangeTracker)
    server_time_ns: int = 0
    ids: Collection[str] = ()
    inodes: array[int] = field(default_factory=lambda: array("Q"))
    unfinished: dict[str, ChangeTracker] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardChanges:
    """A listing compared with the one before: ids that are ``removed``, because there is none or
    another folder of that name, and ``added`` ones."""

    removed: Collection[str]
    added: Collection[str]


def find_folders(tasks: str, unread: dict[str, str]) -> dict[str, FolderTimes]:
    """The names of the folders ``tasks/ab``, in order, and when each last changed; raises OSError.

    For each that is not a folder, or can't be examined, a sentence is added to ``unread``.
    """
    with os.scandir(tasks) as entries:
        named = [entry for entry in entries if PREFIX.match(entry.name)]
    found: dict[str, FolderTimes] = {}
    for entry in sorted(named, key=attrgetter("name")):
        try:
            if not entry.is_dir(follow_symlinks=False):
                unread[entry.name] = f"'tasks/{entry.name}' {_kind(entry)}, not read"
                continue
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            unread[entry.name] = f"'tasks/{entry.name}' can't be examined: {os_error_text(error)}"
            continue
        found[entry.name] = (status.st_mtime_ns, status.st_ctime_ns)
    return found


def list_folder(tasks: str, folder: Shard, same: Mapping[str, str]) -> ShardChanges:
    """List ``tasks/ab`` and bring ``folder`` up to date; raises OSError.

    ``same`` has the objects to use for ids that are known already: a million of them take 88 MB.
    """
    name = folder.name
    with os.scandir(f"{tasks}/{name}") as scanned:
        entries = list(scanned)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    folder.problems = _odd(name, entries, folders) if len(folders) < len(entries) else {}
    names, inodes = [e.name for e in folders], array("Q", [e.inode() for e in folders])
    if inodes == folder.inodes and names == [task_id[2:] for task_id in folder.ids]:
        return ShardChanges((), ())
    if not all(map(REST.match, names)):
        are_tasks = list(map(bool, map(REST.match, names)))
        names, inodes = list(compress(names, are_tasks)), array("Q", compress(inodes, are_tasks))
    ids = [name + rest for rest in names]
    ids = list(map(same.get, ids, ids))
    known = dict(zip(folder.ids, folder.inodes, strict=True))
    folder.ids, folder.inodes = tuple(ids), inodes
    if not known:
        return ShardChanges((), folder.ids)
    found = dict(zip(ids, inodes, strict=True))
    gone = [i for i, inode in known.items() if found.get(i) != inode]
    fresh = [i for i, inode in found.items() if known.get(i) != inode]
    return ShardChanges(gone, fresh)


def _odd(
    name: str, entries: Iterable[os.DirEntry[str]], folders: Iterable[os.DirEntry[str]]
) -> Mapping[str, str]:
    are_folders = {entry.name for entry in folders}
    return {
        name + entry.name: f"'tasks/{name}/{entry.name}' {_kind(entry)}, not read"
        for entry in entries
        if entry.name not in are_folders and REST.match(entry.name)
    }


def _kind(entry: os.DirEntry[str]) -> str:
    return "is a symbolic link" if entry.is_symlink() else "is no folder"
