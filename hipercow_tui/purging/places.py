"""The folders of a root that a purge works in, held open.

A path that was checked can be swapped for a link a moment later; an open folder can't. So each is
opened once, without following links, and everything is done by a name of one component in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Lang
from hipercow_tui.roots import Root
from hipercow_tui.roots.files import open_folder
from hipercow_tui.text import visible


@dataclass(slots=True)
class Places:
    """``hipercow/``, or for Python ``hipercow/py/``, and, in it, ``tasks/`` and ``bundles/`` (None
    where there is none).

    ``path`` is that of ``hipercow/``, for words only; ``device`` the file system all of it is on.
    """

    path: Path
    hipercow: int
    tasks: int
    bundles: int | None
    device: int
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
                    with suppress(FileExistsError):
                        os.mkdir(step, dir_fd=folder)
                folder = open_folder(step, dir_fd=folder)
                stack.callback(os.close, folder)
            yield folder, last

    def bundle_stands(self, name: str) -> bool:
        """Whether anything stands at a bundle's place. Raises OSError."""
        try:
            with self.bundle(name) as (folder, last):
                return exists(last, folder)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def close_shard(self) -> None:
        """Forget which ``tasks/ab`` was the last."""
        if self._shard:
            os.close(self._shard_fd)
            self._shard = ""


@contextmanager
def open_places(root: Root) -> Iterator[Places]:
    """The root's folders, open.

    Raises PurgeError if one of them is a link, on another file system, or can't be opened.
    """
    with ExitStack() as stack:
        try:
            hipercow = opened(stack, root.hipercow)
            device = os.fstat(hipercow).st_dev
            tasks = opened(stack, root.tasks, hipercow, device)
        except FileNotFoundError:
            gone = visible(str(root.tasks))
            raise PurgeError(f"{gone} is gone: there is nothing to purge") from None
        try:
            bundles: int | None = opened(stack, root.bundles, hipercow, device)
        except FileNotFoundError:
            bundles = None
        places = Places(root.hipercow, hipercow, tasks, bundles, device, root.lang)
        stack.callback(places.close_shard)
        yield places


def opened(
    stack: ExitStack, path: Path, parent: int | None = None, device: int | None = None
) -> int:
    """The folder at ``path``, open until the stack closes; with ``parent``, the one in it.

    Raises FileNotFoundError, and PurgeError for all else: it is a link, not on ``device``, ….
    """
    shown = visible(str(path))
    try:
        fd = open_folder(str(path) if parent is None else path.name, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            sentence = f"{shown} is a symbolic link or no folder: nothing was changed"
        else:
            sentence = f"{shown} can't be opened: {because(error)}. Nothing was changed."
        raise PurgeError(sentence) from None
    stack.callback(os.close, fd)
    if device is not None and os.fstat(fd).st_dev != device:
        raise PurgeError(f"{shown} is on another file system than its root: nothing was changed")
    return fd


def because(error: OSError) -> str:
    """What the system says of an error, fit for a terminal."""
    return visible(error.strerror or str(error))


def exists(name: str, folder: int) -> bool:
    """Whether anything stands at that name, a dangling link included."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
