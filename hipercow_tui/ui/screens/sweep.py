"""The inputs of some tasks as columns, and how many failed along each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
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
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.keymap import SEARCH
from hipercow_tui.ui.messages import SummariesLoaded
from hipercow_tui.ui.styles import theme_style
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.search_bar import SearchBar
from hipercow_tui.ui.widgets.sweep_table import SweepTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable
from hipercow_tui.ui.workers.summary_loader import SummaryLoader

UPDATE_INTERVAL = 0.3  # seconds
SHOW_PAUSE = 2  # times as long as showing inputs took, until more of them are shown
PARTS = 24  # of the range of an input
NAMED = 6  # parts that are told by name
LINES = 5  # inputs that are told along
_LEVELS = "▁▂▃▄▅▆▇█"


class SweepScreen(Screen[str | None]):
    """Shows tasks against their inputs; dismisses with the id of the task to go to, or None.

    Shows the tasks of ``ids`` that are among the current tasks of the root, which ``tasks``
    returns. Inputs are taken from ``failures``, or read by the loader. ``clock`` returns the time
    in seconds since the epoch.
    """

    DEFAULT_CSS = """
    SweepScreen #head {
        height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    SweepScreen #along { height: auto; padding: 0 1; background: $panel; text-wrap: nowrap; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *SEARCH,
        Binding("s", "sort", "Sort", tooltip="Sort the other way round", id="sweep.sort"),
        Binding("less_than_sign", "sort_by(-1)", "Sort left", show=False, id="sweep.sort_left"),
        Binding("greater_than_sign", "sort_by(1)", "Sort right", show=False, id="sweep.sort_right"),
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
    ) -> None:
        super().__init__()
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
        """Head, a row a task, what is searched for, how many failed along each input, keys."""
        yield Static(id="head")
        yield SweepTable(id="sweep")
        yield SearchBar()
        yield Static(id="along")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the inputs; look for changes of the root and for more inputs."""
        self.table.focus()
        self.table.say_if_empty("Reading …")
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
        outdated = self._inputs_pending or self.table.filling or self._tasks() is not self._shown
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
        table.filling = len(known) < len(present)
        if not present:
            table.say_if_empty("These tasks are gone", "esc goes back")
        table.show(self._sweep, tasks, sort_rows(self._sweep, known, self._sort), self._sort)
        self._tell_head(present, known)
        self.query_one("#along", Static).update(self._along(known))
        self._tell_hits()

    def _tell_head(self, present: list[Task], known: list[Task]) -> None:
        failed = sum(task.status is Status.FAILURE for task in present)
        said = [pluralize(len(present), "task"), f"{failed:,} failed"]
        if len(known) < len(present):
            said.append(f"read {len(known):,}")
        elif not self._sweep.names:
            said.append("no input differs")
        same = ", ".join(f"{name} = {value}" for name, value in self._sweep.constant_inputs)
        head = f"{self._title}  {' · '.join(said)}{f'   in all: {same}' if same else ''}"
        self.query_one("#head", Static).update(Text(plain_text(head), "bold"))

    def _along(self, tasks: list[Task]) -> Text:
        """A line for each input: its values, over them how large a part of the tasks failed."""
        names = [plain_text(name) for name in self._sweep.names[:LINES]]
        width = max(map(len, names), default=0)
        text = Text()
        for place, name in enumerate(names):
            found = failure_rates(self._sweep, tasks, place, PARTS)
            text.append(f"{name:<{width}}  ", "dim")
            if len(found) <= NAMED or parse_number(found[0].label) is None:
                # Of many words, those that failed most.
                worst = sorted(found, key=lambda share: -share.failed / share.tasks)[:NAMED]
                for share in found if len(found) <= NAMED else worst:
                    self._level(text, share)
                    text.append(f" {plain_text(share.label)}   ")
                if len(found) > NAMED:
                    text.append(f"and {len(found) - NAMED:,} more", "dim")
            else:
                text.append(f"{plain_text(found[0].label)} ")
                for share in found:
                    self._level(text, share)
                text.append(f" {plain_text(found[-1].label)}")
            text.append("\n")
        if names:
            text.append("height: how many of them failed", "dim")
        return text

    def _level(self, text: Text, share: FailureRate) -> None:
        if not share.tasks:
            text.append(" ")
            return
        level = _LEVELS[-(-(len(_LEVELS) - 1) * share.failed // share.tasks)]
        colour = "text-error" if share.failed else "text-success"
        text.append(level, theme_style(self.app, colour))

    # Order

    def action_sort(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._sort.key)

    def action_sort_by(self, step: int) -> None:
        """Sort by the column before or after."""
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
        """Type what to search for."""
        self.query_one(SearchBar).open()

    @on(SearchBar.Changed)
    def _searched(self, message: SearchBar.Changed) -> None:
        self._query = message.query
        self.table.search(message.query)
        self._tell_hits()
        if self._query and self.table.cursor not in self._hits:
            self.action_hit(1)

    @on(SearchBar.Done)
    def _search_done(self) -> None:
        self.table.focus()

    @property
    def _hits(self) -> list[int]:
        keys = self.table.keys if self._query else ()
        return [row for row, key in enumerate(keys) if self._sweep.matches(key, self._query)]

    def _tell_hits(self) -> None:
        if self._query:
            self.query_one(SearchBar).tell(len(self._hits))

    def action_hit(self, step: int) -> None:
        """To the next hit, or the one before."""
        hit = next_hit(self._hits, self.table.cursor, step)
        if hit is not None:
            self.table.move_to(hit)

    # Away

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        self.dismiss(message.key)

    def action_back(self) -> None:
        """End the search, else go back to where one came from."""
        bar = self.query_one(SearchBar)
        if bar.display:
            bar.action_leave()
        else:
            self.dismiss(None)
