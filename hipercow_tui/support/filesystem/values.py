"""Values that the functions of all platforms return."""

from __future__ import annotations

from typing import NamedTuple

# The reason why an entry can't be changed if a program has it open, or a file in it. A file server
# that is no POSIX system and Windows refuse that.
OPEN_ELSEWHERE = "it is open in another program"


class Mount(NamedTuple):
    """A mounted file system: its device number, and the id of the mount. The id is None where the
    system has no mount ids: there a bind mount of the same file system goes unnoticed."""

    device: int
    id: int | None


class FolderStatus(NamedTuple):
    """The mode, the user id of the owner, the allocated blocks of 512 bytes, and the mount of an
    open folder."""

    mode: int
    owner: int
    blocks: int
    mount: Mount
