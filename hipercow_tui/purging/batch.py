"""A batch: the folder in ``hipercow/tui/`` that one purge moves its tasks and bundles into.

    20261123T231205Z-3f2a/      its name ends in its state (module ``batch_name``)
        alive                   the heartbeat of its owner, the process that works in it
        manifest.json           the confirmed plan, written before anything is moved
        bundles/NAME            complete bundles; a ``/`` in the name of a Python bundle is ``%2F``
        tasks/<id>              complete tasks
        erasing/<id>            tasks that are partly erased

Items that could not be put back, because their places are taken or because they are incomplete, are
moved to a second folder, the quarantine of the batch. It is erased only by a command that names it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path

from hipercow_tui.formats.root import TUI_FOLDER
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.batch_name import BatchName, BatchState, parse_batch_name
from hipercow_tui.purging.file_changes import check_exists, exists, remove_folder, rename, unlink
from hipercow_tui.purging.heartbeat import ALIVE, Heartbeat, release
from hipercow_tui.purging.manifest import DRAFT, MANIFEST
from hipercow_tui.purging.root_dirs import RootDirs, open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import escape_controls

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
SUBFOLDERS = ("tasks", "bundles", "erasing")
TASK_FOLDERS = ("tasks", "erasing")  # the subfolders that hold tasks


class TakenOverError(PurgeError):
    """Another process took over the batch of this process."""


class BatchGoneError(PurgeError):
    """The batch of this process was moved away or removed, and no other process works in it."""


class NoSpaceError(PurgeError):
    """There is no space for a batch, on the disk or in a quota."""


@dataclass(slots=True)
class Batch:
    """A batch that this process owns, with its folders and ``hipercow/tui/`` open.

    ``tui``, ``folder``, ``tasks``, ``bundles`` and ``erasing`` are file descriptors; ``opened``
    closes the last four. ``name`` is its present name in ``hipercow/tui/``.
    """

    dirs: RootDirs
    name: BatchName
    tui: int
    opened: ExitStack
    folder: int
    heartbeat: Heartbeat
    tasks: int = -1
    bundles: int = -1
    erasing: int = -1

    @property
    def batch_id(self) -> str:
        """The id that users know it by."""
        return self.name.batch_id

    @property
    def path(self) -> Path:
        """Its path, for messages."""
        return self.dirs.path / TUI_FOLDER / str(self.name)

    @property
    def quarantine_path(self) -> Path:
        """The path of its quarantine, for messages."""
        name = BatchName(self.batch_id, state=BatchState.QUARANTINED)
        return self.dirs.path / TUI_FOLDER / str(name)

    def set_state(self, state: BatchState) -> None:
        """Change its state, by one rename. Raises OSError, TakenOverError and BatchGoneError."""
        name = BatchName(self.batch_id, self.name.generation, state)
        with self._closed_on_windows():
            try:
                rename(str(self.name), str(name), self.tui, self.tui)
            except FileNotFoundError:
                raise self._lost_error() from None
            check_exists(str(name), self.tui)
            self.name = name

    def open_subfolders(self) -> None:
        """Open the subfolders. Raises OSError and PurgeError."""
        self.tasks, self.bundles, self.erasing = (
            open_dir(self.opened, self.path / subfolder, self.folder, self.dirs.mount)
            for subfolder in SUBFOLDERS
        )

    @contextmanager
    def _closed_on_windows(self) -> Iterator[None]:
        """Close the folders of the batch, and open them again. Windows renames no folder in which
        something is open, and over SMB an open folder is known by its path. Raises OSError,
        TakenOverError and BatchGoneError."""
        if sys.platform != "win32":
            yield
            return
        before = filesystem.stat_fd(self.folder)
        self.heartbeat.end()
        self.close()
        try:
            yield
        finally:
            try:
                self.folder = open_dir(self.opened, self.path, self.tui, self.dirs.mount)
                same = filesystem.stat_fd(self.folder).st_ino == before.st_ino
                self.open_subfolders()
            except FileNotFoundError:
                self.close()
                raise self._lost_error() from None
            except (OSError, PurgeError):  # a share that does not answer for a moment
                self.close()
                raise BatchGoneError(
                    f"{escape_controls(str(self.path))} can't be opened again. It is in"
                    " 'hipercow-tui trash': finish or restore it there"
                ) from None
            if not same:
                self.close()
                raise self._lost_error()
            self.heartbeat = Heartbeat.of_batch(self.folder, self.name.generation)

    def close(self) -> None:
        """Close the folders of the batch."""
        self.opened.close()
        self.folder = self.tasks = self.bundles = self.erasing = -1

    def ensure_owned(self) -> None:
        """Check that this process still owns the batch, before a step that can't be undone. Costs
        one call. Raises TakenOverError, BatchGoneError, and OSError if that can't be found out.

        NFS may answer from a cache that is up to a minute old. That is safe: no process takes over
        a batch if its heartbeat changed within that time.
        """
        try:
            filesystem.stat_in(str(self.name), self.tui)
        except FileNotFoundError:
            raise self._lost_error() from None

    def ensure_not_taken_over(self) -> None:
        """Check that no other process took over the batch. If it was only moved away, its contents
        can still be put back through its open folders. Raises TakenOverError and OSError."""
        with suppress(BatchGoneError):
            self.ensure_owned()

    def _lost_error(self) -> PurgeError:
        others = {name for name in list_all_names(self.tui) if name.batch_id == self.batch_id}
        if any(
            one.generation > self.name.generation and one.state is not BatchState.QUARANTINED
            for one in others
        ):
            return TakenOverError(
                f"Another process took over {self.batch_id}, because the heartbeat of this process"
                " stopped: see 'hipercow-tui trash' and 'hipercow-tui history'"
            )
        return BatchGoneError(
            f"{escape_controls(str(self.path))} was moved away or removed in the meantime"
        )

    def quarantine(self, subfolder: str, name: str) -> Path:
        """Move a task or bundle from ``subfolder``, one of SUBFOLDERS, to the quarantine. Return
        its path now: if it can't be moved, it stays in the batch."""
        source = {"tasks": self.tasks, "bundles": self.bundles, "erasing": self.erasing}[subfolder]
        try:
            return self.move_to_quarantine(subfolder, name, source, name)
        except (OSError, PurgeError):
            return self.path / subfolder / name

    def move_to_quarantine(self, subfolder: str, name: str, source: int, source_name: str) -> Path:
        """Move an entry of the open folder ``source`` to ``subfolder`` of the quarantine, by one
        rename. Return its path now. If that name is taken there, another quarantine is made.

        Raises OSError, and PurgeError.
        """
        for generation in count_from(0):
            quarantine = BatchName(self.batch_id, generation, BatchState.QUARANTINED)
            path = self.dirs.path / TUI_FOLDER / str(quarantine) / subfolder
            with ExitStack() as stack:
                folder = self.tui
                for step in (path.parent, path):
                    ensure_folder(step.name, folder)
                    folder = open_dir(stack, step, folder, self.dirs.mount)
                if not exists(name, folder):
                    rename(source_name, name, source, folder)
                    check_exists(name, folder)
                    return path / name
        raise AssertionError("there is always another generation")

    def discard(self) -> bool:
        """Remove the batch if it is empty, and then ``hipercow/tui/`` if that is empty. Return
        whether the batch is gone. The manifest stays as long as anything else does.

        The batch is released only if it stays: another process would list a released one as
        interrupted until it is gone.
        """
        if not self._end_heartbeat():
            return False
        self.close()
        if remove_empty_batch(self.dirs, self.tui, str(self.name)):
            return True
        with ExitStack() as stack, suppress(OSError, PurgeError):
            release(open_dir(stack, self.path, self.tui, self.dirs.mount))
        return False

    def release(self) -> None:
        """End the heartbeat and release the batch, if this process still owns it."""
        if self._end_heartbeat():
            release(self.folder)

    def _end_heartbeat(self) -> bool:
        """End the heartbeat. Return whether this process owned the batch until now."""
        self.heartbeat.end()
        try:
            self.ensure_owned()
        except (OSError, PurgeError):
            return False
        return True


def make_subfolders(folder: int) -> None:
    """Make the missing subfolders of an open batch. Raises OSError."""
    for subfolder in SUBFOLDERS:
        ensure_folder(subfolder, folder)


def list_batch_names(tui: int) -> list[BatchName]:
    """List the names of the batches in the open ``hipercow/tui/``, sorted, without those that are
    being prepared and are empty. Raises OSError."""
    names = list_all_names(tui)
    return [
        name for name in names if name.state is not BatchState.PREPARING or _holds_items(name, tui)
    ]


def list_all_names(tui: int) -> list[BatchName]:
    """List the names of all batches in the open ``hipercow/tui/``, sorted. Raises OSError."""
    return sorted(filter(None, map(parse_batch_name, filesystem.list_names(tui))), key=str)


def _holds_items(name: BatchName, tui: int) -> bool:
    """Return whether a batch holds a task or bundle; False if it is gone. Raises OSError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        folder = open_folder(str(name), dir_fd=tui)
        stack.callback(os.close, folder)
        return any(filesystem.list_names(fd) for fd in _open_subfolders(stack, folder))
    return False


def _open_subfolders(stack: ExitStack, folder: int) -> Iterator[int]:
    for subfolder in SUBFOLDERS:
        fd = open_folder(subfolder, dir_fd=folder)
        stack.callback(os.close, fd)
        yield fd


def remove_empty_batch(dirs: RootDirs, tui: int, name: str) -> bool:
    """Remove the folder of a batch or check, if it holds no task and no bundle, and then
    ``hipercow/tui/`` if that is empty. Return whether the folder is gone.

    The caller has closed its folders: Windows removes none that is open.
    """
    try:
        with ExitStack() as stack:
            folder = open_dir(stack, dirs.path / TUI_FOLDER / name, tui, dirs.mount)
            for subfolder in SUBFOLDERS:
                remove_folder(subfolder, folder)
            for file in (DRAFT, MANIFEST, ALIVE):
                unlink(file, folder)
        remove_folder(name, tui)
    except (OSError, PurgeError):
        return False
    with suppress(OSError):
        filesystem.remove_folder(TUI_FOLDER, dirs.hipercow)
    return True
