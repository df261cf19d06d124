"""Group and mode of what is made in a root: they follow the folder it is made in.

Colleagues work in one root, each with a umask of their own. The group of a folder may do in a new
folder what it may do in that one, and may read a new file if it may read the folder: else one user
could not restore, empty or finish what another moved to the trash, nor see that a purge is under
way. All others get at most what the folder gives them, less what the umask takes.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from hipercow_tui.roots.files import open_folder

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_OR_OWN = stat.S_IWUSR | stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def make_folder(name: str, parent: int) -> None:
    """Make a folder in an open one. Raises OSError as ``os.mkdir`` does."""
    above = os.fstat(parent)
    # The group may not write before it is the right one.
    os.mkdir(name, stat.S_IMODE(above.st_mode) & ~stat.S_IWGRP, dir_fd=parent)
    with suppress(OSError):
        made = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if made.st_gid == above.st_gid and not (made.st_mode ^ above.st_mode) & stat.S_IRWXG:
            return
        fd = open_folder(name, dir_fd=parent)
        try:
            _share(fd, above, stat.S_IRWXG)
        finally:
            os.close(fd)


def create_file(name: str, parent: int, flags: int = os.O_EXCL) -> int:
    """Open a file in an open folder for writing, and make it if it is not there; the caller closes
    it. ``flags`` are added to those of ``os.open``. Raises OSError."""
    above = os.fstat(parent)
    fd = os.open(name, _NEW_FILE | flags, above.st_mode & _READ_OR_OWN, dir_fd=parent)
    with suppress(OSError):
        _share(fd, above, stat.S_IRGRP)
    return fd


def _share(fd: int, above: os.stat_result, bits: int) -> None:
    """Give what was made in a folder to the group of that folder, with those of the mode ``bits``
    that the group has there. Where the group can't be given, the one it has counts as others."""
    made = os.fstat(fd)
    group = above.st_mode & bits
    if made.st_gid != above.st_gid:
        try:
            os.fchown(fd, -1, above.st_gid)
        except OSError:
            group = (made.st_mode & stat.S_IRWXO) << 3
    if made.st_mode & stat.S_IRWXG != group:
        os.fchmod(fd, stat.S_IMODE(made.st_mode) & ~stat.S_IRWXG | group)
