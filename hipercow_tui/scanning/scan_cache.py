"""The index: a cache file with the tasks and bundles that a scan found, for the next start.

A scan takes a task from it only if a listing shows the same folder, unchanged since then.
"""

from __future__ import annotations

import marshal
import sys
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from hipercow_tui.domain.task import Bundle, Lang, Task
from hipercow_tui.formats.task_row import Columns, FolderTimes
from hipercow_tui.scanning.cache_file import CacheFile
from hipercow_tui.scanning.shard_listing import ChangeTracker, Shard

_MARSHAL = 2  # the last version without references, which cost time


@dataclass(frozen=True, slots=True)
class CachedFolder:
    """The tasks that were known in one ``tasks/ab``: ``ids`` and the ``columns`` of their rows.

    ``unsettled`` says that the folder could still change unnoticed when this was written.
    """

    folder: Shard
    ids: Sequence[str]
    columns: Columns
    unsettled: bool
    _names: str  # of the task folders, separated by "/"

    def lists(self, names: Iterable[str]) -> bool:
        """Whether these are the names in the folder, in the same order. In a folder that has not
        changed, they prove as much as inodes do, at half the cost."""
        return "/".join(names) == self._names


@dataclass(frozen=True, slots=True)
class CachedRoot:
    """The content of an index. ``folders`` are by name, each to be decoded by ``cached_folder``
    when the scan comes to it; ``retried`` has the ids of tasks that were read as retries."""

    folders: Mapping[str, bytes] = field(default_factory=dict)
    retried: frozenset[str] = frozenset()
    bundles: tuple[Bundle, ...] = ()


class ScanCache(CacheFile):
    """The index of one root."""

    __slots__ = ()
    SUFFIX: ClassVar[str] = ".index"
    MAGIC: ClassVar[bytes] = b"hipercow-tui index 5 %b\n" % sys.byteorder.encode()

    def load(self) -> CachedRoot:
        """Read the file; the result is empty if there is no valid one."""
        data = self.read()
        if data is None:
            return CachedRoot()
        folders, retried, bundles = marshal.loads(data)
        return CachedRoot(folders, frozenset(retried), tuple(map(_decode_bundle, bundles)))

    def save(
        self,
        folders: Iterable[Shard],
        tasks: Mapping[str, Task],
        retried: Collection[str],
        bundles: Iterable[Bundle],
    ) -> None:
        """Replace the file, if that is possible.

        ``retried`` has the tasks whose ``data`` gave their time of creation.
        """
        encoded = {folder.name: _encode_folder(folder, tasks) for folder in folders}
        rows = [_encode_bundle(bundle) for bundle in bundles]
        self.write(marshal.dumps((encoded, tuple(retried), rows), _MARSHAL))


class _EncodedFolder(NamedTuple):
    """One ``tasks/ab``. From ``names`` on, each field is a column with a value for each task."""

    name: str
    times: FolderTimes | None  # None if the folder could still change unnoticed
    server_time_ns: int
    names: str  # of the task folders, separated by "/"
    inodes: bytes  # of 8 bytes each
    files_masks: bytes
    created: tuple[float | None, ...]
    started: tuple[float | None, ...]
    finished: tuple[float | None, ...]
    finished_estimated: tuple[bool, ...]
    folder_times: tuple[FolderTimes | None, ...]  # None for tasks that are final


class _TaskRow(NamedTuple):
    name: str
    inode: int
    files_mask: int
    created: float | None
    started: float | None
    finished: float | None
    finished_estimated: bool
    folder_times: FolderTimes | None


def _encode_folder(folder: Shard, tasks: Mapping[str, Task]) -> bytes:
    columns = list(zip(*_task_rows(folder, tasks), strict=True)) or [()] * len(_TaskRow._fields)
    names, inodes, files_masks, *others = columns
    encoded = _EncodedFolder(
        folder.name,
        folder.tracker.times if folder.tracker.mtime_trusted else None,
        folder.server_time_ns,
        "/".join(names),
        array("Q", inodes).tobytes(),
        bytes(files_masks),
        *others,
    )
    return marshal.dumps(tuple(encoded), _MARSHAL)


def _task_rows(folder: Shard, tasks: Mapping[str, Task]) -> Iterator[_TaskRow]:
    """The tasks of a folder, without those that have to be read at the next start anyway."""
    for task_id, inode in zip(folder.ids, folder.inodes, strict=True):
        task = tasks.get(task_id)
        if task is None or task.problem is not None:
            continue
        tracker = folder.unfinished.get(task_id)
        if tracker is not None and (not tracker.mtime_trusted or tracker.times is None):
            continue
        yield _TaskRow(
            task_id[2:],
            inode,
            task.files_mask,
            task.created,
            task.started,
            task.finished,
            task.finished_estimated,
            tracker.times if tracker is not None else None,
        )


def cached_folder(encoded: bytes, same: Mapping[str, str]) -> CachedFolder:
    """Decode one of the ``folders`` of an index; ``same`` has the objects to use for ids."""
    found = _EncodedFolder(*marshal.loads(encoded))
    raw_ids = [found.name + name for name in found.names.split("/")] if found.names else []
    ids = tuple(map(same.get, raw_ids, raw_ids))
    inodes = array("Q")
    inodes.frombytes(found.inodes)
    trackers = {
        task_id: ChangeTracker(times, mtime_trusted=True)
        for task_id, times in zip(ids, found.folder_times, strict=True)
        if times is not None
    }
    unknown = [None] * len(ids)  # the problem and the retry of each task
    tracker = ChangeTracker(found.times)
    folder = Shard(found.name, tracker, found.server_time_ns, ids, inodes, trackers)
    columns = Columns(
        found.files_masks,
        found.created,
        found.started,
        found.finished,
        found.finished_estimated,
        found.folder_times,
        unknown,
        unknown,
    )
    return CachedFolder(folder, ids, columns, found.times is None, found.names)


class _BundleRow(NamedTuple):
    name: str
    task_ids: str  # separated by "/"
    changed: float | None
    stamp: tuple[int, int, int, int]
    lang: str


def _encode_bundle(bundle: Bundle) -> tuple[object, ...]:
    ids = "/".join(bundle.task_ids)
    return tuple(_BundleRow(bundle.name, ids, bundle.changed, bundle.stamp, bundle.lang.value))


def _decode_bundle(raw: tuple[str, str, float | None, tuple[int, int, int, int], str]) -> Bundle:
    row = _BundleRow(*raw)
    ids = tuple(row.task_ids.split("/")) if row.task_ids else ()
    return Bundle(row.name, ids, row.changed, row.stamp, lang=Lang(row.lang))
