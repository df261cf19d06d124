"""List what the folder of a task holds, with the size of each file and subfolder."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import NamedTuple

from hipercow_tui.formats.folder_size import FolderUsage, folder_itself, measure_entry
from hipercow_tui.formats.root import Root
from hipercow_tui.formats.safe_open import open_folder
from hipercow_tui.support import filesystem

ITSELF = "."  # the name of the folder without its content


class FolderEntry(NamedTuple):
    """A file or a subfolder; ``usage`` is None if it can't be read completely."""

    name: str
    usage: FolderUsage | None


def list_task_files(root: Root, task_id: str) -> tuple[FolderEntry, ...]:
    """Return the entries of a task's folder, and the folder itself, which uses space on the disk.

    ``root`` is the part of the root for the language of the task. The name of a subfolder ends in
    ``/``. Follows no link. Raises OSError if the folder can't be read.
    """
    with ExitStack() as stack:
        # Folder by folder, because none of them may be a symbolic link.
        shard = open_folder(root.tasks / task_id[:2])
        stack.callback(os.close, shard)
        folder = open_folder(task_id[2:], dir_fd=shard)
        stack.callback(os.close, folder)
        entries = [
            FolderEntry(
                f"{name}/" if stat.S_ISDIR(status.st_mode) else name, measure_entry(name, folder)
            )
            for name, status in filesystem.list_statuses(folder)
        ]
        return (*entries, FolderEntry(ITSELF, folder_itself(folder)))
