"""Create batches, and take over batches that a process left."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.root import TUI_FOLDER
from hipercow_tui.purging.access import ensure_folder, make_folder
from hipercow_tui.purging.batch import (
    NO_SPACE,
    Batch,
    NoSpaceError,
    list_all_names,
    make_subfolders,
    remove_empty_batch,
)
from hipercow_tui.purging.batch_name import (
    AT_REST,
    BatchName,
    BatchState,
    is_check_name,
    new_batch_id,
    new_check_name,
)
from hipercow_tui.purging.file_changes import try_while_open
from hipercow_tui.purging.heartbeat import (
    Heartbeat,
    ensure_dead,
    read_heartbeat,
    touch,
)
from hipercow_tui.purging.manifest import (
    DRAFT,
    PurgeMode,
    manifest_bytes,
    write_draft,
    write_manifest,
)
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.root_dirs import RootDirs, open_dir
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls

_LOGGER = logging.getLogger(__name__)

_DAY = 86400.0  # seconds


@contextmanager
def create_batch(
    dirs: RootDirs, plan: PurgePlan, mode: PurgeMode, batch_id: str | None = None
) -> Iterator[Batch]:
    """Create a batch with the manifest of a confirmed plan, and ``hipercow/tui/`` if necessary. It
    gets a new ``batch_id`` if none is given.

    Its state is ``preparing`` until the manifest is on the disk. Raises NoSpaceError or PurgeError
    if it can't be created; then nothing of it is left.
    """
    with _prepare_batch(dirs, batch_id) as batch:
        try:
            write_manifest(plan, mode, batch.folder, time.time())
            batch.set_state(BatchState.MOVING)
            filesystem.sync_folder(batch.tui)
        except OSError as error:
            batch.discard()
            raise _write_error(batch.path, error) from None
        yield batch


def check_space(dirs: RootDirs, plan: PurgePlan, mode: PurgeMode) -> None:
    """Check that a batch for this plan can be created: make a folder like it, with a file of the
    size of its manifest, and remove it. Raises NoSpaceError or PurgeError.

    Its name is not that of a batch, so no process lists it or takes it over.
    """
    name = new_check_name(time.time())
    with ExitStack() as stack:
        made = _make_batch_folder(stack, dirs, name)
        try:
            write_draft(DRAFT, bytes(len(manifest_bytes(plan, mode, time.time()))), made.folder)
        except OSError as error:
            raise _write_error(dirs.path / TUI_FOLDER / name, error) from None
        finally:
            made.heartbeat.end()
            made.opened.close()
            remove_empty_batch(dirs, made.tui, name)


@contextmanager
def _prepare_batch(dirs: RootDirs, batch_id: str | None) -> Iterator[Batch]:
    """Create a batch in the state ``preparing``, without a manifest. Raises as ``create_batch``
    does."""
    name = BatchName(batch_id or new_batch_id(time.time()), state=BatchState.PREPARING)
    with ExitStack() as stack:
        made = _make_batch_folder(stack, dirs, str(name))
        batch = Batch(dirs, name, *made)
        stack.callback(batch.release)
        try:
            batch.open_subfolders()
        except OSError as error:
            batch.discard()
            raise _write_error(batch.path, error) from None
        yield batch


class _BatchFolder(NamedTuple):
    """A new folder in ``hipercow/tui/`` with the heartbeat of a batch, both open; ``opened`` closes
    the folder."""

    tui: int
    opened: ExitStack
    folder: int
    heartbeat: Heartbeat


def _make_batch_folder(stack: ExitStack, dirs: RootDirs, name: str) -> _BatchFolder:
    """Make a folder in ``hipercow/tui/`` like that of a batch. Raises as ``create_batch`` does."""
    path = dirs.path / TUI_FOLDER / name
    try:
        tui = _make_new_folder(stack, dirs, name)
    except OSError as error:
        with suppress(OSError):
            filesystem.remove_folder(TUI_FOLDER, dirs.hipercow)
        raise _write_error(path, error) from None
    opened = stack.enter_context(ExitStack())
    try:
        folder = open_dir(opened, path, tui, dirs.mount)
        heartbeat = Heartbeat.of_batch(folder, generation=0)
        stack.callback(heartbeat.end)
        make_subfolders(folder)
        return _BatchFolder(tui, opened, folder, heartbeat)
    except OSError as error:
        opened.close()
        remove_empty_batch(dirs, tui, name)
        raise _write_error(path, error) from None


@contextmanager
def take_over(
    dirs: RootDirs, name: BatchName, state: BatchState, progress: ProgressReporter
) -> Iterator[Batch]:
    """Take over a batch without an owner, by one rename that also changes its state to
    ``state``.

    If it is not certain that the owner is gone, its heartbeat is watched first. Raises PurgeError
    if an owner works in it, if another process takes it over first, or if it can't be opened.
    """
    path = dirs.path / TUI_FOLDER / str(name)
    with ExitStack() as stack:
        try:
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            opened = stack.enter_context(ExitStack())
            folder = open_dir(opened, path, tui, dirs.mount)
            if name.state not in AT_REST:
                ensure_owner_gone(dirs, tui, name, progress)
            taken = name.after_takeover(state, list_all_names(tui))
            with suppress(OSError):
                touch(folder)  # first, so that it does not look abandoned after the rename
            try_while_open(  # another client may read the manifest
                lambda: filesystem.rename(str(name), str(taken), tui, tui),
                lambda: progress.stopped,
            )
            _LOGGER.info("took over batch %s as %s", name, taken)
            if sys.platform == "win32":  # over SMB, an open folder is known by its path
                opened.close()
                folder = open_dir(opened, dirs.path / TUI_FOLDER / str(taken), tui, dirs.mount)
            heartbeat = Heartbeat.of_batch(folder, taken.generation)
            stack.callback(heartbeat.end)
            make_subfolders(folder)
            batch = Batch(dirs, taken, tui, opened, folder, heartbeat)
            batch.open_subfolders()
        except FileNotFoundError:
            raise PurgeError(
                f"{name.batch_id} is gone, or another process took it over: 'hipercow-tui trash'"
                " lists the batches"
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
    """Return once no process works in a batch of the open ``hipercow/tui/``. Raises PurgeError if
    one does, and OSError."""
    with ExitStack() as stack:
        folder = open_dir(stack, dirs.path / TUI_FOLDER / str(name), tui, dirs.mount)
        read = partial(read_heartbeat, folder, name.generation)
        ensure_dead(dirs.path / TUI_FOLDER / name.owner_key, read, progress)


def _remove_abandoned(dirs: RootDirs, tui: int) -> None:
    """Remove batches that other processes prepared and left, and folders of their checks: they are
    empty. If the owner may be on another machine, its folder stays for a day: clocks may be hours
    apart."""
    with suppress(OSError, PurgeError):
        checks = filter(is_check_name, filesystem.list_names(tui))
        batches = (n for n in list_all_names(tui) if n.state is BatchState.PREPARING)
        for name in (*checks, *map(str, batches)):
            if _is_abandoned(dirs, tui, name):
                remove_empty_batch(dirs, tui, name)


def _is_abandoned(dirs: RootDirs, tui: int, name: str) -> bool:
    with ExitStack() as stack:
        folder = open_dir(stack, dirs.path / TUI_FOLDER / name, tui, dirs.mount)
        reading = read_heartbeat(folder, generation=0)
        return reading.is_owner_gone or reading.age(time.time()) > _DAY


def _make_new_folder(stack: ExitStack, dirs: RootDirs, name: str) -> int:
    """Make a folder in ``hipercow/tui/``, and return ``hipercow/tui/``, open. Raises OSError and
    PurgeError.

    The folder must be new, so that nothing is moved onto an existing entry. If a purge died after
    it prepared this batch, and is finished now, its empty folder is removed first. Another purge
    that ends may remove ``hipercow/tui/`` before this one is done: then it is created again.
    """
    while True:
        ensure_folder(TUI_FOLDER, dirs.hipercow)
        try:
            tui = open_dir(stack, dirs.path / TUI_FOLDER, dirs.hipercow, dirs.mount)
            _remove_abandoned(dirs, tui)
            make_folder(name, tui)
        except FileNotFoundError:
            continue
        except FileExistsError:
            if not remove_empty_batch(dirs, tui, name):
                raise
            continue
        return tui


def _write_error(path: Path, error: OSError) -> PurgeError:
    kind = NoSpaceError if error.errno in NO_SPACE else PurgeError
    shown = escape_controls(str(path))
    return kind(f"{shown} can't be written: {os_error_text(error)}. Nothing was changed.")
