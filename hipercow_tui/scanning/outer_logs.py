"""Outer logs that were fetched from the cluster, in the user's cache folder, never in the root.

One file for each task: the bytes of its log. Nothing is lost if they are deleted while the cluster
has the logs.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from hipercow_tui.domain.task import TASK_ID, Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.cache_file import cache_name
from hipercow_tui.support.user_files import cache_folder, replace_file

MAX_FILES = 2000
MAX_SIZE = 64 << 20  # bytes of all files of a root
UNUSED = 180 * 86400  # seconds after which a log is deleted
_SUFFIX = ".outer"


class _Entry(NamedTuple):
    task_id: str
    size: int  # bytes
    fetched: int  # nanoseconds since the epoch


@dataclass(frozen=True, slots=True)
class FetchedLogs:
    """The fetched outer logs of a root, of its tasks of R and Python."""

    folder: Path

    @classmethod
    def of(cls, root: Root) -> FetchedLogs | None:
        """Return the logs of a root, also if there are none; None without a cache folder."""
        try:
            return cls(cache_folder() / f"{cache_name(root.part(Lang.R))}{_SUFFIX}")
        except RuntimeError:
            return None

    def path(self, task_id: str) -> Path:
        """Return the file for the log of a task, which need not exist.

        Raises ValueError if ``task_id`` is not a task id.
        """
        if not TASK_ID.match(task_id):
            raise ValueError(f"not a task id: {task_id!r}")
        return self.folder / task_id

    def times(self) -> dict[str, int]:
        """Return when each log was fetched, in nanoseconds since the epoch, by task id.

        Costs one listing, and one stat for each log; empty if the folder can't be read.
        """
        return {entry.task_id: entry.fetched for entry in self._entries()}

    def keep(self, task_id: str, log: bytes) -> None:
        """Store a log, or replace it; raises OSError."""
        replace_file(self.path(task_id), log)

    def delete_old(self) -> None:
        """Delete the logs that were fetched first, until number and size are within the limits,
        and those that are older than ``UNUSED``; raises OSError."""
        oldest, size = time.time_ns() - UNUSED * 10**9, 0
        newest_first = sorted(self._entries(), key=attrgetter("fetched"), reverse=True)
        for number, entry in enumerate(newest_first, 1):
            size += entry.size
            if number > MAX_FILES or size > MAX_SIZE or entry.fetched < oldest:
                self.path(entry.task_id).unlink(missing_ok=True)

    def _entries(self) -> list[_Entry]:
        entries = []
        with suppress(OSError), os.scandir(self.folder) as found:
            for file in found:
                if TASK_ID.match(file.name):
                    status = file.stat(follow_symlinks=False)
                    entries.append(_Entry(file.name, status.st_size, status.st_mtime_ns))
        return entries
