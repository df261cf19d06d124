"""What ``hipercow/tui/`` holds: the trash, and purges that run or were interrupted."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, measure_folder
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import SUBFOLDERS, batch_names
from hipercow_tui.purging.batch_name import AT_REST, TUI_FOLDER, BatchName, BatchState, bundle_name
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.full_disk import LooseTask, find_loose_tasks
from hipercow_tui.purging.heartbeat import HeartbeatReading, is_alive, read_heartbeat
from hipercow_tui.purging.manifest import Manifest, PurgeMode, read_manifest
from hipercow_tui.purging.process_identity import ProcessIdentity
from hipercow_tui.purging.root_dirs import open_dir
from hipercow_tui.support.errors import PurgeError, os_error_text

# Ids that are whole, names of bundles, ids whose erasing began.
Contents: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """A lot in ``hipercow/tui/``, or a single task aside where there was no room for a lot.

    ``tasks`` are the ids that are whole in it, ``bundles`` the names, ``partly_erased`` the ids whose
    erasing began. ``confirmed_at`` its plan was confirmed is in seconds since the epoch, ``confirmed_by`` confirmed
    it; both None where its manifest can't be read. ``confirmed`` says that its plan may be carried
    out. ``in_use`` says that a process seems to work in it. ``problem`` is a sentence on what of it
    can't be read, or empty.
    """

    name: BatchName
    tasks: tuple[str, ...]
    bundles: tuple[str, ...]
    partly_erased: tuple[str, ...]
    confirmed_at: float | None
    confirmed_by: ProcessIdentity | None
    mode: PurgeMode | None
    in_use: bool
    confirmed: bool = False
    problem: str = ""
    lang: Lang = Lang.R

    @property
    def batch_id(self) -> str:
        """What people call it by."""
        return self.name.batch_id

    @property
    def state(self) -> BatchState:
        """What is happening, or happened, to it."""
        return self.name.state

    @property
    def interrupted(self) -> bool:
        """Whether something was begun in it that no process works on any more."""
        return not self.in_use and self.state not in AT_REST

    @property
    def resumable(self) -> bool:
        """Whether what was interrupted in it can be brought to its end: it was confirmed."""
        if not self.interrupted or self.state is BatchState.PREPARING:
            return False
        return self.confirmed or self.state is not BatchState.MOVING

    @property
    def erasable(self) -> bool:
        """Whether it can be erased as it is; else it is to be finished or restored first."""
        return self.state in (BatchState.ERASING, *AT_REST)

    @property
    def contents(self) -> Contents:
        """What is in it."""
        return self.tasks, self.bundles, self.partly_erased


def list_trash(
    root: Root, states: Collection[BatchState] = tuple(BatchState)
) -> tuple[TrashEntry, ...]:
    """Every lot of the root that is in one of these states, the oldest first. What is only being
    prepared is left out unless it holds something.

    Nothing is written, so whether a process works in a lot may be a guess by this machine's clock.
    Raises PurgeError if they can't be read, and OSError.
    """
    with ExitStack() as stack:
        hipercow = open_dir(stack, root.hipercow)
        found = [_loose_task_entry(root, task, hipercow) for task in find_loose_tasks(hipercow)]
        with suppress(FileNotFoundError):
            tui = open_dir(stack, root.hipercow / TUI_FOLDER, hipercow)
            names = [name for name in batch_names(tui) if name.state in states]
            found += filter(None, (_read_entry(root, name, tui) for name in names))
        return tuple(found)


def list_interrupted(root: Root) -> tuple[TrashEntry, ...]:
    """The lots in which something was interrupted, for ``finish`` or ``restore``. Raises
    PurgeError, and OSError."""
    if root.purge_refusal:
        return ()
    underway = [state for state in BatchState if state not in AT_REST]
    return tuple(batch for batch in list_trash(root, underway) if batch.interrupted)


def manifest_in(root: Root, name: BatchName) -> Manifest | None:
    """The manifest of a lot; None if there is none that makes sense. Raises PurgeError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        parent = open_dir(stack, root.hipercow)
        tui = open_dir(stack, root.hipercow / TUI_FOLDER, parent)
        return read_manifest(open_dir(stack, root.hipercow / TUI_FOLDER / str(name), tui))
    return None


def trash_size(root: Root, batch: TrashEntry) -> Size | None:
    """How much a lot holds; None if it is gone or can't all be read. Costs a stat a file."""
    with ExitStack() as stack:
        parent = open_dir(stack, root.hipercow)
        for task in find_loose_tasks(parent):
            if task.batch_id == batch.batch_id:
                return measure_folder(task.name, parent)
        with suppress(FileNotFoundError):
            return measure_folder(
                str(batch.name), open_dir(stack, root.hipercow / TUI_FOLDER, parent)
            )
        return None


def trash_fingerprint(root: Root) -> tuple[tuple[int, int] | None, ...]:
    """What differs once anything came, went or changed its state, for two calls a part of the root:
    the times of the folders that hold the lots. It does not tell who at work has died."""
    folders = [path for part in root.parts for path in (part.hipercow, part.hipercow / TUI_FOLDER)]
    return tuple(map(_time_of, folders))


def is_batch_in_use(root: Root, batch: TrashEntry) -> bool:
    """Whether a process seems to work in that lot still, for six calls; False if it is gone."""
    with ExitStack() as stack:
        try:
            hipercow = open_dir(stack, root.hipercow)
            for task in find_loose_tasks(hipercow):
                if task.batch_id == batch.batch_id:
                    return _is_alive(root, task.batch_id, task.heartbeat, time.time())
            tui = open_dir(stack, root.hipercow / TUI_FOLDER, hipercow)
            folder = open_dir(stack, root.hipercow / TUI_FOLDER / str(batch.name), tui)
            return _is_alive(root, batch.name.owner_key, read_heartbeat(folder), time.time())
        except (OSError, PurgeError):
            return False


def contents_of(folder: int) -> Contents:
    """What an open lot holds: ids that are whole, names of bundles, ids whose erasing began; each
    sorted by its file. Raises OSError."""
    tasks, bundles, remains = (_names_in(subfolder, folder) for subfolder in SUBFOLDERS)
    return tasks, tuple(map(bundle_name, bundles)), remains


def _is_alive(root: Root, name: str, sign: HeartbeatReading, now: float) -> bool:
    return is_alive(root.hipercow / TUI_FOLDER / name, sign, now)


def _time_of(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder, follow_symlinks=False)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _read_entry(root: Root, name: BatchName, tui: int) -> TrashEntry | None:
    """A lot as it is now; None if it vanishes meanwhile, or is no folder."""
    batch = TrashEntry(
        name, (), (), (), confirmed_at=None, confirmed_by=None, mode=None, in_use=False
    )
    try:
        folder = open_folder(str(name), dir_fd=tui)
    except OSError as error:
        gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
        return None if gone else replace(batch, problem=_unreadable(error))
    try:
        manifest = read_manifest(folder)
        if manifest is not None:
            batch = replace(
                batch,
                confirmed_at=manifest.confirmed_at,
                confirmed_by=manifest.confirmed_by,
                mode=manifest.mode,
                confirmed=manifest.confirmed,
            )
        at_rest = name.state in AT_REST
        alive = not at_rest and _is_alive(root, name.owner_key, read_heartbeat(folder), time.time())
        tasks, bundles, remains = contents_of(folder)
        return replace(batch, tasks=tasks, bundles=bundles, partly_erased=remains, in_use=alive)
    except OSError as error:
        return replace(batch, problem=_unreadable(error))
    finally:
        os.close(folder)


def _unreadable(error: OSError) -> str:
    return f"what it holds can't be read: {os_error_text(error)}"


def _names_in(subfolder: str, folder: int) -> tuple[str, ...]:
    try:
        fd = open_folder(subfolder, dir_fd=folder)
    except FileNotFoundError:
        return ()
    try:
        return tuple(sorted(os.listdir(fd)))
    finally:
        os.close(fd)


def _loose_task_entry(root: Root, task: LooseTask, hipercow: int) -> TrashEntry:
    """A task aside; one that is whole is only ever put back, for it was not compared."""
    name = BatchName(
        task.batch_id, state=BatchState.MOVING if task.complete else BatchState.ERASING
    )
    whole, remains = ((task.id,), ()) if task.complete else ((), (task.id,))
    alive = _is_alive(root, task.batch_id, task.heartbeat, time.time())
    half = task.complete and not exists(f"{task.name}/data", hipercow)
    return TrashEntry(name, whole, (), remains, None, None, PurgeMode.PURGE, alive, confirmed=half)
