"""Measure the size of task folders, only on request: it costs a stat for each file."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from hipercow_tui.domain.task import TASK_ID, Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.support.text import format_size, pluralize

BLOCK = 512  # bytes of a block in ``st_blocks``, on every POSIX system
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

    Costs eleven system calls, one for each file, and eight for each subfolder. Follows no link.
    """
    return measure_many(root, (task_id,)).get(task_id)


def measure_many(
    root: Root,
    ids: Collection[str],
    on_progress: Callable[[int], None] = lambda done: None,
    stop: threading.Event | None = None,
) -> dict[str, Size]:
    """Return the sizes of tasks by id, in the order of ``ids``, until ``stop`` is set.

    Tasks that are missing or can't be read completely are left out. ``on_progress`` is called after
    each task with the number of tasks done.
    """
    sizes: dict[str, Size] = {}
    for done, task_id in enumerate(ids, 1):
        if stop is not None and stop.is_set():
            break
        size = _measure(root, task_id)
        if size is not None:
            sizes[task_id] = size
        on_progress(done)
    return sizes


def measure_folder(name: str, parent: int) -> Size | None:
    """Return the size of a folder in the open folder ``parent``, as ``measure`` does."""
    measurement = _Measurement()
    try:
        measurement.add_subfolder(name, parent)
    except OSError:
        return None
    return measurement.size


def _measure(root: Root, task_id: str) -> Size | None:
    """Measure a task, of Python if R has no task with that id."""
    if not TASK_ID.match(task_id):
        return None
    try:
        return _measure_task(root.tasks, task_id)
    except FileNotFoundError:
        if root.lang is Lang.R:
            return _measure(root.part(Lang.PY), task_id)
    except OSError:
        pass
    return None


def _measure_task(tasks: Path, task_id: str) -> Size:
    fds: list[int] = []
    try:
        for name in (str(tasks), task_id[:2], task_id[2:]):
            fds.append(open_folder(name, dir_fd=fds[-1] if fds else None))
        measurement = _Measurement()
        measurement.add_folder(fds[-1])
        return measurement.size
    finally:
        for fd in fds:
            os.close(fd)


class _Measurement:
    """Adds up a folder and its subfolders."""

    def __init__(self) -> None:
        self._bytes = self._files = self._disk_bytes = 0
        self._links: dict[tuple[int, int], SharedFile] = {}

    @property
    def size(self) -> Size:
        """The size of everything that was added."""
        found = Size(self._bytes, self._files, self._disk_bytes, tuple(self._links.values()))
        return freed_size([found]) if self._links else found

    def add_folder(self, fd: int, depth: int = 0) -> None:
        """Add an open folder. Raises OSError if something in it can't be measured."""
        if depth > _MAX_DEPTH:
            raise OSError("nested too deeply")
        bytes_ = files = 0
        disk_bytes = allocated_bytes(os.fstat(fd))
        with os.scandir(fd) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    self.add_subfolder(entry.name, fd, depth + 1)
                    continue
                status = entry.stat(follow_symlinks=False)
                files += 1
                if status.st_nlink > 1:
                    self._add_link(status)
                else:
                    disk_bytes += status.st_blocks * BLOCK
                    if stat.S_ISREG(status.st_mode):
                        bytes_ += status.st_size
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

    def _add_link(self, status: os.stat_result) -> None:
        """Add a file with several names."""
        file = (status.st_dev, status.st_ino)
        known = self._links.get(file)
        inside = 1 + (known.inside if known else 0)
        bytes_ = status.st_size if stat.S_ISREG(status.st_mode) else 0
        disk_bytes = allocated_bytes(status)
        self._links[file] = SharedFile(file, status.st_nlink, inside, bytes_, disk_bytes)


def allocated_bytes(status: os.stat_result) -> int:
    """Return the space that is allocated on the disk. For POSIX systems."""
    return status.st_blocks * BLOCK
