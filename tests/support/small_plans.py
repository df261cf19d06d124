"""Filters and kept ids for plans of the snapshots of ``small_root``."""

from __future__ import annotations

from hypothesis import strategies as st
from small_root import DAY, IDS, NOW, ages

from hipercow_tui.domain.filters import FilterStack, FinishedBefore, InBundle, TaskIds, WithStatus
from hipercow_tui.domain.task import Status, Task

id_filters = st.frozensets(st.sampled_from(IDS), max_size=6).map(TaskIds)
age_filters = ages.map(lambda moment: FinishedBefore(moment, "then"))
bundle_filters = st.sampled_from(["*", "sweep_*", "fit-?", "{mine,fit-a}", "none*"]).map(
    InBundle.of
)
status_filters = st.builds(
    WithStatus,
    st.frozensets(st.sampled_from(["created", "success", "failure", "cancelled"])).map(
        lambda words: frozenset(map(Status, words))
    ),
    st.booleans(),
)
stacks = st.builds(
    FilterStack,
    st.none() | id_filters,
    st.none() | age_filters,
    st.none() | bundle_filters,
    st.none() | status_filters,
)


def ended(identity: str, status: Status = Status.FAILURE, days: float = 20, **more: object) -> Task:
    finished = NOW - days * DAY
    return Task(identity, status, 1, finished - 60, None, finished, **more)  # type: ignore[arg-type]


def by_ids(*ids: str) -> FilterStack:
    return FilterStack(task_ids=TaskIds(frozenset(ids)))


def failures(follow: bool = True) -> FilterStack:
    return FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow))


kept_sets = st.frozensets(st.sampled_from(IDS), max_size=4)
