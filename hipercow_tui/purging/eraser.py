"""Remove what is in a lot for good, task by task, and count what that frees."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass

from hipercow_tui.domain.task import Bundle
from hipercow_tui.formats.mounts import Mount, folder_status
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import Lot
from hipercow_tui.purging.batch_name import bundle_file
from hipercow_tui.purging.file_changes import (
    NOT_DONE,
    exists,
    remove_folder,
    rename,
    sync_folder,
    unlink,
)
from hipercow_tui.purging.progress import Watch
from hipercow_tui.purging.results import Outcome, Phase
from hipercow_tui.purging.root_dirs import because, foreign, names_in
from hipercow_tui.purging.run_log import Record
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import count, short_id, visible

# NFS keeps a removed file as .nfs… while someone has it open, so that its folder is not empty. What
# they close soon is gone after these pauses, in seconds, at the end.
_PAUSES = (0.1, 0.4, 1.0)
_PASSING = {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ESTALE}
_COUNTED = 256  # files after which what is freed is told, within one folder
_DEPTH = 64  # a descent holds one descriptor a level, and a process often has but 256


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be removed: where in the lot, and what the system said."""

    path: str
    error: OSError


def erase(
    lot: Lot,
    chains: Sequence[Sequence[str]],
    bundles: Sequence[Bundle],
    record: Record,
    watch: Watch,
) -> None:
    """Remove tasks and bundles of the batch for good: first the tasks, each chain in its order and
    ``watch.jobs`` chains at a time, then the bundles. Ends early if stopped; the rest stays whole.

    A task leaves the folder ``tasks`` by a rename first, so that it is always known which are
    whole. What can't be removed completely is recorded as failed; a bundle stays if a task of it
    stays whole. Raises PurgeError if the batch can't be listed, and, before anything is removed,
    if the moves can't be written to the disk.
    """
    _sync(lot, chains, bundles)
    watch.begin(Phase.ERASING, sum(map(len, chains)))
    left: dict[str, list[Left]] = {}
    staying: set[str] = set()

    def erase_chain(ids: Sequence[str]) -> None:
        removal = Removal(lot.erasing, lot.places.mount, record, watch)
        for number, task_id in enumerate(ids):
            if watch.stopped:
                return
            if number == 0:  # one call a chain
                lot.make_sure()
            record.begun.add(task_id)
            try:
                rename(task_id, task_id, lot.tasks, lot.erasing)
                left[task_id] = removal.remove(task_id)
            except OSError as error:
                staying.update(ids[number:])
                _stop_chain(lot, ids[number:], error, record)
                return
            watch.at(len(record.begun))

    try:
        _each(erase_chain, chains, watch.jobs)
        removal = Removal(lot.erasing, lot.places.mount, record, watch)
        _try_again(removal, left)
        for task_id in _withdraw_unremoved(lot, record):
            left[task_id] = removal.remove_rest(task_id)
    finally:
        for task_id in _withdraw_unremoved(lot, record):
            left[task_id] = [Left(task_id, OSError(errno.EIO, NOT_DONE))]
        for task_id in filter(left.get, left):
            where = lot.path / "erasing" / task_id
            record.failed.append(Outcome(task_id, in_words(left[task_id]), where))
    if not watch.stopped:
        lot.make_sure()
        going = [bundle.name for bundle in bundles if staying.isdisjoint(bundle.task_ids)]
        erase_bundles(lot, going, record)
        for bundle in bundles:
            if bundle.name not in going:
                _fail_bundle(lot, bundle.name, "a task of it can't be erased", record)
    watch.end()


def _sync(lot: Lot, chains: Sequence[Sequence[str]], bundles: Sequence[Bundle]) -> None:
    """Write the moves to the disk before the first removal. A file system may write the removals
    first, and after a power cut a task of which half is removed would be in its place again.

    Costs a call for each folder that was changed: at most 256 ``tasks/ab``. Raises PurgeError.
    """
    places = lot.places
    ids = (task_id for chain in chains for task_id in chain)
    try:
        for folder in (lot.tasks, lot.bundles, lot.folder, lot.tui, places.hipercow):
            sync_folder(folder)
        places.sync_sources(ids, (bundle.name for bundle in bundles))
    except OSError as error:
        raise PurgeError(
            f"{visible(str(lot.path))} can't be written to the disk: {because(error)}"
        ) from None


def _stop_chain(lot: Lot, ids: Sequence[str], error: OSError, record: Record) -> None:
    """Record why these tasks of a chain are not erased: the first can't be, and the others are
    earlier attempts, which a whole later attempt needs."""
    first, *others = ids
    where = None
    with suppress(OSError):
        if exists(first, lot.tasks):
            record.begun.discard(first)
            where = lot.path / "tasks" / first
    reason = f"it can't be erased: {because(error)}"
    record.failed.append(Outcome(first, reason, where))
    reason = f"its retry chain stays, because of {short_id(first)}: {reason}"
    record.failed += [Outcome(i, reason, lot.path / "tasks" / i) for i in others]


def _withdraw_unremoved(lot: Lot, record: Record) -> Sequence[str]:
    """The tasks that were recorded as removed and still exist, now withdrawn from the record.
    Raises PurgeError."""
    found = record.removed.intersection(names_in(lot.erasing, lot.path / "erasing"))
    record.removed -= found
    return sorted(found)


def _each(do: Callable[[Sequence[str]], None], chains: Sequence[Sequence[str]], jobs: int) -> None:
    """Do it to each chain, so many at a time; after an error to no further one."""
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


def erase_bundles(lot: Lot, names: Sequence[str], record: Record) -> None:
    """Remove bundles of the batch for good, and record those that are gone. Raises PurgeError if
    the batch can't be listed."""
    errors: dict[str, OSError] = {}
    left = names
    for _ in range(2):  # a removal that was reported but not made succeeds the second time
        if not left:
            break
        for name in left:
            try:
                unlink(bundle_file(name), lot.bundles)
            except OSError as error:
                errors[name] = error
        held = names_in(lot.bundles, lot.path / "bundles")
        left = [name for name in left if bundle_file(name) in held]
    for name in left:
        why = because(errors.get(name) or OSError(errno.EIO, NOT_DONE))
        _fail_bundle(lot, name, f"it can't be erased: {why}", record)
    record.bundles_settled.update(names)
    record.removed_bundles += [name for name in names if name not in left]


def _fail_bundle(lot: Lot, name: str, reason: str, record: Record) -> None:
    record.bundles_settled.add(name)
    where = lot.path / "bundles" / bundle_file(name)
    record.failed.append(Outcome(name, reason, where, is_bundle=True))


def _try_again(removal: Removal, left: dict[str, list[Left]]) -> None:
    for pause in _PAUSES:
        passing = [
            i for i, rest in left.items() if any(one.error.errno in _PASSING for one in rest)
        ]
        if passing:
            time.sleep(pause)
        for task_id in passing:
            left[task_id] = removal.remove_rest(task_id)


def in_words(left: Sequence[Left]) -> str:
    """How much of a task is left, and why its first entry is."""
    first = left[0]
    return (
        f"{count(len(left), 'entry', 'entries')} of it can't be removed,"
        f" first '{visible(first.path)}': {because(first.error)}"
    )


class Removal:
    """Removes tasks from an open folder through descriptors: a link is removed, never
    followed, and no other mount is entered. Entries are lstat'ed and unlinked, two system
    calls each; a folder costs seven."""

    def __init__(self, parent: int, mount: Mount, record: Record, watch: Watch) -> None:
        self._parent = parent
        self._mount = mount
        self._record = record
        self._watch = watch
        self._user = os.geteuid()
        self._left: list[Left] = []
        self._files = self._bytes = 0  # removed and not told yet
        self._top = -1
        self._moved_up = False

    def remove(self, task_id: str, name: str | None = None) -> list[Left]:
        """Remove a task and all in it, and record it as removed; returns what is left of it. Its
        folder's name is its id, or ``name``.

        Raises FileNotFoundError if there is no such folder: then it is still elsewhere.
        """
        self._left = []
        self._folder(name or task_id, self._parent, task_id, 0)
        if not self._left:
            self._record.removed.add(task_id)
        return self._left

    def remove_rest(self, task_id: str, name: str | None = None) -> list[Left]:
        """As ``remove``, for a task of which a part was left: it may be gone by now."""
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
                self._make_ours(fd)
                if depth == 0:
                    self._empty_top(fd, path)
                else:
                    self._empty(fd, path, depth)
            finally:
                os.close(fd)
            if len(self._left) == left_before:
                remove_folder(name, parent)
        except FileNotFoundError:
            if depth == 0:
                raise FileNotFoundError(errno.ENOENT, NOT_DONE) from None
        except OSError as error:
            self._left.append(Left(path, error))

    def _make_ours(self, fd: int) -> None:
        """Check that nothing is mounted there, and give us the right to remove entries."""
        status = folder_status(fd)
        if status.mount != self._mount:
            raise OSError(errno.EXDEV, foreign(status.mount, self._mount))
        if status.owner == self._user and status.mode & stat.S_IRWXU != stat.S_IRWXU:
            os.fchmod(fd, stat.S_IMODE(status.mode) | stat.S_IRWXU)

    def _empty_top(self, fd: int, path: str) -> None:
        """Empty a task's own folder, again while folders from deep below are moved up into it."""
        self._top = fd
        self._moved_up = True
        while self._moved_up:
            self._moved_up = False
            self._left = []
            self._empty(fd, path, 0)

    def _empty(self, fd: int, path: str, depth: int) -> None:
        with os.scandir(fd) as scan:
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
                self._left.append(Left(f"{path}/{entry.name}", error))
            if number % _COUNTED == 0:
                self._count()
        self._count()

    def _unlink(self, entry: os.DirEntry[str], fd: int) -> None:
        status = entry.stat(follow_symlinks=False)
        unlink(entry.name, fd)
        self._files += 1
        # Of a file of several names others still hold the space.
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            self._bytes += status.st_size

    def _count(self) -> None:
        """Tell what was removed, of many files at once: each time is as dear as removing one."""
        self._watch.freed(self._record.removed_files(self._files, self._bytes))
        self._files = self._bytes = 0

    def _move_up(self, name: str, parent: int) -> None:
        fresh = f"deep-{secrets.token_hex(8)}"
        rename(name, fresh, parent, self._top)
        self._moved_up = True
