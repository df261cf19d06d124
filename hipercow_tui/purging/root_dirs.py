"""The open folders of a root in which a purge works.

A path that was checked can be replaced by a link a moment later; an open folder can't. So each
folder is opened once, without following links, and all changes use names in open folders.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.filesystem import Mount, folder_status
from hipercow_tui.support.text import escape_controls

_NO_FOLDER = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM}


@dataclass(slots=True)
class RootDirs:
    """Descriptors of ``hipercow/`` (for Python ``hipercow/py/``), its ``tasks/`` and ``bundles/``.

    ``bundles`` is None if it does not exist. ``path`` is that of ``hipercow/``, only for messages.
    ``mount`` is the mount of all three.
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
        """The project's folder, for messages."""
        return self.path.parent if self.lang is Lang.R else self.path.parent.parent

    def shard(self, task_id: str) -> int:
        """Return the open folder ``tasks/ab`` of a task. The last one stays open: ids are sorted.

        Raises OSError, also for a link.
        """
        name = task_id[:2]
        if name != self._shard:
            self.close_shard()
            self._shard_fd = open_folder(name, dir_fd=self.tasks)
            self._shard = name
        return self._shard_fd

    @contextmanager
    def bundle(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder of a bundle; yields it and the name of the bundle in it.

        Bundles of Python can be in folders of ``bundles/``; ``make`` makes missing ones. Raises
        OSError, also if one of them is a link.
        """
        if self.bundles is None:
            raise FileNotFoundError(errno.ENOENT, "hipercow/bundles does not exist", name)
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
        """Return whether something has the name of the bundle. Raises OSError."""
        try:
            with self.bundle(name) as (folder, last):
                return exists(last, folder)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def has_task(self, task_id: str) -> bool:
        """Return whether something is in the place of the task, or may be (it can't be
        examined)."""
        try:
            return exists(task_id[2:], self.shard(task_id))
        except FileNotFoundError:
            return False
        except OSError:  # tasks/ab is a link: a purge moved nothing out of it
            return True

    def sync_sources(self, ids: Iterable[str], bundles: Iterable[str]) -> None:
        """Flush to disk the folders from which these tasks and bundles were moved.

        Folders that can't be opened are left out. Raises OSError if the disk fails.
        """
        for shard in sorted({task_id[:2] for task_id in ids}):
            with _ignore_missing():
                fd = open_folder(shard, dir_fd=self.tasks)
                try:
                    filesystem.sync_folder(fd)
                finally:
                    os.close(fd)
        one_of_each_folder = {name.rpartition("/")[0]: name for name in bundles}
        for name in one_of_each_folder.values():
            with _ignore_missing(), self.bundle(name) as (folder, _):
                filesystem.sync_folder(folder)

    def close_shard(self) -> None:
        """Close the last ``tasks/ab``."""
        if self._shard:
            os.close(self._shard_fd)
            self._shard = ""


@contextmanager
def _ignore_missing() -> Iterator[None]:
    """Ignore the error that a folder is gone, is not a folder, or may not be read."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise


@contextmanager
def open_root_dirs(root: Root) -> Iterator[RootDirs]:
    """Open the folders of a root.

    Raises PurgeError if one of them is a link, on another mount, or can't be opened.
    """
    with ExitStack() as stack:
        try:
            hipercow = open_dir(stack, root.hipercow)
            mount = _mount_of(hipercow, root.hipercow)
            tasks = open_dir(stack, root.tasks, hipercow, mount)
        except FileNotFoundError:
            shown = escape_controls(str(root.tasks))
            raise PurgeError(f"{shown} does not exist: there is nothing to purge") from None
        try:
            bundles: int | None = open_dir(stack, root.bundles, hipercow, mount)
        except FileNotFoundError:
            bundles = None
        dirs = RootDirs(root.hipercow, hipercow, tasks, bundles, mount, root.lang)
        stack.callback(dirs.close_shard)
        yield dirs


def _mount_of(folder: int, path: Path) -> Mount:
    try:
        return folder_status(folder).mount
    except OSError as error:
        raise PurgeError(
            f"{escape_controls(str(path))} can't be examined: {os_error_text(error)}"
        ) from None


def open_dir(
    stack: ExitStack, path: Path, parent: int | None = None, mount: Mount | None = None
) -> int:
    """Open the folder at ``path``, in the open folder ``parent`` if that is given.

    The stack closes it. Raises FileNotFoundError, and PurgeError for every other problem, such as a
    link or a folder that is not on ``mount``.
    """
    shown = escape_controls(str(path))
    try:
        fd = open_folder(str(path) if parent is None else path.name, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            sentence = f"{shown} is a symbolic link or not a folder. Nothing was changed."
        else:
            sentence = f"{shown} can't be opened: {os_error_text(error)}. Nothing was changed."
        raise PurgeError(sentence) from None
    stack.callback(os.close, fd)
    if mount is not None and (found := folder_status(fd).mount) != mount:
        raise PurgeError(
            f"{shown} can't be used: {mount_mismatch(found, mount)}. Nothing was changed."
        )
    return fd


def mount_mismatch(found: Mount, mount: Mount) -> str:
    """Return how the mount ``found`` of a folder differs from the expected one."""
    if found.device != mount.device:
        return "another file system is mounted there"
    return "a folder of the same file system is mounted there (a bind mount)"


def names_in(folder: int, path: Path) -> set[str]:
    """Return the names in an open folder; ``path`` is only for the message.

    Raises PurgeError if it can't be listed.
    """
    try:
        return set(filesystem.list_names(folder))
    except OSError as error:
        raise PurgeError(
            f"{escape_controls(str(path))} can't be listed: {os_error_text(error)}"
        ) from None
