from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from small_root import task_id

from hipercow_tui.analysis.input_axes import make_axis
from hipercow_tui.analysis.sweep import make_sweep
from hipercow_tui.analysis.sweep_chart import ChartModel, make_chart, with_grid
from hipercow_tui.ui.widgets.chart_drawing import (
    BarsView,
    GridView,
    Line,
    bar_at,
    bar_height,
    cell_at,
    draw_bars,
    draw_grid,
    place_bins,
    place_labels,
    place_ticks,
    visible_columns,
    visible_inputs,
)

values = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1).map("{:.4g}".format),
    st.sampled_from(['"London"', '"Yorkshire and the Humber"', '"東京"', "NA", "NULL"]),
)
rows = st.lists(st.fixed_dictionaries({"a": values}, optional={"b": values}), max_size=50)

failures = st.integers(0, 50)  # the number of failed tasks
comparisons = st.sampled_from([None, 0])


def chart_of(table: Sequence[dict[str, str]], failed: int, compared: int | None) -> ChartModel:
    sweep = make_sweep({task_id(n): tuple(row.items()) for n, row in enumerate(table)})
    return make_chart(sweep, frozenset(map(task_id, range(failed))), compared)


def texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


@given(rows, st.integers(20, 160), st.integers(3, 30), failures, comparisons)
def test_bars_fit_into_their_lines(
    table: list[dict[str, str]], width: int, lines: int, failed: int, compared: int | None
) -> None:
    chart = chart_of(table, failed, compared)
    if not chart.axes:
        return
    last = len(chart.axes[0].bins) - 1
    drawn = texts(draw_bars(BarsView(chart, 0, (0, (last, last))), width, lines))
    assert len(drawn) <= max(lines, 3)
    assert all(cell_len(line) == width for line in drawn)


@given(rows, st.integers(30, 160), st.integers(3, 20), failures, comparisons)
def test_grid_fits_into_its_lines(
    table: list[dict[str, str]], width: int, lines: int, failed: int, compared: int | None
) -> None:
    chart = chart_of(table, failed, compared)
    if len(chart.axes) < 2:
        return
    ids = frozenset(map(task_id, range(failed)))
    names = (chart.axes[0].name, chart.axes[1].name)
    view = GridView(with_grid(chart, names, ids), 0, ((0, 1), (0, 9)))
    drawn = texts(draw_grid(view, width, 0, lines))
    assert len(drawn) <= lines
    assert all(cell_len(line) == width for line in drawn)


@given(st.lists(values, min_size=1, max_size=60), st.integers(20, 160))
def test_bins_and_their_labels_do_not_overlap(column: list[str], width: int) -> None:
    axis = make_axis("x", {task_id(n): value for n, value in enumerate(column)}, 24)
    placed = place_bins(axis, width)
    assert all(one.stop <= other.start for one, other in pairwise(placed))
    marks = sorted([*place_ticks(axis, placed), *place_labels(axis, placed, width)])
    fitting = [(x, label) for x, label in marks if x + cell_len(label) <= width]
    assert all(x + cell_len(label) <= after for (x, label), (after, _) in pairwise(fitting))


def test_ticks_are_at_round_figures_below_their_edges() -> None:
    column = {task_id(n): f"{n / 100:g}" for n in range(20, 101)}
    axis = make_axis("beta", column, 24)
    placed = place_bins(axis, 70)
    assert [label for _, label in place_ticks(axis, placed)] == [
        "▏0.2", "▏0.3", "▏0.4", "▏0.5", "▏0.6", "▏0.7", "▏0.8", "▏0.9", "▏1.0",
    ]  # fmt: skip
    assert [x for x, _ in place_ticks(axis, placed)][:3] == [0, 8, 16]


def test_ticks_keep_the_zeros_of_an_exponent() -> None:
    column = {task_id(n): repr(1.01e10 + 1e7 * n) for n in range(90)}
    axis = make_axis("x", column, 24)
    labels = [label for _, label in place_ticks(axis, place_bins(axis, 100))]
    assert len(labels) > 2
    assert all(1e10 <= float(label.removeprefix("▏")) <= 1.2e10 for label in labels)


def test_numbers_are_left_out_rather_than_cut() -> None:
    column = {task_id(n): str(10_000 * n) for n in range(1, 13)}
    axis = make_axis("doses", column, 24)
    labels = [label for _, label in place_labels(axis, place_bins(axis, 50), 50)]
    assert labels and set(labels) <= set(column.values())
    assert len(labels) < 12


def test_bars_have_two_to_four_lines() -> None:
    assert [bar_height(inputs, 12) for inputs in (1, 2, 3, 4, 9)] == [4, 4, 3, 2, 2]
    assert [visible_inputs(inputs, 12) for inputs in (1, 2, 3, 4, 9)] == [1, 2, 3, 4, 4]


def test_grid_shows_the_share_as_a_shade_and_a_figure() -> None:
    table = [{"a": str(n % 2), "b": str(n % 3)} for n in range(30)]
    chart = chart_of(table, 0, None)
    ids = frozenset(task_id(n) for n in range(30) if n % 2 and not n % 3)
    lines = texts(draw_grid(GridView(with_grid(chart, ("a", "b"), ids), 0, None), 40, 0, 10))
    assert lines[0].split() == ["a", "→"]
    assert lines[1].split() == ["b", "↓", "0", "1"]
    assert lines[2].split() == ["0", "0%", "██100%"]
    assert lines[3].split() == ["1", "0%", "0%"]


def test_without_successful_tasks_bars_are_numbers_of_failures() -> None:
    table = [{"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}, {"a": "2"}]
    chart = chart_of(table, 5, 0)
    assert chart.shows_counts
    assert [rate.failed for rate in chart.rates[0]] == [1, 4]
    drawn = texts(draw_bars(BarsView(chart, 0, None), 30, 5))
    assert [line.count("█") > 0 for line in drawn] == [True, True, True, True, False]
    assert not any("%" in line for line in drawn)


def highlighted(lines: Sequence[Line], name: str) -> set[tuple[int, int]]:
    """Return the cells, as column and line, that are drawn as chosen."""
    found = set()
    for y, line in enumerate(lines):
        x = 0
        for part, classes in line:
            if name in classes:
                found |= {(cell, y) for cell in range(x, x + cell_len(part))}
            x += cell_len(part)
    return found


@settings(max_examples=30)
@given(rows, st.integers(20, 160), st.integers(3, 30), st.data())
def test_the_bar_at_a_cell_is_the_one_that_is_highlighted_there(
    table: list[dict[str, str]], width: int, lines: int, data: st.DataObject
) -> None:
    chart = chart_of(table, 5, None)
    if not chart.axes:
        return
    place = data.draw(st.integers(0, visible_inputs(len(chart.axes), lines) - 1))
    last = data.draw(st.integers(0, len(chart.axes[place].bins) - 1))
    view = BarsView(chart, 0, (place, (last, last)))
    cells = highlighted(draw_bars(view, width, lines), "chosen-bar")
    height = len(draw_bars(view, width, lines))
    found = {
        (x, y)
        for x in range(width)
        for y in range(height)
        if bar_at(view, width, lines, x, y) == (place, last)
    }
    ticks = {(x, y) for x, y in found if (y + 1) % (bar_height(len(chart.axes), lines) + 1) == 0}
    assert found - ticks == cells


@settings(max_examples=30)
@given(rows, st.integers(30, 160), st.integers(3, 20), st.data())
def test_the_cell_of_a_grid_is_the_one_that_is_highlighted_there(
    table: list[dict[str, str]], width: int, lines: int, data: st.DataObject
) -> None:
    chart = with_grid(chart_of(table, 5, None), ("a", "b"), frozenset())
    if chart.grid is None:
        return
    across, down = (chart.grid_axes[place] for place in chart.grid)
    column = data.draw(st.integers(0, visible_columns(across, down, width) - 1))
    row = data.draw(st.integers(0, min(len(down.bins), lines - 2) - 1))
    view = GridView(chart, 0, ((column, column), (row, row)))
    drawn = draw_grid(view, width, 0, lines)
    cells = highlighted(drawn, "chosen")
    assert all(cell_at(view, width, 0, x, y) == (column, row) for x, y in cells)
    assert cell_at(view, width, 0, 0, 2) is None
    assert cell_at(view, width, 0, width - 1, 1) is None
