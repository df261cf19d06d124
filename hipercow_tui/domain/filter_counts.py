"""What each filter alone passes, counted: the numbers beside the filters. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hipercow_tui.domain.age_scale import histogram
from hipercow_tui.domain.filters import FilterStack, InBundle, flags_passing
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import SIX_STATUSES, Lang, Status
from hipercow_tui.domain.task_columns import flagged_by_all, flags_of


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
    lineup = snapshot.lineup
    finished = len(lineup.ids) - lineup.under_way
    before, bundles, marks = stack.finished_before, stack.in_bundle, stack.task_ids
    return FilterCounts(
        statuses=snapshot.worked_out("statuses", None, lambda: _statuses(snapshot)),
        langs={part.lang: len(part.tasks) for part in snapshot.parts},
        ages=histogram(finished, lineup.older_than, now),
        finished=finished,
        older=lineup.older_than(before.moment) if before else None,
        bundles=len(snapshot.bundles),
        matching_bundles=len(bundles.bundles(snapshot)) if bundles else None,
        in_bundles=_existing(snapshot, bundles) if bundles else None,
        marked=flags_passing(marks, snapshot).count(1) if marks else None,
    )


def _existing(snapshot: Snapshot, bundles: InBundle) -> int:
    existing = flags_of(snapshot.lineup.own, Status)
    return flagged_by_all([flags_passing(bundles, snapshot), existing]).count(1)


def _statuses(snapshot: Snapshot) -> dict[Status, int]:
    """The tasks of each status, those in chains as their tips."""
    lineup = snapshot.lineup
    existing = flags_of(lineup.own, Status)
    return {
        status: flagged_by_all([flags_of(lineup.tips, [status]), existing]).count(1)
        for status in SIX_STATUSES
    }
