"""Free chains where there is no room for a lot: no folder can be made, no manifest written.

    hipercow/tui-<id>             a task of the chain, whole
    hipercow/tui-<id>.erasing     no longer whole

Renaming a folder needs neither an inode nor, almost always, a block: so a chain is moved aside into
``hipercow/`` itself, compared with the plan as ever, and erased. Its bundles stay where they are
until there is room for a lot, which takes them. No heartbeat can be written either, so whoever is
at work touches these folders, before they are moved and every few seconds. Who dies on the way
leaves them there, which ``find_loose_tasks`` finds.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import DATA, Task
from hipercow_tui.formats.layout import LAYOUTS
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging.batch import NO_SPACE
from hipercow_tui.purging.batch_name import TUI_FOLDER
from hipercow_tui.purging.chain_units import ChainUnit, chain_units
from hipercow_tui.purging.conflict_check import recheck
from hipercow_tui.purging.eraser import Leftover, Removal, describe_leftovers
from hipercow_tui.purging.file_changes import NOT_DONE, exists, rename, sync_folder
from hipercow_tui.purging.heartbeat import Heartbeat, HeartbeatReading, ensure_dead, server_time
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult, Phase, PurgeReport
from hipercow_tui.purging.rollback import DELETED
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.purging.run_log import RunRecord
from hipercow_tui.purging.staging import task_difference
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import short_id

_ERASING = ".erasing"
_NAME = re.compile(r"tui-([0-9a-f]{32})(\.erasing)?\Z")

_NEW = HeartbeatReading(None, 0, 0)  # of a task that this process moves


@dataclass(frozen=True, slots=True)
class LooseTask:
    """A task that was moved aside where there was no room for a lot; ``complete`` until its erasing
    began. ``heartbeat`` is its heartbeat: the time of its folder."""

    id: str
    complete: bool
    heartbeat: HeartbeatReading = _NEW

    @property
    def batch_id(self) -> str:
        """What people call it by, as they do a lot."""
        return _name(self.id)

    @property
    def name(self) -> str:
        """That of its folder in ``hipercow/``."""
        return _name(self.id) + ("" if self.complete else _ERASING)


def find_loose_tasks(hipercow: int) -> Iterator[LooseTask]:
    """The tasks that were moved aside in the open ``hipercow/``: a purge runs or was interrupted.
    Raises OSError."""
    for name in sorted(os.listdir(hipercow)):
        if found := _NAME.match(name):
            with suppress(FileNotFoundError):
                yield LooseTask(found[1], found[2] is None, _sign_of(name, hipercow))


def claim_loose_tasks(
    dirs: RootDirs, batch_id: str, progress: ProgressReporter
) -> Iterator[LooseTask]:
    """The tasks of that stamp that were moved aside, to be put back or erased, after watching that
    no process works with them. Raises PurgeError if one does."""
    for task in find_loose_tasks(dirs.hipercow):
        if task.batch_id == batch_id:
            ensure_dead(
                dirs.path / TUI_FOLDER / batch_id,
                partial(_sign_of, task.name, dirs.hipercow),
                server_time(dirs.hipercow),
                progress,
            )
            yield task


def _sign_of(name: str, hipercow: int) -> HeartbeatReading:
    status = os.stat(name, dir_fd=hipercow, follow_symlinks=False)
    return HeartbeatReading(None, 0, status.st_mtime_ns)


def erase_unbatched(
    dirs: RootDirs, plan: PurgePlan, progress: ProgressReporter, number: int
) -> PurgeReport:
    """Erase that many chains of the plan, the last attempt of each first, or until stopped.

    What differs from the plan is put back and passed over; its bundles are left alone. Raises
    PurgeError if ``retry`` or ``bundles`` can't be read.
    """
    began = time.monotonic()
    chains = _Chains(dirs, plan, progress)
    record = chains.record
    progress.begin(Phase.ERASING, len(plan.tasks))
    heartbeat = Heartbeat(chains.touch)
    freed = 0
    try:
        for unit in chain_units(plan):
            if freed == number or progress.stopped:
                break
            freed += chains.free(unit)
            progress.advance(len(record.removed))
    finally:
        heartbeat.end()
    return PurgeReport(
        plan,
        removed=tuple(task_id for task_id in plan.ids if task_id in record.removed),
        put_back=tuple(record.put_back),
        vanished=tuple(record.missing),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        seconds=time.monotonic() - began,
        stopped=progress.stopped,
        no_space=True,
    )


def put_back(dirs: RootDirs, task: LooseTask) -> None:
    """Move a whole task back into its place. Raises OSError, also if something stands there."""
    shard = dirs.shard(task.id)
    if exists(task.id[2:], shard):
        if not exists(task.name, dirs.hipercow):  # it was never moved, whatever was reported
            return
        raise FileExistsError(errno.EEXIST, "something else stands in its place", task.id)
    rename(task.name, task.id[2:], dirs.hipercow, shard)
    if exists(task.name, dirs.hipercow):
        raise OSError(errno.EIO, NOT_DONE)


def missing_data(dirs: RootDirs, task: LooseTask) -> str | None:
    """Why a task aside is not put back after its process died: it has files of a task, but no
    ``data``. None if nothing is known to be missing. There is no manifest to compare it with."""
    try:
        folder = open_folder(task.name, dir_fd=dirs.hipercow)
    except OSError:
        return None
    try:
        listing = LAYOUTS[dirs.lang].listing_of(os.listdir(folder))
    except OSError:
        return None
    finally:
        os.close(folder)
    return "it is no longer whole: data is missing" if listing and not listing & DATA else None


def erase_loose_task(
    dirs: RootDirs, task: LooseTask, record: RunRecord, progress: ProgressReporter
) -> None:
    """Erase a task that stands aside, and record what became of it."""
    hipercow, gone = dirs.hipercow, _name(task.id) + _ERASING
    removal = Removal(hipercow, dirs.mount, record, progress)
    name = task.name
    try:
        if task.complete:
            rename(name, gone, hipercow, hipercow)
            name = gone
            _sync(hipercow)
            left = removal.remove(task.id, gone)
        else:
            left = removal.remove_rest(task.id, gone)
        if not left and exists(gone, hipercow):
            record.removed.discard(task.id)
            left = [Leftover(task.id, OSError(errno.EIO, NOT_DONE))]
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            name = task.name  # the rename was reported, but not done
        reason = f"it can't be erased: {os_error_text(error)}"
        record.failed.append(ItemResult(task.id, reason, dirs.path / name))
        return
    if left:
        record.failed.append(ItemResult(task.id, describe_leftovers(left), dirs.path / gone))


def _sync(folder: int) -> None:
    """Write the entries of a folder to the disk, as far as a full disk lets it. Raises OSError."""
    try:
        sync_folder(folder)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise


@dataclass(slots=True)
class _Chains:
    """Frees one chain after the other; ``moved`` is what of one stands aside now."""

    dirs: RootDirs
    plan: PurgePlan
    progress: ProgressReporter
    record: RunRecord = field(default_factory=RunRecord)
    moved: list[LooseTask] = field(default_factory=list)

    def touch(self) -> None:
        """Say that someone works with what stands aside. Called in another thread."""
        for one in tuple(self.moved):
            for name in (one.name, one.name + _ERASING):
                with suppress(OSError):
                    os.utime(name, dir_fd=self.dirs.hipercow, follow_symlinks=False)

    def free(self, unit: ChainUnit) -> bool:
        """Move the unit aside, check and erase it; tells whether it is gone."""
        # The last attempt first: a process that dies leaves no retry without the attempt before it.
        reason = next(filter(None, map(self._move, reversed(unit.tasks))), None)
        try:
            if reason is None:
                found = recheck(self.dirs, self.plan, [unit], bundles_in_place=True)
                reason = found.get(unit)
        except PurgeError:
            self._bring_back("it can't be checked whether it was retried or bundled")
            raise
        if reason is None:
            reason = self._sync_moves(unit)
        if reason is not None:
            self._bring_back(reason)
            return False
        while self.moved:
            one = self.moved[0]
            erase_loose_task(self.dirs, one, self.record, self.progress)
            del self.moved[0]
            if one.id not in self.record.removed:
                self._leave_aside(f"{short_id(one.id)} of its chain could not be erased")
                return False
        return True

    def _sync_moves(self, unit: ChainUnit) -> str | None:
        """Write the moves of a unit to the disk before anything of it is erased; returns why it
        can't go, or None."""
        try:
            _sync(self.dirs.hipercow)
            self.dirs.sync_sources(unit.ids, ())
        except OSError as error:
            if error.errno not in NO_SPACE:
                return f"hipercow/ can't be written to the disk: {os_error_text(error)}"
        return None

    def _move(self, task: Task) -> str | None:
        """Move one task aside and compare it; returns why it can't go, or None."""
        found = LooseTask(task.id, complete=True)
        hipercow = self.dirs.hipercow
        try:
            shard = self.dirs.shard(task.id)
            if exists(found.name, hipercow):
                raise FileExistsError(errno.EEXIST, "it stands aside already", task.id)
            os.utime(task.id[2:], dir_fd=shard, follow_symlinks=False)
            rename(task.id[2:], found.name, shard, hipercow)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self.dirs.has_task(task.id):
                self.record.missing.append(ItemResult(task.id, DELETED))
                return f"{short_id(task.id)} of its chain: {DELETED}"
            reason = f"it can't be moved: {os_error_text(error)}"
            self.record.failed.append(ItemResult(task.id, reason))
            return reason
        self.moved.append(found)
        return task_difference(task, found.name, hipercow)

    def _leave_aside(self, reason: str) -> None:
        """Of a chain that was begun, and perhaps taken over by someone else, no other task may be
        tried again: it waits until someone restores or erases it."""
        for one in self.moved:
            self.record.failed.append(ItemResult(one.id, reason, self.dirs.path / one.name))
        self.moved.clear()

    def _bring_back(self, reason: str) -> None:
        for one in reversed(self.moved):
            try:
                put_back(self.dirs, one)
            except OSError as error:
                why = f"{reason}; it can't be put back: {os_error_text(error)}"
                self.record.failed.append(ItemResult(one.id, why, self.dirs.path / one.name))
            else:
                self.record.put_back.append(ItemResult(one.id, reason))
        self.moved.clear()


def _name(task_id: str) -> str:
    return f"{TUI_FOLDER}-{task_id}"
