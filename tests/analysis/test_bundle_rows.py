from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import NOW, snapshot_of, task_id

from hipercow_tui.analysis.bundle_rows import (
    MIN_RUN_TIMES,
    SHOWN_STATUSES,
    BundleKey,
    BundleRow,
    BundleRowBuilder,
    BundleSort,
    Progress,
    fitting_counts,
    format_time_left,
    sort_rows,
    strip_lengths,
)
from hipercow_tui.domain.task import Status, Task

Links: TypeAlias = Sequence[tuple[str, str, str]]
counts = st.dictionaries(
    st.sampled_from([*SHOWN_STATUSES, None]), st.integers(0, 100_000), max_size=8
)
widths = st.integers(0, 60)


def shown_total(numbers: dict[Status | None, int]) -> int:
    return sum(number for status, number in numbers.items() if status is not None)


@given(counts, widths, st.integers(0, 300_000))
def test_strip_has_a_cell_for_each_present_status_and_is_never_longer_than_the_column(
    numbers: dict[Status | None, int], width: int, largest: int
) -> None:
    lengths = strip_lengths(numbers, width, largest)
    present = [status for status in SHOWN_STATUSES if numbers.get(status)]
    if len(present) > width:
        assert not lengths
    else:
        assert list(lengths) == present
        assert all(length >= 1 for length in lengths.values())
        assert sum(lengths.values()) <= min(width, max(shown_total(numbers), len(present)))


@given(counts, st.integers(7, 60), st.integers(1, 300_000))
def test_strip_is_as_long_as_the_bundle_is_large(
    numbers: dict[Status | None, int], width: int, largest: int
) -> None:
    total = shown_total(numbers)
    most = max(total, largest)
    drawn = sum(strip_lengths(numbers, width, largest).values())
    statuses = sum(1 for status in SHOWN_STATUSES if numbers.get(status))
    assert abs(drawn - min(width, most) * total / most) <= max(0.5, statuses)


def test_two_tasks_beside_a_large_bundle_have_one_cell_and_never_more_than_two() -> None:
    assert strip_lengths({Status.SUCCESS: 2}, 17, 400) == {Status.SUCCESS: 1}
    assert strip_lengths({Status.SUCCESS: 2}, 17, 2) == {Status.SUCCESS: 2}
    assert strip_lengths({Status.SUCCESS: 400}, 17, 400) == {Status.SUCCESS: 17}
    assert strip_lengths({None: 3}, 17, 400) == {}


def text_width(status: Status, number: int) -> int:
    return len(f"x {number:,}")


@given(counts, st.integers(1, 60))
def test_fitting_counts_fit_and_are_as_many_as_possible(
    numbers: dict[Status | None, int], width: int
) -> None:
    statuses, complete = fitting_counts(numbers, width, text_width=text_width)
    present = [status for status in SHOWN_STATUSES if numbers.get(status)]
    assert complete == (len(statuses) == len(present))
    assert list(statuses) == [status for status in present if status in statuses]
    used = len(" ".join(f"x {numbers[status]:,}" for status in statuses)) + 2 * (not complete)
    assert used <= width or len(statuses) == 1
    if statuses and numbers.get(Status.FAILURE) and not numbers.get(Status.BROKEN):
        assert Status.FAILURE in statuses


def test_a_bundle_that_is_mostly_success_shows_that_count_before_the_few_created_tasks() -> None:
    numbers: dict[Status | None, int] = {Status.SUCCESS: 238, Status.CREATED: 2}
    shown = fitting_counts(numbers, 8, text_width=text_width)
    assert shown == ((Status.SUCCESS,), False)
    shown = fitting_counts(numbers, 9, text_width=text_width)
    assert shown == ((Status.SUCCESS, Status.CREATED), True)


def in_bundle(*tasks: Task, retries: Sequence[Task] = (), links: Links = ()) -> BundleRow:
    """Return the row of a bundle with these tasks; ``retries`` are not in it."""
    names = {"b": tuple(task.id for task in tasks)}
    snapshot = snapshot_of([*tasks, *retries], names, links)
    (row,) = BundleRowBuilder().build(snapshot, {})
    return row


def finished(place: int, seconds: float, status: Status = Status.SUCCESS) -> Task:
    start = NOW - 5000
    return Task(task_id(place), status, 1, started=start, finished=start + seconds)


def running(place: int, since: float) -> Task:
    return Task(task_id(place), Status.RUNNING, 1, started=NOW - since)


def submitted(place: int) -> Task:
    return Task(task_id(place), Status.SUBMITTED, 1)


def test_progress_counts_ended_tasks_and_estimates_from_those_that_ran_to_their_end() -> None:
    tasks = [
        finished(0, 100),
        finished(1, 200),
        finished(2, 300, Status.FAILURE),
        finished(3, 9999, Status.CANCELLED),
        finished(4, 9999)._replace(finished_estimated=True),
        running(5, 50),
        running(6, 150),
        *map(submitted, range(7, 11)),
    ]
    progress = in_bundle(*tasks).progress
    assert progress == Progress(
        done=5,
        waiting=4,
        running=2,
        starts=(NOW - 50, NOW - 150),
        run_times=3,
        mean_run_time=200.0,
    )
    # 150 s and 50 s of the running tasks, four times 200 s, by two at once.
    assert progress.seconds_left(NOW) == 500.0
    assert progress.seconds_left(NOW + 100) == (50 + 800) / 2


def test_progress_counts_an_earlier_attempt_as_ended_while_its_retry_runs() -> None:
    tasks = [*(finished(n, 100) for n in range(4)), running(4, 50)]
    progress = in_bundle(*tasks, links=[(task_id(4), task_id(3), task_id(3))]).progress
    assert progress is not None
    assert (progress.done, progress.running) == (4, 1)
    assert progress.seconds_left(NOW) == 50.0


def test_bundle_of_an_earlier_attempt_without_its_retry_has_no_progress() -> None:
    row = in_bundle(
        finished(0, 100),
        finished(1, 100),
        retries=[running(2, 50)],
        links=[(task_id(2), task_id(1), task_id(1))],
    )
    assert row.status_counts == {Status.SUCCESS: 1, Status.RUNNING: 1}
    assert row.progress is None


def test_time_left_is_unknown_before_three_tasks_have_finished() -> None:
    two = in_bundle(finished(0, 100), finished(1, 100), running(2, 10), submitted(3)).progress
    assert two is not None and two.run_times == MIN_RUN_TIMES - 1
    assert two.seconds_left(NOW) is None
    assert replace(two, run_times=MIN_RUN_TIMES).seconds_left(NOW) is not None


def test_time_left_is_unknown_if_the_last_tasks_run_longer_than_the_others() -> None:
    late = in_bundle(*(finished(n, 100) for n in range(3)), running(3, 101)).progress
    assert late is not None and late.seconds_left(NOW) is None


def test_bundle_without_a_running_task_has_no_progress() -> None:
    assert in_bundle(finished(0, 1), submitted(1)).progress is None


@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=20),
    st.integers(0, 1000),
    st.floats(1, 1e5),
    st.floats(-1e4, 1e5),
)
def test_time_left_is_between_one_mean_and_all_tasks_one_after_another(
    ages: list[float], waiting: int, mean: float, later: float
) -> None:
    starts = tuple(NOW - age for age in ages)
    progress = Progress(3, waiting, len(starts), starts, 3, mean)
    left = progress.seconds_left(NOW + later)
    if left is None:
        assert not waiting
    else:
        assert 0 < left <= mean * (waiting + len(starts)) * 1.0001
        assert left >= mean * waiting / len(starts) * 0.9999


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "about 1 min"),
        (89 * 60, "about 89 min"),
        (2 * 3600 + 60, "about 2 h"),
        (26 * 3600, "about 26 h"),
        (40 * 3600, "about 2 d"),
        (10 * 86400, "about 10 d"),
        (11 * 86400, "about 2 w"),
    ],
)
def test_time_left_is_rounded_to_a_unit_of_ages(seconds: float, text: str) -> None:
    assert format_time_left(seconds) == text


def test_rows_sorted_by_status_begin_with_the_most_failures() -> None:
    statuses = {
        "few": [Status.FAILURE, *[Status.SUCCESS] * 5],
        "many": [Status.FAILURE] * 3,
        "none": [Status.SUCCESS] * 9,
    }
    tasks: list[Task] = []
    bundles: dict[str, tuple[str, ...]] = {}
    for name, group in statuses.items():
        made = [Task(task_id(len(tasks) + n), each, 1) for n, each in enumerate(group)]
        tasks += made
        bundles[name] = tuple(task.id for task in made)
    rows = BundleRowBuilder().build(snapshot_of(tasks, bundles), {})
    sort = BundleSort().toggled(BundleKey.STATUS)
    assert [row.name for row in sort_rows(rows, sort)] == ["many", "few", "none"]
    assert sum((Counter(row.status_counts) for row in rows), Counter()) == Counter(
        task.status for task in tasks
    )
