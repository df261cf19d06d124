"""What the table shows: which tasks in which order, which of them are matched, which are found.

Pure: made from a snapshot, the filters and what was read of the tasks so far. Knows no screen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import TypeAlias

from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.task_sorting import (
    CHANGING_KEYS,
    MAX_RESORTED,
    TaskSort,
    resort_changed,
    sort_tasks,
)
from hipercow_tui.analysis.task_summary import Summaries
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.domain.task_columns import TaskMask

NEAR_ROWS = 1000  # rows

Failures: TypeAlias = Mapping[str, Failure]


@dataclass(frozen=True)
class TaskView:
    """The rows of the task table.

    ``ids`` are the rows in order, with ``only_matched`` of the matched tasks only; ``order`` is every task
    in that order, and ``mask`` tells which of these pass all filters; without a filter none
    does, and ``filtered`` is false. ``hits`` are the rows, ascending, in which ``query`` was found.
    """

    snapshot: Snapshot
    stack: FilterStack = field(default_factory=FilterStack)
    sort: TaskSort = field(default_factory=TaskSort)
    query: str = ""
    ids: tuple[str, ...] = ()
    only_matched: bool = False
    order: tuple[str, ...] = field(default=(), repr=False)
    mask: TaskMask = field(default=b"", repr=False)
    hits: tuple[int, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether there is any filter."""
        return bool(self.stack.given)

    @cached_property
    def matches(self) -> int:
        """How many tasks pass all filters."""
        return self.mask.count(1)

    @cached_property
    def matched(self) -> frozenset[str]:
        """The ids of the tasks that pass all filters."""
        return frozenset(compress(self.order, self.mask))

    @cached_property
    def markable(self) -> Set[str]:
        """The ids of the tasks that pass all filters but the marks: what "mark all" means."""
        if self.stack.task_ids is None and self.filtered:
            return self.matched
        others = replace(self.stack, task_ids=None)
        snapshot = self.snapshot
        if not others.given:
            return snapshot.tasks.keys()
        return frozenset(snapshot.columns.select(others.mask(snapshot)))

    def row_of(self, task_id: str, near: int = 0) -> int | None:
        """Where a task stands, if it is shown; it is looked for first ``near`` a row. A table of
        where each stands would be 100 MB for a million."""
        if task_id not in (self.matched if self.only_matched else self.snapshot.tasks):
            return None
        for start, stop in ((max(0, near - NEAR_ROWS), near + NEAR_ROWS), (0, len(self.ids))):
            with suppress(ValueError):
                return self.ids.index(task_id, start, stop)
        return None

    def is_dimmed(self, row: int) -> bool:
        """Whether the row stands outside the intersection of the filters."""
        return self.filtered and not self.only_matched and not self.mask[row]

    def nearest_match(self, rows: range) -> int | None:
        """The first row below these, else above them, that is matched; None where one of these
        is, or none at all."""
        if self.only_matched or self.mask.find(1, rows.start, rows.stop) >= 0:
            return None
        below = self.mask.find(1, rows.stop)
        found = below if below >= 0 else self.mask.find(1, 0, rows.start)
        return None if found < 0 else found

    def has_match(self, bundle: Bundle) -> bool:
        """Whether a task of this bundle passes all filters."""
        return (bundle.lang, bundle.name) in self._matched_bundles

    @cached_property
    def _matched_bundles(self) -> frozenset[tuple[Lang, str]]:
        bonds = self.snapshot.columns.relations_of(self.stack.mask(self.snapshot))
        return frozenset(
            (relations.lang, name) for relations in bonds for name in relations.bundles
        )

    @property
    def markable_rows(self) -> frozenset[str]:
        """What "mark all" marks of the rows: all that pass the other filters, and while something
        is searched for, of these what was found."""
        return self.markable_among([self.ids[row] for row in self.hits] if self.query else self.ids)

    def markable_among(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of the tasks that can be marked: all that pass the other filters."""
        return frozenset(filter(self.markable.__contains__, ids))


def next_hit(hits: Sequence[int], row: int, step: int) -> int | None:
    """Of these rows, ascending, the next one below ``row``, with a negative ``step`` above; past
    the last it is the first, past the first the last; None without any."""
    if not hits:
        return None
    return hits[bisect_right(hits, row) % len(hits) if step > 0 else bisect_left(hits, row) - 1]


def make_view(
    snapshot: Snapshot,
    stack: FilterStack,
    sort: TaskSort,
    *,
    only_matched: bool = False,
    query: str = "",
    summaries: Summaries | None = None,
    failures: Failures | None = None,
    sizes: Sizes | None = None,
    now: float = 0.0,
    before: TaskView | None = None,
    changed: Set[str] | None = None,
) -> TaskView:
    """The rows for these filters, this order and this search.

    ``summaries`` and ``failures`` are what was read of the tasks so far, ``sizes`` what was measured.
    ``now`` is the time, in seconds since the epoch, until which tasks under way have waited or run.
    ``before`` is the view that stood there: its order and its matches are used again where
    nothing that decides them has changed. ``moved`` are the ids of tasks that have changed, come or
    gone since; None if that is not known.
    """
    known = summaries or {}
    same = before is not None and before.snapshot is snapshot
    settled = before is not None and before.sort == sort and sort.key not in CHANGING_KEYS
    if before is not None and settled and same:
        order = before.order
    elif (
        before
        and settled
        and sort != TaskSort()
        and changed is not None
        and len(changed) <= MAX_RESORTED
    ):
        order = resort_changed(before.order, snapshot, sort, changed)
    else:
        order = sort_tasks(snapshot, sort, known, sizes or {}, now)
    if before is not None and same and before.stack == stack and before.order is order:
        passing = before.mask
    else:
        passing = _mask_in_order(snapshot, stack, order)
    alone = only_matched and bool(stack.given)
    ids = tuple(compress(order, passing)) if alone else order
    if before is not None and ids is not before.ids and ids == before.ids:
        ids = before.ids
    hits = _find_hits(snapshot, ids, query, known, failures or {}) if query else ()
    return TaskView(snapshot, stack, sort, query, ids, alone, order, passing, hits)


def _mask_in_order(snapshot: Snapshot, stack: FilterStack, order: tuple[str, ...]) -> TaskMask:
    columns, passing = snapshot.columns, stack.mask(snapshot)
    if order is columns.ids or not stack.given:
        return passing
    return bytes(map(frozenset(columns.select(passing)).__contains__, order))


def _find_hits(
    snapshot: Snapshot, ids: tuple[str, ...], query: str, summaries: Summaries, failures: Failures
) -> tuple[int, ...]:
    needle = query.casefold()
    bundles = frozenset(b.name for b in snapshot.bundles if needle in b.name.casefold())
    tasks = snapshot.tasks
    may_be_id = set(needle) <= set("0123456789abcdef")
    return tuple(
        [
            row
            for row, task_id in enumerate(ids)
            if (may_be_id and needle in task_id)
            or (bundles and not bundles.isdisjoint(tasks[task_id].bundles))
            or ((summary := summaries.get(task_id)) and summary.matches(needle))
            or ((failure := failures.get(task_id)) and failure.matches(needle))
        ]
    )
