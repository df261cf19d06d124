"""How much a task's folder holds: counted only when someone asks, for it costs a stat a file."""

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

_MAX_DEPTH = 100  # a descent holds one descriptor a level, and a process often has but 256


@dataclass(frozen=True, slots=True)
class HardLink:
    """A file that has several ``names``, here or elsewhere, by which file it is (device, inode)."""

    file: tuple[int, int]
    names: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Size:
    """What a folder holds, at any depth: the bytes of ordinary files, and everything but folders
    as ``files``; ``linked`` are those of them that have several names, by each name."""

    bytes: int = 0
    files: int = 0
    linked: tuple[HardLink, ...] = ()


def freed_size(sizes: Iterable[Size]) -> Size:
    """What is freed if all of these go: the space of a file of several names once, and only if all
    of its names go. Its names are ``files`` all the same."""
    bytes_ = files = 0
    names: Counter[HardLink] = Counter()
    for one in sizes:
        bytes_ += one.bytes
        files += one.files
        names.update(one.linked)
    for linked, gone in names.items():
        bytes_ -= linked.bytes * (gone if gone < linked.names else gone - 1)
    return Size(bytes_, files)


def measure(root: Root, task_id: str) -> Size | None:
    """The size of a task's folder; None if it is gone or can't all be read.

    Costs some ten system calls, one a file, and seven a folder in it. No link is followed.
    """
    return measure_many(root, (task_id,)).get(task_id)


def measure_many(
    root: Root,
    ids: Collection[str],
    on_progress: Callable[[int], None] = lambda done: None,
    stop: threading.Event | None = None,
) -> dict[str, Size]:
    """The sizes of many tasks, in the order of ``ids``, until stopped. A task is missing in it that
    is gone or can't all be read.

    ``on_progress`` is called after each task with how many are done.
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
    """The size of a folder in an open one; None if it is gone or can't all be read."""
    try:
        return _measure_subfolder(name, parent, 0)
    except OSError:
        return None


def _measure(root: Root, task_id: str) -> Size | None:
    """Where R has no such task, Python may."""
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
