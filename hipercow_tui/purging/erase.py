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
from dataclasses import dataclass

from hipercow_tui.purging.lot import Lot
from hipercow_tui.purging.names import bundle_file
from hipercow_tui.purging.outcome import Outcome, Phase
from hipercow_tui.purging.places import because, exists
from hipercow_tui.purging.record import Record
from hipercow_tui.purging.watch import Watch
from hipercow_tui.roots.files import open_folder
from hipercow_tui.text import count, visible

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


def erase(lot: Lot, chains: Sequence[Sequence[str]], record: Record, watch: Watch) -> None:
    """Remove the tasks of these chains from the lot, each chain in its order, ``watch.jobs`` chains
    at a time, until stopped; the rest stays whole in it.

    A task leaves the lot's ``tasks`` by a rename first, so that it is always known which are whole.
    What can't be removed completely is recorded as failed.
    """
    watch.begin(Phase.ERASING, sum(map(len, chains)))
    left: dict[str, list[Left]] = {}

    def erase_chain(ids: Sequence[str]) -> None:
        removal = Removal(lot.erasing, lot.places.device, record, watch)
        for task_id in ids:
            if watch.stopped:
                return
            lot.make_sure()
            record.begun.add(task_id)
            try:
                _begin(lot, task_id)
            except OSError as error:
                where, reason = (
                    lot.path / "tasks" / task_id,
                    f"it can't be erased: {because(error)}",
                )
                record.failed.append(Outcome(task_id, reason, where))
                continue
            left[task_id] = removal.remove(task_id)
            watch.at(len(record.begun))

    _each(erase_chain, chains, watch.jobs)
    _try_again(Removal(lot.erasing, lot.places.device, record, watch), left)
    for task_id in filter(left.get, left):
        where = lot.path / "erasing" / task_id
        record.failed.append(Outcome(task_id, in_words(left[task_id]), where))
    watch.end()


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


def _begin(lot: Lot, task_id: str) -> None:
    try:
        os.rename(task_id, task_id, src_dir_fd=lot.tasks, dst_dir_fd=lot.erasing)
    except FileNotFoundError:
        if not exists(task_id, lot.erasing):  # else erasing it broke off
            raise


def erase_bundle(lot: Lot, name: str, record: Record) -> None:
    """Remove a bundle of the lot for good."""
    record.bundles_settled.add(name)
    try:
        os.unlink(bundle_file(name), dir_fd=lot.bundles)
    except OSError as error:
        reason = f"it can't be erased: {because(error)}"
        where = lot.path / "bundles" / bundle_file(name)
        record.failed.append(Outcome(name, reason, where, is_bundle=True))
    else:
        record.removed_bundles.append(name)


def _try_again(removal: Removal, left: dict[str, list[Left]]) -> None:
    for pause in _PAUSES:
        passing = [
            i for i, rest in left.items() if any(one.error.errno in _PASSING for one in rest)
        ]
        if passing:
            time.sleep(pause)
        for task_id in passing:
            left[task_id] = removal.remove(task_id)


def in_words(left: Sequence[Left]) -> str:
    """How much of a task is left, and why its first entry is."""
    first = left[0]
    return (
        f"{count(len(left), 'entry', 'entries')} of it can't be removed,"
        f" first '{visible(first.path)}': {because(first.error)}"
    )


class Removal:
    """Removes tasks from an open folder through descriptors: a link is removed, never
    followed, and no other file system is entered. Entries are lstat'ed and unlinked, two system
    calls each; a folder costs seven."""

    def __init__(self, parent: int, device: int, record: Record, watch: Watch) -> None:
        self._parent = parent
        self._device = device
        self._record = record
        self._watch = watch
        self._user = os.geteuid()
        self._left: list[Left] = []
        self._files = self._bytes = 0  # removed and not told yet
        self._top = -1
        self._moved_up = False

    def remove(self, task_id: str, name: str | None = None) -> list[Left]:
        """Remove a task and all in it, and record it as removed; returns what is left of it. Its
        folder's name is its id, or ``name``."""
        self._left = []
        self._folder(name or task_id, self._parent, task_id, 0)
        if not self._left:
            self._record.removed.add(task_id)
        return self._left

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
                os.rmdir(name, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError as error:
            self._left.append(Left(path, error))

    def _make_ours(self, fd: int) -> None:
        """Check that no file system is mounted there, and give us the right to remove entries."""
        status = os.fstat(fd)
        if status.st_dev != self._device:
            raise OSError(errno.EXDEV, "another file system is mounted there")
        if status.st_uid == self._user and status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            os.fchmod(fd, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)

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
        os.unlink(entry.name, dir_fd=fd)
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
        os.rename(name, fresh, src_dir_fd=parent, dst_dir_fd=self._top)
        self._moved_up = True
