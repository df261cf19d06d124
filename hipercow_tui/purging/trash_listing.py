"""List the trash of a root, and the purges in it that run or were interrupted.

The batches of R are in ``hipercow/tui/``, those of Python in ``hipercow/py/tui/``. A purge of tasks
of both languages has a batch in each, of the same id. Nothing is written here.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.folder_size import Size, freed_size, measure_folder
from hipercow_tui.formats.root import TUI_FOLDER, Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import SUBFOLDERS, TASK_FOLDERS, list_batch_names
from hipercow_tui.purging.batch_name import AT_REST, BatchName, BatchState, bundle_name
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.heartbeat import HeartbeatReading, is_alive, is_guess, read_heartbeat
from hipercow_tui.purging.loose_tasks import LooseTask, find_loose_tasks
from hipercow_tui.purging.manifest import Manifest, PurgeMode, read_manifest
from hipercow_tui.purging.process_identity import ProcessIdentity
from hipercow_tui.purging.root_dirs import open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text

# Ids of complete tasks, names of bundles, ids of partly erased tasks.
Contents: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """A batch, or a loose task (see module ``loose_tasks``).

    ``tasks`` are the ids of its complete tasks, ``bundles`` the names of its bundles,
    ``partly_erased`` the ids of partly erased tasks. ``confirmed_at`` is in seconds since
    the epoch; ``confirmed_at`` and ``confirmed_by`` are None if the manifest can't be read.
    ``confirmed`` is true if its plan may be carried out. ``in_use`` is true if a process seems to
    work in it; ``is_guess`` says that this is a guess by the clock of this machine. ``problem`` is
    a sentence that says what can't be read, or empty.
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
    is_guess: bool = False

    @property
    def batch_id(self) -> str:
        """The id that users know it by."""
        return self.name.batch_id

    @property
    def state(self) -> BatchState:
        """The state in its name."""
        return self.name.state

    @property
    def interrupted(self) -> bool:
        """Whether work in it has begun, is not complete, and no process continues it."""
        return not self.in_use and self.state not in AT_REST

    @property
    def perhaps_in_use(self) -> bool:
        """Whether it counts as interrupted, but a process of another machine may work in it."""
        return self.interrupted and self.is_guess

    @property
    def resumable(self) -> bool:
        """Whether the interrupted work can be finished; otherwise it can only be restored."""
        if not self.interrupted or self.state is BatchState.PREPARING:
            return False
        return self.confirmed or self.state is not BatchState.MOVING

    @property
    def erasable(self) -> bool:
        """Whether it can be erased now; otherwise it must be finished or restored first."""
        return self.state in (BatchState.ERASING, *AT_REST)

    @property
    def contents(self) -> Contents:
        """All that it holds."""
        return self.tasks, self.bundles, self.partly_erased


def list_trash(
    root: Root, states: Collection[BatchState] = tuple(BatchState)
) -> tuple[TrashEntry, ...]:
    """List all loose tasks, then the batches that are in one of ``states``, the oldest first.

    A batch that is being prepared is listed only if it holds something. Whether a process on
    another machine works in a batch may be a guess by the clock of this machine. Raises PurgeError
    if the trash can't be read.
    """
    with as_purge_error("The trash can't be read"):
        entries = [entry for part in root.parts for entry in _list_part(part, states)]
    # The ids of loose tasks begin with a letter.
    return tuple(sorted(entries, key=lambda entry: (entry.batch_id[0].isdigit(), str(entry.name))))


def list_interrupted(root: Root) -> tuple[TrashEntry, ...]:
    """List the batches and loose tasks that ``finish`` or ``restore`` can deal with. Raises
    PurgeError."""
    if root.purge_refusal:
        return ()
    unfinished = [state for state in BatchState if state not in AT_REST]
    return tuple(entry for entry in list_trash(root, unfinished) if entry.interrupted)


def older_than(entries: Iterable[TrashEntry], cutoff: float) -> tuple[TrashEntry, ...]:
    """Return the complete batches of purges that were moved to the trash before ``cutoff``, in
    seconds since the epoch.

    The batches of R and Python of one purge are returned together or not at all. Batches without a
    known time are left out.
    """
    complete = [entry for entry in entries if entry.state is BatchState.TRASH]
    recent = {
        entry.batch_id
        for entry in complete
        if entry.confirmed_at is None or entry.confirmed_at >= cutoff
    }
    return tuple(entry for entry in complete if entry.batch_id not in recent)


def measure_entry(root: Root, entry: TrashEntry) -> Size | None:
    """Measure the tasks of a batch, or a loose task; None if something of it can't be read.

    Manifest, heartbeat and bundles do not count, as in a plan. Costs a stat for each file.
    """
    part = root.part(entry.lang)
    with ExitStack() as stack, suppress(OSError):
        hipercow = open_dir(stack, part.hipercow)
        if task := _find_loose_task(entry, hipercow):
            return measure_folder(task.name, hipercow)
        path = part.hipercow / TUI_FOLDER
        tui = open_dir(stack, path, hipercow)
        batch = open_dir(stack, path / str(entry.name), tui)
        return _measure_tasks(batch)
    return None


def _measure_tasks(batch: int) -> Size | None:
    """Measure the complete and the partly erased tasks of an open batch. Raises OSError."""
    sizes: list[Size] = []
    for subfolder in TASK_FOLDERS:
        with ExitStack() as stack, suppress(FileNotFoundError):
            fd = open_folder(subfolder, dir_fd=batch)
            stack.callback(os.close, fd)
            for name in filesystem.list_names(fd):
                size = measure_folder(name, fd)
                if size is None:
                    return None
                sizes.append(size)
    return freed_size(sizes)


def is_batch_in_use(root: Root, entry: TrashEntry) -> bool:
    """Return whether a process still seems to work in a batch or with a loose task; False if it is
    gone. Costs six calls."""
    part = root.part(entry.lang)
    with ExitStack() as stack, suppress(OSError, PurgeError):
        hipercow = open_dir(stack, part.hipercow)
        if task := _find_loose_task(entry, hipercow):
            return _is_alive(part, task.batch_id, task.heartbeat)
        tui = open_dir(stack, part.hipercow / TUI_FOLDER, hipercow)
        folder = open_dir(stack, part.hipercow / TUI_FOLDER / str(entry.name), tui)
        return _is_alive(part, entry.name.owner_key, read_heartbeat(folder, entry.name.generation))
    return False


def trash_fingerprint(root: Root) -> tuple[tuple[int, int] | None, ...]:
    """Return a value that changes when a batch is added, removed, or changes its state: the times
    of the folders that hold batches. Costs two calls for each language. It does not
    change when a process dies."""
    folders = [path for part in root.parts for path in (part.hipercow, part.hipercow / TUI_FOLDER)]
    return tuple(map(_times, folders))


def list_names(part: Root) -> list[BatchName]:
    """List the names of the batches of one language, without a read of their manifests: that of a
    million tasks takes seconds. Raises OSError and PurgeError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        hipercow = open_dir(stack, part.hipercow)
        return list_batch_names(open_dir(stack, part.hipercow / TUI_FOLDER, hipercow))
    return []


def list_loose_task_ids(part: Root) -> list[str]:
    """List the batch ids of the loose tasks of one language. Raises OSError and PurgeError."""
    with ExitStack() as stack:
        return [task.batch_id for task in find_loose_tasks(open_dir(stack, part.hipercow))]


def read_manifest_of(part: Root, name: BatchName) -> Manifest | None:
    """Read the manifest of a batch; None if there is no valid one. Raises PurgeError."""
    with ExitStack() as stack, suppress(FileNotFoundError):
        hipercow = open_dir(stack, part.hipercow)
        tui = open_dir(stack, part.hipercow / TUI_FOLDER, hipercow)
        return read_manifest(open_dir(stack, part.hipercow / TUI_FOLDER / str(name), tui))
    return None


def read_contents(folder: int) -> Contents:
    """Read the contents of an open batch, each part sorted by file name. Raises OSError."""
    tasks, bundles, partly_erased = (_names_in(subfolder, folder) for subfolder in SUBFOLDERS)
    return tasks, tuple(map(bundle_name, bundles)), partly_erased


@contextmanager
def as_purge_error(failure: str) -> Iterator[None]:
    """Raise PurgeError instead of OSError. Its message is ``failure`` with the reason."""
    try:
        yield
    except OSError as error:
        raise PurgeError(f"{failure}: {os_error_text(error)}") from None


def _list_part(part: Root, states: Collection[BatchState]) -> Iterator[TrashEntry]:
    """List the entries of one language. Raises OSError and PurgeError."""
    with ExitStack() as stack:
        hipercow = open_dir(stack, part.hipercow)
        for task in find_loose_tasks(hipercow):
            yield _loose_task_entry(part, task, hipercow)
        with suppress(FileNotFoundError):
            tui = open_dir(stack, part.hipercow / TUI_FOLDER, hipercow)
            for name in list_batch_names(tui):
                if name.state in states and (entry := _read_entry(part, name, tui)):
                    yield entry


def _find_loose_task(entry: TrashEntry, hipercow: int) -> LooseTask | None:
    tasks = find_loose_tasks(hipercow)
    return next((task for task in tasks if task.batch_id == entry.batch_id), None)


def _is_alive(part: Root, owner_key: str, reading: HeartbeatReading) -> bool:
    return is_alive(part.hipercow / TUI_FOLDER / owner_key, reading, time.time())


def _is_guess(part: Root, owner_key: str, reading: HeartbeatReading) -> bool:
    return is_guess(part.hipercow / TUI_FOLDER / owner_key, reading)


def _times(folder: Path) -> tuple[int, int] | None:
    try:
        status = filesystem.lstat(folder)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns


def _read_entry(part: Root, name: BatchName, tui: int) -> TrashEntry | None:
    """Read a batch; None if it vanishes or changes its state meanwhile, or is not a folder."""
    entry = TrashEntry(name, (), (), (), None, None, None, in_use=False, lang=part.lang)
    try:
        folder = open_folder(str(name), dir_fd=tui)
    except OSError as error:
        gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
        return None if gone else replace(entry, problem=_unreadable(error))
    try:
        manifest = read_manifest(folder)
        if manifest is not None:
            entry = replace(
                entry,
                confirmed_at=manifest.confirmed_at,
                confirmed_by=manifest.confirmed_by,
                mode=manifest.mode,
                confirmed=manifest.confirmed,
            )
        at_rest = name.state in AT_REST
        in_use = guessed = False
        if not at_rest:
            reading = read_heartbeat(folder, name.generation)
            in_use = _is_alive(part, name.owner_key, reading)
            guessed = _is_guess(part, name.owner_key, reading)
        tasks, bundles, partly_erased = read_contents(folder)
        if not (in_use or at_rest or exists(str(name), tui)):
            return None  # its owner ended its work and released it while it was read
        return replace(
            entry,
            tasks=tasks,
            bundles=bundles,
            partly_erased=partly_erased,
            in_use=in_use,
            is_guess=guessed,
        )
    except OSError as error:
        return replace(entry, problem=_unreadable(error))
    finally:
        os.close(folder)


def _unreadable(error: OSError) -> str:
    return f"its contents can't be read: {os_error_text(error)}"


def _names_in(subfolder: str, folder: int) -> tuple[str, ...]:
    try:
        fd = open_folder(subfolder, dir_fd=folder)
    except FileNotFoundError:
        return ()
    try:
        return tuple(sorted(filesystem.list_names(fd)))
    finally:
        os.close(fd)


def _loose_task_entry(part: Root, task: LooseTask, hipercow: int) -> TrashEntry:
    state = BatchState.MOVING if task.complete else BatchState.ERASING
    return TrashEntry(
        BatchName(task.batch_id, state=state),
        tasks=(task.id,) if task.complete else (),
        bundles=(),
        partly_erased=() if task.complete else (task.id,),
        confirmed_at=None,
        confirmed_by=None,
        mode=PurgeMode.PURGE,
        in_use=_is_alive(part, task.batch_id, task.heartbeat),
        is_guess=_is_guess(part, task.batch_id, task.heartbeat),
        # Without its data it can't be put back: finishing it erases it.
        confirmed=task.complete and not exists(f"{task.name}/data", hipercow),
        lang=part.lang,
    )
