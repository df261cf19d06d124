"""The folders of a root that a purge works in, held open.

A path that was checked can be swapped for a link a moment later; an open folder can't. So each is
opened once, without following links, and everything is done by a name of one component in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.mounts import Mount, mount_of
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.file_changes import exists, sync_folder
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls

_NO_FOLDER = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM}


@dataclass(slots=True)
class RootDirs:
    """``hipercow/``, or for Python ``hipercow/py/``, and, in it, ``tasks/`` and ``bundles/`` (None
    where there is none).

    ``path`` is that of ``hipercow/``, for words only; ``mount`` is the mount that holds all of it.
    """

    path: Path
    hipercow: int
    tasks: int
    bundles: int | None
    mount: Mount
    lang: Lang = Lang.R
    _shard: str = field(default="", init=False)
    _shard_fd: int = field(default=-1, init=False)

    @property
    def project(self) -> Path:
        """The folder of the root, for words."""
        return self.path.parent if self.lang is Lang.R else self.path.parent.parent

    def shard(self, task_id: str) -> int:
        """The open folder ``tasks/ab`` of a task; the last one stays open, for ids come sorted.

        Raises OSError, also where a link stands in its place.
        """
        name = task_id[:2]
        if name != self._shard:
            self.close_shard()
            self._shard_fd = open_folder(name, dir_fd=self.tasks)
            self._shard = name
        return self._shard_fd

    @contextmanager
    def bundle(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that a bundle stands in, and its name there: one of Python may stand in
        folders of ``bundles/``, which are made with ``make``.

        Raises OSError, also where a link stands in the place of one of them.
        """
        if self.bundles is None:
            raise FileNotFoundError(errno.ENOENT, "hipercow/bundles is gone", name)
        *steps, last = name.split("/")
        with ExitStack() as stack:
            folder = self.bundles
            for step in steps:
                if make:
                    ensure_folder(step, folder)
                folder = open_folder(step, dir_fd=folder)
                stack.callback(os.close, folder)
            yield folder, last

    def has_bundle(self, name: str) -> bool:
        """Whether anything stands at a bundle's place. Raises OSError."""
        try:
            with self.bundle(name) as (folder, last):
                return exists(last, folder)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def has_task(self, task_id: str) -> bool:
        """Whether a task's place is taken; also where it can't be examined."""
        try:
            return exists(task_id[2:], self.shard(task_id))
        except FileNotFoundError:
            return False
        except OSError:  # a link in place of tasks/ab: nothing behind it was moved by a purge
            return True

    def sync_sources(self, ids: Iterable[str], bundles: Iterable[str]) -> None:
        """Write the folders that these tasks and bundles were moved out of to the disk, as far as
        they can be opened. Raises OSError if the disk fails."""
        for shard in sorted({task_id[:2] for task_id in ids}):
            with _if_there():
                fd = open_folder(shard, dir_fd=self.tasks)
                try:
                    sync_folder(fd)
                finally:
                    os.close(fd)
        one_of_each_folder = {name.rpartition("/")[0]: name for name in bundles}
        for name in one_of_each_folder.values():
            with _if_there(), self.bundle(name) as (folder, _):
                sync_folder(folder)

    def close_shard(self) -> None:
        """Forget which ``tasks/ab`` was the last."""
        if self._shard:
            os.close(self._shard_fd)
            self._shard = ""


@contextmanager
def _if_there() -> Iterator[None]:
    """Passes over a folder that is gone, is none any more, or may not be read."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise


@contextmanager
def open_root_dirs(root: Root) -> Iterator[RootDirs]:
    """The root's folders, open.

    Raises PurgeError if one of them is a link, on another mount, or can't be opened.
    """
    with ExitStack() as stack:
        try:
            hipercow = open_dir(stack, root.hipercow)
            mount = _mount_of(hipercow, root.hipercow)
            tasks = open_dir(stack, root.tasks, hipercow, mount)
        except FileNotFoundError:
            gone = escape_controls(str(root.tasks))
            raise PurgeError(f"{gone} is gone: there is nothing to purge") from None
        try:
            bundles: int | None = open_dir(stack, root.bundles, hipercow, mount)
        except FileNotFoundError:
            bundles = None
        dirs = RootDirs(root.hipercow, hipercow, tasks, bundles, mount, root.lang)
        stack.callback(dirs.close_shard)
        yield dirs


def _mount_of(folder: int, path: Path) -> Mount:
    try:
        return mount_of(folder)
    except OSError as error:
        raise PurgeError(
            f"{escape_controls(str(path))} can't be examined: {os_error_text(error)}"
        ) from None


def open_dir(
    stack: ExitStack, path: Path, parent: int | None = None, mount: Mount | None = None
) -> int:
    """The folder at ``path``, open until the stack closes; with ``parent``, the one in it.

    Raises FileNotFoundError, and PurgeError for all else: it is a link, not on ``mount``, ….
    """
    shown = escape_controls(str(path))
    try:
        fd = open_folder(str(path) if parent is None else path.name, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            sentence = f"{shown} is a symbolic link or no folder: nothing was changed"
        else:
            sentence = f"{shown} can't be opened: {os_error_text(error)}. Nothing was changed."
        raise PurgeError(sentence) from None
    stack.callback(os.close, fd)
    if mount is not None and (found := mount_of(fd)) != mount:
        raise PurgeError(
            f"{shown} can't be used: {mount_mismatch(found, mount)}. Nothing was changed."
        )
    return fd


def mount_mismatch(found: Mount, mount: Mount) -> str:
    """What is wrong with a folder that is on the mount ``found`` and not on ``mount``."""
    if found.device != mount.device:
        return "another file system is mounted there"
    return "a folder of the same file system is mounted there (a bind mount)"


def names_in(folder: int, path: Path) -> set[str]:
    """The names in an open folder; ``path`` is for words. Raises PurgeError if it can't be
    listed."""
    try:
        return set(os.listdir(folder))
    except OSError as error:
        raise PurgeError(
            f"{escape_controls(str(path))} can't be listed: {os_error_text(error)}"
        ) from None
