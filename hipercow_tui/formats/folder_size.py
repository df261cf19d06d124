"""Measure the size of task folders, only on request: it costs a stat for each file."""

from __future__ import annotations

import os
import stat
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from hipercow_tui.domain.task import TASK_ID, Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder

_MAX_DEPTH = 100  # folders; each level needs a descriptor, and a process often has only 256


@dataclass(frozen=True, slots=True)
class HardLink:
    """A file with several names, in this folder or elsewhere.

    ``file`` is its device and inode, ``names`` the number of its names, ``bytes`` its size.
    """

    file: tuple[int, int]
    names: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a folder with its subfolders.

    ``bytes`` is of regular files. ``files`` counts everything but folders. ``linked`` has an item
    for each name, in the folder, of a file with several names.
    """

    bytes: int = 0
    files: int = 0
    linked: tuple[HardLink, ...] = ()


def freed_size(sizes: Iterable[Size]) -> Size:
    """Return what the removal of several folders frees.

    The space of a file with several names counts once, and only if all its names are removed. Each
    name counts in ``files``.
    """
    bytes_ = files = 0
    names: Counter[HardLink] = Counter()
    for size in sizes:
        bytes_ += size.bytes
        files += size.files
        names.update(size.linked)
    for linked, removed in names.items():
        bytes_ -= linked.bytes * (removed if removed < linked.names else removed - 1)
    return Size(bytes_, files)


def measure(root: Root, task_id: str) -> Size | None:
    """Return the size of a task's folder; None if it is missing or can't be read completely.

    Costs ten system calls, one for each file, and seven for each subfolder. Follows no link.
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
    try:
        return _measure_subfolder(name, parent, 0)
    except OSError:
        return None


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
        return _measure_open_folder(fds[-1], 0)
    finally:
        for fd in fds:
            os.close(fd)


def _measure_open_folder(fd: int, depth: int) -> Size:
    if depth > _MAX_DEPTH:
        raise OSError("nested too deeply")
    total = files = 0
    linked: list[HardLink] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inside = _measure_subfolder(entry.name, fd, depth + 1)
                total += inside.bytes
                files += inside.files
                linked += inside.linked
            else:
                status = entry.stat(follow_symlinks=False)
                files += 1
                if stat.S_ISREG(status.st_mode):
                    total += status.st_size
                    if status.st_nlink > 1:
                        file = (status.st_dev, status.st_ino)
                        linked.append(HardLink(file, status.st_nlink, status.st_size))
    return Size(total, files, tuple(linked))


def _measure_subfolder(name: str, parent: int, depth: int) -> Size:
    fd = open_folder(name, dir_fd=parent)
    try:
        return _measure_open_folder(fd, depth)
    finally:
        os.close(fd)
