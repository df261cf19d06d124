"""Opening what lies in a root: no link is followed, no pipe waited for, no size trusted.

Every way to fail is an ``OSError`` whose ``strerror`` says in words what is wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from hipercow_tui.support.text import format_size

# 0 where a platform has no such flag; there fstat still refuses what is no ordinary file.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_FILE = os.O_RDONLY | os.O_CLOEXEC | _NO_FOLLOW | _NO_WAIT
_PIECE = 1 << 16
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | _NO_FOLLOW | getattr(os, "O_DIRECTORY", 0)


def open_folder(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """A descriptor of the folder, for ``dir_fd``; the caller closes it.

    Raises OSError, also where the last part of ``path`` is a symbolic link.
    """
    return os.open(path, _FOLDER, dir_fd=dir_fd)


def open_file(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """A descriptor of an ordinary file, for reading; the caller closes it.

    Raises OSError, also for a symbolic link, folder, pipe, socket or device; never blocks.
    """
    try:
        fd = os.open(path, _FILE, dir_fd=dir_fd)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "is a symbolic link, which is not followed", path) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "is no ordinary file", path)
    return fd


def read_file(path: str | os.PathLike[str], *, limit: int, dir_fd: int | None = None) -> bytes:
    """All bytes of an ordinary file. Raises OSError, also where there are more than ``limit``."""
    fd = open_file(path, dir_fd=dir_fd)
    try:
        # Four calls for a small file; a Python file object makes eight.
        pieces = [os.read(fd, _PIECE)]
        read = len(pieces[0])
        while pieces[-1] and read <= limit:
            pieces.append(os.read(fd, _PIECE))
            read += len(pieces[-1])
    finally:
        os.close(fd)
    if read > limit:
        raise OSError(errno.EFBIG, f"is larger than {format_size(limit)}", path)
    return b"".join(pieces)


def read_link_target(path: str | os.PathLike[str], *, within: Path, limit: int) -> bytes:
    """All bytes of the ordinary file that the symbolic link at ``path`` leads to.

    Raises OSError, also where that is outside the folder ``within``, whose path has no links in it.
    The target is opened step by step from there, so a link that is changed meanwhile is not
    followed. FileNotFoundError is not raised: the link itself is there.
    """
    folder = -1
    try:
        *steps, last = Path(os.path.realpath(path, strict=True)).relative_to(within).parts
        folder = open_folder(within)
        for step in steps:
            outer, folder = folder, open_folder(step, dir_fd=folder)
            os.close(outer)
        return read_file(last, limit=limit, dir_fd=folder)
    except ValueError:
        raise OSError(errno.EPERM, "is a link that leads out of the root", path) from None
    except FileNotFoundError:
        raise OSError(errno.EINVAL, "is a link that leads nowhere", path) from None
    finally:
        if folder >= 0:
            os.close(folder)
