"""Python's list of recent tasks, ``hipercow/py/recent``: an id a line, the newest last.

hipercow appends to it without a lock (``_task_create``), so it is never written in place: what
stays is written to a new file that is renamed over it, and what arrived in the old one meanwhile,
or a moment later, is appended to the new. That is best effort, and ``hipercow task recent
--rebuild`` makes it anew. A copy of the old list is kept in the lot, so that who brings tasks back
knows their order; where there is no room for a new file, that copy becomes it.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

from hipercow_tui.model import TASK_ID, Lang
from hipercow_tui.purging.lot import (
    NO_ROOM,
    RECENT_COPY,
    RECENT_COPY_DRAFT,
    RECENT_DRAFT,
    Lot,
)
from hipercow_tui.purging.manifest import write_whole
from hipercow_tui.purging.names import TUI
from hipercow_tui.purging.outcome import Outcome
from hipercow_tui.purging.places import Places, because
from hipercow_tui.roots.files import open_file, read_file
from hipercow_tui.text import decoded

RECENT = "recent"
LIMIT = 1 << 30  # bytes: 30 million tasks
# Seconds: who opened the list just before another took its place has written by then.
LINGER = 0.02
_PIECE = 1 << 20
_PATIENCE = 5.0  # seconds; a purge that stands still must not hold up another


def take_out(lot: Lot, ids: Collection[str]) -> None:
    """Take these ids out of the list, after keeping a copy of it in the lot. Raises OSError, and
    then the list is as it was."""
    gone = _words(ids)

    def without(listed: bytes) -> bytes:
        left = _without(listed, gone)
        if left != listed:
            with suppress(FileNotFoundError):
                os.unlink(RECENT_COPY_DRAFT, dir_fd=lot.folder)  # of who died here before us
            write_whole(RECENT_COPY, RECENT_COPY_DRAFT, listed, lot.folder)
        return left

    change = _Change(without, lambda late: _without(late, gone))
    _rewrite(lot.places, change, RECENT_DRAFT, lot.folder)


def forget_erased(places: Places, ids: Collection[str]) -> Outcome | None:
    """Take the ids of tasks that are erased out of the list of a Python root, as far as they stand
    in it still: where there was no room, nothing could be written before. Returns what failed."""
    if places.lang is not Lang.PY or not ids:
        return None
    gone = _words(ids)

    def without(listed: bytes) -> bytes:
        return _without(listed, gone)

    try:
        _rewrite(places, _Change(without, without), f"{TUI}-{RECENT}", places.hipercow)
    except OSError as error:
        return stays(error)
    return None


def put_back(lot: Lot, ids: Collection[str]) -> None:
    """Put these ids back where they stood in the list, as far as the lot has a copy of it, and
    somebody has not removed the list since. Raises OSError."""
    try:
        before = read_file(RECENT_COPY, limit=LIMIT, dir_fd=lot.folder)
    except FileNotFoundError:
        return
    wanted = _words(ids)
    older = _older(lot.places)
    change = _Change(lambda listed: merged(listed, before, wanted, older), lambda late: late)
    try:
        _rewrite(lot.places, change, RECENT_DRAFT, lot.folder)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _rewrite(lot.places, change, RECENT_COPY, lot.folder)  # as long as the new list, or nearly


def stays(error: OSError) -> Outcome:
    """Why the list stays as it is, and what to do."""
    why = f"it can't be brought up to date: {because(error)}"
    return Outcome(RECENT, f"{why}; 'hipercow task recent --rebuild' can")


def is_of_list(outcome: Outcome) -> bool:
    """Whether it is what became of the list, and not of a task or bundle."""
    return outcome.name == RECENT and not outcome.is_bundle


def _words(ids: Iterable[str]) -> set[bytes]:
    return {task_id.encode("ascii") for task_id in ids}


def _without(listed: bytes, gone: Collection[bytes]) -> bytes:
    return b"".join(line for line in _lines(listed) if line.strip() not in gone)


def merged(
    listed: bytes,
    before: bytes,
    wanted: Collection[bytes],
    older: Callable[[bytes, bytes], bool] = lambda one, other: False,
) -> bytes:
    """The list with the ``wanted`` ids that it lacks, each after what it stood behind ``before``
    and is still there. Where lines follow that did not stand there then, because their tasks were
    in the trash or are new, it goes behind those that are ``older``."""
    known = {line.strip() for line in _lines(before)}
    behind = _behind(listed, before, wanted)
    if not behind:
        return listed
    result: list[bytes] = []
    due = behind.pop(None, deque())
    for line in _lines(listed):
        word = line.strip()
        while due and (word in known or not older(word, due[0])):
            result.append(due.popleft() + b"\n")
        result.append(line)
        if word in behind:
            due = behind.pop(word)
    if due and result:
        result[-1] = result[-1].rstrip(b"\n") + b"\n"
    return b"".join([*result, *(word + b"\n" for word in due)])


def _behind(
    listed: bytes, before: bytes, wanted: Collection[bytes]
) -> dict[bytes | None, deque[bytes]]:
    """What the list lacks of the wanted ids, by the last line before them that it has; None for
    those that stood before any of its lines."""
    present = {line.strip() for line in _lines(listed)}
    behind: dict[bytes | None, deque[bytes]] = {}
    ahead = None
    for line in _lines(before):
        word = line.strip()
        if word in present:
            ahead = word
        elif word in wanted:
            behind.setdefault(ahead, deque()).append(word)
    return behind


def _older(places: Places) -> Callable[[bytes, bytes], bool]:
    """Whether one task was made before another, by their files; no if that is not known."""

    @cache
    def made(word: bytes) -> int | None:
        task_id = decoded(word)
        if not TASK_ID.match(task_id):
            return None
        try:
            data = f"{task_id[2:]}/data"
            return os.stat(data, dir_fd=places.shard(task_id), follow_symlinks=False).st_mtime_ns
        except OSError:
            return None

    def older(one: bytes, other: bytes) -> bool:
        first, second = made(one), made(other)
        return first is not None and second is not None and first < second

    return older


def _lines(listed: bytes) -> Iterable[bytes]:
    return listed.splitlines(keepends=True)


@dataclass(frozen=True, slots=True)
class _Change:
    """What to make of the list, and what of lines that arrived while that was written."""

    of_list: Callable[[bytes], bytes]
    of_late: Callable[[bytes], bytes]


def _rewrite(places: Places, change: _Change, draft: str, drafts: int) -> None:
    """Replace the list by what ``change`` makes of it, through the file ``draft`` in the open
    folder ``drafts``; where there is no list, or nothing changes, nothing is written."""
    try:
        old = _claimed(places.hipercow)
    except FileNotFoundError:
        return
    try:
        listed = _whole(old)
        fresh = change.of_list(listed)
        if fresh == listed:
            return
        with _drafted(draft, drafts, fresh, old):
            os.rename(draft, RECENT, src_dir_fd=drafts, dst_dir_fd=places.hipercow)
            _bring_over(old, listed, fresh, change, places.hipercow)
    finally:
        os.close(old)


def _claimed(folder: int) -> int:
    """The list, open, and locked against others of us: while one waits, another puts a new list in
    its place."""
    while True:
        fd = open_file(RECENT, dir_fd=folder)
        try:
            _lock(fd)
            now = os.stat(RECENT, dir_fd=folder, follow_symlinks=False)
            if os.path.samestat(os.fstat(fd), now):
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _lock(fd: int) -> None:
    """As well as the file system can; hipercow itself asks for no lock."""
    import fcntl  # not where purging is refused anyway

    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LINGER / 4)
        except OSError:  # NFS without locks
            return
        else:
            return


def _whole(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    pieces = []
    read = 0
    while piece := os.read(fd, _PIECE):
        pieces.append(piece)
        read += len(piece)
        if read > LIMIT:
            raise OSError(errno.EFBIG, "is larger than any list of tasks")
    return b"".join(pieces)


def _bring_over(old: int, listed: bytes, fresh: bytes, change: _Change, folder: int) -> None:
    """Append to the new list what arrived in the old one after it was read as ``listed``.

    Looks twice: hipercow opens the list by its name for each task, and may have done so just before
    the rename. What was written anew meanwhile, by ``--rebuild``, is searched for what we lack.
    """
    for wait in (0.0, LINGER):
        time.sleep(wait)
        now = _whole(old)
        if now == listed:
            continue
        if now.startswith(listed):
            late = now[len(listed) :]
        else:
            known = {line.strip() for line in _lines(fresh)}
            late = b"".join(line for line in _lines(now) if line.strip() not in known)
        if late := change.of_late(late):
            _append(late, folder)
        listed, fresh = now, fresh + late


@contextmanager
def _drafted(name: str, folder: int, data: bytes, old: int) -> Iterator[None]:
    """A new file of that name, to which the same people may append as to the old one; the copy is
    written anew in the room that it has. It is ours until left: whoever finds it in the place of
    the list waits for what is still to be appended."""
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    copied = name == RECENT_COPY
    if not copied:
        flags |= os.O_CREAT | os.O_EXCL
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)  # of who died here before us
    fd = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        _lock(fd)
        _hand_over(fd, os.fstat(old))
        _write(fd, data)
        os.ftruncate(fd, len(data))
        os.fsync(fd)
        yield
    except OSError:
        if not copied:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(fd)


def _hand_over(fd: int, before: os.stat_result) -> None:
    for owner in (before.st_uid, -1):  # only an administrator gives files away
        with suppress(OSError):
            os.fchown(fd, owner, before.st_gid)
            break
    os.fchmod(fd, stat.S_IMODE(before.st_mode))
    _check_rights(before, os.fstat(fd))


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
        _write(fd, late)
    finally:
        os.close(fd)


def _write(fd: int, data: bytes) -> None:
    """All of it: on a disk that fills up, a call may write a part."""
    while data:
        data = data[os.write(fd, data) :]
