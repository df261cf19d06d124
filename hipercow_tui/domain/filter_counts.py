"""Count the tasks that each filter alone passes: the numbers beside the filters."""

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
    """Numbers of existing tasks that each filter passes on its own; None if it is not given.

    Attributes:
        statuses: Tasks by status. A retried task counts by its latest attempt (docs/spec.md,
            rule 6).
        by_last_attempt: How many of them have another status themselves: earlier attempts.
        ages: Tasks in each column of the age slider (``age_scale.histogram``).
        finished: The number of finished tasks, the sum of ``ages``.
        older: Tasks that finished before the given time.
        bundles: The number of all bundles.
        matching_bundles: Bundles that match the globs.
        in_bundles: Tasks in those bundles.
        langs: Tasks by language; empty if the root has only one.
    """

    statuses: Mapping[Status, int] = field(default_factory=dict)
    by_last_attempt: Mapping[Status, int] = field(default_factory=dict)
    ages: tuple[int, ...] = ()
    finished: int = 0
    older: int | None = None
    bundles: int = 0
    matching_bundles: int | None = None
    in_bundles: int | None = None
    langs: Mapping[Lang, int] = field(default_factory=dict)


def count_passing(snapshot: Snapshot, stack: FilterStack, now: float) -> FilterCounts:
    """Count the tasks of a snapshot at ``now``, in seconds since the epoch."""
    columns = snapshot.columns
    finished = len(columns.ids) - columns.unfinished_count
    before, bundles = stack.finished_before, stack.in_bundle
    statuses, by_last_attempt = snapshot.memoized(
        "statuses", None, lambda: _count_latest_statuses(snapshot)
    )
    return FilterCounts(
        statuses=statuses,
        by_last_attempt=by_last_attempt,
        langs={part.lang: len(part.tasks) for part in snapshot.by_language},
        ages=histogram(finished, columns.count_older_than, now),
        finished=finished,
        older=columns.count_older_than(before.cutoff) if before else None,
        bundles=len(snapshot.bundles),
        matching_bundles=len(bundles.bundles(snapshot)) if bundles else None,
        in_bundles=_count_tasks_in(snapshot, bundles) if bundles else None,
    )


def _count_tasks_in(snapshot: Snapshot, bundles: InBundle) -> int:
    existing = mask_where(snapshot.columns.status_codes, Status)
    return mask_and([mask_of(bundles, snapshot), existing]).count(1)


def _count_latest_statuses(snapshot: Snapshot) -> tuple[dict[Status, int], dict[Status, int]]:
    """Count the tasks by the status of their latest attempt; and those of them that have another
    status themselves."""
    columns = snapshot.columns
    counts: dict[Status, int] = {}
    by_last_attempt: dict[Status, int] = {}
    existing = mask_where(columns.status_codes, Status)
    for status in FILTERABLE_STATUSES:
        latest = mask_where(columns.latest_codes, [status])
        own = mask_and([latest, mask_where(columns.status_codes, [status])]).count(1)
        counts[status] = mask_and([latest, existing]).count(1)
        by_last_attempt[status] = counts[status] - own
    return counts, by_last_attempt
