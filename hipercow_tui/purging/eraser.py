"""Erase the tasks and bundles of a batch for good, and count the bytes that this frees."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass

from hipercow_tui.domain.task import Bundle
from hipercow_tui.formats.folder_size import BLOCK, Size, allocated_bytes
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import Batch
from hipercow_tui.purging.batch_name import bundle_file
from hipercow_tui.purging.file_changes import (
    NOT_DONE,
    exists,
    remove_folder,
    rename,
    unlink,
)
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult, Phase
from hipercow_tui.purging.root_dirs import mount_mismatch, names_in
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import escape_controls, pluralize, short_id

# NFS keeps a removed file as .nfs… while a process has it open, so its folder is not empty. At the
# end, the removal is tried again after these pauses, in seconds.
_PAUSES = (0.1, 0.4, 1.0)
_TRANSIENT = {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ESTALE}
_COUNTED = 256  # files of a folder after which the progress is reported
_DEPTH = 64  # each level holds a descriptor open, and a process may have only 256


@dataclass(frozen=True, slots=True)
class Leftover:
    """An entry that could not be removed: its path in the batch, and the error."""

    path: str
    error: OSError


def erase(
    batch: Batch,
    chains: Sequence[Sequence[str]],
    bundles: Sequence[Bundle],
    record: RunRecord,
    progress: ProgressReporter,
) -> None:
    """Remove tasks and bundles of the batch for good: first the tasks, each chain in its order and
    ``progress.jobs`` chains at a time, then the bundles. Ends early if stopped; the rest stays
    whole.

    A task is first renamed out of the folder ``tasks``, so that the tasks in that folder are always
    complete. A task that can't be removed completely is recorded as failed. A bundle stays if one
    of its tasks stays. Raises PurgeError if the batch can't be listed, and, before anything is
    removed, if the moves can't be written to the disk.
    """
    _sync(batch, chains, bundles)
    progress.begin(Phase.ERASING, sum(map(len, chains)))
    erasure = _ChainErasure(batch, record, progress)
    try:
        _run_jobs(erasure.erase, chains, progress.jobs)
        erasure.retry()
    finally:
        erasure.record_failures()
    if not progress.stopped:
        batch.ensure_owned()
        going = [one.name for one in bundles if erasure.staying.isdisjoint(one.task_ids)]
        erase_bundles(batch, going, record)
        for bundle in bundles:
            if bundle.name not in going:
                _fail_bundle(batch, bundle.name, "one of its tasks can't be erased", record)
    progress.end()


class _ChainErasure:
    """Erases retry chains of a batch, from several threads.

    ``staying`` are the ids of tasks that stay complete, because they could not be moved.
    """

    def __init__(self, batch: Batch, record: RunRecord, progress: ProgressReporter) -> None:
        self.staying: set[str] = set()
        self._batch, self._record, self._progress = batch, record, progress
        self._leftovers: dict[str, list[Leftover]] = {}

    def erase(self, ids: Sequence[str]) -> None:
        """Erase the tasks of a chain, in this order, until one can't be moved or a stop is
        requested."""
        batch, record, progress = self._batch, self._record, self._progress
        removal = self._removal()
        for number, task_id in enumerate(ids):
            if progress.stopped:
                return
            if number == 0:  # once for each chain
                batch.ensure_owned()
            record.partly_erased.add(task_id)
            try:
                rename(task_id, task_id, batch.tasks, batch.erasing, lambda: progress.stopped)
                self._leftovers[task_id] = removal.remove(task_id)
            except OSError as error:
                self.staying.update(ids[number:])
                _stop_chain(batch, ids[number:], error, record)
                return
            progress.advance(len(record.partly_erased))

    def retry(self) -> None:
        """Try again to remove what is left of tasks: NFS may need a moment, or a reply was
        wrong."""
        removal = self._removal()
        for pause in _PAUSES:
            transient = [
                task_id
                for task_id, left in self._leftovers.items()
                if any(one.error.errno in _TRANSIENT for one in left)
            ]
            if transient:
                time.sleep(pause)
            for task_id in transient:
                self._leftovers[task_id] = removal.remove_rest(task_id)
        for task_id in _withdraw_unremoved(self._batch, self._record):
            self._leftovers[task_id] = removal.remove_rest(task_id)

    def record_failures(self) -> None:
        """Record the tasks of which something is left."""
        for task_id in _withdraw_unremoved(self._batch, self._record):
            self._leftovers[task_id] = [Leftover(task_id, OSError(errno.EIO, NOT_DONE))]
        for task_id in filter(self._leftovers.get, self._leftovers):
            reason = describe_leftovers(self._leftovers[task_id])
            path = self._batch.path / "erasing" / task_id
            self._record.failed.append(ItemResult(task_id, reason, path))

    def _removal(self) -> Removal:
        batch = self._batch
        return Removal(batch.erasing, batch.dirs.mount, self._record, self._progress)


def _sync(batch: Batch, chains: Sequence[Sequence[str]], bundles: Sequence[Bundle]) -> None:
    """Write the moves to the disk before the first removal. A file system may write the removals
    first, and after a power cut a task of which half is removed would be in its place again.

    Costs a call for each folder that was changed: at most 256 ``tasks/ab``. Raises PurgeError.
    """
    dirs = batch.dirs
    ids = (task_id for chain in chains for task_id in chain)
    try:
        for folder in (batch.tasks, batch.bundles, batch.folder, batch.tui, dirs.hipercow):
            filesystem.sync_folder(folder)
        dirs.sync_sources(ids, (bundle.name for bundle in bundles))
    except OSError as error:
        raise PurgeError(
            f"{escape_controls(str(batch.path))} can't be written to the disk:"
            f" {os_error_text(error)}"
        ) from None


def _stop_chain(batch: Batch, ids: Sequence[str], error: OSError, record: RunRecord) -> None:
    """Record why these tasks of a chain are not erased: the first can't be erased, and the others
    are its earlier attempts, which must stay with it."""
    first, *others = ids
    where = None
    with suppress(OSError):
        if exists(first, batch.tasks):
            record.partly_erased.discard(first)
            where = batch.path / "tasks" / first
    reason = f"it can't be erased: {os_error_text(error)}"
    record.failed.append(ItemResult(first, reason, where))
    reason = f"its retry chain stays, because of {short_id(first)}: {reason}"
    record.failed += [ItemResult(i, reason, batch.path / "tasks" / i) for i in others]


def _withdraw_unremoved(batch: Batch, record: RunRecord) -> Sequence[str]:
    """Return the tasks that are recorded as removed and still exist, and correct the record.

    Raises PurgeError.
    """
    found = record.removed.intersection(names_in(batch.erasing, batch.path / "erasing"))
    record.removed -= found
    return sorted(found)


def _run_jobs(
    do: Callable[[Sequence[str]], None], chains: Sequence[Sequence[str]], jobs: int
) -> None:
    """Call ``do`` with each chain, ``jobs`` at a time; after an error, start no more."""
    waiting = deque(chains)

    def work() -> None:
        while True:
            try:
                chain = waiting.popleft()
            except IndexError:
                return
            do(chain)

    if min(jobs, len(chains)) < 2:
        work()
        return
    with ThreadPoolExecutor(min(jobs, len(chains))) as workers:
        try:
            for running in as_completed([workers.submit(work) for _ in range(jobs)]):
                running.result()
        finally:
            waiting.clear()


def erase_bundles(batch: Batch, names: Sequence[str], record: RunRecord) -> None:
    """Remove bundles of the batch for good, and record those that are gone. Raises PurgeError if
    the batch can't be listed."""
    errors: dict[str, OSError] = {}
    left = names
    for _ in range(2):  # a removal that was reported but not done succeeds the second time
        if not left:
            break
        for name in left:
            try:
                unlink(bundle_file(name), batch.bundles)
            except OSError as error:
                errors[name] = error
        held = names_in(batch.bundles, batch.path / "bundles")
        left = [name for name in left if bundle_file(name) in held]
    for name in left:
        why = os_error_text(errors.get(name) or OSError(errno.EIO, NOT_DONE))
        _fail_bundle(batch, name, f"it can't be erased: {why}", record)
    record.finished_bundles.update(names)
    record.removed_bundles += [name for name in names if name not in left]


def _fail_bundle(batch: Batch, name: str, reason: str, record: RunRecord) -> None:
    record.finished_bundles.add(name)
    where = batch.path / "bundles" / bundle_file(name)
    record.failed.append(ItemResult(name, reason, where, is_bundle=True))


def describe_leftovers(left: Sequence[Leftover]) -> str:
    """Return how many entries of a task are left, and the error of the first."""
    first = left[0]
    return (
        f"{pluralize(len(left), 'entry', 'entries')} of it can't be removed,"
        f" starting with '{escape_controls(first.path)}': {os_error_text(first.error)}"
    )


class Removal:
    """Removes tasks from an open folder, through descriptors.

    A link is removed, never followed, and no other mount is entered. An entry costs two system
    calls (lstat and unlink), a folder seven.
    """

    def __init__(
        self, parent: int, mount: filesystem.Mount, record: RunRecord, progress: ProgressReporter
    ) -> None:
        self._parent = parent
        self._mount = mount
        self._record = record
        self._progress = progress
        self._user = 0
        if sys.platform != "win32":
            self._user = os.geteuid()
        self._left: list[Leftover] = []
        self._files = self._bytes = self._disk_bytes = 0  # removed and not yet reported
        self._top = -1
        self._moved_up = False

    def remove(self, task_id: str, name: str | None = None) -> list[Leftover]:
        """Remove a task completely, and record it as removed; returns the entries that are left.

        ``name`` is the name of its folder if that is not its id. Raises FileNotFoundError if there
        is no such folder.
        """
        self._left = []
        try:
            self._folder(name or task_id, self._parent, task_id, 0)
        finally:
            self._count()
        if not self._left:
            self._record.removed.add(task_id)
        return self._left

    def remove_rest(self, task_id: str, name: str | None = None) -> list[Leftover]:
        """Like ``remove``, for a task of which a part was left: its folder may be gone."""
        try:
            return self.remove(task_id, name)
        except FileNotFoundError:
            self._record.removed.add(task_id)
            return []

    def _folder(self, name: str, parent: int, path: str, depth: int) -> None:
        left_before = len(self._left)
        try:
            if depth > _DEPTH:
                self._move_up(name, parent)
                return
            fd = open_folder(name, dir_fd=parent)
            try:
                freed = self._make_ours(fd)
                if depth == 0:
                    self._empty_top(fd, path)
                else:
                    self._empty(fd, path, depth)
            finally:
                os.close(fd)
            if len(self._left) == left_before:
                remove_folder(name, parent)
                self._disk_bytes += freed
        except FileNotFoundError:
            if depth == 0:
                raise FileNotFoundError(errno.ENOENT, NOT_DONE) from None
        except OSError as error:
            self._left.append(Leftover(path, error))

    def _make_ours(self, fd: int) -> int:
        """Check that nothing is mounted there, allow ourselves to remove entries, and return the
        space of the folder itself in bytes."""
        status = filesystem.folder_status(fd)
        if status.mount != self._mount:
            raise OSError(errno.EXDEV, mount_mismatch(status.mount, self._mount))
        if sys.platform != "win32":
            if status.owner == self._user and status.mode & stat.S_IRWXU != stat.S_IRWXU:
                os.fchmod(fd, stat.S_IMODE(status.mode) | stat.S_IRWXU)
        return status.blocks * BLOCK

    def _empty_top(self, fd: int, path: str) -> None:
        """Empty a task's folder; again, if deeply nested folders were moved up into it."""
        self._top = fd
        self._moved_up = True
        while self._moved_up:
            self._moved_up = False
            self._left = []
            self._empty(fd, path, 0)

    def _empty(self, fd: int, path: str, depth: int) -> None:
        with filesystem.scan(fd) as scan:
            entries = list(scan)
        for number, entry in enumerate(entries, 1):
            try:
                if entry.is_dir(follow_symlinks=False):
                    self._folder(entry.name, fd, f"{path}/{entry.name}", depth + 1)
                else:
                    self._unlink(entry, fd)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._left.append(Leftover(f"{path}/{entry.name}", error))
            if number % _COUNTED == 0:
                self._count()

    def _unlink(self, entry: filesystem.Entry, fd: int) -> None:
        status = entry.stat(follow_symlinks=False)
        has_names = self._record.expect_names(status)
        unlink(entry.name, fd)
        self._files += 1
        # A file with several names keeps its space until the last one is removed.
        if not has_names or self._record.remove_name(status):
            self._bytes += status.st_size if stat.S_ISREG(status.st_mode) else 0
            self._disk_bytes += allocated_bytes(status)

    def _count(self) -> None:
        """Report the removed files, many at a time: one report costs as much as removing a file."""
        freed = Size(self._bytes, self._files, self._disk_bytes)
        self._progress.set_freed(self._record.add_freed(freed))
        self._files = self._bytes = self._disk_bytes = 0

    def _move_up(self, name: str, parent: int) -> None:
        new_name = f"deep-{secrets.token_hex(8)}"
        rename(name, new_name, parent, self._top)
        self._moved_up = True
