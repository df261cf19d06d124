"""A root of R and one of Python in the same folder, scanned as one."""

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
    """Reads a root again and again, R's part first. Use it from one thread at a time.

    Where there is no root of Python, it is R's scanner and a stat a pass. ``index``, ``between``
    and ``monotonic`` are as there; Python's part has an index of its own then.
    """

    def __init__(
        self,
        root: Root,
        *,
        index: ScanCache | None = None,
        yield_point: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._yield_point = yield_point
        self._monotonic = monotonic
        self._indexed = index is not None
        self._r = Scanner(root, index=index, yield_point=yield_point, monotonic=monotonic)
        self._python: Scanner | None = None
        self._parts = (Snapshot(root.path), Snapshot(root.path, lang=Lang.PY))
        self._combined = self._parts[0]

    def scan(self) -> Iterator[ScanState]:
        """One pass over both, as Scanner.scan: the last state is complete."""
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
        """As Scanner.doubt, of both."""
        doubted = self._r.invalidate_cached(ids)
        return (self._python is not None and self._python.invalidate_cached(ids)) or doubted

    def _python_scanner(self) -> Scanner | None:
        """Made when there is something to read for the first time, and kept: what it knew must be
        known to be gone."""
        python = self.root.part(Lang.PY)
        if self._python is None and os.path.isdir(python.hipercow):
            index = ScanCache.of(python) if self._indexed else None
            self._python = Scanner(
                python, index=index, yield_point=self._yield_point, monotonic=self._monotonic
            )
        return self._python

    def _update_part(self, part: Snapshot) -> Snapshot:
        """Both parts as they are known now; the same object as long as these are."""
        before = self._parts
        r, python = (part, before[1]) if part.lang is Lang.R else (before[0], part)
        if r is not before[0] or python is not before[1]:
            self._parts = (r, python)
            self._combined = combine_snapshots(r, python)
        return self._combined
