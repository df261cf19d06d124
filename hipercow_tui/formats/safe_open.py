"""Open files of a root safely: follow no link, wait for no pipe, limit the size.

Every failure is an OSError with a readable ``strerror``.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from hipercow_tui.support import filesystem
from hipercow_tui.support.filesystem import open_folder as open_folder
from hipercow_tui.support.text import format_size

_CHUNK_SIZE = 1 << 16


def open_file(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """Open a regular file for reading and return its descriptor; the caller closes it.

    Never blocks. Raises OSError, also for a symbolic link, folder, pipe, socket or device.
    """
    try:
        fd = filesystem.open_file(path, dir_fd=dir_fd)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "is a symbolic link, which is not followed", path) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "is not a regular file", path)
    return fd


def read_file(path: str | os.PathLike[str], *, limit: int, dir_fd: int | None = None) -> bytes:
    """Read a regular file. Raises OSError, also if it has more than ``limit`` bytes."""
    fd = open_file(path, dir_fd=dir_fd)
    try:
        # Four system calls for a small file; a Python file object makes eight.
        chunks = [os.read(fd, _CHUNK_SIZE)]
        size = len(chunks[0])
        while chunks[-1] and size <= limit:
            chunks.append(os.read(fd, _CHUNK_SIZE))
            size += len(chunks[-1])
    finally:
        os.close(fd)
    if size > limit:
        raise OSError(errno.EFBIG, f"is larger than {format_size(limit)}", path)
    return b"".join(chunks)


def read_link_target(path: str | os.PathLike[str], *, within: Path, limit: int) -> bytes:
    """Read the regular file that is the target of the symbolic link at ``path``.

    The target is opened folder by folder from ``within``, which has no links in its path, so a link
    that is replaced meanwhile is not followed. Raises OSError, also if the target is outside
    ``within`` or has more than ``limit`` bytes, but never FileNotFoundError: the link exists.
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
