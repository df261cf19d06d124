"""What each filter alone passes, counted: the numbers beside the filters. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hipercow_tui.ages import histogram
from hipercow_tui.filters import FilterStack, InBundle, passing_ids
from hipercow_tui.model import SIX_STATUSES, Lang, Snapshot, Status


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
    finished = snapshot.finished_order[0]
    before, bundles, marks = stack.finished_before, stack.in_bundle, stack.task_ids
    return FilterCounts(
        statuses=snapshot.worked_out("statuses", None, lambda: _statuses(snapshot)),
        langs={part.lang: len(part.tasks) for part in snapshot.parts},
        ages=histogram(finished, now),
        finished=len(finished),
        older=bisect_left(finished, before.moment) if before else None,
        bundles=len(snapshot.bundles),
        matching_bundles=len(bundles.bundles(snapshot)) if bundles else None,
        in_bundles=_existing(snapshot, bundles) if bundles else None,
        marked=len(passing_ids(marks, snapshot)) if marks else None,
    )


def _existing(snapshot: Snapshot, bundles: InBundle) -> int:
    passing = passing_ids(bundles, snapshot)
    return len(passing) - len(snapshot.absent & passing)


def _statuses(snapshot: Snapshot) -> dict[Status, int]:
    """The tasks of each status, those in chains as their tips; without making the groups."""
    if snapshot.parts:
        counts = [_statuses(part) for part in snapshot.parts]
        return {status: sum(count[status] for count in counts) for status in SIX_STATUSES}
    members = list(snapshot.existing(snapshot.chains.members()))
    themselves = Counter(task.status for task in members)
    tips = Counter(task.tip_status for task in members)
    own = snapshot.by_status.ids
    return {s: len(own[s]) - themselves[s] + tips[s] for s in SIX_STATUSES}
