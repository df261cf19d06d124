"""Draw the chart of a sweep as lines of text: bars along each input, or a grid of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import TypeAlias

from rich.cells import cell_len

from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.analysis.input_axes import Axis, Bin, Rate, bar_level, round_scale
from hipercow_tui.analysis.sweep_chart import ChartModel
from hipercow_tui.ui.cells import cut_end, plain_text, short_number

LEVELS = " ▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
TICK = "▏"
GUTTER = 16  # cells for the names of inputs, at most
WIDEST_RANGE = 5  # cells of a range
LABEL = 14  # cells of the label of a value, at most
NARROWEST_VALUE = 3  # cells of a value with the blank after it
CELL = 7  # cells of a cell of the grid
GRID_HEAD = 2  # lines above the cells: the names and the columns

# A text with the component classes of its style, without the prefix.
Part: TypeAlias = tuple[str, tuple[str, ...]]
Line: TypeAlias = Sequence[Part]
# The first and the last bin that are chosen.
Span: TypeAlias = tuple[int, int]


class _Canvas:
    """Lines of cells, each with a character and component classes."""

    def __init__(self, width: int, height: int) -> None:
        self._characters = [[" "] * width for _ in range(height)]
        self._classes: list[list[tuple[str, ...]]] = [[()] * width for _ in range(height)]
        self._width = width

    def put(self, x: int, y: int, text: str, *classes: str) -> None:
        """Write a text; characters outside of the canvas are left out."""
        for character in text:
            cells = cell_len(character)
            if x >= 0 and x + cells <= self._width:
                self._characters[y][x] = character
                self._classes[y][x] = classes
                if cells == 2:
                    self._characters[y][x + 1] = ""
                    self._classes[y][x + 1] = classes
            x += cells

    def highlight(self, cells: range, lines: range, name: str) -> None:
        """Add a component class to cells."""
        for y in lines:
            for x in cells:
                if 0 <= x < self._width:
                    self._classes[y][x] = (*self._classes[y][x], name)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines, with as few parts as possible."""
        return [
            [
                ("".join(character for character, _ in part), classes)
                for classes, part in groupby(
                    zip(characters, styles, strict=True), key=lambda pair: pair[1]
                )
            ]
            for characters, styles in zip(self._characters, self._classes, strict=True)
        ]


def short_label(one: Bin) -> str:
    """Return the label of a bin; a text without its quotes."""
    label = plain_text(one.label)
    quoted = len(label) > 2 and label[0] == label[-1] == '"'
    return label[1:-1] if quoted else label


def place_bins(axis: Axis, width: int) -> Sequence[range]:
    """Return the cells of each bin: ranges side by side, then values with a blank after each."""
    ranges = sum(one.is_range for one in axis.bins)
    labels = [cell_len(short_label(one)) for one in axis.bins if not one.is_range]
    wanted = min(LABEL, max(labels, default=0)) + 1
    gap = 0
    if ranges and labels:
        gap = 2 + max(len(one.high) for one in axis.bins)  # the last tick has its label there
    space = width - gap
    if ranges:
        spare = space - ranges
        value = max(NARROWEST_VALUE, min(wanted, spare // len(labels))) if labels else 0
        each = max(1, min(WIDEST_RANGE, (space - value * len(labels)) // ranges))
    else:
        value, each = max(NARROWEST_VALUE, min(wanted, space // max(1, len(labels)))), 0
    placed, x = [], 0
    for one in axis.bins:
        if not one.is_range and gap:
            x, gap = x + gap, 0
        cells = each if one.is_range else value
        placed.append(range(x, x + cells))
        x += cells
    return placed


def place_ticks(axis: Axis, placed: Sequence[range]) -> Sequence[tuple[int, str]]:
    """Return the first cells and the labels of ticks below ranges, at round figures.

    As many edges have a tick as there is space for their labels: each, or each second, fifth or
    tenth and so on.
    """
    ranges = [one for one in axis.bins if one.is_range]
    if not ranges:
        return []
    width = len(placed[0])
    edges = [*(one.low for one in ranges), ranges[-1].high]
    for every in (factor * 10**power for power in range(10) for factor in (1, 2, 5)):
        ticks = [place for place in range(len(edges)) if not (axis.first_edge + place) % every]
        labels = _without_zeros([edges[place] for place in ticks])
        if every * width >= max(map(len, labels), default=0) + 2 or len(ticks) <= 1:
            start = placed[0].start
            pairs = zip(ticks, labels, strict=True)
            return [(start + width * place, TICK + label) for place, label in pairs]
    return []


def place_labels(axis: Axis, placed: Sequence[range], width: int) -> Sequence[tuple[int, str]]:
    """Return the first cells and the labels of values.

    A text is cut if it is longer than its bar, except the last one. A number is never cut: it is
    left out if the number before it needs its cells.
    """
    labels, free = [], 0
    for place, (one, cells) in enumerate(zip(axis.bins, placed, strict=True)):
        if one.is_range or cells.start < free:
            continue
        label = short_label(one)
        if place == len(axis.bins) - 1:
            label = cut_end(label, width - cells.start)
        elif parse_number(one.label) is None:
            label = cut_end(label, len(cells) - 1)
        labels.append((cells.start, label))
        free = cells.start + cell_len(label) + 1
    return labels


def _without_zeros(labels: Sequence[str]) -> Sequence[str]:
    """Remove zeros after the point that all labels have at their end.

    Labels with an exponent do not change: their last digits are not those after the point.
    """
    if any("e" in label for label in labels):
        return labels
    while labels and all("." in label and label[-1] in "0." for label in labels):
        labels = [label[:-1] for label in labels]
    return labels


@dataclass(frozen=True, slots=True)
class BarsView:
    """Bars to draw: the inputs from ``first`` on, in as many lines as fit.

    ``chosen`` are the current input and its chosen bins, None without a cursor.
    """

    chart: ChartModel
    first: int
    chosen: tuple[int, Span] | None


def bar_height(inputs: int, lines: int) -> int:
    """Return the height of bars, from 2 to 4, for this number of lines for all inputs."""
    return max(2, min(4, lines // max(1, inputs) - 1))


def visible_inputs(inputs: int, lines: int) -> int:
    """Return how many inputs fit into the lines."""
    return max(1, min(inputs, lines // (bar_height(inputs, lines) + 1)))


def draw_bars(view: BarsView, width: int, lines: int) -> Sequence[Line]:
    """Return the bars of each input, with a line of ticks below them."""
    chart, height = view.chart, bar_height(len(view.chart.axes), lines)
    shown = range(view.first, view.first + visible_inputs(len(chart.axes), lines))
    names, gutter = _input_names(chart), _bars_gutter(chart)
    canvas = _Canvas(width, len(shown) * (height + 1))
    scale = round_scale(rate for rates in chart.rates for rate in rates)
    for number, place in enumerate(shown):
        axis, rates, top = chart.axes[place], chart.rates[place], number * (height + 1)
        placed = _place_bars(axis, gutter, width)
        current = view.chosen is not None and view.chosen[0] == place
        canvas.put(1, top + height - 1, names[place], "strong" if current else "label")
        if not chart.shows_counts:
            canvas.put(1, top, f"{scale:.0%}".rjust(gutter - 2), "label")
        for one, cells, rate in zip(axis.bins, placed, rates, strict=True):
            bar = len(cells) if one.is_range else len(cells) - 1
            level = _level(rate, rates, scale, 8 * height, counts=chart.shows_counts)
            name = "failure" if rate.failed else "success"
            for line in range(height):
                filled = max(0, min(8, level - 8 * (height - 1 - line)))
                canvas.put(cells.start, top + line, LEVELS[filled] * bar, name)
        for x, label in [*place_ticks(axis, placed), *place_labels(axis, placed, width)]:
            canvas.put(x, top + height, label, "label")
        if view.chosen is not None and current:
            canvas.put(0, top + height - 1, "▌", "bar")
            first, last = view.chosen[1]
            cells = range(placed[first].start, placed[last].stop)
            canvas.highlight(cells, range(top, top + height), "chosen-bar")
            canvas.highlight(cells, range(top + height, top + height + 1), "chosen")
    return canvas.lines


def bar_at(view: BarsView, width: int, lines: int, x: int, y: int) -> tuple[int, int] | None:
    """Return the input and the bin at a cell of the drawn bars; None beside the bars."""
    chart = view.chart
    place = view.first + y // (bar_height(len(chart.axes), lines) + 1)
    if not view.first <= place < view.first + visible_inputs(len(chart.axes), lines):
        return None
    placed = _place_bars(chart.axes[place], _bars_gutter(chart), width)
    return next(((place, at) for at, cells in enumerate(placed) if x in cells), None)


def _input_names(chart: ChartModel) -> Sequence[str]:
    return [cut_end(plain_text(axis.name), GUTTER) for axis in chart.axes]


def _bars_gutter(chart: ChartModel) -> int:
    return max(map(cell_len, _input_names(chart)), default=0) + 3


def _place_bars(axis: Axis, gutter: int, width: int) -> Sequence[range]:
    return [
        range(gutter + cells.start, gutter + cells.stop)
        for cells in place_bins(axis, width - gutter)
    ]


def _level(rate: Rate, rates: Sequence[Rate], scale: float, levels: int, *, counts: bool) -> int:
    if not counts:
        return bar_level(rate, scale, levels)
    largest = max(one.failed for one in rates)
    return ceil(levels * rate.failed / largest) if largest else 0


@dataclass(frozen=True, slots=True)
class GridView:
    """A grid to draw, with the chosen columns and rows; the first column that is shown."""

    chart: ChartModel
    first: int
    chosen: tuple[Span, Span] | None


def grid_gutter(down: Axis) -> int:
    """Return the width of the labels of the rows."""
    labels = (cell_len(short_label(one)) for one in down.bins)
    return min(GUTTER, max(cell_len(plain_text(down.name)) + 2, *labels)) + 2


def visible_columns(across: Axis, down: Axis, width: int) -> int:
    """Return how many columns of a grid fit."""
    return max(1, min(len(across.bins), (width - grid_gutter(down)) // CELL))


def draw_grid(view: GridView, width: int, first_row: int, lines: int) -> Sequence[Line]:
    """Return a grid of two inputs, with the share of each cell as a shade and a figure.

    The first two lines are the names and the columns; rows from ``first_row`` on fill the others.
    """
    chart = view.chart
    assert chart.grid is not None
    across, down = (chart.grid_axes[place] for place in chart.grid)
    gutter = grid_gutter(down)
    columns = range(view.first, view.first + visible_columns(across, down, width))
    rows = range(first_row, min(len(down.bins), first_row + lines - GRID_HEAD))
    canvas = _Canvas(width, GRID_HEAD + len(rows))
    canvas.put(gutter, 0, plain_text(across.name) + " →", "label")
    canvas.put(1, 1, cut_end(plain_text(down.name), gutter - 4) + " ↓", "label")
    scale = round_scale(chart.cells.values())
    largest = max((rate.failed for rate in chart.cells.values()), default=0)
    for column in columns:
        x = gutter + CELL * (column - view.first)
        space = width - x if column == columns.stop - 1 else CELL - 1
        canvas.put(x, 1, cut_end(short_label(across.bins[column]), space), "label")
        for row in rows:
            rate = chart.cells.get((column, row))
            if rate is not None:
                text = _count(rate, largest) if chart.shows_counts else _share(rate, scale)
                canvas.put(
                    x, GRID_HEAD + row - first_row, text, "failure" if rate.failed else "success"
                )
    for row in rows:
        canvas.put(1, GRID_HEAD + row - first_row, cut_end(short_label(down.bins[row]), gutter - 2))
    if view.chosen is not None:
        (left, right), (top, bottom) = view.chosen
        first_x = gutter + CELL * (max(left, view.first) - view.first)
        last_x = gutter + CELL * (right + 1 - view.first) - 1
        first_y, last_y = max(top, first_row) - first_row, min(bottom, rows.stop - 1) - first_row
        rows_chosen = range(GRID_HEAD + first_y, GRID_HEAD + last_y + 1)
        canvas.highlight(range(first_x, last_x), rows_chosen, "chosen")
    return canvas.lines


def cell_at(view: GridView, width: int, first_row: int, x: int, y: int) -> tuple[int, int] | None:
    """Return the column and the row at a cell of a drawn grid; None beside its cells."""
    chart = view.chart
    assert chart.grid is not None
    across, down = (chart.grid_axes[place] for place in chart.grid)
    at_x, row = x - grid_gutter(down), first_row + y - GRID_HEAD
    column = view.first + at_x // CELL
    last = view.first + visible_columns(across, down, width)
    inside = at_x >= 0 and column < last and first_row <= row < len(down.bins)
    return (column, row) if inside else None


def _share(rate: Rate, scale: float) -> str:
    """Return ``▒▒ 38%``; ``<1%`` for a share that is not 0."""
    percent = f"{rate.share:.0%}"
    if rate.failed and percent == "0%":
        percent = "<1%"
    return SHADES[min(4, ceil(4 * rate.share / scale))] * 2 + percent.rjust(4)


def _count(rate: Rate, largest: int) -> str:
    shade = SHADES[ceil(4 * rate.failed / largest)] if largest else SHADES[0]
    return shade * 2 + short_number(rate.failed, 4).rjust(4)
