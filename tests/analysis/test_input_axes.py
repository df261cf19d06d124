from __future__ import annotations

from itertools import pairwise
from math import isclose

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_root import task_id

from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.analysis.input_axes import (
    MAX_SINGLE,
    MAX_TEXTS,
    Axis,
    Bin,
    Rate,
    Region,
    bar_level,
    make_axis,
    rates_along,
    rates_in_grid,
    round_scale,
)

numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.integers(-50, 50).map("{}L".format),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1).map("{:.3g}".format),
)
texts = st.sampled_from(['"a"', '"b"', "NA", "NaN", "Inf", "-Inf", "NULL", "1e+308", "c(1, 2)"])
column = st.lists(
    st.one_of(st.none(), numbers, texts), max_size=60
) | st.lists(numbers, max_size=60)  # fmt: skip


def by_id(values: list[str | None]) -> dict[str, str | None]:
    return {task_id(n): value for n, value in enumerate(values)}


@given(column, st.integers(2, 24))
@settings(max_examples=300)
def test_each_task_is_in_exactly_one_bin(values: list[str | None], ranges: int) -> None:
    tasks = by_id(values)
    axis = make_axis("beta", tasks, ranges)
    assert axis.places.keys() == tasks.keys()
    assert all(0 <= place < len(axis.bins) for place in axis.places.values())
    assert sum(one.is_range for one in axis.bins) <= ranges
    assert len(axis.bins) <= max(ranges, MAX_SINGLE) + MAX_TEXTS + 2
    missing = {i for i, value in tasks.items() if value is None}
    in_last = {i for i, place in axis.places.items() if axis.bins[place].label == "no value"}
    assert in_last == missing


@given(column, st.integers(2, 24), st.sets(st.integers(0, 60)))
def test_rates_are_between_0_and_1_and_count_every_task(
    values: list[str | None], ranges: int, failed: set[int]
) -> None:
    tasks = by_id(values)
    failures = set(map(task_id, failed)) & tasks.keys()
    axis = make_axis("beta", tasks, ranges)
    rates = rates_along(axis, failures)
    assert len(rates) == len(axis.bins)
    assert all(rate.tasks >= rate.failed >= 0 and 0 <= rate.share <= 1 for rate in rates)
    assert sum(rates, Rate()) == Rate(len(tasks), len(failures))
    assert all(rate.tasks for one, rate in zip(axis.bins, rates, strict=True) if not one.is_range)


@given(st.lists(st.tuples(numbers, texts), max_size=40), st.sets(st.integers(0, 40)))
def test_cells_of_a_grid_sum_to_the_bins_of_both_axes(
    values: list[tuple[str, str]], failed: set[int]
) -> None:
    across = make_axis("a", by_id([value for value, _ in values]), 8)
    down = make_axis("b", by_id([value for _, value in values]), 8)
    failures = set(map(task_id, failed))
    grid = rates_in_grid(across, down, failures)
    for axis, place in ((across, 0), (down, 1)):
        for number, rate in enumerate(rates_along(axis, failures)):
            cells = [one for cell, one in grid.items() if cell[place] == number]
            assert sum(cells, Rate()) == rate
    assert all(rate.tasks for rate in grid.values())


wide = st.tuples(st.floats(-1e6, 1e6), st.integers(-12, 12)).map(
    lambda pair: pair[0] * 10 ** pair[1]
)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=MAX_SINGLE + 1, unique=True)
    | st.lists(wide, min_size=MAX_SINGLE + 1, unique=True),
    st.integers(2, 24),
)
@example([n / 10 for n in range(13)], 24)
@example([n * 0.1 for n in range(40)], 24)
@example([5 + n * 1e-9 for n in range(40)], 24)
@example([n * 5e-324 for n in range(40)], 24)
@example([1e15 + n for n in range(40)], 24)
def test_numbers_are_between_the_printed_edges_of_their_range(
    values: list[float], ranges: int
) -> None:
    tasks = by_id([repr(value) for value in values])
    axis = make_axis("beta", tasks, ranges)
    edges = [float(one.low) for one in axis.bins] + [float(axis.bins[-1].high)]
    step = edges[1] - edges[0]
    assert edges == sorted(set(edges))
    assert all(one.high == other.low for one, other in pairwise(axis.bins))
    assert all(isclose(b - a, step, rel_tol=1e-6) for a, b in pairwise(edges))
    for identity, text in tasks.items():
        place, value = axis.places[identity], float(text or "")
        assert edges[place] - 1e-6 * step <= value <= edges[place + 1] + 1e-6 * step


def test_edges_of_ranges_are_round_and_belong_to_the_range_above() -> None:
    tasks = by_id([f"{n / 10:g}" for n in range(40)])
    axis = make_axis("beta", tasks, 10)
    assert [one.low for one in axis.bins] == [
        "0.0",
        "0.5",
        "1.0",
        "1.5",
        "2.0",
        "2.5",
        "3.0",
        "3.5",
    ]
    assert axis.places[task_id(4)] == 0
    assert axis.places[task_id(5)] == 1
    assert axis.describe(1, 2) == "0.5 ≤ beta < 1.5"


def test_few_different_numbers_keep_one_bin_each() -> None:
    axis = make_axis("n", by_id(["10", "9", "1e+01", "2L", "9.0"]), 24)
    assert axis.bins == (Bin("2L"), Bin("9"), Bin("10"))
    assert [axis.places[task_id(n)] for n in range(5)] == [2, 1, 2, 0, 1]
    assert axis.describe(0, 1) == "n = 2L, 9"


def test_whole_numbers_have_ranges_of_whole_numbers() -> None:
    axis = make_axis("seed", by_id([str(n) for n in range(20)]), 24)
    assert [one.low for one in axis.bins] == [str(n) for n in range(20)]
    assert axis.describe(3, 3) == "seed = 3"
    assert axis.describe(3, 4) == "3 ≤ seed < 5"


def test_texts_are_ordered_by_frequency_and_the_rest_is_other() -> None:
    values = [f'"r{n}"' for n in range(10) for _ in range(n + 1)]
    axis = make_axis("region", by_id([*values, None]), 24)
    labels = [one.label for one in axis.bins]
    expected = [f'"r{n}"' for n in (9, 8, 7, 6, 5, 4)]
    assert labels == [*expected, "other (4 values)", "no value"]
    assert axis.describe(6, 7) == "region = other (4 values), no value"
    assert axis.describe(0, 5) == 'region = "r9" … "r4"'


def test_some_texts_among_numbers_have_bins_after_them() -> None:
    axis = make_axis("beta", by_id([*map(str, range(30)), "NA", "NA", "Inf"]), 10)
    assert [one.label for one in axis.bins[-2:]] == ["NA", "Inf"]
    assert all(one.is_range for one in axis.bins[:-2])
    assert axis.describe(len(axis.bins) - 3, len(axis.bins) - 1) == (
        "25 ≤ beta < 30 or beta = NA, Inf"
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=9))
def test_bars_fit_and_show_whether_a_task_failed(pairs: list[tuple[int, int]]) -> None:
    rates = [Rate(max(pair), min(pair)) for pair in pairs]
    scale = round_scale(rates)
    assert 0 < scale <= 1
    for rate in rates:
        assert rate.share <= scale
        level = bar_level(rate, scale, 8)
        assert 0 <= level <= 8
        assert (level == 0) == (rate.tasks == 0)
        assert (level > 1) == (rate.failed > 0)


@pytest.mark.parametrize(
    ("shares", "scale"), [([], 1), ([0], 1), ([0.004], 0.01), ([0.3], 0.5), ([1], 1)]
)
def test_scale_is_a_round_percentage(shares: list[float], scale: float) -> None:
    assert round_scale(Rate(1000, round(1000 * share)) for share in shares) == scale


def test_region_selects_the_tasks_in_its_bins() -> None:
    tasks = by_id([f"{n / 10:g}" for n in range(40)])
    beta = make_axis("beta", tasks, 10)
    kind = make_axis("kind", by_id(['"a"' if n % 2 else '"b"' for n in range(40)]), 10)
    region = Region((beta, kind), ((1, 1), (0, 0)))
    assert region.label == '0.5 ≤ beta < 1.0, kind = "a"'
    assert region.select(list(tasks)) == frozenset(map(task_id, (5, 7, 9)))
    assert not region.select([task_id(99)])
    assert Region((Axis("x"),), ((0, 0),)).select([task_id(1)]) == frozenset()


@given(column, st.integers(2, 24), st.data())
def test_regions_of_single_bins_partition_the_tasks(
    values: list[str | None], ranges: int, data: st.DataObject
) -> None:
    tasks = by_id(values)
    axis = make_axis("beta", tasks, ranges)
    found = [Region((axis,), ((n, n),)).select(list(tasks)) for n in range(len(axis.bins))]
    assert sum(map(len, found)) == len(tasks)
    assert frozenset().union(*found) == tasks.keys()
    for one in axis.bins:
        assert (
            one.is_range
            or one.label == "no value"
            or "other" in one.label
            or (parse_number(one.label) is not None or one.label in tasks.values())
        )
