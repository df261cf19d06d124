"""Put back tasks and bundles from a batch, without overwriting anything."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hipercow_tui.purging.access import ensure_folder
from hipercow_tui.purging.batch import NO_SPACE, Batch
from hipercow_tui.purging.batch_name import bundle_file, bundle_name
from hipercow_tui.purging.chain_units import ChainUnit
from hipercow_tui.purging.file_changes import (
    NOT_DONE,
    exists,
    link,
    rename,
    unlink,
)
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.purging.root_dirs import names_in
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.support.errors import os_error_text
from hipercow_tui.support.text import short_id

DELETED_TEXT = "another process deleted it in the meantime"
# The errors of file systems without hard links, of Linux for a file of another user, and of a disk
# that is too full for another hard link.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, *NO_SPACE}


def restore_unit(
    batch: Batch, unit: ChainUnit, reason: str, record: RunRecord, failed_id: str | None = None
) -> None:
    """Put back all tasks of a unit that were moved, and record that the whole unit stays.

    ``reason`` is that of the unit, or of the task ``failed_id``, whose result is recorded already.
    """
    record.kept_units.add(unit)
    if failed_id is not None:
        reason = f"its retry chain stays, because of {short_id(failed_id)}: {reason}"
    for task_id in unit.ids:
        if task_id != failed_id:
            restore_task(batch, task_id, reason, record)


def restore_task(batch: Batch, task_id: str, reason: str, record: RunRecord) -> None:
    """Put a task back, if it was moved, and record why it stays."""
    try:
        if not exists(task_id, batch.tasks):
            _record_unmoved(task_id, reason, batch.dirs.has_task(task_id), record)
            return
        _move_task_back(batch, task_id, record)
    except OSError as error:
        where = batch.quarantine("tasks", task_id)
        record.failed.append(ItemResult(task_id, _not_put_back(reason, error), where))
    else:
        record.put_back.append(ItemResult(task_id, reason))


def restore_bundle(batch: Batch, name: str, reason: str, record: RunRecord) -> None:
    """Put a bundle back, if it was moved, and record why it stays."""
    record.finished_bundles.add(name)
    try:
        if not exists(bundle_file(name), batch.bundles):
            in_place = batch.dirs.has_bundle(name)
            _record_unmoved(name, reason, in_place, record, is_bundle=True)
            return
        _move_bundle_back(batch, name)
    except OSError as error:
        where = batch.quarantine("bundles", bundle_file(name))
        record.failed.append(ItemResult(name, _not_put_back(reason, error), where, is_bundle=True))
    else:
        record.put_back.append(ItemResult(name, reason, is_bundle=True))


def fix_wrong_records(batch: Batch, record: RunRecord) -> None:
    """Put back or quarantine what is still in the batch, although it is recorded as outside it.

    A file system that reports success for a rename it did not do causes such results, so the record
    is valid only after this. Costs two listings, or nothing if the record is empty. Raises
    PurgeError if the batch can't be listed.
    """
    wrong = _find_wrong_records(batch, record)
    for item in wrong:
        record.withdraw(item)
        if item.where is not None:
            where = batch.quarantine(*_entry(item))
            record.failed.append(replace(item, where=where))
        elif item.is_bundle:
            restore_bundle(batch, item.name, item.reason, record)
        else:
            restore_task(batch, item.name, item.reason, record)
    for item in _find_wrong_records(batch, record) if wrong else ():
        record.withdraw(item)
        reason = _not_put_back(item.reason, OSError(errno.EIO, NOT_DONE))
        record.failed.append(replace(item, reason=reason, where=_path_in(batch, item)))


def _find_wrong_records(batch: Batch, record: RunRecord) -> Sequence[ItemResult]:
    staying = (*record.put_back, *record.vanished, *record.failed)
    if not staying:
        return ()
    tasks = names_in(batch.tasks, batch.path / "tasks")
    bundles = set(map(bundle_name, names_in(batch.bundles, batch.path / "bundles")))
    return [
        one
        for one in staying
        if one.name in (bundles if one.is_bundle else tasks) and one.where != _path_in(batch, one)
    ]


def _path_in(batch: Batch, item: ItemResult) -> Path:
    return batch.path.joinpath(*_entry(item))


def _entry(item: ItemResult) -> tuple[str, str]:
    """Return the subfolder of a batch for a task or bundle, and its name there."""
    return ("bundles", bundle_file(item.name)) if item.is_bundle else ("tasks", item.name)


def _record_unmoved(
    name: str, reason: str, in_place: bool, record: RunRecord, *, is_bundle: bool = False
) -> None:
    if in_place:
        record.put_back.append(ItemResult(name, reason, is_bundle=is_bundle))
    else:
        record.vanished.append(ItemResult(name, DELETED_TEXT, is_bundle=is_bundle))


def _move_task_back(batch: Batch, task_id: str, record: RunRecord) -> None:
    try:
        _rename_back(batch, task_id, record)
    except FileNotFoundError:  # another process removed the empty tasks/ab
        batch.dirs.close_shard()
        ensure_folder(task_id[:2], batch.dirs.tasks)
        _rename_back(batch, task_id, record)


def _rename_back(batch: Batch, task_id: str, record: RunRecord) -> None:
    """Rename a task into its place, if nothing is there.

    A rename replaces an empty folder, so this looks first. Another process could make a folder
    between the two calls, but only one that knows this random id.
    """
    shard = batch.dirs.shard(task_id)
    if exists(task_id[2:], shard):
        raise _occupied_error(task_id)
    rename(task_id, task_id[2:], batch.tasks, shard, record.many_are_open)


def _move_bundle_back(batch: Batch, name: str) -> None:
    """Link and unlink a bundle: unlike a rename, a link never replaces anything."""
    with batch.dirs.bundle(name, make=True) as (folder, last):
        _link_back(bundle_file(name), batch.bundles, last, folder)


def _link_back(file: str, source: int, name: str, folder: int) -> None:
    try:
        link(file, name, source, folder)
    except FileExistsError:
        raise _occupied_error(name) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if exists(name, folder):
            raise _occupied_error(name) from None
        rename(file, name, source, folder)
        return
    # The bundle is back. If this fails, fix_wrong_records removes the second name.
    with suppress(OSError):
        unlink(file, source)


def _occupied_error(name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "something else already exists there", name)


def _not_put_back(reason: str, error: OSError) -> str:
    return join_reasons(reason, f"it can't be put back: {os_error_text(error)}")


def join_reasons(*reasons: str) -> str:
    """Return the reasons that are not empty, separated by semicolons."""
    return "; ".join(filter(None, reasons))
