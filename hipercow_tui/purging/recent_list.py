"""Edit the list of recent tasks of Python, ``hipercow/py/recent``: one id a line, the newest last.

hipercow appends to the list without a lock (``_task_create``), so the list is never rewritten in
place. A purge writes the remaining lines to a draft and renames it over the list. Lines that were
appended to the old list meanwhile are then appended to the new one. An undo appends the missing
ids, as hipercow does. ``hipercow task recent --rebuild`` restores the order of creation.

A call may report an error although it succeeded, or success although nothing was done. So the list
is read again after each step, and what can't be ensured is reported.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.py_layout import RECENT
from hipercow_tui.formats.root import TUI_FOLDER
from hipercow_tui.formats.safe_open import open_file, read_file
from hipercow_tui.purging.file_changes import exists, replace
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.support import filesystem
from hipercow_tui.support.errors import os_error_text

DRAFT = f"{TUI_FOLDER}-{RECENT}"  # created exclusively: it is also the lock between purges
LIMIT = 256 << 20  # bytes: 8 million tasks
APPEND_GRACE = 0.02  # seconds that a program needs to append to a list that it has opened
ABANDONED = 5.0  # seconds without a change after which the owner of a draft counts as dead
LOCK_TIMEOUT = 30.0  # seconds to wait for other purges
_POLL = 0.005  # seconds
_ATTEMPTS = 5  # to append
_CHUNK = 1 << 20  # bytes
_STILL_LISTED = "purged tasks may still be in it"
_MISSING = "tasks may be missing in it"


class _MissingLinesError(Exception):
    """Lines that were appended to the old list could not be appended to the new one."""


def remove_ids(
    dirs: RootDirs, ids: Iterable[str], stopped: Callable[[], bool] = lambda: False
) -> ItemResult | None:
    """Remove the ids of purged tasks from the list of a Python root. Do nothing for R.

    Returns the failure to report, or None. Waits while another purge rewrites the list, for
    ``LOCK_TIMEOUT`` at most; if ``stopped`` returns true meanwhile, the list stays unchanged.
    """
    removed = _as_bytes(ids)
    if dirs.lang is not Lang.PY or not removed:
        return None
    try:
        if _lists_any(removed, dirs.hipercow):
            _rewrite(dirs.hipercow, removed, stopped)
    except _MissingLinesError as error:
        return _failure(_MISSING, str(error), dirs)
    except OSError as error:
        return _failure(_STILL_LISTED, os_error_text(error), dirs)
    return None


def append_ids(dirs: RootDirs, ids: Iterable[str]) -> ItemResult | None:
    """Append the ids of restored tasks that are missing in the list of a Python root, in the given
    order, the oldest first. Do nothing for R. Returns the failure to report, or None."""
    if dirs.lang is not Lang.PY:
        return None
    try:
        _append_missing(list(_as_bytes(ids)), dirs.hipercow)
    except OSError as error:
        return _failure(_MISSING, os_error_text(error), dirs)
    return None


def is_of_removal(result: ItemResult) -> bool:
    """Return whether a result says that purged tasks may still be in the list."""
    return result.is_about_recent_list and result.reason.startswith(_STILL_LISTED)


def _failure(what: str, why: str, dirs: RootDirs) -> ItemResult | None:
    """Return the failure to report; None if there is no list, and so no wrong line."""
    with suppress(OSError):
        if not exists(RECENT, dirs.hipercow):
            return None
    return ItemResult(RECENT, f"{what}: {why}; 'hipercow task recent --rebuild' corrects it")


def _as_bytes(ids: Iterable[str]) -> dict[bytes, None]:
    """Return the ids as bytes, each once and in order."""
    return dict.fromkeys(task_id.encode("ascii") for task_id in ids)


def _rewrite(folder: int, removed: Collection[bytes], stopped: Callable[[], bool]) -> None:
    """Replace the list in the open folder by one without the ids in ``removed``.

    Raises OSError if these may still be listed, and _MissingLinesError if other lines may be lost.
    """
    draft = _create_draft(folder, stopped)
    if draft is None:
        return
    try:
        with ExitStack() as opened:
            old = open_file(RECENT, dir_fd=folder)
            opened.callback(os.close, old)
            _replace(old, opened, draft, folder, removed)
    except OSError:
        with suppress(OSError):
            filesystem.unlink(DRAFT, folder)
        raise
    finally:
        os.close(draft)


def _create_draft(folder: int, stopped: Callable[[], bool]) -> int | None:
    """Create the draft, open for writing, once no other purge has one; None if stopped before."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    seen: tuple[int, int] | None = None
    began = changed = time.monotonic()
    while not stopped():
        try:
            return filesystem.open_to_write(DRAFT, folder, flags, 0o600)
        except FileExistsError:
            now = time.monotonic()
            if now > began + LOCK_TIMEOUT:
                raise OSError(errno.EBUSY, "another purge is writing it") from None
            state = _state_of_draft(folder)
            if state != seen:
                seen, changed = state, now
            elif now > changed + ABANDONED:
                with suppress(FileNotFoundError):
                    filesystem.unlink(DRAFT, folder)
            time.sleep(_POLL)
    return None


def _state_of_draft(folder: int) -> tuple[int, int] | None:
    try:
        found = filesystem.stat_in(DRAFT, folder)
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _replace(
    old: int, opened: ExitStack, draft: int, folder: int, removed: Collection[bytes]
) -> None:
    """Write the draft, rename it over the list ``old``, and append the lines that ``old`` has got
    meanwhile. ``opened`` closes ``old``.

    Windows does not replace a file that a program has open. So ``old`` is closed there before, and
    after that no program appends to it.
    """
    before = _complete_lines(_read_all(old))
    after = b"".join(
        line for line in before.splitlines(keepends=True) if line.strip() not in removed
    )
    _copy_permissions(draft, os.fstat(old))
    _write_all(draft, after)
    os.fsync(draft)
    if read_file(DRAFT, limit=LIMIT, dir_fd=folder) != after:
        raise OSError(errno.EIO, "the new list lacks lines that were written")
    failure = OSError(errno.EIO, "the new list is not in its place")
    known, late = {*_lines(before), *removed}, list[bytes]()
    if sys.platform == "win32":
        late = [line for line in _lines(_read_all(old)) if line not in known]
        opened.close()
    try:
        replace(DRAFT, RECENT, folder)
    except OSError as error:
        failure = error
    try:
        if sys.platform == "win32":
            _append_missing(late, folder)
        else:
            _append_late_lines(old, known, folder)
    except OSError as error:
        raise _MissingLinesError(os_error_text(error)) from None
    if _lists_any(removed, folder):
        raise failure


def _append_late_lines(old: int, known: Collection[bytes], folder: int) -> None:
    """Append the lines of the old list that are not ``known`` to the new one.

    The old list is read twice, because hipercow may have opened it just before the rename, to
    append. A last line without an end may still be in writing, so it counts only the second time.
    """
    for final in (False, True):
        time.sleep(APPEND_GRACE if final else 0.0)
        listed = _read_all(old)
        lines = _lines(listed if final else _complete_lines(listed))
        _append_missing([line for line in lines if line not in known], folder)


def _append_missing(wanted: Collection[bytes], folder: int) -> None:
    """Append the wanted lines that are missing in the list, in one write. Check that they are in
    it, because another purge may replace the list meanwhile. Raises OSError if some are not."""
    failure: OSError | None = None
    for attempt in range(_ATTEMPTS + 1):
        listed = _read(folder)
        present = set(_lines(listed))
        missing = [line for line in wanted if line not in present]
        if not missing:
            return
        if failure or attempt == _ATTEMPTS:
            break
        unended = listed != _complete_lines(listed)
        end = b"\r\n" if b"\r\n" in listed else b"\n"  # as the list has them: Windows wrote it
        try:
            _append(end * unended + b"".join(line + end for line in missing), folder)
        except OSError as error:
            failure = error
    raise failure or OSError(errno.EIO, "the list lacks lines that were appended")


def _append(lines: bytes, folder: int) -> None:
    fd = filesystem.open_to_write(RECENT, folder, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, lines)
    finally:
        os.close(fd)


def _lists_any(ids: Collection[bytes], folder: int) -> bool:
    return not set(ids).isdisjoint(_lines(_read(folder)))


def _lines(listed: bytes) -> list[bytes]:
    """Return the lines that are not blank, stripped."""
    return [line for line in map(bytes.strip, listed.splitlines()) if line]


def _read(folder: int) -> bytes:
    return read_file(RECENT, limit=LIMIT, dir_fd=folder)


def _read_all(fd: int) -> bytes:
    """Read an open file from its start. Raises OSError, also if it is too large."""
    os.lseek(fd, 0, os.SEEK_SET)
    chunks = []
    read = 0
    while chunk := os.read(fd, _CHUNK):
        chunks.append(chunk)
        read += len(chunk)
        if read > LIMIT:
            raise OSError(errno.EFBIG, "is larger than any list of tasks")
    return b"".join(chunks)


def _complete_lines(listed: bytes) -> bytes:
    """Return the list without a last line that has no end."""
    return listed[: listed.rfind(b"\n") + 1]


def _copy_permissions(draft: int, before: os.stat_result) -> None:
    """Let the same users append to the new list as to the old one: on Windows they may anyway.
    Raises OSError if that is not possible: hipercow would then fail to create their tasks."""
    if sys.platform == "win32":
        return
    for owner in (before.st_uid, -1):  # only an administrator can change the owner
        with suppress(OSError):
            os.fchown(draft, owner, before.st_gid)
            break
    os.fchmod(draft, stat.S_IMODE(before.st_mode))
    after = os.fstat(draft)
    same_owner = before.st_uid == after.st_uid
    by_group = before.st_gid == after.st_gid and before.st_mode & stat.S_IWGRP
    if not (same_owner or by_group or before.st_mode & stat.S_IWOTH):
        raise PermissionError(
            errno.EPERM,
            "it belongs to another user, and the new list would not be writable for that user",
        )


def _write_all(fd: int, data: bytes) -> None:
    """Write all of ``data``. On a disk that fills up, one call may write only a part."""
    while data:
        data = data[os.write(fd, data) :]
