"""The chart of a sweep: failure rates along each input, and in a grid of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hipercow_tui.analysis.input_axes import Axis, Rate, make_axis, rates_along, rates_in_grid
from hipercow_tui.analysis.sweep import Sweep

BAR_RANGES = 24  # ranges of numbers along one input
GRID_RANGES = 8  # the same in a grid, where each has a figure


@dataclass(frozen=True, slots=True)
class ChartModel:
    """What the chart shows.

    Attributes:
        axes: The inputs that differ, in fine bins.
        rates: The rate of each bin.
        grid_axes: The same inputs in coarse bins, for a grid.
        grid: The places of the inputs of the grid: across, then down.
        cells: The rate of each cell of the grid.
        compared: The number of successful tasks with which failed tasks are compared; None if not
            all tasks of the table failed.
        unread: The number of successful tasks that are still to be read, to compare with.
    """

    axes: tuple[Axis, ...] = ()
    rates: tuple[tuple[Rate, ...], ...] = ()
    grid_axes: tuple[Axis, ...] = ()
    grid: tuple[int, int] | None = None
    cells: Mapping[tuple[int, int], Rate] = field(default_factory=dict)
    compared: int | None = None
    unread: int = 0

    @property
    def shows_counts(self) -> bool:
        """Whether bars show numbers of failed tasks: all tasks failed, so no share says more."""
        return self.compared == 0 and not self.unread


def make_chart(
    sweep: Sweep, failed: frozenset[str], compared: int | None, unread: int = 0
) -> ChartModel:
    """Return the chart of a sweep without a grid; ``failed`` are the ids of failed tasks."""
    columns = [
        (name, {task_id: values[place] for task_id, values in sweep.values.items()})
        for place, name in enumerate(sweep.names)
    ]
    axes = tuple(make_axis(name, values, BAR_RANGES) for name, values in columns)
    return ChartModel(
        axes,
        tuple(rates_along(axis, failed) for axis in axes),
        tuple(make_axis(name, values, GRID_RANGES) for name, values in columns),
        compared=compared,
        unread=unread,
    )


def with_grid(
    chart: ChartModel, names: tuple[str, str] | None, failed: frozenset[str]
) -> ChartModel:
    """Return the chart with a grid of two inputs, across and down, if both differ."""
    places = {axis.name: place for place, axis in enumerate(chart.grid_axes)}
    if names is None or not places.keys() >= set(names):
        return chart
    across, down = (places[name] for name in names)
    cells = rates_in_grid(chart.grid_axes[across], chart.grid_axes[down], failed)
    return replace(chart, grid=(across, down), cells=cells)
