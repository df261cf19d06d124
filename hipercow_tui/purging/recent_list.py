"""Python's list of recent tasks, ``hipercow/py/recent``: an id a line, the newest last.

hipercow appends to the list without a lock (``_task_create``), so the list is never written in
place. A purge writes the lines that stay to a draft and renames the draft over the list; lines that
were appended to the old list meanwhile are appended to the new one. An undo appends the ids that
are missing, as hipercow does. ``hipercow task recent --rebuild`` restores the order of creation.

A call may fail although it was done, or report success although nothing was done. So each step is
judged by reading the list again, and what can't be assured is reported.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.py_layout import RECENT
from hipercow_tui.formats.safe_open import open_file, read_file
from hipercow_tui.purging.batch_name import TUI_FOLDER
from hipercow_tui.purging.file_changes import exists
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.purging.root_dirs import RootDirs
from hipercow_tui.support.errors import os_error_text

DRAFT = f"{TUI_FOLDER}-{RECENT}"  # created exclusively, so it is also the lock between purges
LIMIT = 256 << 20  # bytes: 8 million tasks
APPEND_GRACE = 0.02  # seconds in which a program that opened the old list has appended to it
ABANDONED = 5.0  # seconds without a change after which a draft belongs to a process that died
PATIENCE = 30.0  # seconds to wait for other purges
_POLL = 0.005  # seconds
_ATTEMPTS = 5  # to append, each followed by a look at the list
_PIECE = 1 << 20  # bytes
_STILL_LISTED = "tasks that are gone may still be in it"
_MISSING = "tasks may be missing in it"


class _MissingLinesError(Exception):
    """Lines that belong in the new list could not be appended to it."""


def remove_ids(
    dirs: RootDirs, ids: Iterable[str], stopped: Callable[[], bool] = lambda: False
) -> ItemResult | None:
    """Take the ids of purged tasks out of the list of a Python root, as far as they are in it.

    Returns what failed, None if nothing did. Waits while another purge rewrites the list, for
    ``PATIENCE`` at most; ``stopped`` ends that wait, and then the list is unchanged.
    """
    gone = _as_bytes(ids)
    if dirs.lang is not Lang.PY or not gone:
        return None
    try:
        if _lists_any(gone, dirs.hipercow):
            _rewrite(dirs.hipercow, gone, stopped)
    except _MissingLinesError as error:
        return _failure(_MISSING, str(error), dirs)
    except OSError as error:
        return _failure(_STILL_LISTED, os_error_text(error), dirs)
    return None


def append_ids(dirs: RootDirs, ids: Iterable[str]) -> ItemResult | None:
    """Append the ids of restored tasks, the oldest first, to the list of a Python root, as far as
    they are missing in it. Returns what failed, None if nothing did."""
    if dirs.lang is not Lang.PY:
        return None
    try:
        _append_missing(list(_as_bytes(ids)), dirs.hipercow)
    except OSError as error:
        return _failure(_MISSING, os_error_text(error), dirs)
    return None


def is_of_removal(outcome: ItemResult) -> bool:
    """Whether the outcome says that gone tasks may still be in the list."""
    return outcome.is_of_list and outcome.reason.startswith(_STILL_LISTED)


def _failure(what: str, why: str, dirs: RootDirs) -> ItemResult | None:
    """The outcome to report; None where there is no list, which has no wrong lines either."""
    with suppress(OSError):
        if not exists(RECENT, dirs.hipercow):
            return None
    return ItemResult(RECENT, f"{what}: {why}; 'hipercow task recent --rebuild' corrects it")


def _as_bytes(ids: Iterable[str]) -> dict[bytes, None]:
    """The ids, each once and in order."""
    return dict.fromkeys(task_id.encode("ascii") for task_id in ids)


def _rewrite(folder: int, gone: Collection[bytes], stopped: Callable[[], bool]) -> None:
    """Replace the list in the open folder by one without the ids in ``gone``.

    Raises OSError if these may still be listed, _MissingLinesError if other lines may be lost.
    """
    draft = _create_draft(folder, stopped)
    if draft is None:
        return
    try:
        old = open_file(RECENT, dir_fd=folder)
        try:
            _replace(old, draft, folder, gone)
        finally:
            os.close(old)
    except OSError:
        with suppress(OSError):
            os.unlink(DRAFT, dir_fd=folder)
        raise
    finally:
        os.close(draft)


def _create_draft(folder: int, stopped: Callable[[], bool]) -> int | None:
    """A new draft, open for writing, once no other purge has one; None if stopped before."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    seen: tuple[int, int] | None = None
    began = changed = time.monotonic()
    while not stopped():
        try:
            return os.open(DRAFT, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            now = time.monotonic()
            if now > began + PATIENCE:
                raise OSError(errno.EBUSY, "another purge is writing it") from None
            state = _state_of_draft(folder)
            if state != seen:
                seen, changed = state, now
            elif now > changed + ABANDONED:
                with suppress(FileNotFoundError):
                    os.unlink(DRAFT, dir_fd=folder)
            time.sleep(_POLL)
    return None


def _state_of_draft(folder: int) -> tuple[int, int] | None:
    try:
        found = os.stat(DRAFT, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _replace(old: int, draft: int, folder: int, gone: Collection[bytes]) -> None:
    """Write the draft, rename it over the list ``old``, and append what ``old`` has got since."""
    listed = _whole(old)
    whole_lines = _without_last_part(listed)
    fresh = b"".join(
        line for line in whole_lines.splitlines(keepends=True) if line.strip() not in gone
    )
    _hand_over(draft, os.fstat(old))
    _write(draft, fresh)
    os.fsync(draft)
    if read_file(DRAFT, limit=LIMIT, dir_fd=folder) != fresh:
        raise OSError(errno.EIO, "the new list lacks lines that were written")
    failure = OSError(errno.EIO, "the new list is not in its place")
    try:
        os.rename(DRAFT, RECENT, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        failure = error
    try:
        _bring_over(old, {*_lines(whole_lines), *gone}, folder)
    except OSError as error:
        raise _MissingLinesError(os_error_text(error)) from None
    if _lists_any(gone, folder):
        raise failure


def _bring_over(old: int, known: Collection[bytes], folder: int) -> None:
    """Append to the list what the old one holds and is not ``known``.

    Looks twice: hipercow opens the list by its name for each task, and may have done so just before
    the rename. A last line without an end may still be written, so it waits for the second look.
    """
    for final in (False, True):
        time.sleep(APPEND_GRACE if final else 0.0)
        now = _whole(old)
        lines = _lines(now if final else _without_last_part(now))
        _append_missing([line for line in lines if line not in known], folder)


def _append_missing(wanted: Collection[bytes], folder: int) -> None:
    """Append the wanted lines that are missing in the list, in one write, and check that they are
    there: another purge may have replaced the list meanwhile. Raises OSError if some are not."""
    failure: OSError | None = None
    for _ in range(_ATTEMPTS if wanted else 0):
        listed = _read(folder)
        present = set(_lines(listed))
        missing = [line for line in wanted if line not in present]
        if not missing:
            return
        if failure is not None:
            raise failure
        unended = listed != _without_last_part(listed)
        try:
            _append(b"\n" * unended + b"".join(line + b"\n" for line in missing), folder)
        except OSError as error:
            failure = error
    if not set(_lines(_read(folder))).issuperset(wanted):
        raise failure or OSError(errno.EIO, "the list lacks lines that were appended")


def _append(lines: bytes, folder: int) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    fd = os.open(RECENT, flags, dir_fd=folder)
    try:
        os.write(fd, lines)
    finally:
        os.close(fd)


def _lists_any(ids: Collection[bytes], folder: int) -> bool:
    return not set(ids).isdisjoint(_lines(_read(folder)))


def _lines(listed: bytes) -> list[bytes]:
    """The text of the lines that are not blank."""
    return [line for line in map(bytes.strip, listed.splitlines()) if line]


def _read(folder: int) -> bytes:
    return read_file(RECENT, limit=LIMIT, dir_fd=folder)


def _whole(fd: int) -> bytes:
    """All that the open file holds by now."""
    os.lseek(fd, 0, os.SEEK_SET)
    pieces = []
    read = 0
    while piece := os.read(fd, _PIECE):
        pieces.append(piece)
        read += len(piece)
        if read > LIMIT:
            raise OSError(errno.EFBIG, "is larger than any list of tasks")
    return b"".join(pieces)


def _without_last_part(listed: bytes) -> bytes:
    """The lines that have an end."""
    return listed[: listed.rfind(b"\n") + 1]


def _hand_over(draft: int, before: os.stat_result) -> None:
    """Let the same people append to the new list as to the old one. Raises OSError where that is
    not allowed: hipercow would fail to make their tasks."""
    for owner in (before.st_uid, -1):  # only an administrator gives files away
        with suppress(OSError):
            os.fchown(draft, owner, before.st_gid)
            break
    os.fchmod(draft, stat.S_IMODE(before.st_mode))
    after = os.fstat(draft)
    same_owner = before.st_uid == after.st_uid
    by_group = before.st_gid == after.st_gid and before.st_mode & stat.S_IWGRP
    if not (same_owner or by_group or before.st_mode & stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "it is another user's, who could not append to it then")


def _write(fd: int, data: bytes) -> None:
    """All of it: on a disk that fills up, a call may write a part."""
    while data:
        data = data[os.write(fd, data) :]
