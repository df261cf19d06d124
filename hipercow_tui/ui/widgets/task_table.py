"""The table of tasks, with the status, the call and the inputs of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from textual.message import Message

from hipercow_tui.analysis.comparison import parse_comparison
from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.task_sorting import NO_USAGES, USAGE_KEYS, SortKey, TaskSort, Usages
from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries, TaskSummary
from hipercow_tui.analysis.task_view import TaskView
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import format_age
from hipercow_tui.ui.cells import Column, PlacedColumn, cut_end, short_number
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow, sign_of
from hipercow_tui.ui.widgets.task_cells import (
    LONG_AGE,
    LONG_SIZE,
    SHORT_SIZE,
    bundle_cell,
    duration_text,
    finished_column,
    finished_text,
    inputs_text,
    size_part,
    split_command,
    status_cell,
    table_id,
    usage_part,
    what_part,
)

# The width in cells from which on the table shows
RAN_FROM = 76  # the column "ran",
WAITED_FROM = 96  # the column "waited",
BOTH_STATUSES_FROM = 112  # both statuses of a retried task in words,
LONG_SIZES_FROM = 60  # sizes as ``2.1 MB`` and not ``2.1M``,
ALL_COLUMNS_FROM = 128  # all columns.
# Cells of a column with its long text: ``✗ failure → submitted``.
_BOTH_STATUSES = 23

# Each column with its minimum and maximum width, and its rank.
_WHAT = Column(SortKey.WHAT, "what", 14, 48)
_INPUTS = Column(SortKey.INPUTS, "inputs", 11, 40, rank=1)
_BUNDLE = Column(SortKey.BUNDLE, "bundle", 8, 22, rank=4)
_CREATED = Column(SortKey.CREATED, "created", 14, 14, rank=8)
_WAITED = Column(SortKey.WAITED, "waited", 7, 7, rank=7)
_RAN = Column(SortKey.RAN, "ran", 6, 6, rank=6)
_ATTEMPTS = Column(SortKey.ATTEMPTS, "↻", 3, 3, rank=3)
_ID = Column(SortKey.ID, "id", 12, 12, rank=5)
_LANG = Column(SortKey.LANG, "lang", 6, 6, rank=4)
_SIZES = {
    SizeKind.APPARENT: Column(SortKey.SIZE, SizeKind.APPARENT, LONG_SIZE, LONG_SIZE, right=True),
    SizeKind.ON_DISK: Column(SortKey.DISK, SizeKind.ON_DISK, LONG_SIZE, LONG_SIZE, right=True),
}
# The same in a narrow table, and calls that leave cells for the inputs beside them.
_SHORT_SIZES = {
    SizeKind.APPARENT: Column(SortKey.SIZE, "size", SHORT_SIZE, SHORT_SIZE, right=True),
    SizeKind.ON_DISK: Column(SortKey.DISK, "disk", SHORT_SIZE, SHORT_SIZE, right=True),
}
_SHORT_WHAT = replace(_WHAT, min_width=8)
# What tasks asked for and used; shown if the user chooses it.
_USAGES = (
    Column(SortKey.CORES, "cores", 5, 5, rank=5, right=True),
    Column(SortKey.CPU, "cpu", 6, 6, rank=5, right=True),
    Column(SortKey.USED_CORES, "used", 5, 5, rank=5, right=True),
    Column(SortKey.MEMORY, "memory", 8, 8, rank=5, right=True),
    Column(SortKey.USED_MEMORY, "heap", 8, 8, rank=5, right=True),
    Column(SortKey.EFFICIENCY, "eff.", 6, 6, rank=5, right=True),
)
_FILES = Column(SortKey.FILES, "files", 6, 6, rank=5, right=True)
# The width in cells, without the column for the language, from which on a column is shown.
_SHOWN_FROM: Mapping[str, int] = {
    SortKey.CREATED: ALL_COLUMNS_FROM,
    SortKey.WAITED: WAITED_FROM,
    SortKey.RAN: RAN_FROM,
    SortKey.ID: ALL_COLUMNS_FROM,
}


class TaskTable(MarkableTable):
    """The rows of a view.

    ``summaries`` are the calls of tasks by id; rows are redrawn when more are read. ``stuck`` are
    the reasons by id.
    """

    class Scrolled(Message):
        """Other rows are visible."""

    def __init__(self, summaries: Summaries, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(marks, id=id)
        self.summaries = summaries
        self.now = 0.0
        self._sizes: Sizes | None = None
        self._size_kind = SizeKind.APPARENT
        self.stuck: Mapping[str, str] = {}
        self.usages: Usages = NO_USAGES
        self._view = TaskView(Snapshot(Path()))

    # Rows

    @property
    def view(self) -> TaskView:
        """The rows that are shown."""
        return self._view

    def show(self, view: TaskView, now: float) -> None:
        """Show these rows; ``now`` is the time for ages, in seconds since the epoch."""
        before, self._view = self._view, view
        self.now = now
        if (bool(before.snapshot.by_language), before.sort.key) != (
            bool(view.snapshot.by_language),
            view.sort.key,
        ):
            self.forget_layout()
        self._marks.keep_existing(view.snapshot.tasks.keys())
        if view.ids is before.ids:
            self.redraw_now()
        else:
            self.rows_changed(before.ids)

    def show_sizes(self, sizes: Sizes, kind: SizeKind) -> None:
        """Add columns for sizes; those that are measured later appear when rows are drawn."""
        self._sizes, self._size_kind = sizes, kind
        self.forget_layout()

    @property
    def keys(self) -> Sequence[str]:
        """The ids of the tasks."""
        return self._view.ids

    def row_of(self, key: str) -> int | None:
        """Return the row of a task, or None if it is not shown."""
        return self._view.row_of(key, self.cursor)

    @property
    def current(self) -> Task | None:
        """The task under the cursor."""
        key = self.cursor_key
        return self._view.snapshot.tasks.get(key) if key else None

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns; a narrow table has fewer of them.

        The column that the tasks are sorted by is always there, except the id, which says little.
        """
        columns = self.every_column(width)
        free = width - sum(column.min_width for column in columns if column is _LANG)
        return [
            replace(column, rank=0) if self.sort_arrow(column) else column
            for column in columns
            if (free >= _SHOWN_FROM.get(column.key, 0) and column.key not in USAGE_KEYS)
            or (self.sort_arrow(column) and column is not _ID)
        ]

    def every_column(self, width: int) -> Sequence[Column]:
        """Return all columns; a narrow table has short ages and statuses."""
        status = _BOTH_STATUSES if width >= BOTH_STATUSES_FROM else 13
        langs = (_LANG,) if self._view.snapshot.by_language else ()
        short = self._sizes is not None and width < LONG_SIZES_FROM
        size = (_SHORT_SIZES if short else _SIZES)[self._size_kind]
        return (
            Column(SortKey.STATUS, "status", status, status),
            _SHORT_WHAT if short else _WHAT,
            _INPUTS,
            _BUNDLE,
            _CREATED,
            _WAITED,
            _RAN,
            finished_column(width, 2),
            _ATTEMPTS,
            *langs,
            *((size, _FILES) if self._sizes is not None else ()),
            *_USAGES,
            _ID,
        )

    @property
    def shows_usages(self) -> bool:
        """Whether a column for what tasks asked for or used is shown."""
        return not self.shown_columns.isdisjoint(USAGE_KEYS)

    def choose_columns(self, choice: Mapping[str, bool]) -> None:
        """Show the chosen columns; post Scrolled, so that their values are read."""
        super().choose_columns(choice)
        self.call_after_refresh(self.post_message, self.Scrolled())

    @property
    def sort(self) -> TaskSort:
        """The order of the tasks."""
        return self._view.sort

    @property
    def needle(self) -> str:
        """The case-folded query of the view."""
        return self._view.query.casefold()

    def needle_of(self, index: int) -> str:
        """Return the query, or of a comparison such as ``beta > 0.9`` the input that it found."""
        comparison = parse_comparison(self._view.query)
        if comparison is None:
            return self.needle
        inputs = self.summaries.get(self._view.ids[index], NO_SUMMARY).inputs
        value = comparison.value_in(inputs)
        return "" if value is None else f"{comparison.name} = {value}".casefold()

    def next_match(self, step: int) -> int | None:
        """Return the next matched task, or with -1 the previous one."""
        return self._view.next_match(self.cursor, step)

    @property
    def hits(self) -> Sequence[int]:
        """The rows that the search found."""
        return self._view.hits

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a task."""
        task_id = self._view.ids[index]
        task = self._view.snapshot.tasks[task_id]
        return RenderedRow(
            [self._cell(task, placed) for placed in layout],
            mark=self.mark_of(task_id),
            dimmed=self._view.is_dimmed(index),
            in_range=self.in_range(index),
            sign=sign_of(
                pinned=task_id in self._view.snapshot.held,
                noted=task_id in self._view.snapshot.chain_note_of,
            ),
        )

    def _cell(self, task: Task, placed: PlacedColumn) -> Cell:
        match placed.column.key:
            case SortKey.STATUS:
                cell = status_cell(task, long=placed.width >= _BOTH_STATUSES)
                return (*cell, (" !", "mark")) if task.id in self.stuck else cell
            case SortKey.WHAT:
                what, style = what_part(task, self._summary(task))
                # The renderer cuts in the middle, and of eight cells "fore…1L)" says less.
                narrow = placed.width < _WHAT.min_width
                return ((cut_end(what, placed.width) if narrow else what, style),)
            case SortKey.INPUTS:
                inputs = (self._summary(task) or NO_SUMMARY).inputs_text
                # Commands differ at their end, so the renderer cuts them in the middle.
                return (
                    (inputs if task.lang is Lang.PY else inputs_text(inputs, placed.width), ""),
                )
            case SortKey.BUNDLE:
                return bundle_cell(task.bundles)
            case SortKey.FINISHED:
                return ((finished_text(task, self.now, long=placed.width >= LONG_AGE), ""),)
            case SortKey.ATTEMPTS:
                attempts = len(task.chain)
                return ((short_number(attempts, placed.width) if attempts else "", "quiet"),)
            case SortKey.LANG:
                return ((task.lang.shown, "quiet"),)
            case SortKey.SIZE | SortKey.DISK | SortKey.FILES:
                measured = self._sizes.get(task.id) if self._sizes else None
                return (size_part(measured, task, placed),)
            case SortKey.ID:
                return ((table_id(task.id), "quiet"),)
            case key if key in USAGE_KEYS:
                return (usage_part(self.usages, task, SortKey(key), placed.width),)
        return self._time_cell(task, placed.column.key)

    def _time_cell(self, task: Task, key: str) -> Cell:
        match key:
            case SortKey.WAITED:
                return ((duration_text(queue_time(task, self.now)), "quiet"),)
            case SortKey.RAN:
                estimated = task.finished is not None and task.finished_estimated
                return ((duration_text(run_time(task, self.now), estimated=estimated), ""),)
            case _:
                created = task.created
                return (("—" if created is None else format_age(created, self.now), "quiet"),)

    def _summary(self, task: Task) -> TaskSummary | None:
        """Return the call of a task; a long command continues in the column for inputs."""
        summary = self.summaries.get(task.id)
        if summary is None or task.lang is Lang.R:
            return summary
        widths = {placed.column.key: placed.width for placed in self._layout}
        continues = {SortKey.WHAT, SortKey.INPUTS} <= widths.keys()
        return split_command(summary, widths[SortKey.WHAT]) if continues else summary

    @property
    def ids_to_mark(self) -> Collection[str]:
        """The rows that pass the filters; during a search, only those found."""
        return self._view.markable_rows

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Post Scrolled, so that the calls of the visible rows are read."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())
