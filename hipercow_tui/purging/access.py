"""Group and mode of new folders and files in a root: they follow their parent folder.

Users with different umasks share a root. The group of a folder gets the same rights in a new folder
in it, and may read a new file if it may read the folder. Without that, one user could not restore,
empty or finish a batch of another, nor read its heartbeat. Other users get at most the rights that
they have in the parent folder, minus the umask. On Windows, rights are inherited.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.purging import file_changes
from hipercow_tui.support import filesystem

_READ_OR_OWN = stat.S_IWUSR | stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def make_folder(name: str, parent: int) -> None:
    """Make a folder in an open one. Raises OSError as ``os.mkdir`` does."""
    if sys.platform == "win32":
        file_changes.make_folder(name, parent, 0o777)
        return
    above = os.fstat(parent)
    # The group may not write until it is the group of the parent.
    file_changes.make_folder(name, parent, stat.S_IMODE(above.st_mode) & ~stat.S_IWGRP)
    with suppress(OSError):
        made = filesystem.stat_in(name, parent)
        if made.st_gid == above.st_gid and not (made.st_mode ^ above.st_mode) & stat.S_IRWXG:
            return
        fd = open_folder(name, dir_fd=parent)
        try:
            _share_with_group(fd, above, stat.S_IRWXG)
        finally:
            os.close(fd)


def ensure_folder(name: str, parent: int) -> None:
    """Make a folder in an open one if it does not exist. Raises OSError."""
    with suppress(FileExistsError):
        make_folder(name, parent)


def create_file(name: str, parent: int, flags: int = os.O_WRONLY | os.O_EXCL) -> int:
    """Open a file in an open folder, and make it if it does not exist.

    ``flags`` are flags of ``os.open``, for the access. The caller closes the descriptor. Raises
    OSError.
    """
    flags |= os.O_CREAT
    if sys.platform == "win32":
        return filesystem.open_to_write(name, parent, flags)
    above = os.fstat(parent)
    fd = filesystem.open_to_write(name, parent, flags, above.st_mode & _READ_OR_OWN)
    with suppress(OSError):
        _share_with_group(fd, above, stat.S_IRGRP)
    return fd


def _share_with_group(fd: int, above: os.stat_result, bits: int) -> None:
    """Set the group of a new folder or file to that of the folder ``above``, with the group's mode
    there as far as ``bits`` allow. If the group can't be set, the current group gets the rights of
    all others. Raises OSError."""
    if sys.platform == "win32":
        return
    made = os.fstat(fd)
    group = above.st_mode & bits
    if made.st_gid != above.st_gid:
        try:
            os.fchown(fd, -1, above.st_gid)
        except OSError:
            group = (made.st_mode & stat.S_IRWXO) << 3
    if made.st_mode & stat.S_IRWXG != group:
        os.fchmod(fd, stat.S_IMODE(made.st_mode) & ~stat.S_IRWXG | group)
