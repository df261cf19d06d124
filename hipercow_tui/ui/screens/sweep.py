"""The inputs of some tasks as columns, and a chart of the failure rate along each input."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.sweep import Sweep, SweepSort
from hipercow_tui.analysis.task_view import next_hit
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.keymap import SEARCH_KEYS
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.messages import SummariesLoaded, WorkerFailed
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.screens.sweep_choice import SweepChoice, SweepPlace
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.sweep_chart import Action, SweepChart
from hipercow_tui.ui.widgets.sweep_table import SweepTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.base import LatestOnlyWorker
from hipercow_tui.ui.workers.summary_loader import SummaryLoader
from hipercow_tui.ui.workers.sweep_builder import SweepBuilder, SweepModel, SweepRequest

UPDATE_INTERVAL = 0.3  # seconds
BUILD_PAUSE = 2  # times as long as a model took, until the next one with more inputs


class ModelReady(Message):
    """There is a new model to show."""

    def __init__(self, model: SweepModel) -> None:
        super().__init__()
        self.model = model


class SweepScreen(Page[SweepChoice | None]):
    """Show tasks with their inputs; dismiss with the choice of the user, or with None.

    ``tasks`` returns the present tasks of the root; those of ``ids`` that exist are shown. Inputs
    are taken from ``failures``, or read by the loader. ``clock`` gives the time in seconds since
    the epoch. ``plan`` is called to plan a purge of the marked tasks; it and ``marks`` are None if
    tasks can't be marked here, and the list can't be narrowed. ``show_log`` opens a log, and
    ``export`` exports the inputs of these tasks. ``place`` is where to begin.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *SEARCH_KEYS,
        Binding("s", "sort", "Sort", tooltip="Reverse the sort order", id="sweep.sort"),
        Binding(
            "S",
            "sort_menu",
            "Sort by …",
            show=False,
            tooltip="Choose the column to sort by",
            id="sweep.sort_menu",
        ),
        Binding("less_than_sign", "sort_by(-1)", "Sort left", show=False, id="sweep.sort_left"),
        Binding("greater_than_sign", "sort_by(1)", "Sort right", show=False, id="sweep.sort_right"),
        Binding("tab", "other", "Chart", tooltip="Go to the chart, or back", id="sweep.other"),
        Binding("l", "log", "Log", tooltip="Show the log of the task", id="sweep.log"),
        Binding(
            "p", "plan", "Plan", tooltip="Show the plan of a purge of marked tasks", id="sweep.plan"
        ),
        Binding("E", "export", "Export", tooltip="Export the inputs", id="sweep.export"),
        Binding("escape,q,i", "back", "Back", key_display="esc", id="sweep.back"),
    ]

    def __init__(
        self,
        summary_loader: SummaryLoader,
        failures: Mapping[str, Failure],
        title: str,
        ids: Iterable[str],
        tasks: Callable[[], Mapping[str, Task]],
        clock: Callable[[], float],
        *,
        marks: Marks | None,
        plan: Callable[[], None] | None,
        show_log: Callable[[str], None],
        export: Callable[[str, Sequence[str]], None],
        place: SweepPlace | None = None,
    ) -> None:
        super().__init__()
        self._marks = marks
        self._plan = plan
        self._title = title
        self._tasks = tasks
        self._clock = clock
        self._show_log = show_log
        self._export = export
        self._summaries = summary_loader.subscribe(lambda: self.post_message(SummariesLoaded()))
        self._builder = SweepBuilder(ids, failures, self._summaries)
        self._model: SweepModel | None = None
        self._place_due = place
        self._sort = place.sort if place else SweepSort()
        self._grid = place.chart.grid if place and place.chart else None
        self._query = ""
        self._version = 0
        self._building = False
        self._top_due = False  # whether to go to the first row with the next model
        self._build_due = 0.0  # on the monotonic clock: when more inputs may be shown
        self._inputs_pending = True
        self._requested: Mapping[str, Task] = {}

    def compose(self) -> ComposeResult:
        """Yield the head, the table, the search bar, the chart and the keys."""
        yield Static(id="head")
        yield SweepTable(self._marks, id="sweep")
        yield SearchBar()
        yield SweepChart(can_choose=self._marks is not None, id="chart")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the inputs; look for changes of the root and for more inputs."""
        self.table.focus()
        if (place := self._place_due) is not None:
            self.query_one(SearchBar).show(place.query)
            if place.chart is not None:
                self.chart.go_to(place.chart)
        self.table.set_empty_text("Reading …")
        self.table.rows_pending = True
        self._worker: LatestOnlyWorker[SweepRequest, SweepModel] = LatestOnlyWorker(
            self._builder.build,
            lambda model: self.post_message(ModelReady(model)),
            lambda error: self.post_message(WorkerFailed(error)),
        )
        self._request()
        self.set_interval(UPDATE_INTERVAL, self._update)

    def on_unmount(self) -> None:
        """Cancel the requests."""
        self._worker.stop()
        self._summaries.close()

    @property
    def table(self) -> SweepTable:
        """The table."""
        return self.query_one(SweepTable)

    @property
    def chart(self) -> SweepChart:
        """The chart."""
        return self.query_one(SweepChart)

    @property
    def _sweep(self) -> Sweep:
        return self._model.sweep if self._model else Sweep()

    @on(SummariesLoaded)
    def _summaries_loaded(self) -> None:
        self._inputs_pending = True
        self._update()

    def _update(self) -> None:
        """Request a model with new inputs or tasks, if the last one was not too expensive."""
        outdated = self._inputs_pending or self._tasks() is not self._requested
        if outdated and not self._building and time.monotonic() >= self._build_due:
            self._request()

    def _request(self) -> None:
        if self._inputs_pending or self._tasks() is not self._requested:
            self._version += 1
            self._inputs_pending = False
        self._requested, self._building = self._tasks(), True
        self._worker.submit(SweepRequest(self._version, self._requested, self._sort, self._grid))

    @on(ModelReady)
    def _show(self, message: ModelReady) -> None:
        model = self._model = message.model
        self._building = False
        self._build_due = time.monotonic() + BUILD_PAUSE * model.seconds
        table = self.table
        table.now = self._clock()
        if not model.tasks:
            table.set_empty_text("These tasks are gone", with_keys("<sweep.back=esc>: back"))
        table.show(model)
        table.rows_pending = bool(model.unread)  # afterwards: the last rows were pending too
        if self._top_due and model.request.sort == self._sort:
            self._top_due = False
            table.go_to_top()
        self.chart.show(model.chart)
        self._go_to_place()
        self._show_head(model)
        self._show_hits()

    def _go_to_place(self) -> None:
        """Go to the row where the user was before, once it is read."""
        place = self._place_due
        row = self.table.row_of(place.row) if place and place.row else None
        if place is None or (row is None and self.table.rows_pending):
            return
        self._place_due = None
        if row is not None:
            self.table.move_to(row)
        if place.in_chart and self._sweep.names:
            self.chart.focus()

    @property
    def place(self) -> SweepPlace:
        """Where the user is."""
        chart = self.chart
        return SweepPlace(
            self.table.cursor_key, self._sort, self._query, chart.place, chart.has_focus
        )

    def _show_head(self, model: SweepModel) -> None:
        later = model.succeeded_later
        retried = f" ({later:,} succeeded after a retry)" if later else ""
        facts = [pluralize(model.tasks, "task"), f"{model.failed:,} failed{retried}"]
        if self._marks is not None and (marked := self._marks.count_text(model.ids)):
            facts.append(marked)
        if model.unread:
            facts.append(f"{model.unread:,} to read")
        elif not model.sweep.names:
            facts.append("no input differs")
        if model.left_out:
            facts.append(f"{model.left_out:,} not read: too many to keep in memory")
        same = ", ".join(f"{name} = {value}" for name, value in model.sweep.constant_inputs)
        head = f"{self._title}  {' · '.join(facts)}{f'   in all: {same}' if same else ''}"
        self.query_one("#head", Static).update(Text(plain_text(head), "bold"))

    # The chart

    def action_other(self) -> None:
        """Go to the chart, or back to the table."""
        to_table = self.chart.has_focus or not self._sweep.names
        (self.table if to_table else self.chart).focus()

    @on(SweepChart.Left)
    def _chart_left(self) -> None:
        self.table.focus()

    @on(SweepChart.GridChanged)
    def _grid_changed(self, message: SweepChart.GridChanged) -> None:
        self._grid = message.grid
        self._request()

    @on(SweepChart.Chosen)
    def _chosen(self, message: SweepChart.Chosen) -> None:
        ids = message.region.select(self._model.ids if self._model else ())
        label = plain_text(message.region.label)
        if not ids:
            self.notify(f"No task with {label} is in the table")
            return
        if message.action is Action.NARROW:
            narrowing = Narrowing.to_tasks(f"{label} of {self._title}", ids)
            self.dismiss(SweepChoice(narrowing, self.place))
        elif self._marks is not None:
            self._marks.add(ids)
            self._marked()
            self.notify(f"Marked {pluralize(len(ids), 'task')} with {label}")

    # Order

    @property
    def _column_sort(self) -> SweepSort:
        """The newest order, by a column."""
        return self._sort.resolved(self._sweep.names)

    def action_sort(self) -> None:
        """Reverse the sort order."""
        self._sort_by(self._column_sort.key)

    def action_sort_menu(self) -> None:
        """Choose the column to sort by, also one that is not shown."""
        from hipercow_tui.ui.dialogs.sort_menu import SortChoice, SortMenuScreen

        sweep, sort, shown = self._sweep, self._column_sort, self.table.shown_columns
        arrow = "↓" if sort.reverse else "↑"
        choices = [
            SortChoice(
                key,
                sweep.names[sweep.places[key]] if key in sweep.places else key,
                arrow if key == sort.key else "",
                "" if key in shown else "not shown",
            )
            for key in self.table.column_keys
        ]

        def chosen(key: str | None) -> None:
            if key is not None:
                self._sort_by(key)

        self.app.push_screen(SortMenuScreen(choices), chosen)

    def action_sort_by(self, step: int) -> None:
        """Sort by the column to the left (-1) or to the right (1)."""
        keys = self.table.column_keys
        key = self._column_sort.key
        at = keys.index(key) if key in keys else 0
        self._sort_by(keys[(at + step) % len(keys)])

    @on(VirtualTable.HeaderClicked)
    def _header_clicked(self, message: VirtualTable.HeaderClicked) -> None:
        if message.column in self.table.column_keys:
            self._sort_by(message.column)

    def _sort_by(self, key: str) -> None:
        self._sort = self._column_sort.toggled(key)
        self._top_due = True
        self._request()

    # Search

    def action_search(self) -> None:
        """Open the search bar."""
        self.query_one(SearchBar).open()

    @on(SearchBar.Changed)
    def _searched(self, message: SearchBar.Changed) -> None:
        self._query = message.query
        self.table.search(message.query)
        self._show_hits()
        if self._query and not self._place_due and self.table.cursor not in self.table.hits:
            self.action_hit(1)

    @on(SearchBar.Done)
    def _search_done(self) -> None:
        self.table.focus()

    def _show_hits(self) -> None:
        if self._query:
            self.query_one(SearchBar).show_hits(len(self.table.hits))

    def action_hit(self, step: int) -> None:
        """Go to the next (1) or previous (-1) hit."""
        hit = next_hit(self.table.hits, self.table.cursor, step)
        if hit is not None:
            self.table.move_to(hit)

    @on(SweepTable.Marked)
    def _marked(self) -> None:
        self.table.redraw()
        if self._model is not None:
            self._show_head(self._model)

    def action_plan(self) -> None:
        """Show what a purge of the marked tasks would take."""
        if self._plan is not None:
            self._plan()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a plan only if there is none yet."""
        return action != "plan" or self._plan is not None

    def action_log(self) -> None:
        """Show the log of the task under the cursor."""
        if self.table.cursor_key is not None:
            self._show_log(self.table.cursor_key)

    def action_export(self) -> None:
        """Export the inputs of the tasks in the table, in its order."""
        if self._model is not None:
            self._export(self._title, self._model.ids)

    # Close

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        self.dismiss(SweepChoice(message.key, self.place))

    def action_back(self) -> None:
        """Cancel a range of marks, else end the search, else close the screen."""
        bar = self.query_one(SearchBar)
        if self.table.drop_range():
            return
        if bar.display:
            bar.action_leave()
        else:
            self.dismiss(None)
