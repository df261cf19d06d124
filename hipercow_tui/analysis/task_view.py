"""The rows of the task table: their order, and which of them are matched or found.

Made from a snapshot, the filters, and the summaries and failures that were read so far.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import TypeAlias

from hipercow_tui.analysis.comparison import Comparison, parse_comparison
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.task_sorting import (
    CHANGING_KEYS,
    MAX_RESORTED,
    NO_USAGES,
    TaskSort,
    Usages,
    resort_changed,
    sort_tasks,
)
from hipercow_tui.analysis.task_summary import Summaries
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.narrowing import NO_FILTER
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang
from hipercow_tui.domain.task_columns import TaskMask

NEAR_ROWS = 1000  # rows

Failures: TypeAlias = Mapping[str, Failure]


@dataclass(frozen=True)
class TaskView:
    """The rows of the task table.

    Attributes:
        snapshot: The tasks.
        stack: The filters, including ``narrowing``.
        narrowing: The filters that the rows pass; all tasks are rows if there are none.
        sort: The order.
        query: The search text, or empty.
        ids: The rows in order.
        only_matched: Whether the rows are only the matched tasks.
        order: All tasks in order.
        mask: Which tasks of ``order`` pass all filters; without a filter none.
        row_mask: Which tasks of ``ids`` pass all filters; without a filter none.
        hits: The rows in which ``query`` was found, ascending.
        failed_hits: The failed tasks that a comparison such as ``beta > 0.9`` found, whether they
            are rows or not; empty for a search of text.
    """

    snapshot: Snapshot
    stack: FilterStack = field(default_factory=FilterStack)
    narrowing: FilterStack = field(default_factory=FilterStack)
    sort: TaskSort = field(default_factory=TaskSort)
    query: str = ""
    ids: tuple[str, ...] = ()
    only_matched: bool = False
    order: tuple[str, ...] = field(default=(), repr=False)
    mask: TaskMask = field(default=b"", repr=False)
    row_mask: TaskMask = field(default=b"", repr=False)
    hits: tuple[int, ...] = ()
    failed_hits: frozenset[str] = frozenset()

    @property
    def filtered(self) -> bool:
        """Whether a filter is given."""
        return bool(self.stack.given)

    @cached_property
    def matches(self) -> int:
        """The number of tasks that pass all filters."""
        return self.mask.count(1)

    @cached_property
    def matched(self) -> frozenset[str]:
        """The ids of the tasks that pass all filters."""
        return frozenset(compress(self.order, self.mask))

    @cached_property
    def markable(self) -> Set[str]:
        """The ids of the tasks that pass all filters, for "mark all"; all without a filter."""
        return self.matched if self.filtered else self.snapshot.tasks.keys()

    @cached_property
    def _shown(self) -> Set[str]:
        """The ids of the rows."""
        if self.only_matched:
            return self.matched
        return frozenset(self.ids) if self.narrowing.given else self.snapshot.tasks.keys()

    def row_of(self, task_id: str, near: int = 0) -> int | None:
        """Return the row of a task; None if it is not shown.

        Rows near ``near`` are searched first. An index of a million rows would take 100 MB.
        """
        if task_id not in self._shown:
            return None
        for start, stop in ((max(0, near - NEAR_ROWS), near + NEAR_ROWS), (0, len(self.ids))):
            with suppress(ValueError):
                return self.ids.index(task_id, start, stop)
        return None

    def is_dimmed(self, row: int) -> bool:
        """Return whether a row is shown dimmed because it does not pass all filters."""
        return self.filtered and not self.row_mask[row]

    def nearest_match(self, rows: range) -> int | None:
        """Return the first matched row below ``rows``, or else above them.

        None if one of ``rows`` is matched, or no row at all.
        """
        if self.row_mask.find(1, rows.start, rows.stop) >= 0:
            return None
        below = self.row_mask.find(1, rows.stop)
        found = below if below >= 0 else self.row_mask.find(1, 0, rows.start)
        return None if found < 0 else found

    def next_match(self, row: int, step: int) -> int | None:
        """Return the next matched row below ``row``, or above it with a negative ``step``.

        After the last match comes the first, and before the first the last. None without matches;
        without a filter, no task is matched.
        """
        mask = self.row_mask
        if step > 0:
            found = mask.find(1, row + 1)
            found = found if found >= 0 else mask.find(1)
        else:
            found = mask.rfind(1, 0, row)
            found = found if found >= 0 else mask.rfind(1)
        return None if found < 0 else found

    def has_match(self, bundle: Bundle) -> bool:
        """Return whether a task of the bundle passes all filters."""
        return (bundle.lang, bundle.name) in self._matched_bundles

    @cached_property
    def _matched_bundles(self) -> frozenset[tuple[Lang, str]]:
        matched = self.snapshot.columns.relations_of(self.stack.mask(self.snapshot))
        return frozenset(
            (relations.lang, name) for relations in matched for name in relations.bundles
        )

    @property
    def markable_rows(self) -> frozenset[str]:
        """The rows that "mark all" marks: those that pass all filters, and during a search
        also contain the search text."""
        return self.markable_among([self.ids[row] for row in self.hits] if self.query else self.ids)

    def markable_among(self, ids: Iterable[str]) -> frozenset[str]:
        """Return the tasks among ``ids`` that pass all filters; all of them without a filter."""
        return frozenset(filter(self.markable.__contains__, ids))

    def count_passing(self, ids: frozenset[str]) -> int:
        """Return how many of these tasks, which exist, pass all filters; all without a filter."""
        return len(ids & self.matched) if self.filtered else len(ids)


def next_hit(hits: Sequence[int], row: int, step: int) -> int | None:
    """Return the next hit below ``row``, or above it with a negative ``step``.

    ``hits`` are rows, ascending. After the last hit comes the first, and before the first the last.
    None without hits.
    """
    if not hits:
        return None
    return hits[bisect_right(hits, row) % len(hits) if step > 0 else bisect_left(hits, row) - 1]


def make_view(
    snapshot: Snapshot,
    stack: FilterStack,
    sort: TaskSort,
    *,
    narrowing: FilterStack = NO_FILTER,
    only_matched: bool = False,
    query: str = "",
    summaries: Summaries | None = None,
    failures: Failures | None = None,
    sizes: Sizes | None = None,
    usages: Usages = NO_USAGES,
    now: float = 0.0,
    before: TaskView | None = None,
    changed: Set[str] | None = None,
) -> TaskView:
    """Make the rows for filters, an order and a search.

    Args:
        narrowing: The filters that the rows pass, which are also part of ``stack``.
        summaries: The summaries that were read so far.
        failures: The failures that were read so far.
        sizes: The sizes that were measured so far.
        usages: The usages that were read so far.
        now: The time, in seconds since the epoch, for queue and run times of unfinished tasks.
        before: The previous view. Its order and mask are reused if they are still valid.
        changed: The ids of tasks changed, added or removed since ``before``; None if unknown.
    """
    known = summaries or {}
    order = _make_order(snapshot, sort, known, sizes or {}, usages, now, before, changed)
    same_snapshot = before is not None and before.snapshot is snapshot
    if before is not None and same_snapshot and before.stack == stack and before.order is order:
        mask = before.mask
    else:
        mask = _mask_in_order(snapshot, stack, order)
    only_matched = only_matched and bool(stack.given)
    ids, row_mask = order, mask
    if only_matched or narrowing.given:
        all_pass = only_matched or narrowing == stack
        rows = mask if all_pass else _mask_in_order(snapshot, narrowing, order)
        ids, row_mask = tuple(compress(order, rows)), bytes(compress(mask, rows))
    if before is not None and ids is not before.ids and ids == before.ids:
        ids = before.ids
    hits, failed_hits = _find_hits(snapshot, ids, query, known, failures or {})
    return TaskView(
        snapshot,
        stack,
        narrowing,
        sort,
        query,
        ids,
        only_matched,
        order,
        mask,
        row_mask,
        hits,
        failed_hits,
    )


def _make_order(
    snapshot: Snapshot,
    sort: TaskSort,
    summaries: Summaries,
    sizes: Sizes,
    usages: Usages,
    now: float,
    before: TaskView | None,
    changed: Set[str] | None,
) -> tuple[str, ...]:
    """Sort the tasks; reuse or update the order of the previous view if that is possible."""
    if before is not None and before.sort == sort and sort.key not in CHANGING_KEYS:
        if before.snapshot is snapshot:
            return before.order
        if sort != TaskSort() and changed is not None and len(changed) <= MAX_RESORTED:
            return resort_changed(before.order, snapshot, sort, changed)
    return sort_tasks(snapshot, sort, summaries, sizes, now, usages)


def _mask_in_order(snapshot: Snapshot, stack: FilterStack, order: tuple[str, ...]) -> TaskMask:
    """Return which tasks pass all filters, in the order of ``order``."""
    columns, mask = snapshot.columns, stack.mask(snapshot)
    if order is columns.ids or not stack.given:
        return mask
    return bytes(map(frozenset(columns.select(mask)).__contains__, order))


def _find_hits(
    snapshot: Snapshot, ids: tuple[str, ...], query: str, summaries: Summaries, failures: Failures
) -> tuple[tuple[int, ...], frozenset[str]]:
    """Return the rows that the query finds, and for a comparison the failed tasks that it finds."""
    if not query:
        return (), frozenset()
    comparison = parse_comparison(query)
    if comparison is None:
        return _rows_with_text(snapshot, ids, query.casefold(), summaries, failures), frozenset()
    failed = failures_that_meet(comparison, failures)
    rows = tuple(
        [
            row
            for row, task_id in enumerate(ids)
            if task_id in failed
            or (
                task_id not in failures
                and (summary := summaries.get(task_id))
                and summary.meets(comparison)
            )
        ]
    )
    return rows, failed


def failures_that_meet(comparison: Comparison, failures: Failures) -> frozenset[str]:
    """Return the failed tasks with an input that fulfils the comparison."""
    # A copy: a worker adds failures meanwhile.
    return frozenset(
        task_id
        for task_id, failure in list(failures.items())
        if comparison.holds(failure.inputs, (failure.code_text,))
    )


def _rows_with_text(
    snapshot: Snapshot, ids: tuple[str, ...], needle: str, summaries: Summaries, failures: Failures
) -> tuple[int, ...]:
    bundles = frozenset(b.name for b in snapshot.bundles if needle in b.name.casefold())
    noted = snapshot.ids_noted_with(needle)
    tasks = snapshot.tasks
    may_be_id = set(needle) <= set("0123456789abcdef")
    return tuple(
        [
            row
            for row, task_id in enumerate(ids)
            if (may_be_id and needle in task_id)
            or task_id in noted
            or (bundles and not bundles.isdisjoint(tasks[task_id].bundles))
            or ((summary := summaries.get(task_id)) and summary.matches(needle))
            or ((failure := failures.get(task_id)) and failure.matches(needle))
        ]
    )
