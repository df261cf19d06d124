"""Free chains where there is no room for a lot: no folder can be made, no manifest written.

    hipercow/tui-<id>             a task of the chain, whole
    hipercow/tui-<id>.erasing     no longer whole

Renaming a folder needs neither an inode nor, almost always, a block: so a chain is moved aside into
``hipercow/`` itself, compared with the plan as ever, and erased. Its bundles stay where they are
until there is room for a lot, which takes them. Who dies on the way leaves tasks there, which
``aside`` finds.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hipercow_tui.errors import PurgeError
from hipercow_tui.model import Bundle, Task
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging.erase import Removal, in_words
from hipercow_tui.purging.names import TUI
from hipercow_tui.purging.outcome import Outcome, Phase, PurgeReport
from hipercow_tui.purging.places import Places, because, exists
from hipercow_tui.purging.recheck import recheck
from hipercow_tui.purging.record import Record
from hipercow_tui.purging.restore import DELETED
from hipercow_tui.purging.stage import task_difference
from hipercow_tui.purging.units import Unit, units_of
from hipercow_tui.purging.watch import Watch
from hipercow_tui.text import short_id

_ERASING = ".erasing"
_NAME = re.compile(r"tui-([0-9a-f]{32})(\.erasing)?\Z")


@dataclass(frozen=True, slots=True)
class Aside:
    """A task that was moved aside where there was no room for a lot; ``whole`` until its erasing
    began."""

    id: str
    whole: bool

    @property
    def stamp(self) -> str:
        """What people call it by, as they do a lot."""
        return _name(self.id)

    @property
    def name(self) -> str:
        """That of its folder in ``hipercow/``."""
        return _name(self.id) + ("" if self.whole else _ERASING)


def aside(hipercow: int) -> Iterator[Aside]:
    """The tasks that stand aside in the open ``hipercow/``: a purge broke off, or is at work."""
    for name in sorted(os.listdir(hipercow)):
        if found := _NAME.match(name):
            yield Aside(found[1], found[2] is None)


def free_chains(places: Places, plan: PurgePlan, watch: Watch, number: int) -> PurgeReport:
    """Erase that many chains of the plan, the last attempt of each first, or until stopped.

    What differs from the plan is put back and passed over; its bundles are left alone. Raises
    PurgeError if ``retry`` or ``bundles`` can't be read.
    """
    began = time.monotonic()
    record = Record()
    known = {one.bundle.name: one.bundle for one in plan.bundles}
    watch.begin(Phase.ERASING, len(plan.tasks))
    freed = 0
    for unit in units_of(plan):
        if freed == number or watch.stopped:
            break
        freed += _free(places, unit, known, record, watch)
        watch.at(len(record.removed))
    return PurgeReport(
        plan,
        removed=tuple(task_id for task_id in plan.ids if task_id in record.removed),
        put_back=tuple(record.put_back),
        vanished=tuple(record.vanished),
        failed=tuple(record.failed),
        bytes=record.bytes,
        files=record.files,
        seconds=time.monotonic() - began,
        stopped=watch.stopped,
        no_room=True,
    )


def put_back(places: Places, task: Aside) -> None:
    """Move a whole task back into its place. Raises OSError, also if something stands there."""
    shard = places.shard(task.id)
    if exists(task.id[2:], shard):
        raise FileExistsError(errno.EEXIST, "something else stands in its place", task.id)
    os.rename(task.name, task.id[2:], src_dir_fd=places.hipercow, dst_dir_fd=shard)


def erase_aside(places: Places, task: Aside, record: Record, watch: Watch) -> None:
    """Erase a task that stands aside, and record what became of it."""
    gone = _name(task.id) + _ERASING
    try:
        if task.whole:
            os.rename(task.name, gone, src_dir_fd=places.hipercow, dst_dir_fd=places.hipercow)
    except OSError as error:
        reason = f"it can't be erased: {because(error)}"
        record.failed.append(Outcome(task.id, reason, places.path / task.name))
        return
    removal = Removal(places.hipercow, places.device, record, watch)
    if left := removal.remove(task.id, gone):
        record.failed.append(Outcome(task.id, in_words(left), places.path / gone))


def _free(
    places: Places, unit: Unit, known: Mapping[str, Bundle], record: Record, watch: Watch
) -> bool:
    """Move the unit aside, check and erase it; tells whether it is gone."""
    moved: list[Aside] = []
    reason = None
    for task in unit.tasks:
        reason = _move(places, task, moved, record)
        if reason is not None:
            break
    try:
        if reason is None:
            reason = recheck(places, [unit], known).get(unit)
    except PurgeError:
        _bring_back(places, moved, "nobody can tell whether it was retried", record)
        raise
    if reason is not None:
        _bring_back(places, moved, reason, record)
        return False
    for one in reversed(moved):
        erase_aside(places, one, record, watch)
    return all(task_id in record.removed for task_id in unit.ids)


def _move(places: Places, task: Task, moved: list[Aside], record: Record) -> str | None:
    """Move one task aside and compare it; returns why it can't go, or None."""
    found = Aside(task.id, whole=True)
    try:
        shard = places.shard(task.id)
        if exists(found.name, places.hipercow):
            raise FileExistsError(errno.EEXIST, "it stands aside already", task.id)
        os.rename(task.id[2:], found.name, src_dir_fd=shard, dst_dir_fd=places.hipercow)
    except FileNotFoundError:
        record.vanished.append(Outcome(task.id, DELETED))
        return f"{short_id(task.id)} of its chain: {DELETED}"
    except OSError as error:
        reason = f"it can't be moved: {because(error)}"
        record.failed.append(Outcome(task.id, reason))
        return reason
    moved.append(found)
    return task_difference(task, found.name, places.hipercow)


def _bring_back(places: Places, moved: list[Aside], reason: str, record: Record) -> None:
    for one in moved:
        try:
            put_back(places, one)
        except OSError as error:
            why = f"{reason}; it can't be put back: {because(error)}"
            record.failed.append(Outcome(one.id, why, places.path / one.name))
        else:
            record.put_back.append(Outcome(one.id, reason))


def _name(task_id: str) -> str:
    return f"{TUI}-{task_id}"
