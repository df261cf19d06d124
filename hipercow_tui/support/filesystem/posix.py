"""The functions of the package on POSIX systems: calls of ``os`` relative to a descriptor.

``os`` is looked up at each call: tests replace its functions.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from typing import TypeAlias

from hipercow_tui.support.filesystem.values import OPEN_ELSEWHERE

if sys.platform != "win32":
    from hipercow_tui.support.filesystem.mounts import folder_status

assert sys.platform != "win32"

Status: TypeAlias = os.stat_result
Entry: TypeAlias = "os.DirEntry[str]"

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | _NO_LINK
_FILE_FLAGS = os.O_RDONLY | os.O_NONBLOCK | _NO_LINK
_BY_EFFECTIVE_IDS = os.access in os.supports_effective_ids
# The replies of file systems that can't write folders to the disk on request (some FUSE, SMB).
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS}


def open_folder(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """Open a folder and return its descriptor; the caller closes it.

    Raises OSError, also if the last part of ``path`` is a symbolic link.
    """
    return os.open(path, _FOLDER_FLAGS, dir_fd=dir_fd)


def open_file(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """Open a file for reading and return its descriptor; the caller closes it. Never blocks.

    Raises OSError, also if the last part of ``path`` is a symbolic link.
    """
    return os.open(path, _FILE_FLAGS, dir_fd=dir_fd)


def open_to_write(name: str, folder: int, flags: int, mode: int = 0o666) -> int:
    """Open a file in an open folder and return its descriptor; the caller closes it.

    ``flags`` are those of ``os.open``. Raises OSError.
    """
    return os.open(name, flags | os.O_NONBLOCK | _NO_LINK, mode, dir_fd=folder)


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read at most ``size`` bytes of an open file from ``offset`` on. Raises OSError."""
    return os.pread(fd, size, offset)


def write_at(fd: int, data: bytes, offset: int) -> int:
    """Write into an open file from ``offset`` on. Return how many bytes. Raises OSError."""
    return os.pwrite(fd, data, offset)


def list_names(folder: int | str) -> list[str]:
    """List the names in an open folder, or in one by its path. Raises OSError."""
    return os.listdir(folder)


def scan(folder: int | str) -> os._ScandirIterator[str]:
    """List an open folder, or one by its path, with the kinds of the entries. Raises OSError."""
    return os.scandir(folder)


def list_statuses(folder: int) -> Iterator[tuple[str, Status]]:
    """List the names in an open folder with the status of each. Raises OSError."""
    for name in os.listdir(folder):  # with ``scandir``, it takes 7 % more processor time
        yield name, os.stat(name, dir_fd=folder, follow_symlinks=False)


def lstat(path: str | os.PathLike[str]) -> Status:
    """Return the status of the entry at a path. Raises OSError."""
    return os.lstat(path)


def stat_in(name: str, folder: int) -> Status:
    """Return the status of an entry in an open folder. Raises OSError."""
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


def stat_fd(fd: int) -> Status:
    """Return the status of an open file or folder. Raises OSError."""
    return os.fstat(fd)


def read_link(name: str, folder: int) -> str:
    """Return the target of a symbolic link in an open folder. Raises OSError."""
    return os.readlink(name, dir_fd=folder)


def rename(source: str, target: str, source_folder: int, target_folder: int) -> None:
    """Rename an entry to a name that does not exist. The caller checks that, because ``rename``
    replaces a file or an empty folder.

    Raises OSError, with OPEN_ELSEWHERE if that is the reason.
    """
    try:
        os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)
    except OSError as error:
        if _is_open_elsewhere(error, source, source_folder) or _holds_open_file(
            error, source, source_folder, target_folder
        ):
            raise OSError(errno.EBUSY, OPEN_ELSEWHERE) from None
        raise


def replace(source: str, target: str, folder: int) -> None:
    """Rename a file in an open folder, and replace a file that has the name. Raises OSError."""
    os.rename(source, target, src_dir_fd=folder, dst_dir_fd=folder)


def unlink(name: str, folder: int) -> None:
    """Remove an entry that is no folder. Raises OSError, with OPEN_ELSEWHERE if that is the
    reason."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError as error:
        if _is_open_elsewhere(error, name, folder):
            raise OSError(errno.EBUSY, OPEN_ELSEWHERE) from None
        raise


def remove_folder(name: str, folder: int) -> None:
    """Remove an empty folder. Raises OSError."""
    os.rmdir(name, dir_fd=folder)


def make_folder(name: str, folder: int, mode: int) -> None:
    """Make a folder. Raises OSError."""
    os.mkdir(name, mode, dir_fd=folder)


def link(source: str, target: str, source_folder: int, target_folder: int) -> None:
    """Give a file a second name that does not exist. Raises OSError."""
    os.link(
        source,
        target,
        src_dir_fd=source_folder,
        dst_dir_fd=target_folder,
        follow_symlinks=False,
    )


def touch(name: str, folder: int, seconds: int | None = None) -> None:
    """Set the times of an entry: to now, or to ``seconds`` since the epoch. Raises OSError."""
    times = None if seconds is None else (seconds, seconds)
    os.utime(name, times, dir_fd=folder, follow_symlinks=False)


def touch_fd(fd: int) -> None:
    """Set the times of an open file or folder to now. Raises OSError."""
    os.utime(fd)


def sync_folder(folder: int) -> None:
    """Write the entries of an open folder to the disk, where the file system can do that. Raises
    OSError if the disk fails."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _is_open_elsewhere(error: OSError, name: str, folder: int) -> bool:
    """Return whether a change failed because a program has the entry open. SMB says EBUSY then, as
    any system does for a mount point."""
    return error.errno == errno.EBUSY and not _is_mount_point(name, folder)


def _holds_open_file(error: OSError, name: str, folder: int, target_folder: int) -> bool:
    """Return whether a rename failed because a program has a file in the folder ``name`` open. SMB
    says EACCES then, as any system does if this process may not write one of the three folders."""
    return error.errno == errno.EACCES and all(
        os.access(path, os.W_OK, dir_fd=place, effective_ids=_BY_EFFECTIVE_IDS)
        for path, place in ((name, folder), (".", folder), (".", target_folder))
    )


def _is_mount_point(name: str, folder: int) -> bool:
    try:
        fd = os.open(
            name, getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | _NO_LINK, dir_fd=folder
        )
    except OSError:
        return False
    try:
        return folder_status(fd).mount != folder_status(folder).mount
    finally:
        os.close(fd)
