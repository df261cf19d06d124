"""What each filter alone passes, counted: the numbers beside the filters. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hipercow_tui.domain.age_scale import histogram
from hipercow_tui.domain.filters import FilterStack, InBundle, mask_of
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Lang, Status
from hipercow_tui.domain.task_columns import mask_and, mask_where


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """How many existing tasks each filter passes on its own; None where a filter is not given.

    ``statuses`` counts a retried task as its tip (SPEC rule 6). ``ages`` is the histogram of
    ``ages.histogram``; it adds up to ``finished``. ``matching_bundles`` of ``bundles`` match the
    globs, and hold ``in_bundles`` tasks. ``langs`` counts the tasks of R and of Python where the
    root is of both.
    """

    statuses: Mapping[Status, int] = field(default_factory=dict)
    ages: tuple[int, ...] = ()
    finished: int = 0
    older: int | None = None
    bundles: int = 0
    matching_bundles: int | None = None
    in_bundles: int | None = None
    marked: int | None = None
    langs: Mapping[Lang, int] = field(default_factory=dict)


def count_passing(snapshot: Snapshot, stack: FilterStack, now: float) -> FilterCounts:
    """The counts of a snapshot at ``now``, in seconds since the epoch."""
    columns = snapshot.columns
    finished = len(columns.ids) - columns.unfinished_count
    before, bundles, marks = stack.finished_before, stack.in_bundle, stack.task_ids
    return FilterCounts(
        statuses=snapshot.memoized("statuses", None, lambda: _count_latest_statuses(snapshot)),
        langs={part.lang: len(part.tasks) for part in snapshot.by_language},
        ages=histogram(finished, columns.count_older_than, now),
        finished=finished,
        older=columns.count_older_than(before.cutoff) if before else None,
        bundles=len(snapshot.bundles),
        matching_bundles=len(bundles.bundles(snapshot)) if bundles else None,
        in_bundles=_count_tasks_in(snapshot, bundles) if bundles else None,
        marked=mask_of(marks, snapshot).count(1) if marks else None,
    )


def _count_tasks_in(snapshot: Snapshot, bundles: InBundle) -> int:
    existing = mask_where(snapshot.columns.status_codes, Status)
    return mask_and([mask_of(bundles, snapshot), existing]).count(1)


def _count_latest_statuses(snapshot: Snapshot) -> dict[Status, int]:
    """The tasks of each status, those in chains as their tips."""
    columns = snapshot.columns
    existing = mask_where(columns.status_codes, Status)
    return {
        status: mask_and([mask_where(columns.latest_codes, [status]), existing]).count(1)
        for status in FILTERABLE_STATUSES
    }
