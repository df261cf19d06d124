"""Python's list of recent tasks, ``hipercow/py/recent``: an id a line, the newest last.

hipercow appends to it without a lock (``_task_create``), so it is never written in place: what
stays is written to a new file that is renamed over it, and what arrived in the old one meanwhile is
appended to the new. That is best effort, and ``hipercow task recent --rebuild`` makes it anew. A
copy of the old list is kept in the lot, so that who brings tasks back knows their order.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from hipercow_tui.purging.lot import RECENT_COPY, RECENT_COPY_DRAFT, RECENT_DRAFT, Lot
from hipercow_tui.purging.manifest import write_whole
from hipercow_tui.purging.names import TUI
from hipercow_tui.purging.places import Places, because
from hipercow_tui.roots.files import open_file, read_file

RECENT = "recent"
LIMIT = 1 << 30  # bytes: 30 million tasks
_PIECE = 1 << 20


def take_out(lot: Lot, ids: Collection[str]) -> None:
    """Take these ids out of the list, after keeping a copy of it in the lot. Raises OSError, and
    then the list is as it was."""

    def without(listed: bytes) -> bytes:
        left = _without(listed, ids)
        if left != listed:
            with suppress(FileNotFoundError):
                os.unlink(RECENT_COPY_DRAFT, dir_fd=lot.folder)  # of who died here before us
            write_whole(RECENT_COPY, RECENT_COPY_DRAFT, listed, lot.folder)
        return left

    _rewrite(lot.places, without, RECENT_DRAFT, lot.folder)


def take_out_without_lot(places: Places, ids: Collection[str]) -> None:
    """The same where there is no room for a lot, and no way back. Raises OSError."""
    draft = f"{TUI}-{RECENT}"
    _rewrite(places, lambda listed: _without(listed, ids), draft, places.hipercow)


def put_back(lot: Lot, ids: Collection[str]) -> None:
    """Put these ids back where they stood in the list, as far as the lot has a copy of it, and
    somebody has not removed the list since. Raises OSError."""
    try:
        before = read_file(RECENT_COPY, limit=LIMIT, dir_fd=lot.folder)
    except FileNotFoundError:
        return
    wanted = {task_id.encode("ascii") for task_id in ids}
    _rewrite(lot.places, lambda listed: merged(listed, before, wanted), RECENT_DRAFT, lot.folder)


def stays(error: OSError) -> str:
    """Why the list stays as it is, and what to do."""
    return f"it can't be brought up to date: {because(error)}; 'hipercow task recent --rebuild' can"


def _without(listed: bytes, ids: Collection[str]) -> bytes:
    gone = {task_id.encode("ascii") for task_id in ids}
    return b"".join(line for line in _lines(listed) if line.strip() not in gone)


def merged(listed: bytes, before: bytes, wanted: Collection[bytes]) -> bytes:
    """The list with the ``wanted`` ids that it lacks, each after what it stood behind ``before``
    and is still there."""
    present = {line.strip() for line in _lines(listed)}
    behind: dict[bytes, list[bytes]] = {}
    ahead = b""
    for line in _lines(before):
        word = line.strip()
        if word in present:
            ahead = word
        elif word in wanted:
            behind.setdefault(ahead, []).append(word + b"\n")
    if not behind:
        return listed
    result = behind.pop(b"", [])
    for line in _lines(listed):
        result.append(line)
        if followers := behind.pop(line.strip(), None):
            result[-1] = line.rstrip(b"\n") + b"\n"
            result += followers
    return b"".join(result)


def _lines(listed: bytes) -> Iterable[bytes]:
    return listed.splitlines(keepends=True)


def _rewrite(places: Places, change: Callable[[bytes], bytes], draft: str, drafts: int) -> None:
    """Replace the list by what ``change`` makes of it, through the file ``draft`` in the open
    folder ``drafts``; where there is no list, or nothing changes, nothing is written."""
    try:
        old = open_file(RECENT, dir_fd=places.hipercow)
    except FileNotFoundError:
        return
    try:
        listed = _read_on(old)
        fresh = change(listed)
        if fresh == listed:
            return
        try:
            _write_draft(draft, drafts, fresh, old)
            os.rename(draft, RECENT, src_dir_fd=drafts, dst_dir_fd=places.hipercow)
        except OSError:
            with suppress(OSError):
                os.unlink(draft, dir_fd=drafts)
            raise
        if late := _read_on(old):
            _append(late, places.hipercow)
    finally:
        os.close(old)


def _read_on(fd: int) -> bytes:
    """From where it was read to, to the end."""
    pieces = []
    read = 0
    while piece := os.read(fd, _PIECE):
        pieces.append(piece)
        read += len(piece)
        if read > LIMIT:
            raise OSError(errno.EFBIG, "is larger than any list of tasks")
    return b"".join(pieces)


def _write_draft(name: str, folder: int, data: bytes, old: int) -> None:
    """A file that the same people may append to as to the old one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    status = os.fstat(old)
    with open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        for owner in (status.st_uid, -1):  # only an administrator gives files away
            with suppress(OSError):
                os.fchown(file.fileno(), owner, status.st_gid)
                break
        os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        _check_rights(status, os.fstat(file.fileno()))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _check_rights(before: os.stat_result, after: os.stat_result) -> None:
    """Where others could not append any more, hipercow would fail to make their tasks."""
    same_owner = before.st_uid == after.st_uid
    by_group = before.st_gid == after.st_gid and before.st_mode & stat.S_IWGRP
    if not (same_owner or by_group or before.st_mode & stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "it is another user's, who could not append to it then")


def _append(late: bytes, folder: int) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    fd = os.open(RECENT, flags, dir_fd=folder)
    try:
        os.write(fd, late)
    finally:
        os.close(fd)
