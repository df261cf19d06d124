from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import IDS, NOW, snapshots

from hipercow_tui.domain.filter_counts import count_passing
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, TaskIds, WithStatus
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES


@settings(max_examples=100, deadline=None)
@given(snapshots(), st.sets(st.sampled_from(IDS)), st.integers(0, 100))
def test_each_filter_is_counted_on_its_own(snapshot: Snapshot, ids: set[str], days: int) -> None:
    stack = FilterStack(
        task_ids=TaskIds(frozenset(ids)),
        finished_before=FinishedBefore.of(f"{days} days", NOW),
        in_bundle=InBundle.of("sweep_*"),
    )
    counts = count_passing(snapshot, stack, NOW)

    def existing(one: FinishedBefore | InBundle | WithStatus) -> int:
        return sum(1 for _ in snapshot.existing(set(snapshot.columns.select(one.mask(snapshot)))))

    assert stack.finished_before and stack.in_bundle
    assert counts.older == existing(stack.finished_before)
    assert counts.in_bundles == existing(stack.in_bundle)
    assert counts.matching_bundles == len(stack.in_bundle.bundles(snapshot))
    for status in FILTERABLE_STATUSES:
        assert counts.statuses[status] == existing(WithStatus(frozenset({status})))
        own = existing(WithStatus(frozenset({status}), follow=False))
        both = [
            task
            for task in snapshot.tasks.values()
            if task.exists and task.status is task.latest_status is status
        ]
        assert counts.statuses[status] - counts.by_last_attempt[status] == len(both) <= own
    assert sum(counts.ages) == counts.finished
    assert counts.finished == sum(t.finished is not None for t in snapshot.tasks.values())


@settings(max_examples=20, deadline=None)
@given(snapshots())
def test_a_filter_that_is_not_given_has_no_count(snapshot: Snapshot) -> None:
    counts = count_passing(snapshot, FilterStack(), NOW)
    assert (counts.older, counts.matching_bundles, counts.in_bundles) == (None,) * 3
    assert counts.bundles == len(snapshot.bundles)
