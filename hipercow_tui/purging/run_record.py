"""The results of tasks and bundles, collected while a purge runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from hipercow_tui.formats.folder_size import Size
from hipercow_tui.purging.chain_units import ChainUnit
from hipercow_tui.purging.results import ItemResult
from hipercow_tui.support import filesystem

# After this number of items that stay because they are open in another program, which is a minute,
# others are not waited for. A file server can give the same answer for a right that the user lacks.
_MANY_OPEN = 12


@dataclass(slots=True)
class RunRecord:
    """The results so far, with the fields of PurgeReport.

    ``kept_units`` are the retry chains that stay, ``finished_bundles`` the bundles with a known
    result, ``partly_erased`` the ids of tasks that may be incomplete. ``no_space`` is true if
    the disk was too full to move an item.
    """

    removed: set[str] = field(default_factory=set)
    removed_bundles: list[str] = field(default_factory=list)
    put_back: list[ItemResult] = field(default_factory=list)
    vanished: list[ItemResult] = field(default_factory=list)
    failed: list[ItemResult] = field(default_factory=list)
    kept_units: set[ChainUnit] = field(default_factory=set)
    finished_bundles: set[str] = field(default_factory=set)
    partly_erased: set[str] = field(default_factory=set)
    no_space: bool = False
    bytes: int = 0
    files: int = 0
    disk_bytes: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)
    # Of files with several names (by device and inode): how many names are still to be removed.
    _names_left: dict[tuple[int, int], int] = field(default_factory=dict)

    def many_are_open(self) -> bool:
        """Return whether waiting for files that are open in other programs is of no use."""
        return sum(filesystem.OPEN_ELSEWHERE in one.reason for one in self.failed) >= _MANY_OPEN

    def add_freed(self, size: Size) -> Size:
        """Add the size of files and folders that were removed, and return what is freed so far.
        Thread-safe."""
        with self._counting:
            self.files += size.files
            self.bytes += size.bytes
            self.disk_bytes += size.disk_bytes
            return Size(self.bytes, self.files, self.disk_bytes)

    def expect_names(self, status: filesystem.Status) -> bool:
        """Return whether a file that is about to be removed has several names, or had. Thread-safe:
        two threads may remove its last two names at the same time."""
        file = (status.st_dev, status.st_ino)
        if status.st_nlink > 1:
            with self._counting:
                self._names_left.setdefault(file, status.st_nlink)
        return file in self._names_left

    def remove_name(self, status: filesystem.Status) -> bool:
        """Note that a name of a file with several names was removed; return whether it was the
        last. Thread-safe."""
        file = (status.st_dev, status.st_ino)
        with self._counting:
            self._names_left[file] -= 1
            return not self._names_left[file]

    def withdraw(self, item: ItemResult) -> None:
        """Remove a result that proved to be wrong, of a task or bundle that stays."""
        for items in (self.put_back, self.vanished, self.failed):
            if item in items:
                items.remove(item)
