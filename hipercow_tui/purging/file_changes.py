"""Rename, remove and make entries of open folders, and check the result after an error.

The reply to a change can be wrong (docs/spec.md, rule 17). A network file system that loses a reply
sends the request again; the server has made the change already, and the second request fails. So
each function looks at the entries after an error, and returns normally if the change was made. The
first attempt costs no extra call.

The opposite error, a change that was reported but not made, is not noticed here. The code that
reports a change, or can't go back after it, looks at the folders once at the end of a step.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable

from hipercow_tui.support import filesystem

BUSY_TIME = 5.0  # seconds to try again to rename what another program has open: once for a chain
_FIRST_PAUSE = 0.01  # seconds between two tries; it doubles
_LONGEST_PAUSE = 0.5
NOT_DONE = "the file system reported that it was done, but it was not"


def exists(name: str, folder: int) -> bool:
    """Return whether the folder has an entry of that name, also a dangling link. Raises OSError."""
    try:
        filesystem.stat_in(name, folder)
    except FileNotFoundError:
        return False
    return True


def check_exists(name: str, folder: int) -> None:
    """Raise OSError if the folder has no entry of that name, after a change that made one."""
    if not exists(name, folder):
        raise OSError(errno.EIO, NOT_DONE)


def rename(
    source: str,
    target: str,
    source_folder: int,
    target_folder: int,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Rename an entry to a name that does not exist yet.

    If the entry is open in another program, this is tried again for ``BUSY_TIME``, or until
    ``stopped`` returns true: a virus scanner has a file open for a moment. Raises OSError if it was
    not done, or if neither place can be examined after an error. FileNotFoundError can mean that
    the entry or one of the folders is gone.
    """
    first = True

    def move() -> None:
        nonlocal first
        if not first and exists(target, target_folder):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        first = False
        try:
            filesystem.rename(source, target, source_folder, target_folder)
        except OSError:
            if not _is_moved(source, target, source_folder, target_folder):
                raise

    try_while_open(move, stopped)


def replace(source: str, target: str, folder: int) -> None:
    """Rename a file in an open folder, and replace a file that has the name. It is tried again and
    raises OSError as ``rename`` does."""

    def move() -> None:
        try:
            filesystem.replace(source, target, folder)
        except OSError:
            if not _is_moved(source, target, folder, folder):
                raise

    try_while_open(move)


def try_while_open(
    change: Callable[[], object], stopped: Callable[[], bool] = lambda: False
) -> None:
    """Call ``change``, and again while it fails because something is open in another program, for
    ``BUSY_TIME`` or until ``stopped`` returns true. Raises OSError as ``change`` does."""
    end, pause = time.monotonic() + BUSY_TIME, _FIRST_PAUSE
    while True:
        try:
            change()
            return
        except OSError as error:
            if error.strerror != filesystem.OPEN_ELSEWHERE:
                raise
            if time.monotonic() >= end or stopped():
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def unlink(name: str, folder: int) -> None:
    """Remove a file; one that is already gone is no error. Raises OSError if it still exists."""
    try:
        filesystem.unlink(name, folder)
    except FileNotFoundError:
        return
    except OSError:
        if not _is_gone(name, folder):
            raise


def remove_folder(name: str, folder: int) -> None:
    """Remove an empty folder; one that is already gone is no error. Raises OSError if it still
    exists."""
    try:
        filesystem.remove_folder(name, folder)
    except FileNotFoundError:
        return
    except OSError:
        if not _is_gone(name, folder):
            raise


def make_folder(name: str, folder: int, mode: int) -> None:
    """Make a folder that must be new. Raises OSError, and FileExistsError if the name is taken."""
    try:
        filesystem.make_folder(name, folder, mode)
    except FileExistsError:
        raise
    except OSError:
        if not _is_folder(name, folder):
            raise


def link(source: str, target: str, source_folder: int, target_folder: int) -> None:
    """Give a file a second name, and check that both names lead to it: the caller is about to
    remove the first. Raises OSError, and FileExistsError if something else has the second name."""
    try:
        filesystem.link(source, target, source_folder, target_folder)
    except OSError:
        if not _is_same_file(source, target, source_folder, target_folder):
            raise
    else:
        if not _is_same_file(source, target, source_folder, target_folder):
            raise OSError(errno.EIO, NOT_DONE)


def _is_moved(source: str, target: str, source_folder: int, target_folder: int) -> bool:
    try:
        return not exists(source, source_folder) and exists(target, target_folder)
    except OSError:
        return False


def _is_gone(name: str, folder: int) -> bool:
    try:
        return not exists(name, folder)
    except OSError:
        return False


def _is_folder(name: str, folder: int) -> bool:
    try:
        return stat.S_ISDIR(filesystem.stat_in(name, folder).st_mode)
    except OSError:
        return False


def _is_same_file(source: str, target: str, source_folder: int, target_folder: int) -> bool:
    try:
        one = filesystem.stat_in(source, source_folder)
        other = filesystem.stat_in(target, target_folder)
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
