"""Put back what was moved into a lot, never onto anything that exists."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.batch import NO_ROOM, Lot
from hipercow_tui.purging.batch_name import bundle_file, bundle_name
from hipercow_tui.purging.chain_units import Unit
from hipercow_tui.purging.file_changes import (
    NOT_DONE,
    exists,
    link,
    rename,
    unlink,
)
from hipercow_tui.purging.results import Outcome
from hipercow_tui.purging.root_dirs import because, names_in
from hipercow_tui.purging.run_log import Record
from hipercow_tui.support.text import short_id

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
            _record_unmoved(task_id, reason, lot.places.has_task(task_id), record)
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


def restore_strays(lot: Lot, record: Record) -> None:
    """Put back, or keep aside, what is recorded so, or as deleted by others, but is still in the
    batch.

    Such a record comes from a wrong reply of the file system, so an outcome counts only after
    this. Costs two listings, or nothing if the record holds no such outcomes. Raises PurgeError
    if the lot can't be listed.
    """
    strays = _strays(lot, record)
    for outcome in strays:
        record.withdraw(outcome)
        if outcome.where is not None:
            where = lot.keep_aside(*_entry(outcome))
            record.failed.append(replace(outcome, where=where))
        elif outcome.is_bundle:
            restore_bundle(lot, outcome.name, outcome.reason, record)
        else:
            restore_task(lot, outcome.name, outcome.reason, record)
    for outcome in _strays(lot, record) if strays else ():
        record.withdraw(outcome)
        reason = _stuck(outcome.reason, OSError(errno.EIO, NOT_DONE))
        record.failed.append(replace(outcome, reason=reason, where=_place_in(lot, outcome)))


def _strays(lot: Lot, record: Record) -> Sequence[Outcome]:
    staying = (*record.put_back, *record.vanished, *record.failed)
    if not staying:
        return ()
    tasks = names_in(lot.tasks, lot.path / "tasks")
    bundles = set(map(bundle_name, names_in(lot.bundles, lot.path / "bundles")))
    return [
        one
        for one in staying
        if one.name in (bundles if one.is_bundle else tasks) and one.where != _place_in(lot, one)
    ]


def _place_in(lot: Lot, outcome: Outcome) -> Path:
    return lot.path.joinpath(*_entry(outcome))


def _entry(outcome: Outcome) -> tuple[str, str]:
    """The folder of a lot that holds a task or bundle, and its name there."""
    return ("bundles", bundle_file(outcome.name)) if outcome.is_bundle else ("tasks", outcome.name)


def _record_unmoved(
    name: str, reason: str, stands: bool, record: Record, *, is_bundle: bool = False
) -> None:
    if stands:
        record.put_back.append(Outcome(name, reason, is_bundle=is_bundle))
    else:
        record.vanished.append(Outcome(name, DELETED, is_bundle=is_bundle))


def _return_task(lot: Lot, task_id: str) -> None:
    try:
        _rename_back(lot, task_id)
    except FileNotFoundError:  # someone removed the empty tasks/ab
        lot.places.close_shard()
        ensure_folder(task_id[:2], lot.places.tasks)
        _rename_back(lot, task_id)


def _rename_back(lot: Lot, task_id: str) -> None:
    """A rename silently replaces an empty folder, so we look first. The gap between the two calls
    is some microseconds, and ids are random: only who knows this id could fill it."""
    shard = lot.places.shard(task_id)
    if exists(task_id[2:], shard):
        raise _taken(task_id)
    rename(task_id, task_id[2:], lot.tasks, shard)


def _return_bundle(lot: Lot, name: str) -> None:
    """By link and unlink, for a link never replaces anything, unlike a rename."""
    with lot.places.bundle(name, make=True) as (folder, last):
        _link_back(bundle_file(name), lot.bundles, last, folder)


def _link_back(file: str, source: int, name: str, folder: int) -> None:
    try:
        link(file, name, source, folder)
    except FileExistsError:
        raise _taken(name) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if exists(name, folder):
            raise _taken(name) from None
        rename(file, name, source, folder)
        return
    with suppress(OSError):  # it is back; restore_strays removes a second name that is left here
        unlink(file, source)


def _taken(name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "something else stands in its place", name)


def _stuck(reason: str, error: OSError) -> str:
    return f"{reason}; it can't be put back: {because(error)}"
