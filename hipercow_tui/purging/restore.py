"""Put back what was moved into a lot, never onto anything that exists."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from hipercow_tui.purging.lot import NO_ROOM, Lot
from hipercow_tui.purging.names import bundle_file
from hipercow_tui.purging.outcome import Outcome
from hipercow_tui.purging.places import because, exists
from hipercow_tui.purging.record import Record
from hipercow_tui.purging.units import Unit
from hipercow_tui.text import short_id

DELETED = "someone else deleted it meanwhile"
# What file systems without hard links say, Linux of another user's file, and a full disk, which has
# no entry to spare for a second name.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, *NO_ROOM}


def restore_unit(
    lot: Lot, unit: Unit, reason: str, record: Record, culprit: str | None = None
) -> None:
    """Put back all tasks of a unit that were moved, and record that all of it stays.

    ``reason`` is that of the unit, or of the task ``culprit`` whose outcome is recorded already.
    """
    record.stayed.add(unit)
    if culprit is not None:
        reason = f"its retry chain stays, because of {short_id(culprit)}: {reason}"
    for task_id in unit.ids:
        if task_id != culprit:
            restore_task(lot, task_id, reason, record)


def restore_task(lot: Lot, task_id: str, reason: str, record: Record) -> None:
    """Put a task back, if it was moved, and record why it stays."""
    try:
        if not exists(task_id, lot.tasks):
            _record_unmoved(task_id, reason, task_stands(lot, task_id), record)
            return
        _return_task(lot, task_id)
    except OSError as error:
        where = lot.keep_aside("tasks", task_id)
        record.failed.append(Outcome(task_id, _stuck(reason, error), where))
    else:
        record.put_back.append(Outcome(task_id, reason))


def restore_bundle(lot: Lot, name: str, reason: str, record: Record) -> None:
    """Put a bundle back, if it was moved, and record why it stays."""
    record.bundles_settled.add(name)
    try:
        if not exists(bundle_file(name), lot.bundles):
            stands = lot.places.bundle_stands(name)
            _record_unmoved(name, reason, stands, record, is_bundle=True)
            return
        _return_bundle(lot, name)
    except OSError as error:
        where = lot.keep_aside("bundles", bundle_file(name))
        record.failed.append(Outcome(name, _stuck(reason, error), where, is_bundle=True))
    else:
        record.put_back.append(Outcome(name, reason, is_bundle=True))


def _record_unmoved(
    name: str, reason: str, stands: bool, record: Record, *, is_bundle: bool = False
) -> None:
    if stands:
        record.put_back.append(Outcome(name, reason, is_bundle=is_bundle))
    else:
        record.vanished.append(Outcome(name, DELETED, is_bundle=is_bundle))


def task_stands(lot: Lot, task_id: str) -> bool:
    """Whether anything stands at a task's place."""
    try:
        return exists(task_id[2:], lot.places.shard(task_id))
    except FileNotFoundError:
        return False
    except OSError:  # a link where tasks/ab should be: what is behind it was not moved by us
        return True


def _return_task(lot: Lot, task_id: str) -> None:
    try:
        _rename_back(lot, task_id)
    except FileNotFoundError:  # someone removed the empty tasks/ab
        lot.places.close_shard()
        with suppress(FileExistsError):
            os.mkdir(task_id[:2], dir_fd=lot.places.tasks)
        _rename_back(lot, task_id)


def _rename_back(lot: Lot, task_id: str) -> None:
    """A rename silently replaces an empty folder, so we look first. The gap between the two calls
    is some microseconds, and ids are random: only who knows this id could fill it."""
    shard = lot.places.shard(task_id)
    if exists(task_id[2:], shard):
        raise _taken(task_id)
    os.rename(task_id, task_id[2:], src_dir_fd=lot.tasks, dst_dir_fd=shard)


def _return_bundle(lot: Lot, name: str) -> None:
    """By link and unlink, for a link never replaces anything, unlike a rename."""
    with lot.places.bundle(name, make=True) as (folder, last):
        _link_back(bundle_file(name), lot.bundles, last, folder)


def _link_back(file: str, source: int, name: str, folder: int) -> None:
    try:
        os.link(file, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        one = os.stat(file, dir_fd=source, follow_symlinks=False)
        other = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not os.path.samestat(one, other):
            raise _taken(name) from None
        os.unlink(file, dir_fd=source)  # who put it back before us died between the two calls
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if exists(name, folder):
            raise _taken(name) from None
        os.rename(file, name, src_dir_fd=source, dst_dir_fd=folder)
    else:
        os.unlink(file, dir_fd=source)


def _taken(name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "something else stands in its place", name)


def _stuck(reason: str, error: OSError) -> str:
    return f"{reason}; it can't be put back: {because(error)}"
