"""The results of single tasks and bundles, collected while a purge runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from hipercow_tui.purging.chain_units import ChainUnit
from hipercow_tui.purging.results import ItemResult


@dataclass(slots=True)
class RunRecord:
    """The results so far; fields are as in PurgeReport.

    ``missing`` becomes ``vanished``. ``held_units`` are the units that stay, ``bundles_settled``
    the bundles with a result, ``partially_erased`` the tasks that may be incomplete.
    """

    removed: set[str] = field(default_factory=set)
    removed_bundles: list[str] = field(default_factory=list)
    put_back: list[ItemResult] = field(default_factory=list)
    missing: list[ItemResult] = field(default_factory=list)
    failed: list[ItemResult] = field(default_factory=list)
    held_units: set[ChainUnit] = field(default_factory=set)
    bundles_settled: set[str] = field(default_factory=set)
    partially_erased: set[str] = field(default_factory=set)
    no_space: bool = False
    bytes: int = 0
    files: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def removed_files(self, number: int, size: int) -> int:
        """Count ``number`` removed files of ``size`` bytes; returns the bytes so far.
        Thread-safe."""
        with self._counting:
            self.files += number
            self.bytes += size
            return self.bytes

    def withdraw(self, item: ItemResult) -> None:
        """Remove the result of a task or bundle, because it is not valid."""
        for items in (self.put_back, self.missing, self.failed):
            if item in items:
                items.remove(item)
