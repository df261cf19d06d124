from __future__ import annotations

from bisect import bisect_left
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from small_root import NOW

from hipercow_tui.domain.age_scale import (
    DAY,
    STOPS,
    bar_heights,
    column_of,
    histogram,
    label,
)
from hipercow_tui.domain.cutoff_time import parse_cutoff
from hipercow_tui.support.text import format_duration

ROUNDING = 1e-4  # seconds

ages = st.floats(min_value=-DAY, max_value=40 * 365 * DAY)
finished_times = st.lists(ages.map(lambda age: NOW - age), max_size=60).map(sorted)


def test_stops_are_ascending_and_about_a_factor_of_two_apart() -> None:
    ratios = [older / younger for younger, older in pairwise(STOPS[1:])]
    assert min(ratios) >= 1.4
    assert max(ratios) <= 3


@given(st.sampled_from(range(len(STOPS))))
def test_every_stop_has_its_column(column: int) -> None:
    assert column_of(STOPS[column]) == column


@given(ages, ages)
def test_column_of_an_older_age_is_never_further_left(one: float, other: float) -> None:
    assert column_of(min(one, other)) <= column_of(max(one, other))


@example(1, 1065473639.5)  # half a second before the minute is full
@given(st.sampled_from(range(1, len(STOPS))), st.floats(min_value=1_000_000_000, max_value=4e9))
def test_stop_as_text_gives_the_same_column(column: int, now: float) -> None:
    assert column_of(now - parse_cutoff(format_duration(STOPS[column]), now)) == column


@given(st.sampled_from(STOPS[1:]))
def test_stop_as_text_is_exactly_its_age(stop: int) -> None:
    assert parse_cutoff(format_duration(stop), NOW) == NOW - stop
    assert parse_cutoff(label(stop), NOW) == NOW - stop


@given(st.floats(min_value=-DAY, max_value=9999 * 365 * DAY))
def test_label_can_be_typed_back_within_its_rounding(age: float) -> None:
    rounded = NOW - parse_cutoff(label(age), NOW)
    assert rounded <= max(0, age + 0.5 + ROUNDING)
    assert age < max(rounded * 4 / 3 + 1, 2)


@given(finished_times)
def test_histogram_counts_every_finished_task(times: list[float]) -> None:
    bars = histogram(len(times), partial(bisect_left, times), NOW)
    assert len(bars) == len(STOPS)
    assert sum(bars) == len(times)
    assert min(bars) >= 0


@given(finished_times, st.sampled_from(range(1, len(STOPS))))
def test_columns_right_of_a_stop_count_the_tasks_it_matches(
    times: list[float], column: int
) -> None:
    passing = bisect_left(times, NOW - STOPS[column])
    assert sum(histogram(len(times), partial(bisect_left, times), NOW)[column:]) == passing


@given(st.lists(st.integers(0, 10**9), max_size=30), st.sampled_from([8, 24]))
def test_bars_fit_and_nonempty_bars_are_visible(bars: list[int], levels: int) -> None:
    drawn = bar_heights(bars, levels)
    assert all(0 <= height <= levels for height in drawn)
    assert [height > 0 for height in drawn] == [bar > 0 for bar in bars]


@pytest.mark.parametrize(
    ("age", "says"),
    [
        (-5, "now"),
        (0.4, "now"),
        (59, "59 s"),
        (90, "90 s"),
        (150, "150 s"),
        (200, "3 min"),
        (30 * 60, "30 min"),
        (7 * DAY, "1 w"),
        (9 * DAY, "9 d"),
        (45 * DAY, "6 w"),
        (60 * DAY, "2 mo"),
        (365 * DAY, "1 y"),
        (5000 * 365 * DAY, "5000 y"),
    ],
)
def test_labels(age: float, says: str) -> None:
    assert label(age) == says


@given(st.sampled_from(STOPS[1:]), st.floats(min_value=-1e-3, max_value=1e-3))
def test_every_stop_has_a_different_short_label(stop: int, noise: float) -> None:
    assert len(label(stop)) <= 6
    assert label(stop + noise) == label(stop)
    assert len({label(age) for age in STOPS}) == len(STOPS)
