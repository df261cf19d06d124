"""Exempt objects that stay in memory from garbage collections."""

from __future__ import annotations

import gc

EXEMPT_AFTER = 10_000  # new objects


class GarbageExemption:
    """Exempts objects that stay in memory from garbage collections, which take 50 ms for 100,000.

    Python then also keeps all garbage of that moment for ever, so this is done only after many new
    objects.
    """

    def __init__(self) -> None:
        self._count = 0

    def update(self, count: int) -> None:
        """Exempt all objects if ``count``, the number of lasting ones, has grown enough."""
        if count - self._count >= EXEMPT_AFTER:
            self._count = count
            gc.freeze()
