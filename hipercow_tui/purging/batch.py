"""A lot: the folder in ``hipercow/tui/`` that one purge moves everything into.

    20261123T231205Z-3f2a/      its name ends in its state, see names.py
        alive                   the heartbeat of its owner, the process that works in it
        manifest.json           the plan that was confirmed; written before anything moves
        bundles/NAME            whole; of Python a folder in NAME is written %2F
        tasks/<id>              whole
        erasing/<id>            no longer whole

What could not be put back, because its place is taken, is kept in a folder beside it, which is
erased only by its own name.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.access import ensure_folder, make_folder
from hipercow_tui.purging.batch_name import (
    AT_REST,
    TUI_FOLDER,
    BatchName,
    BatchState,
    new_batch_id,
    parse_batch_name,
)
from hipercow_tui.purging.file_changes import (
    check_exists,
    exists,
    remove_folder,
    rename,
    sync_folder,
    unlink,
)
from hipercow_tui.purging.heartbeat import (
    ALIVE,
    Heartbeat,
    ensure_dead,
    read_heartbeat,
    release,
    server_time,
    touch,
)
from hipercow_tui.purging.manifest import (
    DRAFT,
    MANIFEST,
    PurgeMode,
    manifest_bytes,
    write_draft,
    write_manifest,
)
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.root_dirs import RootDirs, open_dir
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_DAY = 86400.0  # seconds
SUBFOLDERS = ("tasks", "bundles", "erasing")


class TakenOverError(PurgeError):
    """Another process took our lot over."""


class BatchGoneError(PurgeError):
    """Our lot was moved away or removed, and no other process works in it."""


class NoSpaceError(PurgeError):
    """There is no room, on the disk or in a quota, for a lot."""


@dataclass(slots=True)
class Batch:
    """One lot, with its folders and ``hipercow/tui/`` open. ``name`` is its present name there."""

    dirs: RootDirs
    name: BatchName
    tui: int
    folder: int
    tasks: int
    bundles: int
    erasing: int
    heartbeat: Heartbeat

    @property
    def batch_id(self) -> str:
        """What people call it by."""
        return self.name.batch_id

    @property
    def path(self) -> Path:
        """Where it is, for messages."""
        return self.dirs.path / TUI_FOLDER / str(self.name)

    @property
    def quarantine_path(self) -> Path:
        """Where what could not be put back is, for messages."""
        return (
            self.dirs.path
            / TUI_FOLDER
            / str(BatchName(self.batch_id, state=BatchState.QUARANTINED))
        )

    def set_state(self, state: BatchState) -> None:
        """Change its state, by one rename. Raises OSError, and as ``ensure_owned`` does."""
        name = BatchName(self.batch_id, self.name.generation, state)
        try:
            rename(str(self.name), str(name), self.tui, self.tui)
        except FileNotFoundError:
            raise self._lost_error() from None
        check_exists(str(name), self.tui)
        self.name = name

    def ensure_owned(self) -> None:
        """Check that the lot is still ours, for one call: before each step that can't be undone.
        Raises TakenOverError, BatchGoneError, and OSError if that can't be found out.

        On NFS a look may be answered from a cache of up to a minute. No process takes a lot over
        that gave a sign of life within that time.
        """
        try:
            os.stat(str(self.name), dir_fd=self.tui, follow_symlinks=False)
        except FileNotFoundError:
            raise self._lost_error() from None

    def ensure_not_taken_over(self) -> None:
        """As ``ensure_owned``, before a step that is safe where the lot was only moved away: what is
        still in it can be put back through its open folders."""
        with suppress(BatchGoneError):
            self.ensure_owned()

    def _lost_error(self) -> PurgeError:
        others = {name for name in _all_names(self.tui) if name.batch_id == self.batch_id}
        if any(
            one.generation > self.name.generation and one.state is not BatchState.QUARANTINED
            for one in others
        ):
            return TakenOverError(
                f"Another process took over {self.batch_id} because this one gave no sign of life:"
                " see 'hipercow-tui trash' and 'hipercow-tui history'"
            )
        return BatchGoneError(
            f"{escape_controls(str(self.path))} was moved away or removed meanwhile"
        )

    def quarantine(self, subfolder: str, name: str) -> Path:
        """Move a task or bundle (``subfolder`` is one of ROOMS) to where no purge erases it; returns
        where it is now. If it can't be moved it stays in the lot."""
        source = {"tasks": self.tasks, "bundles": self.bundles, "erasing": self.erasing}[subfolder]
        try:
            return self.move_to_quarantine(subfolder, name, source, name)
        except (OSError, PurgeError):
            return self.path / subfolder / name

    def move_to_quarantine(self, subfolder: str, name: str, source: int, source_name: str) -> Path:
        """Move what is in the open folder ``source`` to ``subfolder`` of what is kept aside, by one
        rename; returns where it is now. Nothing that is kept already is replaced.

        Raises OSError, and PurgeError.
        """
        for turn in count_from(0):
            kept = BatchName(self.batch_id, turn, BatchState.QUARANTINED)
            path = self.dirs.path / TUI_FOLDER / str(kept) / subfolder
            with ExitStack() as stack:
                folder = self.tui
                for step in (path.parent, path):
                    ensure_folder(step.name, folder)
                    folder = open_dir(stack, step, folder, self.dirs.mount)
                if not exists(name, folder):
                    rename(source_name, name, source, folder)
                    check_exists(name, folder)
                    return path / name
        raise AssertionError("there is always another turn")

    def discard(self) -> bool:
        """Remove the lot, if it is empty, and then ``hipercow/tui/`` if that is; returns whether
        the lot is gone. The manifest stays as long as anything else does."""
        if not self.release():
            return False
        return _remove(self.dirs, self.tui, self.name, self.folder)

    def release(self) -> bool:
        """End the heartbeat; returns whether the lot was ours to the end."""
        self.heartbeat.end()
        try:
            self.ensure_owned()
        except (OSError, PurgeError):
            return False
        release(self.folder)
        return True


@contextmanager
def create_batch(
    dirs: RootDirs, plan: PurgePlan, mode: PurgeMode, batch_id: str | None = None
) -> Iterator[Batch]:
    """A new lot for a plan that was confirmed. It holds the manifest and nothing else, and makes
    ``hipercow/tui/`` where there is none. It gets a ``batch_id`` if none is given.

    Its name says that it is only being prepared until the manifest is on the disk. Raises
    NoSpaceError, or PurgeError, if it can't be made; nothing of it is left then.
    """
    with _prepared(dirs, batch_id) as batch:
        try:
            write_manifest(plan, mode, batch.folder, time.time())
            batch.set_state(BatchState.MOVING)
            sync_folder(batch.tui)
        except OSError as error:
            batch.discard()
            raise _unwritable(batch.path, error) from None
        yield batch


def check_space(dirs: RootDirs, plan: PurgePlan, mode: PurgeMode) -> None:
    """Check that a lot for this plan could be made: prepare one, with a file of the size of its
    manifest, and remove it. Raises NoSpaceError, or PurgeError."""
    with _prepared(dirs, None) as batch:
        try:
            write_draft(DRAFT, bytes(len(manifest_bytes(plan, mode, time.time()))), batch.folder)
        except OSError as error:
            raise _unwritable(batch.path, error) from None
        finally:
            batch.discard()


@contextmanager
def _prepared(dirs: RootDirs, batch_id: str | None) -> Iterator[Batch]:
    name = BatchName(batch_id or new_batch_id(time.time()), state=BatchState.PREPARING)
    path = dirs.path / TUI_FOLDER / str(name)
    with ExitStack() as stack:
        try:
            tui = _tui_with(stack, dirs, name)
        except OSError as error:
            with suppress(OSError):
                os.rmdir(TUI_FOLDER, dir_fd=dirs.hipercow)
            raise _unwritable(path, error) from None
        folder = -1
        try:
            folder = open_dir(stack, path, tui, dirs.mount)
            heartbeat = Heartbeat.of_batch(folder)
            stack.callback(heartbeat.end)
            rooms = _make_subfolders(stack, dirs, path, folder)
            batch = Batch(dirs, name, tui, folder, *rooms, heartbeat)
        except OSError as error:
            _remove(dirs, tui, name, folder)
            raise _unwritable(path, error) from None
        stack.callback(batch.release)
        yield batch


@contextmanager
def take_over(
    dirs: RootDirs, name: BatchName, state: BatchState, progress: ProgressReporter
) -> Iterator[Batch]:
    """A lot without an owner, taken over by the rename that also puts it into ``state``.

    Its heartbeat is watched before, where it is not certain that its owner is gone. Raises
    PurgeError if an owner works in it, if another process was faster, or if it can't be opened.
    """
    path = dirs.path / TUI_FOLDER / str(name)
    with ExitStack() as stack:
        try:
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            folder = open_dir(stack, path, tui, dirs.mount)
            if name.state not in AT_REST:
                ensure_owner_gone(dirs, tui, name, progress)
            taken = name.after_takeover(state, _all_names(tui))
            with suppress(OSError):
                touch(folder)  # before the rename, for after it this must not look dead
            os.rename(str(name), str(taken), src_dir_fd=tui, dst_dir_fd=tui)
            heartbeat = Heartbeat.of_batch(folder)
            stack.callback(heartbeat.end)
            rooms = _make_subfolders(stack, dirs, path, folder)
            batch = Batch(dirs, taken, tui, folder, *rooms, heartbeat)
        except FileNotFoundError:
            raise PurgeError(
                f"{name.batch_id} is gone, or another process took it over: 'hipercow-tui trash' lists"
                " what there is"
            ) from None
        except OSError as error:
            raise PurgeError(
                f"{escape_controls(str(path))} can't be taken over: {os_error_text(error)}"
            ) from None
        stack.callback(batch.release)
        _remove_abandoned(dirs, tui)
        yield batch


def ensure_owner_gone(
    dirs: RootDirs, tui: int, name: BatchName, progress: ProgressReporter
) -> None:
    """Return once no process works in a lot of the open ``hipercow/tui/``. Raises PurgeError if one
    does, and OSError."""
    with ExitStack() as stack:
        folder = open_dir(stack, dirs.path / TUI_FOLDER / str(name), tui, dirs.mount)
        now = server_time(tui)
        ensure_dead(
            dirs.path / TUI_FOLDER / name.owner_key, lambda: read_heartbeat(folder), now, progress
        )


def batch_names(tui: int) -> list[BatchName]:
    """The names of the lots in the open ``hipercow/tui/``, sorted, without those that are only
    prepared and hold nothing. Raises OSError."""
    names = _all_names(tui)
    return [
        name for name in names if name.state is not BatchState.PREPARING or _is_filled(name, tui)
    ]


def _all_names(tui: int) -> list[BatchName]:
    return sorted(filter(None, map(parse_batch_name, os.listdir(tui))), key=str)


def _is_filled(name: BatchName, tui: int) -> bool:
    """Whether a lot holds a task or bundle, or can't be examined. Raises OSError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        folder = open_folder(str(name), dir_fd=tui)
        stack.callback(os.close, folder)
        return any(os.listdir(fd) for fd in _open_subfolders(stack, folder))
    return False


def _open_subfolders(stack: ExitStack, folder: int) -> Iterator[int]:
    for subfolder in SUBFOLDERS:
        fd = open_folder(subfolder, dir_fd=folder)
        stack.callback(os.close, fd)
        yield fd


def _make_subfolders(
    stack: ExitStack, dirs: RootDirs, path: Path, folder: int
) -> tuple[int, int, int]:
    """The folders in an open batch, made where there are none. Raises OSError, and PurgeError."""
    for subfolder in SUBFOLDERS:
        ensure_folder(subfolder, folder)
    tasks, bundles, erasing = (
        open_dir(stack, path / subfolder, folder, dirs.mount) for subfolder in SUBFOLDERS
    )
    return tasks, bundles, erasing


def _remove_abandoned(dirs: RootDirs, tui: int) -> None:
    """Remove what other processes prepared and left: nothing was ever moved into it. If its owner
    may be on another machine, it is kept for a day."""
    with suppress(OSError, PurgeError):
        for name in _all_names(tui):
            if name.state is BatchState.PREPARING and _is_abandoned(dirs, tui, name):
                _remove_prepared(dirs, tui, name)


def _is_abandoned(dirs: RootDirs, tui: int, name: BatchName) -> bool:
    with ExitStack() as stack:
        folder = open_dir(stack, dirs.path / TUI_FOLDER / str(name), tui, dirs.mount)
        sign, now = read_heartbeat(folder), time.time()
        return sign.is_owner_gone(now) or sign.age(now) > _DAY


def _remove_prepared(dirs: RootDirs, tui: int, name: BatchName) -> bool:
    with ExitStack() as stack:
        folder = open_dir(stack, dirs.path / TUI_FOLDER / str(name), tui, dirs.mount)
        return _remove(dirs, tui, name, folder)


def _tui_with(stack: ExitStack, dirs: RootDirs, name: BatchName) -> int:
    """``hipercow/tui/``, open, with a new folder in it.

    The folder must be new: what is moved into it then can't meet anything. Where a purge died
    before it began here, and is finished now, its folder is made again. Another purge that ends may
    remove ``tui`` just after we found it: then that is made again too.
    """
    while True:
        ensure_folder(TUI_FOLDER, dirs.hipercow)
        try:
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            _remove_abandoned(dirs, tui)
            make_folder(str(name), tui)
        except FileNotFoundError:
            continue
        except FileExistsError:
            if not _remove_prepared(dirs, tui, name):
                raise
            continue
        return tui


def _remove(dirs: RootDirs, tui: int, name: BatchName, folder: int) -> bool:
    try:
        for subfolder in SUBFOLDERS:
            remove_folder(subfolder, folder)
        for file in (DRAFT, MANIFEST, ALIVE):
            unlink(file, folder)
        remove_folder(str(name), tui)
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(TUI_FOLDER, dir_fd=dirs.hipercow)
    return True


def _unwritable(path: Path, error: OSError) -> PurgeError:
    kind = NoSpaceError if error.errno in NO_SPACE else PurgeError
    return kind(
        f"{escape_controls(str(path))} can't be written: {os_error_text(error)}. Nothing was changed."
    )
