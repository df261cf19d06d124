"""The tasks that the user marked: one set for all tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Set


class Marks:
    """The ids of the marked tasks.

    ``ids`` is None if no task is marked: a purge then takes all matched tasks. If all marked tasks
    are gone it is empty, and a purge takes nothing (docs/spec.md, rule 1). ``changed`` is called
    after each change.
    """

    def __init__(self, changed: Callable[[], object] = lambda: None) -> None:
        self.ids: frozenset[str] | None = None
        self._changed = changed

    def add(self, ids: Collection[str]) -> None:
        """Mark tasks."""
        if ids:
            self._set((self.ids or frozenset()).union(ids))

    def toggle(self, ids: Collection[str]) -> None:
        """Mark tasks; if all of them are marked, remove their marks."""
        if self.contain_all(ids):
            self._set((self.ids or frozenset()).difference(ids))
        else:
            self.add(ids)

    def clear(self) -> None:
        """Remove all marks."""
        self._set(frozenset())

    def _set(self, ids: frozenset[str]) -> None:
        self.ids = ids or None
        self._changed()

    def keep_existing(self, tasks: Set[str]) -> None:
        """Remove the marks of tasks that are gone."""
        if self.ids and not self.ids <= tasks:
            self.ids &= tasks
            self._changed()

    def contain_all(self, ids: Collection[str]) -> bool:
        """Return whether all of the given tasks are marked, and there is at least one."""
        return bool(ids) and (self.ids or frozenset()).issuperset(ids)

    def contain_some(self, ids: Collection[str]) -> bool:
        """Return whether at least one of the given tasks is marked."""
        return not (self.ids or frozenset()).isdisjoint(ids)

    def count_text(self, ids: Collection[str]) -> str:
        """Return how many of these tasks and of others are marked: ``3 marked, 2 elsewhere``.

        Empty without marks.
        """
        here = len((self.ids or frozenset()).intersection(ids))
        elsewhere = len(self.ids or ()) - here
        if not here and not elsewhere:
            return ""
        return f"{here:,} marked{f', {elsewhere:,} elsewhere' if elsewhere else ''}"
