"""Purge chains on a full disk, where no batch can be made: no folder, no manifest.

A rename of a folder needs no inode, and almost never a block. So the tasks of one chain are moved
into ``hipercow/`` itself, where they are loose tasks (module ``loose_tasks``). They are compared
with the plan as in a batch, and erased. Bundles stay in their places until there is space for a
batch. Instead of a heartbeat file, the times of the loose tasks are updated.
"""

from __future__ import annotations

import errno
import time
from contextlib import suppress
from dataclasses import dataclass, field

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Task
from hipercow_tui.purging.batch import NO_SPACE
from hipercow_tui.purging.chain_units import ChainUnit, chain_units
from hipercow_tui.purging.conflict_check import recheck
from hipercow_tui.purging.file_changes import exists, rename
from hipercow_tui.purging.heartbeat import Heartbeat
from hipercow_tui.purging.loose_tasks import (
    ERASING_SUFFIX,
    LooseTask,
    erase_loose_task,
    put_back_loose_task,
    sync_unless_full,
)
from hipercow_tui.purging.progress import ProgressReporter
from hipercow_tui.purging.results import ItemResult, Phase, PurgeReport
from hipercow_tui.purging.rollback import DELETED_TEXT
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.purging.staging import task_difference
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import PurgeError, os_error_text
from hipercow_tui.support.text import short_id


def erase_unbatched(
    dirs: RootDirs, plan: PurgePlan, progress: ProgressReporter, count: int
) -> PurgeReport:
    """Erase ``count`` chains of the plan, or fewer if stopped; of each the latest attempt first.

    A chain that differs from the plan is put back and does not count. Bundles are not touched.
    Raises PurgeError if ``retry`` or ``bundles`` can't be read.
    """
    began = time.monotonic()
    eraser = _ChainEraser(dirs, plan, progress)
    record = eraser.record
    progress.begin(Phase.ERASING, len(plan.tasks))
    heartbeat = Heartbeat(eraser.touch)
    erased = 0
    try:
        for unit in chain_units(plan):
            if erased == count or progress.stopped:
                break
            erased += eraser.erase_chain(unit)
            progress.advance(len(record.removed))
    finally:
        heartbeat.end()
    return PurgeReport(
        plan,
        removed=tuple(task_id for task_id in plan.ids if task_id in record.removed),
        put_back=tuple(record.put_back),
        vanished=tuple(record.vanished),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        disk_bytes=record.disk_bytes,
        seconds=time.monotonic() - began,
        stopped=progress.stopped,
        no_space=True,
    )


@dataclass(slots=True)
class _ChainEraser:
    """Erases one chain after the other. ``moved`` are the loose tasks of the present chain."""

    dirs: RootDirs
    plan: PurgePlan
    progress: ProgressReporter
    record: RunRecord = field(default_factory=RunRecord)
    moved: list[LooseTask] = field(default_factory=list)

    def touch(self) -> None:
        """Update the times of the loose tasks, as a heartbeat. Called in another thread."""
        for one in tuple(self.moved):
            for name in (one.name, one.name + ERASING_SUFFIX):
                with suppress(OSError):
                    filesystem.touch(name, self.dirs.hipercow)

    def erase_chain(self, unit: ChainUnit) -> bool:
        """Move a chain, check and erase it; return whether all of it is gone."""
        # Latest attempt first: a process that dies leaves no retry without its earlier attempts.
        reason = next(filter(None, map(self._move, reversed(unit.tasks))), None)
        try:
            if reason is None:
                conflicts = recheck(self.dirs, self.plan, [unit], bundles_in_place=True)
                reason = conflicts.get(unit)
        except PurgeError:
            self._roll_back("its retries and bundles can't be checked")
            raise
        if reason is None:
            reason = self._sync_moves(unit)
        if reason is not None:
            self._roll_back(reason)
            return False
        while self.moved:
            one = self.moved[0]
            erase_loose_task(self.dirs, one, self.record, self.progress)
            del self.moved[0]
            if one.id not in self.record.removed:
                self._abandon(f"{short_id(one.id)} of its chain could not be erased")
                return False
        return True

    def _sync_moves(self, unit: ChainUnit) -> str | None:
        """Write the moves of a chain to the disk, before anything of it is erased. Return why it
        can't be erased, or None."""
        try:
            sync_unless_full(self.dirs.hipercow)
            self.dirs.sync_sources(unit.ids, ())
        except OSError as error:
            if error.errno not in NO_SPACE:
                return f"hipercow/ can't be written to the disk: {os_error_text(error)}"
        return None

    def _move(self, task: Task) -> str | None:
        """Move a task and compare it with the plan. Return why it can't be erased, or None."""
        loose_task = LooseTask(task.id, complete=True)
        hipercow = self.dirs.hipercow
        try:
            shard = self.dirs.shard(task.id)
            if exists(loose_task.name, hipercow):
                raise FileExistsError(errno.EEXIST, "it is already a loose task", task.id)
            filesystem.touch(task.id[2:], shard)
            rename(task.id[2:], loose_task.name, shard, hipercow)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not self.dirs.has_task(task.id):
                self.record.vanished.append(ItemResult(task.id, DELETED_TEXT))
                return f"{short_id(task.id)} of its chain: {DELETED_TEXT}"
            reason = f"it can't be moved: {os_error_text(error)}"
            self.record.failed.append(ItemResult(task.id, reason))
            return reason
        self.moved.append(loose_task)
        return task_difference(task, loose_task.name, hipercow)

    def _abandon(self, reason: str) -> None:
        """Leave the rest of a partly erased chain as loose tasks, and record them as failed.
        Another process may have taken them over, so they are not tried again."""
        for one in self.moved:
            self.record.failed.append(ItemResult(one.id, reason, self.dirs.path / one.name))
        self.moved.clear()

    def _roll_back(self, reason: str) -> None:
        for one in reversed(self.moved):
            try:
                put_back_loose_task(self.dirs, one)
            except OSError as error:
                why = f"{reason}; it can't be put back: {os_error_text(error)}"
                self.record.failed.append(ItemResult(one.id, why, self.dirs.path / one.name))
            else:
                self.record.put_back.append(ItemResult(one.id, reason))
        self.moved.clear()
