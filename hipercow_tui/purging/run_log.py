"""What became of each thing of a plan, gathered while a purge runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from hipercow_tui.purging.chain_units import ChainUnit
from hipercow_tui.purging.results import ItemResult


@dataclass(slots=True)
class RunRecord:
    """The outcomes so far, as in PurgeReport.

    ``held_units`` are the units that will not go any more, ``bundles_settled`` the bundles whose
    outcome is known, ``partially_erased`` the tasks that may no longer be whole. ``no_space`` says
    that something could not be moved because the disk is full.
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
        """So many files that held so many bytes are gone; returns how many bytes are by now. From
        any thread."""
        with self._counting:
            self.files += number
            self.bytes += size
            return self.bytes

    def withdraw(self, outcome: ItemResult) -> None:
        """Remove the outcome of a task or bundle that stays, because it does not hold."""
        for outcomes in (self.put_back, self.missing, self.failed):
            if outcome in outcomes:
                outcomes.remove(outcome)
