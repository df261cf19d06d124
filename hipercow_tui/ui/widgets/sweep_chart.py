"""The chart of a sweep, in which bars or cells can be chosen with the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size, clamp
from textual.message import Message
from textual.widget import Widget

from hipercow_tui.analysis.input_axes import Axis, Bin, Rate, Region
from hipercow_tui.analysis.sweep_chart import ChartModel
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import cut_end, plain_text
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.chart_drawing import (
    GRID_HEAD,
    BarsView,
    GridView,
    Line,
    Span,
    bar_at,
    bar_height,
    cell_at,
    draw_bars,
    draw_grid,
    visible_columns,
    visible_inputs,
)

MAX_PART = 0.55  # of the height of the screen
ALL = 99_999  # steps to the first or last bin
HEAD = 1  # line of text above the bars or the grid


class Action(StrEnum):
    """What to do with chosen tasks."""

    MARK = "mark"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class ChartPlace:
    """A place in a chart: the current input, the inputs of a grid, and the bins of the cursor, one
    for each axis. ``range_from`` are the bins at the other end of a range, empty without one."""

    input: str
    grid: tuple[str, str] | None
    bins: tuple[Bin, ...]
    range_from: tuple[Bin, ...]


class SweepChart(Widget, can_focus=True):
    """Bars along each input; ``x`` shows a grid of two inputs. The mouse works as the keys do.

    Component classes: ``chart--failure`` and ``chart--success`` (bars with and without a failed
    task), ``chart--label``, ``chart--strong`` (the current input), ``chart--bar`` (its ▌),
    ``chart--chosen`` and ``chart--chosen-bar`` (chosen labels and cells, chosen bars).
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--failure",
        "chart--success",
        "chart--label",
        "chart--strong",
        "chart--bar",
        "chart--chosen",
        "chart--chosen-bar",
    }
    DEFAULT_CSS = """
    SweepChart {
        height: auto;
        background: $panel;
        & > .chart--failure { color: $text-error; }
        & > .chart--success { color: $text-success; }
        & > .chart--label { color: $foreground 70%; }
        & > .chart--strong { text-style: bold; }
        & > .chart--bar { color: $text-accent; text-style: bold; }
        & > .chart--chosen { color: $foreground; background: $primary 35%; text-style: bold; }
        & > .chart--chosen-bar { background: $primary 35%; }
        &:ansi > .chart--label { color: ansi_default; }
        &:ansi > .chart--chosen {
            color: ansi_default; background: ansi_default; text-style: reverse;
        }
        &:ansi > .chart--chosen-bar { background: ansi_default; }
        &:nocolor > .chart--chosen { text-style: reverse; }
    }
    """
    ALLOW_SELECT: ClassVar[bool] = False  # a drag selects bars or cells, and not text
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "choose('mark')", "Mark", tooltip="Mark the chosen tasks", id="chart.mark"
        ),
        Binding(
            "enter",
            "choose('narrow')",
            "Narrow",
            key_display="Enter",
            tooltip="Show only the chosen tasks",
            id="chart.narrow",
        ),
        Binding("v", "range", "Range", tooltip="Begin a range, or drop it", id="chart.range"),
        Binding("x", "grid", "Grid", tooltip="Show a grid of two inputs", id="chart.grid"),
        Binding("tab", "screen.other", "Table", tooltip="Go to the table", id="chart.table"),
        Binding("left", "move(-1, 0)", "Left", show=False, id="chart.left"),
        Binding("right", "move(1, 0)", "Right", show=False, id="chart.right"),
        Binding("up,k", "move(0, -1)", "Up", show=False, id="chart.up"),
        Binding("down,j", "move(0, 1)", "Down", show=False, id="chart.down"),
        Binding("home", f"move(-{ALL}, 0)", "First", show=False, id="chart.first"),
        Binding("end", f"move({ALL}, 0)", "Last", show=False, id="chart.last"),
        Binding("shift+left", "extend(-1, 0)", "Extend left", show=False, id="chart.more_left"),
        Binding("shift+right", "extend(1, 0)", "Extend right", show=False, id="chart.more_right"),
        Binding("shift+up", "extend(0, -1)", "Extend up", show=False, id="chart.more_up"),
        Binding("shift+down", "extend(0, 1)", "Extend down", show=False, id="chart.more_down"),
        Binding("escape", "leave", "Back", key_display="esc", show=False, id="chart.leave"),
    ]

    class Chosen(Message):
        """Bars or cells were chosen."""

        def __init__(self, region: Region, action: Action) -> None:
            super().__init__()
            self.region = region
            self.action = action

    class GridChanged(Message):
        """Another grid is needed: the names of its inputs, None for bars."""

        def __init__(self, grid: tuple[str, str] | None) -> None:
            super().__init__()
            self.grid = grid

    class Left(Message):
        """Escape was pressed, and there is no range and no grid to leave."""

    def __init__(self, *, can_choose: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._can_choose = can_choose
        self._chart = ChartModel()
        self._grid: tuple[str, str] | None = None  # the inputs of the requested one
        self._input = 0  # the current input of the bars
        self._cursor = (0, 0)  # a bin of it, or a column and a row of the grid
        self._anchor: tuple[int, int] | None = None  # the other end of a range
        self._first = 0  # the first visible input or column
        self._place: ChartPlace | None = None  # where to go, until the user moves
        self._dragged_from: tuple[int, int] | None = None  # while a mouse button is held

    def show(self, chart: ChartModel) -> None:
        """Show another chart. The cursor stays on its input and its bin if these still exist; a
        range is dropped if the bins differ: it would contain other tasks."""
        height, before = self._height, self._cursor_axes
        names = [axis.name for axis in chart.axes]
        if self._chart.axes and (name := self._chart.axes[self._input].name) in names:
            self._input = names.index(name)
        self._chart = chart
        self._input = clamp(self._input, 0, max(0, len(names) - 1))
        if _bins_by_input(self._cursor_axes) != _bins_by_input(before):
            self._anchor = None
            self._cursor = self._within(self._same_bins(before))
        if self._grid and not set(self._grid) <= set(names):
            self._request_grid(None)
        self._move_to_place()
        self.refresh(layout=self._height != height)

    # Size

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines: one for the text, and at most about half of the screen."""
        return self._height

    @property
    def _height(self) -> int:
        return HEAD + self._body if self._chart.axes else 0

    @property
    def _body(self) -> int:
        """The lines of bars or of the grid."""
        most, chart = max(3, int(self.screen.size.height * MAX_PART) - HEAD), self._chart
        if chart.grid is not None:
            return min(most, GRID_HEAD + len(chart.grid_axes[chart.grid[1]].bins))
        inputs = len(chart.axes)
        return visible_inputs(inputs, most) * (bar_height(inputs, most) + 1)

    # The cursor

    @property
    def place(self) -> ChartPlace | None:
        """Where the user is; None without inputs."""
        if not self._chart.axes:
            return None
        name = self._chart.axes[self._input].name
        range_from = self._bins_at(self._anchor) if self._anchor is not None else ()
        return ChartPlace(name, self._grid, self._bins_at(self._cursor), range_from)

    def go_to(self, place: ChartPlace) -> None:
        """Go to a place as soon as its bins are shown, unless the user moves before. The caller
        requests its grid."""
        self._place, self._grid = place, place.grid

    def _move_to_place(self) -> None:
        place, names = self._place, [axis.name for axis in self._chart.axes]
        if place is None or place.input not in names:
            return
        self._input = names.index(place.input)
        cursor, anchor = self._find(place.bins), self._find(place.range_from)
        if cursor is not None:
            self._cursor, self._anchor = cursor, anchor

    def _bins_at(self, place: tuple[int, int]) -> tuple[Bin, ...]:
        return tuple(axis.bins[at] for axis, at in zip(self._cursor_axes, place, strict=False))

    def _find(self, bins: Sequence[Bin]) -> tuple[int, int] | None:
        """Return the place of bins; None if they are not those of the axes."""
        axes = self._cursor_axes
        if len(bins) != len(axes) or any(
            one not in axis.bins for one, axis in zip(bins, axes, strict=True)
        ):
            return None
        found = [axis.bins.index(one) for one, axis in zip(bins, axes, strict=True)]
        return found[0], found[1] if len(found) > 1 else 0

    @property
    def _cursor_axes(self) -> tuple[Axis, ...]:
        """The axes with the cursor: across and down in a grid, else that of the current input."""
        chart = self._chart
        if chart.grid is not None:
            return tuple(chart.grid_axes[place] for place in chart.grid)
        return chart.axes[self._input : self._input + 1]

    def _within(self, place: tuple[int, int]) -> tuple[int, int]:
        across, down, *_ = *(len(axis.bins) for axis in self._cursor_axes), 1, 1
        return clamp(place[0], 0, across - 1), clamp(place[1], 0, down - 1)

    def _same_bins(self, before: Sequence[Axis]) -> tuple[int, int]:
        """Return the place of the cursor in the present axes, if its bins are among them."""
        x, y = self._cursor
        places = [x, y]
        for at, (old, new) in enumerate(zip(before, self._cursor_axes, strict=False)):
            if old.name == new.name and old.bins[places[at]] in new.bins:
                places[at] = new.bins.index(old.bins[places[at]])
        return places[0], places[1]

    @property
    def _spans(self) -> tuple[Span, Span]:
        """The chosen bins across and down."""
        (x, y), (other_x, other_y) = self._cursor, self._anchor or self._cursor
        return (min(x, other_x), max(x, other_x)), (min(y, other_y), max(y, other_y))

    @property
    def chosen_region(self) -> Region:
        """The chosen bars or cells."""
        axes = self._cursor_axes
        return Region(axes, self._spans[: len(axes)])

    @property
    def rate(self) -> Rate:
        """The tasks in the chosen bars or cells."""
        chart, ((left, right), (top, bottom)) = self._chart, self._spans
        if chart.grid is None:
            return sum(chart.rates[self._input][left : right + 1], Rate())
        cells = ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))
        return sum((chart.cells.get(cell, Rate()) for cell in cells), Rate())

    def action_move(self, across: int, down: int) -> None:
        """Move the cursor; between inputs if bars are shown. A range that was begun follows."""
        self._place = None
        if not self._chart.axes:
            return
        if self._chart.grid is None and down:
            self._input = clamp(self._input + down, 0, len(self._chart.axes) - 1)
            self._anchor = None
        x, y = self._cursor
        self._cursor = self._within((x + across, y + down))
        self.refresh()

    def action_extend(self, across: int, down: int) -> None:
        """Move the cursor, and extend the range to its new place."""
        if self._chart.grid is None and down:
            return
        if self._anchor is None:
            self._anchor = self._cursor
        self.action_move(across, down)

    def action_range(self) -> None:
        """Begin a range at the cursor; the second time, drop it."""
        self._place = None
        self._anchor = self._cursor if self._anchor is None else None
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to choose tasks only if they can be marked, and the list narrowed."""
        return self._can_choose or action != "choose"

    def action_choose(self, action: str) -> None:
        """Mark the chosen tasks, or show only them."""
        if self._chart.axes:
            self.post_message(self.Chosen(self.chosen_region, Action(action)))

    def action_grid(self) -> None:
        """Show a grid of the current input and the next one; then the others; then bars."""
        names = [axis.name for axis in self._chart.axes]
        if len(names) < 2:
            self.notify("A grid needs two inputs that differ")
            return
        across, last = self._grid or (names[self._input], names[self._input])
        down = names[(names.index(last) + 1) % len(names)]
        self._request_grid(None if down == across else (across, down))

    def action_leave(self) -> None:
        """Drop the range, else leave the grid, else the chart."""
        self._place = None
        if self._anchor is not None:
            self._anchor = None
            self.refresh()
        elif self._grid is not None:
            self._request_grid(None)
        else:
            self.post_message(self.Left())

    def _request_grid(self, grid: tuple[str, str] | None) -> None:
        self._grid, self._anchor, self._first, self._cursor = grid, None, 0, (0, 0)
        self._place = None
        self.post_message(self.GridChanged(grid))

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Move the cursor to a bar or a cell. A range follows while the button is held."""
        if event.button == 1 and self._move_to_cell(event.get_content_offset(self)):
            self._dragged_from = self._cursor
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend the range to the bar or the cell under the mouse."""
        start = self._dragged_from
        offset = event.get_content_offset(self)
        if start is not None and self._move_to_cell(offset, of_input=self._input):
            self._anchor = None if self._cursor == start else start

    def on_mouse_up(self) -> None:
        """End the range."""
        self._dragged_from = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Show only the tasks of a bar or a cell on a double click."""
        if (
            event.chain == 2
            and self._can_choose
            and self._bin_at(event.get_content_offset(self)) is not None
        ):
            self.action_choose(Action.NARROW)

    def _move_to_cell(self, offset: Offset | None, of_input: int | None = None) -> bool:
        """Move the cursor to the bar or the cell at an offset; return whether there is one. Of
        bars, only those of an input count if it is given."""
        found = self._bin_at(offset)
        if found is None or of_input not in (None, found[0]):
            return False
        self._place = self._anchor = None
        self._input, *cursor = found
        self._cursor = cursor[0], cursor[1]
        self.refresh()
        return True

    def _bin_at(self, offset: Offset | None) -> tuple[int, int, int] | None:
        """Return the input, and the cursor, for the bar or the cell at an offset."""
        chart, width, body = self._chart, self.size.width, self._body
        if offset is None or not chart.axes:
            return None
        x, y = offset.x, offset.y - HEAD
        if chart.grid is None:
            bar = bar_at(self._bars, width, body, x, y)
            return None if bar is None else (*bar, 0)
        cell = cell_at(self._grid_view, width, self._first_row, x, y)
        return None if cell is None else (self._input, *cell)

    # Drawing

    def render(self) -> Text:
        """Return the text and the chart."""
        width = self.size.width
        lines = self._lines(width) if self._chart.axes else ()
        text = Text(no_wrap=True, overflow="crop", end="")
        if not self._chart.axes:
            return text
        more = self._more if width >= 60 else ""
        head = cut_end(" " + plain_text(self._head()), width - len(more) - 2)
        text.append(head.ljust(width - len(more) - 1), blend(self, ["chart--strong"]))
        text.append(f"{more} ", blend(self, ["chart--label"]))
        for line in lines:
            text.append("\n")
            for part, names in line:
                text.append(part, blend(self, (f"chart--{name}" for name in names)))
        return text

    def _lines(self, width: int) -> tuple[Line, ...]:
        chart, body = self._chart, self._body
        if chart.grid is None:
            shown = visible_inputs(len(chart.axes), body)
            self._first = _scrolled(self._first, self._input, shown, len(chart.axes))
            return tuple(draw_bars(self._bars, width, body))
        across, down = (chart.grid_axes[place] for place in chart.grid)
        columns = visible_columns(across, down, width)
        self._first = _scrolled(self._first, self._cursor[0], columns, len(across.bins))
        return tuple(draw_grid(self._grid_view, width, self._first_row, body))

    @property
    def _bars(self) -> BarsView:
        chosen = (self._input, self._spans[0]) if self.has_focus else None
        return BarsView(self._chart, self._first, chosen)

    @property
    def _grid_view(self) -> GridView:
        return GridView(self._chart, self._first, self._spans if self.has_focus else None)

    @property
    def _first_row(self) -> int:
        """The first visible row of the grid."""
        _, down = self._cursor_axes
        return _scrolled(0, self._cursor[1], self._body - GRID_HEAD, len(down.bins))

    def _head(self) -> str:
        """Return what the chart shows, or the chosen tasks while it has the focus."""
        chart = self._chart
        if self.has_focus:
            return f"{self._rate_text()} · {self.chosen_region.label}"
        if chart.shows_counts:
            return "Number of failed tasks: no other task of their bundles succeeded"
        if chart.compared is None:
            return "Share of the tasks that failed"
        succeeded = pluralize(chart.compared, "successful task")
        reading = f", reading {chart.unread:,} more …" if chart.unread else ""
        return f"Share that failed, compared with {succeeded} of the same bundles{reading}"

    @property
    def _more(self) -> str:
        """Return which inputs are visible, if not all are."""
        inputs = len(self._chart.axes)
        shown = visible_inputs(inputs, self._body)
        if self._chart.grid is not None or shown >= inputs:
            return ""
        first, last = self._first + 1, self._first + shown
        return f"input {last if first == last else f'{first}–{last}'} of {inputs}"

    def _rate_text(self) -> str:
        rate = self.rate
        if self._chart.shows_counts or not rate.tasks:
            return f"{rate.failed:,} failed" if rate.tasks else "no task"
        return f"{rate.failed:,} of {rate.tasks:,} failed, {rate.share:.0%}"


def _bins_by_input(axes: Iterable[Axis]) -> list[tuple[str, Sequence[Bin]]]:
    return [(axis.name, axis.bins) for axis in axes]


def _scrolled(first: int, current: int, shown: int, number: int) -> int:
    """Return the first visible place of a number of places, so that the current one is visible."""
    return clamp(first, max(0, current - shown + 1), min(current, max(0, number - shown)))
