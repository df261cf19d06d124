"""Open, list, examine and change files by their names in open folders, on POSIX and on Windows.

A folder is given by a descriptor, as ``open_folder`` returns it. So no path is resolved twice, and
nobody can put a link in its place meanwhile. No function follows a link: on Windows also no
junction and no mounted volume. Every failure is an OSError with a readable ``strerror``.
"""

from __future__ import annotations

import sys

from hipercow_tui.support.filesystem.values import OPEN_ELSEWHERE, FolderStatus, Mount

if sys.platform == "win32":
    from hipercow_tui.support.filesystem.windows import (
        Entry,
        Status,
        folder_status,
        list_names,
        list_statuses,
        lstat,
        mount_at,
        open_file,
        open_folder,
        open_to_write,
        read_at,
        read_link,
        scan,
        stat_fd,
        stat_in,
        write_at,
    )
    from hipercow_tui.support.filesystem.windows_changes import (
        link,
        make_folder,
        remove_folder,
        rename,
        replace,
        sync_folder,
        touch,
        touch_fd,
        unlink,
    )
else:
    from hipercow_tui.support.filesystem.mounts import folder_status, mount_at
    from hipercow_tui.support.filesystem.posix import (
        Entry,
        Status,
        link,
        list_names,
        list_statuses,
        lstat,
        make_folder,
        open_file,
        open_folder,
        open_to_write,
        read_at,
        read_link,
        remove_folder,
        rename,
        replace,
        scan,
        stat_fd,
        stat_in,
        sync_folder,
        touch,
        touch_fd,
        unlink,
        write_at,
    )

__all__ = [
    "OPEN_ELSEWHERE",
    "Entry",
    "FolderStatus",
    "Mount",
    "Status",
    "folder_status",
    "link",
    "list_names",
    "list_statuses",
    "lstat",
    "make_folder",
    "mount_at",
    "open_file",
    "open_folder",
    "open_to_write",
    "read_at",
    "read_link",
    "remove_folder",
    "rename",
    "replace",
    "scan",
    "stat_fd",
    "stat_in",
    "sync_folder",
    "touch",
    "touch_fd",
    "unlink",
    "write_at",
]
