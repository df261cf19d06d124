"""What was known of a root the last time: a file in the user's cache folder, never in the root.

It saves reading what is final, and no more: a task is taken from it only where a listing shows the
same folder, unchanged since. A file that is damaged, of another root or of another version is as
good as none, and is written anew.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hipercow_tui.domain.task import Bundle, Lang, Task
from hipercow_tui.formats.r_layout import Columns, FolderTimes
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import read_file
from hipercow_tui.scanning.shard_listing import ChangeTracker, Shard
from hipercow_tui.support.user_files import cache_folder, replace_file

_MAGIC = b"hipercow-tui index 4\n"
_LIMIT = 4 << 30  # bytes: some 60 million tasks
_DIGEST = 16  # bytes
_UNUSED = 180 * 86400  # seconds after which the index of a root that nobody opens is dropped
# Name of the folder, its moments, ``server_time_ns``, how many tasks, how many of these can still change.
_COUNT = struct.Struct("<I")
_FOLDER = struct.Struct("<2sqqqII")
# Of a bundle: language, when it changed, its stamp, how many bytes its name has, how many ids.
_BUNDLE = struct.Struct("<2sdQQqqII")
# Bits of a task's flags; the last three say that there is no such time.
_ESTIMATED, _UNFINISHED, *_WITHOUT = 1, 2, 4, 8, 16
_SWAPPED = sys.byteorder == "big"


@dataclass(frozen=True, slots=True)
class CachedFolder:
    """What was known of the tasks in one ``tasks/ab``: an id a place, and its row's values in
    ``columns``. ``unsettled`` says that the folder could still change unnoticed when that was
    written."""

    folder: Shard
    ids: Sequence[str]
    columns: Columns
    unsettled: bool
    _names: str  # of the folders of these tasks

    def lists(self, names: Iterable[str]) -> bool:
        """Whether these are the names in the folder, in their order. Where it did not change since
        it was settled they tell as much as its inodes do, at half the cost."""
        return "/".join(names) == self._names


@dataclass(frozen=True, slots=True)
class CachedRoot:
    """All that was known: each folder's part of the file, to be decoded when it is its turn, the
    ids of the tasks that were read as retries, and the bundles."""

    folders: Mapping[str, memoryview] = field(default_factory=dict)
    retried: frozenset[str] = frozenset()
    bundles: tuple[Bundle, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanCache:
    """The index of one root. ``key`` is what makes that root itself: its path, and the device and
    inode of ``hipercow/``."""

    path: Path
    key: bytes

    @classmethod
    def of(cls, root: Root) -> ScanCache | None:
        """The index of a root, whether there is a file yet or not; None where it can't be kept."""
        try:
            where = cache_folder()
            device, inode = root.identity or _identity(root)
        except (OSError, RuntimeError):
            return None
        path = os.fsencode(root.hipercow)
        name = hashlib.blake2b(path, digest_size=_DIGEST).hexdigest()
        key = b"%d %d %b" % (device, inode, path)
        return cls(where / f"{name}.index", key)

    def load(self) -> CachedRoot:
        """What the file says; nothing where it is not exactly what we wrote for this root."""
        try:
            raw = memoryview(read_file(self.path, limit=_LIMIT))
        except OSError:
            return CachedRoot()
        body = raw[len(_MAGIC) + _DIGEST :]
        if raw[: len(_MAGIC) + _DIGEST] != _head(self.key, body):
            return CachedRoot()
        return _decoded_root(body)

    def save(
        self,
        folders: Iterable[Shard],
        tasks: Mapping[str, Task],
        retried: Collection[str],
        bundles: Sequence[Bundle],
    ) -> None:
        """Write the file anew, in one step; where that can't be done, there is none.

        ``retried`` are the tasks whose time of creation was read from their own ``data``.
        """
        body = bytearray(_COUNT.pack(len(retried)))
        body += bytes.fromhex("".join(retried))
        body += _COUNT.pack(len(bundles))
        for bundle in bundles:
            body += _encoded_bundle(bundle)
        for folder in folders:
            section = _encoded(folder, tasks)
            body += _COUNT.pack(len(section)) + section
        with suppress(OSError):
            replace_file(self.path, _head(self.key, body), body)
            self._drop_unused()

    def _drop_unused(self) -> None:
        """A root that is gone leaves no file behind for good; raises OSError."""
        with os.scandir(self.path.parent) as entries:
            indexes = [entry for entry in entries if entry.name.endswith(".index")]
        for entry in indexes:
            if entry.stat(follow_symlinks=False).st_mtime < time.time() - _UNUSED:
                os.unlink(entry.path)


def _identity(root: Root) -> tuple[int, int]:
    found = os.stat(root.hipercow)
    return found.st_dev, found.st_ino


def _head(key: bytes, body: bytearray | memoryview) -> bytes:
    digest = hashlib.blake2b(key, digest_size=_DIGEST)
    digest.update(body)
    return _MAGIC + digest.digest()


def _encoded(folder: Shard, tasks: Mapping[str, Task]) -> bytes:
    """One folder's section: what can't be kept is left out, and read as new the next time."""
    inodes, listings, flags = array("Q"), bytearray(), bytearray()
    created, started, finished = array("d"), array("d"), array("d")
    names, moments = [], array("q")
    for task_id, inode in zip(folder.ids, folder.inodes, strict=True):
        task = tasks.get(task_id)
        if task is None or task.problem is not None:
            continue
        watch = folder.unfinished.get(task_id)
        if watch is not None:
            if not watch.mtime_trusted or watch.times is None:
                continue
            moments.extend(watch.times)
        names.append(task_id[2:])
        inodes.append(inode)
        listings.append(task.files_mask)
        flag = _ESTIMATED * task.finished_estimated | _UNFINISHED * (watch is not None)
        times = (task.created, task.started, task.finished)
        for column, moment, without in zip(
            (created, started, finished), times, _WITHOUT, strict=True
        ):
            column.append(moment or 0.0)
            flag |= without * (moment is None)
        flags.append(flag)
    watched = folder.tracker.times if folder.tracker.mtime_trusted else None
    head = _FOLDER.pack(
        folder.name.encode(),
        *(watched or (0, 0)),
        folder.server_time_ns,
        len(names),
        len(moments) // 2,
    )
    columns = b"".join([_bytes(c) for c in (inodes, created, started, finished, moments)])
    return head + bytes.fromhex("".join(names)) + listings + flags + columns


def _encoded_bundle(bundle: Bundle) -> bytes:
    name = bundle.name.encode("utf-8", "surrogateescape")
    ids = bytes.fromhex("".join(bundle.task_ids))
    sizes = len(name), len(bundle.task_ids)
    lang, changed = bundle.lang.encode(), bundle.changed or 0.0
    return _BUNDLE.pack(lang, changed, *bundle.stamp, *sizes) + name + ids


def _decoded_bundle(body: memoryview, at: int) -> tuple[Bundle, int]:
    """The bundle that stands there, and where the next one does."""
    lang, changed, inode, length, modified, status, size, tasks = _BUNDLE.unpack_from(body, at)
    ids = at + _BUNDLE.size + size
    name = bytes(body[ids - size : ids]).decode("utf-8", "surrogateescape")
    end = ids + 16 * tasks
    members = tuple(body[ids:end].hex("/", 16).split("/")) if tasks else ()
    of = Lang(lang.rstrip(b"\0").decode())
    return Bundle(name, members, changed, (inode, length, modified, status), lang=of), end


def _decoded_root(body: memoryview) -> CachedRoot:
    (count,) = _COUNT.unpack_from(body)
    at = _COUNT.size + 16 * count
    retried = body[_COUNT.size : at].hex("/", 16).split("/") if count else []
    (count,) = _COUNT.unpack_from(body, at)
    at += _COUNT.size
    bundles = []
    for _ in range(count):
        bundle, at = _decoded_bundle(body, at)
        bundles.append(bundle)
    folders: dict[str, memoryview] = {}
    while at < len(body):
        (size,) = _COUNT.unpack_from(body, at)
        at += _COUNT.size
        section = body[at : at + size]
        folders[bytes(section[:2]).decode()] = section
        at += size
    return CachedRoot(folders, frozenset(retried), tuple(bundles))


def cached_folder(section: memoryview, same: Mapping[str, str]) -> CachedFolder:
    """What stands in one folder's part of the file; ``same`` has the objects to use for ids."""
    raw_name, modified, changed, newest, tasks, unfinished = _FOLDER.unpack_from(section)
    name = raw_name.decode()
    at = _FOLDER.size

    def take(size: int) -> memoryview:
        nonlocal at
        at += size
        return section[at - size : at]

    names = take(15 * tasks).hex("/", 15)
    raw_ids = list(map(name.__add__, names.split("/"))) if tasks else []
    ids = tuple(map(same.get, raw_ids, raw_ids))
    listings, flags = take(tasks), bytes(take(tasks))
    inodes = _array("Q", take(8 * tasks))
    times = [_times(take(8 * tasks), _flagged(flags, without)) for without in _WITHOUT]
    stamps = _array("q", take(16 * unfinished))
    moments: list[FolderTimes | None] = [None] * tasks
    estimated = [False] * tasks
    for place in _flagged(flags, _ESTIMATED):
        estimated[place] = True
    watches: dict[str, ChangeTracker] = {}
    for place, pair in zip(
        _flagged(flags, _UNFINISHED), zip(stamps[::2], stamps[1::2], strict=True), strict=True
    ):
        moments[place] = pair
        watches[ids[place]] = ChangeTracker(pair, mtime_trusted=True)
    nothing = [None] * tasks
    columns = (listings, *times, estimated, moments, nothing, nothing)
    folder = Shard(name, ChangeTracker((modified, changed)), newest, ids, inodes, watches)
    return CachedFolder(folder, ids, columns, not changed, names)


def _flagged(flags: bytes, bit: int) -> Iterator[int]:
    """The places where that bit is set, which it is at few."""
    places = flags.translate(_SET[bit])
    at = places.find(1)
    while at >= 0:
        yield at
        at = places.find(1, at + 1)


_SET = {
    bit: bytes(bool(flag & bit) for flag in range(256))
    for bit in (_ESTIMATED, _UNFINISHED, *_WITHOUT)
}


def _array(kind: str, raw: memoryview) -> array[int]:
    numbers = array(kind, raw.tobytes())
    if _SWAPPED:
        numbers.byteswap()
    return numbers


def _times(raw: memoryview, without: Iterable[int]) -> list[float | None]:
    times: list[float | None] = [*_array("d", raw)]
    for place in without:
        times[place] = None
    return times


def _bytes(numbers: array[Any]) -> bytes:
    if _SWAPPED:
        numbers.byteswap()
    return numbers.tobytes()
