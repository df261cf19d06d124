"""Loose tasks: tasks that a purge moved out of their places on a full disk, without a batch.

    hipercow/tui-<id>             a complete loose task
    hipercow/tui-<id>.erasing     its erasing has begun

Module ``full_disk`` makes them. No heartbeat file can be written on a full disk, so a purge updates
the times of these folders instead. If no process uses a loose task, its purge was interrupted.
There is no record of its plan, so a complete one is only ever put back.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from hipercow_tui.domain.task import DATA
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.root import TUI_FOLDER
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import NO_SPACE
from hipercow_tui.purging.eraser import Leftover, Removal, describe_leftovers
from hipercow_tui.purging.file_changes import NOT_DONE, exists, rename
from hipercow_tui.purging.heartbeat import HeartbeatReading, ensure_dead
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text

ERASING_SUFFIX = ".erasing"
_FOLDER_NAME = re.compile(r"tui-([0-9a-f]{32})(\.erasing)?\Z")
_NO_READING = HeartbeatReading(None, 0, 0)  # for tasks that this process moves


@dataclass(frozen=True, slots=True)
class LooseTask:
    """A task that was moved into ``hipercow/`` itself. ``complete`` is true until its erasing
    begins. ``heartbeat`` is the time of its folder."""

    id: str
    complete: bool
    heartbeat: HeartbeatReading = _NO_READING

    @property
    def batch_id(self) -> str:
        """The id that users restore or finish it by, as they do a batch."""
        return _folder_name(self.id)

    @property
    def name(self) -> str:
        """The name of its folder in ``hipercow/``."""
        return _folder_name(self.id) + ("" if self.complete else ERASING_SUFFIX)


def find_loose_tasks(hipercow: int) -> Iterator[LooseTask]:
    """Find the loose tasks in the open folder ``hipercow/``, sorted by name. Raises OSError."""
    for name in sorted(filesystem.list_names(hipercow)):
        if found := _FOLDER_NAME.match(name):
            with suppress(FileNotFoundError):
                yield LooseTask(found[1], found[2] is None, _read_heartbeat(name, hipercow))


def claim_loose_tasks(
    dirs: RootDirs, batch_id: str, progress: ProgressReporter
) -> Iterator[LooseTask]:
    """Find the loose tasks of this batch id, once no process uses them.

    Raises PurgeError if a process does, and OSError.
    """
    for task in find_loose_tasks(dirs.hipercow):
        if task.batch_id == batch_id:
            ensure_dead(
                dirs.path / TUI_FOLDER / batch_id,
                partial(_read_heartbeat, task.name, dirs.hipercow),
                progress,
            )
            yield task


def put_back_loose_task(dirs: RootDirs, task: LooseTask) -> None:
    """Move a complete loose task back into its place. Raises OSError, also if the place is
    taken."""
    shard = dirs.shard(task.id)
    if exists(task.id[2:], shard):
        if not exists(task.name, dirs.hipercow):  # it was never moved, whatever was reported
            return
        raise FileExistsError(errno.EEXIST, "something else already exists there", task.id)
    rename(task.name, task.id[2:], dirs.hipercow, shard)
    if exists(task.name, dirs.hipercow):
        raise OSError(errno.EIO, NOT_DONE)


def missing_data_reason(dirs: RootDirs, task: LooseTask) -> str | None:
    """Return why a loose task must not be put back: it has a task's files, but no ``data``. None if
    nothing is known to be missing. There is no manifest to compare the files with."""
    try:
        folder = open_folder(task.name, dir_fd=dirs.hipercow)
    except OSError:
        return None
    try:
        listing = LAYOUTS[dirs.lang].files_mask_of(filesystem.list_names(folder))
    except OSError:
        return None
    finally:
        os.close(folder)
    return "it is incomplete: data is missing" if listing and not listing & DATA else None


def erase_loose_task(
    dirs: RootDirs, task: LooseTask, record: RunRecord, progress: ProgressReporter
) -> None:
    """Erase a loose task, and record the result."""
    hipercow, erasing_name = dirs.hipercow, _folder_name(task.id) + ERASING_SUFFIX
    removal = Removal(hipercow, dirs.mount, record, progress)
    name = task.name
    try:
        if task.complete:
            rename(name, erasing_name, hipercow, hipercow)
            name = erasing_name
            sync_unless_full(hipercow)
            left = removal.remove(task.id, erasing_name)
        else:
            left = removal.remove_rest(task.id, erasing_name)
        if not left and exists(erasing_name, hipercow):
            record.removed.discard(task.id)
            left = [Leftover(task.id, OSError(errno.EIO, NOT_DONE))]
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            name = task.name  # the rename was reported, but not done
        reason = f"it can't be erased: {os_error_text(error)}"
        record.failed.append(ItemResult(task.id, reason, dirs.path / name))
        return
    if left:
        where = dirs.path / erasing_name
        record.failed.append(ItemResult(task.id, describe_leftovers(left), where))


def sync_unless_full(folder: int) -> None:
    """Write the entries of an open folder to the disk. Raises OSError unless the disk is full."""
    try:
        filesystem.sync_folder(folder)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise


def _read_heartbeat(name: str, hipercow: int) -> HeartbeatReading:
    status = filesystem.stat_in(name, hipercow)
    return HeartbeatReading(None, 0, status.st_mtime_ns)


def _folder_name(task_id: str) -> str:
    return f"{TUI_FOLDER}-{task_id}"
