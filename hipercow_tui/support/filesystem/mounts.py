"""Which mount an open folder belongs to.

A bind mount shows a folder a second time, at another place of the same file system. The device
number is the same at both places; the mount id is not.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable
from functools import cache

from hipercow_tui.support.filesystem.values import FolderStatus, Mount

assert sys.platform != "win32"

# From linux/stat.h and linux/fcntl.h; the layout of ``struct statx`` is the same on all processors.
_AT_EMPTY_PATH = 0x1000
_MODE_AND_OWNER = 0x1 | 0x2 | 0x8  # STATX_TYPE, STATX_MODE, STATX_UID
_MOUNT_ID = 0x1000  # STATX_MNT_ID, since Linux 5.8
_BLOCKS = 0x400  # STATX_BLOCKS
# mask, uid, mode, blocks, device (major, minor), mount id
_FIELDS = struct.Struct("=I16xI4xH18xQ80xIIQ")
_Buffer = ctypes.c_char * 256
_DESCRIPTORS = "/proc/self/fdinfo"
_LABEL = b"mnt_id:"


def folder_status(fd: int) -> FolderStatus:
    """The status of an open folder: one system call on Linux since 5.8. Raises OSError."""
    return _from_statx(fd) or _from_fstat(fd)


def mount_at(path: str | os.PathLike[str]) -> Mount:
    """The mount of the entry at a path; a symbolic link is not followed. Raises OSError."""
    path_only = getattr(os, "O_PATH", None)  # needs no right to read
    if path_only is None:
        return Mount(os.lstat(path).st_dev, None)
    fd = os.open(path, path_only | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return folder_status(fd).mount
    finally:
        os.close(fd)


def _from_statx(fd: int) -> FolderStatus | None:
    """The status by ``statx``, which ``os`` does not offer; None where it gives no mount id."""
    statx = _statx()
    if statx is None:
        return None
    buffer = _Buffer()
    if statx(fd, b"", _AT_EMPTY_PATH, _MODE_AND_OWNER | _BLOCKS | _MOUNT_ID, buffer):
        code = ctypes.get_errno()
        if code in (errno.ENOSYS, errno.EPERM):  # an old kernel, or a container that forbids it
            return None
        raise OSError(code, os.strerror(code))
    mask, owner, mode, blocks, major, minor, mount_id = _FIELDS.unpack_from(buffer)
    if not mask & _MOUNT_ID:
        return None
    return FolderStatus(mode, owner, blocks, Mount(os.makedev(major, minor), mount_id))


def _from_fstat(fd: int) -> FolderStatus:
    status = os.fstat(fd)
    mount = Mount(status.st_dev, _id_from_proc(fd))
    return FolderStatus(status.st_mode, status.st_uid, getattr(status, "st_blocks", 0), mount)


def _id_from_proc(fd: int) -> int | None:
    """The mount id as Linux before 5.8 gives it."""
    try:
        info = os.open(f"{_DESCRIPTORS}/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        lines = os.read(info, 4096).splitlines()
    finally:
        os.close(info)
    return next((int(line.split()[1]) for line in lines if line.startswith(_LABEL)), None)


@cache
def _statx() -> Callable[..., int] | None:
    """The C library's ``statx``; None where it has none."""
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return None
    pointer = ctypes.c_char_p
    statx.argtypes = [ctypes.c_int, pointer, ctypes.c_int, ctypes.c_uint, pointer]
    return statx
