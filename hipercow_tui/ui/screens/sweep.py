"""The inputs of some tasks as columns, and the failure rate along each input."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from hipercow_tui.analysis.error_groups import Failure, Inputs, parse_number
from hipercow_tui.analysis.sweep import (
    FailureRate,
    Sweep,
    SweepSort,
    failure_rates,
    make_sweep,
    sort_rows,
)
from hipercow_tui.analysis.task_view import next_hit
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.keymap import SEARCH_KEYS
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.messages import SummariesLoaded
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.sweep_table import SweepTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

UPDATE_INTERVAL = 0.3  # seconds
SHOW_PAUSE = 2  # times as long as showing inputs took, until more of them are shown
RANGE_PARTS = 24  # bars for a numeric input
MAX_VALUES = 6  # values that are shown by name
MAX_INPUTS = 5  # lines of the chart
_LEVELS = "▁▂▃▄▅▆▇█"


class SweepScreen(Page[str | Narrowing | None]):
    """Show tasks with their inputs.

    Dismiss with the id of the task to go to, with what to narrow the list to, or with None.
    ``tasks`` returns the present tasks of the root; those of ``ids`` that exist are shown. Inputs
    are taken from ``failures``, or read by the loader. ``clock`` gives the time in seconds since
    the epoch. ``plan`` is called to plan a purge of the marked tasks.
    """

    DEFAULT_CSS = """
    SweepScreen #head { text-wrap: nowrap; text-overflow: ellipsis; }
    SweepScreen #failure-chart {
        height: auto; padding: 0 1; background: $panel; text-wrap: nowrap;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *SEARCH_KEYS,
        Binding("s", "sort", "Sort", tooltip="Reverse the sort order", id="sweep.sort"),
        Binding("less_than_sign", "sort_by(-1)", "Sort left", show=False, id="sweep.sort_left"),
        Binding("greater_than_sign", "sort_by(1)", "Sort right", show=False, id="sweep.sort_right"),
        Binding(
            "p", "plan", "Plan", tooltip="Show the plan of a purge of marked tasks", id="sweep.plan"
        ),
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
        marks: Marks,
        plan: Callable[[], None],
    ) -> None:
        super().__init__()
        self._marks = marks
        self._plan = plan
        self._summary_loader = summary_loader
        self._failures = failures
        self._title = title
        self._ids = tuple(ids)
        self._tasks = tasks
        self._clock = clock
        self._inputs: Mapping[str, Inputs] = {}
        self._sweep = Sweep()
        self._sort = SweepSort()
        self._query = ""
        self._shown: Mapping[str, Task] | None = None
        self._inputs_due = 0.0  # on the monotonic clock: when inputs may be shown again
        self._inputs_pending = False

    def compose(self) -> ComposeResult:
        """Yield the head, the table, the search bar, the chart and the keys."""
        yield Static(id="head")
        yield SweepTable(self._marks, id="sweep")
        yield SearchBar()
        yield Static(id="failure-chart")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the inputs; look for changes of the root and for more inputs."""
        self.table.focus()
        self.table.set_empty_text("Reading …")
        self._summaries = self._summary_loader.subscribe(
            lambda: self.post_message(SummariesLoaded())
        )
        self._show_inputs()
        self.set_interval(UPDATE_INTERVAL, self._update)

    def on_unmount(self) -> None:
        """Cancel the requests."""
        self._summaries.close()

    @property
    def table(self) -> SweepTable:
        """The table."""
        return self.query_one(SweepTable)

    @on(SummariesLoaded)
    def _summaries_loaded(self) -> None:
        self._inputs_pending = True
        self._update()

    def _update(self) -> None:
        outdated = (
            self._inputs_pending or self.table.rows_pending or self._tasks() is not self._shown
        )
        if outdated and time.monotonic() >= self._inputs_due:
            self._show_inputs()

    def _show_inputs(self) -> None:
        """Show the inputs that are known, and request the others."""
        began = time.monotonic()
        self._inputs_pending = False
        tasks, failures, summaries = self._tasks(), self._failures, self._summaries.summaries
        present = [task_id for task_id in self._ids if task_id in tasks]
        self._summaries.want_all([i for i in present if i not in failures])
        known = [(i, failures.get(i) or summaries.get(i)) for i in present]
        self._inputs = {i: each.inputs for i, each in known if each is not None}
        self._sweep = make_sweep(self._inputs)
        self._show()
        ended = time.monotonic()
        self._inputs_due = ended + SHOW_PAUSE * (ended - began)

    def _show(self) -> None:
        self._shown = tasks = self._tasks()
        present = [tasks[i] for i in self._ids if i in tasks]
        known = [task for task in present if task.id in self._inputs]
        table = self.table
        table.now = self._clock()
        table.rows_pending = len(known) < len(present)
        if not present:
            table.set_empty_text("These tasks are gone", "esc: back")
        table.show(self._sweep, tasks, sort_rows(self._sweep, known, self._sort), self._sort)
        self._show_head(present, known)
        self.query_one("#failure-chart", Static).update(self._failure_chart(known))
        self._show_hits()

    def _show_head(self, present: list[Task], known: list[Task]) -> None:
        failed = sum(task.status is Status.FAILURE for task in present)
        facts = [pluralize(len(present), "task"), f"{failed:,} failed"]
        facts.extend(filter(None, [self._marks.count_text([task.id for task in present])]))
        if len(known) < len(present):
            facts.append(f"read {len(known):,}")
        elif not self._sweep.names:
            facts.append("no input differs")
        same = ", ".join(f"{name} = {value}" for name, value in self._sweep.constant_inputs)
        head = f"{self._title}  {' · '.join(facts)}{f'   in all: {same}' if same else ''}"
        self.query_one("#head", Static).update(Text(plain_text(head), "bold"))

    def _failure_chart(self, tasks: list[Task]) -> Text:
        """Return a line for each input: its values, with a bar for the failure rate of each."""
        names = [plain_text(name) for name in self._sweep.names[:MAX_INPUTS]]
        width = max(map(len, names), default=0)
        text = Text()
        for place, name in enumerate(names):
            rates = failure_rates(self._sweep, tasks, place, RANGE_PARTS)
            text.append(f"{name:<{width}}  ", "dim")
            if len(rates) <= MAX_VALUES or parse_number(rates[0].label) is None:
                self._append_values(text, rates)
            else:
                self._append_range(text, rates)
            text.append("\n")
        if names:
            text.append("height: the part of the tasks that failed", "dim")
        return text

    def _append_values(self, text: Text, rates: Sequence[FailureRate]) -> None:
        """Append a bar and a label for each value; of many values, those that failed most."""
        shown = rates
        if len(rates) > MAX_VALUES:
            shown = sorted(rates, key=lambda rate: -rate.failed / rate.tasks)[:MAX_VALUES]
        for rate in shown:
            self._append_bar(text, rate)
            text.append(f" {plain_text(rate.label)}   ")
        if more := len(rates) - len(shown):
            text.append(f"and {more:,} more", "dim")

    def _append_range(self, text: Text, rates: Sequence[FailureRate]) -> None:
        """Append bars between the smallest and the largest value."""
        text.append(f"{plain_text(rates[0].label)} ")
        for rate in rates:
            self._append_bar(text, rate)
        text.append(f" {plain_text(rates[-1].label)}")

    def _append_bar(self, text: Text, rate: FailureRate) -> None:
        if not rate.tasks:
            text.append(" ")
            return
        level = _LEVELS[-(-(len(_LEVELS) - 1) * rate.failed // rate.tasks)]
        colour = "text-error" if rate.failed else "text-success"
        text.append(level, theme_style(self.app, colour))

    # Order

    def action_sort(self) -> None:
        """Reverse the sort order."""
        self._sort_by(self._sort.key)

    def action_sort_by(self, step: int) -> None:
        """Sort by the column to the left (-1) or to the right (1)."""
        keys = self.table.column_keys
        at = keys.index(self._sort.key) if self._sort.key in keys else 0
        self._sort_by(keys[(at + step) % len(keys)])

    @on(VirtualTable.HeaderClicked)
    def _header_clicked(self, message: VirtualTable.HeaderClicked) -> None:
        if message.column in self.table.column_keys:
            self._sort_by(message.column)

    def _sort_by(self, key: str) -> None:
        self._sort = self._sort.toggled(key)
        self._show()

    # Search

    def action_search(self) -> None:
        """Open the search bar."""
        self.query_one(SearchBar).open()

    @on(SearchBar.Changed)
    def _searched(self, message: SearchBar.Changed) -> None:
        self._query = message.query
        self.table.search(message.query)
        self._show_hits()
        if self._query and self.table.cursor not in self.table.hits:
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
        self._show()

    def action_plan(self) -> None:
        """Show what a purge of the marked tasks would take."""
        self._plan()

    # Close

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        self.dismiss(message.key)

    def action_back(self) -> None:
        """Cancel a range of marks, else end the search, else close the screen."""
        bar = self.query_one(SearchBar)
        if self.table.drop_range():
            return
        if bar.display:
            bar.action_leave()
        else:
            self.dismiss(None)
