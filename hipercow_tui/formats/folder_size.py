"""Measure the size of task folders, only on request: it costs a stat for each file."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Any, NamedTuple, Self

from hipercow_tui.domain.task import TASK_ID, Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.support import filesystem
from hipercow_tui.support.filesystem import Status
from hipercow_tui.support.text import format_size, pluralize

BLOCK = 512  # bytes of a block in ``st_blocks``
_TYPE = 0o170000  # the bits of ``st_mode`` for the type of a file
_MAX_DEPTH = 100  # folders; each level needs a descriptor, and a process often has only 256


class SizeKind(StrEnum):
    """The two definitions of size; the value is the title of a column.

    ``APPARENT`` is the content of regular files in bytes. ``ON_DISK`` is the space that is
    allocated for files, links and folders, as ``du`` counts it.
    """

    APPARENT = "size"
    ON_DISK = "on disk"

    def text(self, number: int) -> str:
        """Return ``1.9 GB``, or ``4.2 GB on disk``."""
        text = format_size(number)
        return text if self is SizeKind.APPARENT else f"{text} {self}"


class FileKind(StrEnum):
    """What a file of a task holds, by its name. ``OTHER`` are all files without such a name."""

    DATA = "data"
    RESULT = "result"
    LOG = "log"
    OTHER = "other"


# Where ``FolderUsage.kinds`` has the numbers of a file with this name in the folder of a task.
_KIND_BY_NAME = {"data": 0, "result": 3, "log": 6, "log.outer": 6}


class SharedName(NamedTuple):
    """A file of which some names are in a folder, and others elsewhere; see ``SharedFile``.

    ``kind`` is the place of the numbers of its kind in ``FolderUsage.kinds``, -1 for ``OTHER``.
    """

    device: int
    inode: int
    names: int
    inside: int
    bytes: int
    disk_bytes: int
    kind: int


class FolderUsage(NamedTuple):
    """What the folder of a task holds, in plain values.

    Attributes:
        bytes, files, disk_bytes: As in ``Size``.
        kinds: For each kind of files but ``OTHER``: bytes, number of files, bytes on the disk.
        shared: Files with names outside of the folder, the values of a ``SharedName`` each.
            ``files`` counts their names, the other numbers are without them.
    """

    bytes: int
    files: int
    disk_bytes: int
    kinds: tuple[int, ...]
    shared: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> Size:
        """What the removal of the folder frees."""
        shared = (
            SharedFile((one.device, one.inode), one.names, one.inside, one.bytes, one.disk_bytes)
            for one in map(SharedName._make, self.shared)
        )
        return Size(self.bytes, self.files, self.disk_bytes, tuple(shared))


def usage_from_values(values: Iterable[Any]) -> FolderUsage:
    """Make a usage from its values: half the time of the constructor."""
    return tuple.__new__(FolderUsage, values)


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file of which some names are in a folder, and others elsewhere.

    ``file`` is its device and inode, ``names`` the number of its names, ``inside`` how many of them
    are in the folder.
    """

    file: tuple[int, int]
    names: int
    inside: int
    bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a folder with its subfolders, in both definitions: what its removal frees.

    A file with several names counts once, and only if all of them are in the folder; otherwise it
    is in ``shared``. ``files`` counts every name of everything but folders.
    """

    bytes: int = 0
    files: int = 0
    disk_bytes: int = 0
    shared: tuple[SharedFile, ...] = ()

    def of(self, kind: SizeKind) -> int:
        """Return the bytes by one of the definitions."""
        return self.bytes if kind is SizeKind.APPARENT else self.disk_bytes

    def text(self, kind: SizeKind) -> str:
        """Return ``1.9 GB in 4,204 files``, or ``4.2 GB on disk in 4,204 files``."""
        return f"{kind.text(self.of(kind))} in {pluralize(self.files, 'file')}"


NO_SIZE = Size()


def freed_size(sizes: Iterable[Size]) -> Size:
    """Return the size of several folders together: what their removal frees."""
    bytes_ = files = disk_bytes = 0
    shared: dict[tuple[int, int], SharedFile] = {}
    for size in sizes:
        bytes_ += size.bytes
        files += size.files
        disk_bytes += size.disk_bytes
        for one in size.shared:
            known = shared.get(one.file)
            inside = one.inside + (known.inside if known else 0)
            shared[one.file] = replace(one, inside=inside)
    complete = [one for one in shared.values() if one.inside >= one.names]
    return Size(
        bytes_ + sum(one.bytes for one in complete),
        files,
        disk_bytes + sum(one.disk_bytes for one in complete),
        tuple(one for one in shared.values() if one.inside < one.names),
    )


def measure(root: Root, task_id: str) -> Size | None:
    """Return the size of a task's folder; None if it is missing or can't be read completely.

    Costs fifteen system calls, one for each file, and eleven for each subfolder. Follows no link.
    """
    return measure_many(root, (task_id,)).get(task_id)


def measure_many(
    root: Root,
    ids: Collection[str],
    on_progress: Callable[[int], None] = lambda done: None,
    stop: threading.Event | None = None,
) -> dict[str, Size]:
    """Return the sizes of tasks by id, in the order of ``ids``, until ``stop`` is set.

    Tasks that are missing or can't be read completely are left out; a task that R does not have is
    one of Python. ``on_progress`` is called after each task with the number of tasks done. A task
    in the same ``tasks/ab`` as the one before costs four system calls less.
    """
    sizes: dict[str, Size] = {}
    parts = (root, root.part(Lang.PY)) if root.lang is Lang.R else (root,)
    folders = [_TaskFolders(str(part.tasks)) for part in parts]
    try:
        for done, task_id in enumerate(ids, 1):
            if stop is not None and stop.is_set():
                break
            usage = _measure_first(folders, task_id)
            if usage is not None:
                sizes[task_id] = usage.size
            on_progress(done)
    finally:
        for one in folders:
            one.close()
    return sizes


def measure_folders(
    tasks: str, ids: Iterable[str], retried: Collection[str] = ()
) -> Iterator[FolderUsage | None]:
    """Yield what each task's folder below ``tasks`` holds; None as for ``measure_many``.

    ``retried`` is not used: the function is called like ``read_tasks`` of a layout. A task costs
    eleven system calls, and one for each file; opening and closing a ``tasks/ab`` costs two.
    """
    with _TaskFolders(tasks) as folders:
        only = (folders,)
        for task_id in ids:
            yield _measure_first(only, task_id)


def measure_folder(name: str, parent: int) -> Size | None:
    """Return the size of a folder in the open folder ``parent``, as ``measure`` does."""
    measurement = _Measurement()
    try:
        measurement.add_subfolder(name, parent)
    except OSError:
        return None
    return measurement.result().size


def _measure_first(folders: Iterable[_TaskFolders], task_id: str) -> FolderUsage | None:
    """Measure a task in the first of the roots that has it."""
    if not TASK_ID.match(task_id):
        return None
    for one in folders:
        try:
            return one.measure(task_id)
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


class _TaskFolders:
    """Measures folders below ``tasks``. ``tasks`` and the last ``tasks/ab`` stay open."""

    def __init__(self, tasks: str) -> None:
        self._path = tasks
        self._tasks = self._shard = -1
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def measure(self, task_id: str) -> FolderUsage:
        """Measure a task. Raises OSError."""
        name = task_id[:2]
        if name != self._name:
            if self._tasks < 0:
                self._tasks = open_folder(self._path)
            self._close_shard()
            self._shard = open_folder(name, dir_fd=self._tasks)
            self._name = name
        measurement = _Measurement()
        measurement.add_subfolder(task_id[2:], self._shard)
        return measurement.result()

    def _close_shard(self) -> None:
        if self._shard >= 0:
            os.close(self._shard)
        self._shard, self._name = -1, ""

    def close(self) -> None:
        """Close the folders."""
        self._close_shard()
        if self._tasks >= 0:
            os.close(self._tasks)
        self._tasks = -1


class _Measurement:
    """Adds up a folder and its subfolders."""

    __slots__ = ("_bytes", "_disk_bytes", "_files", "_kinds", "_links")

    def __init__(self) -> None:
        self._bytes = self._files = self._disk_bytes = 0
        self._kinds = [0] * 9
        self._links: dict[tuple[int, int], SharedName] = {}

    def result(self) -> FolderUsage:
        """Return what everything that was added holds. Call it once."""
        shared: list[tuple[int, ...]] = []
        for one in self._links.values():
            if one.inside < one.names:
                shared.append(tuple(one))
            else:
                self._add(one)
        kinds = tuple(self._kinds)
        return usage_from_values((self._bytes, self._files, self._disk_bytes, kinds, tuple(shared)))

    def add_folder(self, fd: int, depth: int = 0) -> None:
        """Add an open folder. Raises OSError if something in it can't be measured."""
        if depth > _MAX_DEPTH:
            raise OSError("nested too deeply")
        bytes_ = files = 0
        disk_bytes = allocated_bytes(filesystem.stat_fd(fd))
        kind_of, sums = _KIND_BY_NAME.get if depth == 0 else _no_kind, self._kinds
        for name, status in filesystem.list_statuses(fd):
            file_type = status.st_mode & _TYPE
            if file_type == stat.S_IFDIR:
                self.add_subfolder(name, fd, depth + 1)
                continue
            files += 1
            size = status.st_size if file_type == stat.S_IFREG else 0
            on_disk = status.st_blocks * BLOCK
            kind = kind_of(name)
            if kind is not None:
                sums[kind + 1] += 1
            if status.st_nlink > 1:
                self._add_name(status, size, on_disk, kind)
                continue
            bytes_ += size
            disk_bytes += on_disk
            if kind is not None:
                sums[kind] += size
                sums[kind + 2] += on_disk
        self._bytes += bytes_
        self._files += files
        self._disk_bytes += disk_bytes

    def add_subfolder(self, name: str, parent: int, depth: int = 0) -> None:
        """Add a folder by its name in an open folder. Raises OSError."""
        fd = open_folder(name, dir_fd=parent)
        try:
            self.add_folder(fd, depth)
        finally:
            os.close(fd)

    def add_entry(self, name: str, parent: int) -> None:
        """Add a file or a folder by its name in an open folder. Raises OSError."""
        status = filesystem.stat_in(name, parent)
        if stat.S_ISDIR(status.st_mode):
            self.add_subfolder(name, parent, depth=1)
            return
        self._files += 1
        size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        self._add_name(status, size, allocated_bytes(status), None)

    def _add_name(self, status: Status, size: int, on_disk: int, kind: int | None) -> None:
        """Add a name of a file with several names; the first name gives its kind."""
        file = (status.st_dev, status.st_ino)
        known = self._links.get(file)
        if known is None:
            place = -1 if kind is None else kind
            self._links[file] = SharedName(*file, status.st_nlink, 1, size, on_disk, place)
        else:
            self._links[file] = known._replace(inside=known.inside + 1)

    def _add(self, one: SharedName) -> None:
        self._bytes += one.bytes
        self._disk_bytes += one.disk_bytes
        if one.kind >= 0:
            self._kinds[one.kind] += one.bytes
            self._kinds[one.kind + 2] += one.disk_bytes


def _no_kind(name: str) -> int | None:
    """Return None: in a subfolder, a name says nothing about a file."""
    return None


def allocated_bytes(status: Status) -> int:
    """Return the space that is allocated, in bytes."""
    return status.st_blocks * BLOCK


def measure_entry(name: str, parent: int) -> FolderUsage | None:
    """Return what a file or a folder in the open folder ``parent`` holds, by its name; None if it
    is missing or can't be read completely. Follows no link."""
    measurement = _Measurement()
    try:
        measurement.add_entry(name, parent)
    except OSError:
        return None
    return measurement.result()


def folder_itself(fd: int) -> FolderUsage:
    """Return the usage of an open folder without its content. Raises OSError."""
    return FolderUsage(0, 0, allocated_bytes(filesystem.stat_fd(fd)), (0,) * 9, ())
