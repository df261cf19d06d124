"""Scan the R root and the Python root of one folder as one root."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from hipercow_tui.domain.combined_snapshot import combine_snapshots
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner, ScanState


class CombinedScanner:
    """Scans a root of one or both languages repeatedly, R first. Use it from one thread at a time.

    Without a Python root it costs one stat a scan more than Scanner. The arguments are those of
    Scanner; with ``index``, which is of R, the Python root has its own.
    """

    def __init__(
        self,
        root: Root,
        *,
        index: ScanCache | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._monotonic = monotonic
        self._indexed = index is not None
        self._r = Scanner(root, index=index, monotonic=monotonic)
        self._python: Scanner | None = None
        self._parts = (Snapshot(root.path), Snapshot(root.path, lang=Lang.PY))
        self._combined = self._parts[0]

    def scan(self) -> Iterator[ScanState]:
        """Scan both roots once, as ``Scanner.scan``: the last state is complete."""
        python = self._python_scanner()
        spent = 0.0
        for state in self._r.scan():
            spent = state.seconds
            complete = state.complete and python is None
            yield replace(state, snapshot=self._update_part(state.snapshot), complete=complete)
        if python is not None:
            for state in python.scan():
                seconds = spent + state.seconds
                yield replace(state, snapshot=self._update_part(state.snapshot), seconds=seconds)

    def invalidate_cached(self, ids: Collection[str]) -> bool:
        """Mark cached tasks for reading, as ``Scanner.invalidate_cached``."""
        marked = self._r.invalidate_cached(ids)
        return (self._python is not None and self._python.invalidate_cached(ids)) or marked

    def _python_scanner(self) -> Scanner | None:
        """Return the Python scanner; None as long as there never was a Python root.

        It is kept if the root disappears: a scan then removes the tasks that it knew.
        """
        python = self.root.part(Lang.PY)
        if self._python is None and os.path.isdir(python.hipercow):
            index = ScanCache.of(python) if self._indexed else None
            self._python = Scanner(python, index=index, monotonic=self._monotonic)
        return self._python

    def _update_part(self, part: Snapshot) -> Snapshot:
        """Replace the snapshot of one language, and return the combination of both.

        The result is the same object as long as both parts are the same.
        """
        before = self._parts
        r, python = (part, before[1]) if part.lang is Lang.R else (before[0], part)
        if r is not before[0] or python is not before[1]:
            self._parts = (r, python)
            self._combined = combine_snapshots(r, python)
        return self._combined
