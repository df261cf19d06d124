"""The table of tasks: what each runs before its id, its status in a glyph and a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.message import Message

from hipercow_tui.analysis.disk_usage import Measured, Sizes
from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries, TaskSummary
from hipercow_tui.analysis.task_view import TaskView
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Task
from hipercow_tui.support.text import format_age, format_duration, format_size
from hipercow_tui.ui.cells import Column, PlacedColumn, cut_end, plain_text
from hipercow_tui.ui.keymap import MARKS
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow, TextPart
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

RAN_FROM = 76  # cells from which there is room for how long a task ran
WAITED_FROM = 96  # cells from which there is room for how long it waited
LONG_AGES_FROM = 84  # cells from which ages are written out
ALL_COLUMNS_FROM = 128  # cells from which there is room for all there is to tell
BOTH_STATUSES_FROM = 112  # cells from which both statuses of a retried task are written out

# Least and most cells of each column, and its rank: the larger, the sooner it gives way.
_WHAT = Column(SortKey.WHAT, "what", 14, 48)
_INPUTS = Column(SortKey.INPUTS, "inputs", 11, 40, rank=1)
_BUNDLE = Column(SortKey.BUNDLE, "bundle", 8, 22, rank=4)
_CREATED = Column(SortKey.CREATED, "created", 14, 14, rank=8)
_WAITED = Column(SortKey.WAITED, "waited", 7, 7, rank=7)
_RAN = Column(SortKey.RAN, "ran", 6, 6, rank=6)
_ATTEMPTS = Column(SortKey.ATTEMPTS, "↻", 2, 2, rank=3)
_ID = Column(SortKey.ID, "id", 12, 12, rank=5)
_LANG = Column(SortKey.LANG, "lang", 6, 6, rank=4)
_SIZE = Column(SortKey.SIZE, "     size", 9, 9)
_FILES = Column(SortKey.FILES, " files", 6, 6, rank=5)

_SHORT_UNITS = {
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "mo",
    "year": "y",
}


class TaskTable(VirtualTable):
    """The rows of a view; marks are kept by id, whatever is shown.

    ``sought`` is what was typed to be found; a view of it may be still to come.

    What a task runs is not in the view: ``summaries`` fills as it is read, and rows that were drawn
    without it are drawn again by ``gists_read``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*MARKS]

    class Scrolled(Message):
        """Other rows are on the screen."""

    class Marked(Message):
        """Other tasks are marked; None: the marks were taken away."""

        def __init__(self, marks: frozenset[str] | None) -> None:
            super().__init__()
            self.marks = marks

    def __init__(self, summaries: Summaries, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.summaries = summaries
        self.now = 0.0
        self.marks: frozenset[str] | None = None
        self._sizes: Sizes | None = None
        self.stuck: Mapping[str, str] = {}
        self.sought = ""
        self._mark_all_pending = False
        self._view = TaskView(Snapshot(Path()))
        self._range_key: str | None = None
        self._range_row = 0
        self._empty_text: Sequence[str] = ()

    # The rows

    @property
    def view(self) -> TaskView:
        """What is shown."""
        return self._view

    def show(self, view: TaskView, now: float) -> None:
        """Show these rows; ``now`` is the time that ages are told against."""
        before, self._view = self._view, view
        self.now = now
        if (bool(before.snapshot.by_language), before.sort.key) != (
            bool(view.snapshot.by_language),
            view.sort.key,
        ):
            self._laid_out_for = -1
        self._drop_missing_marks()
        self._update_range_start()
        self._mark_all_if_ready()
        if view.ids is before.ids:
            self.redraw_now()
        else:
            self.rows_changed(before.ids)

    def show_sizes(self, sizes: Sizes) -> None:
        """Show what tasks hold, in columns of their own; what is measured later, on redrawing."""
        self._sizes = sizes
        self._laid_out_for = -1
        self.forget_strips()

    def say_if_empty(self, *lines: str) -> None:
        """Why there may be no rows, and what to press."""
        if lines != self._empty_text:
            self._empty_text = lines
            self.forget_strips()

    @property
    def empty_text(self) -> Sequence[str]:
        """Why there are no rows, and what to press."""
        return self._empty_text

    @property
    def keys(self) -> Sequence[str]:
        """The ids of the tasks."""
        return self._view.ids

    def row_of(self, key: str) -> int | None:
        """Where a task stands, if it is shown."""
        return self._view.row_of(key, self.cursor)

    @property
    def current(self) -> Task | None:
        """The task under the cursor."""
        key = self.cursor_key
        return self._view.snapshot.tasks.get(key) if key else None

    def columns(self, width: int) -> Sequence[Column]:
        """Ages are short, and a status is told by its glyph alone, where there is little room; the
        column that the tasks are sorted by is there on any screen."""
        finished = 15 if width >= LONG_AGES_FROM else 6
        status = 23 if width >= BOTH_STATUSES_FROM else 13
        langs = (_LANG,) if self._view.snapshot.by_language else ()
        room = width - (_LANG.min_width if langs else 0)
        spare = {_CREATED: ALL_COLUMNS_FROM, _WAITED: WAITED_FROM, _RAN: RAN_FROM}
        columns = (
            Column(SortKey.STATUS, "status", status, status),
            _WHAT,
            _INPUTS,
            _BUNDLE,
            *(one for one, least in spare.items() if room >= least or self.sign(one)),
            Column(
                SortKey.FINISHED,
                "finished" if width >= LONG_AGES_FROM else "ended",
                finished,
                finished,
                2,
            ),
            _ATTEMPTS,
            *langs,
            *((_SIZE, _FILES) if self._sizes is not None else ()),
            *((_ID,) if room >= ALL_COLUMNS_FROM else ()),
        )
        return [replace(one, rank=0) if self.sign(one) else one for one in columns]

    def sign(self, column: Column) -> str:
        """An arrow on the column that the tasks are sorted by."""
        sort = self._view.sort
        return ("↓" if sort.reverse else "↑") if column.key == sort.key else ""

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The tasks in which it was found."""
        return self._view.hits

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a task."""
        task_id = self._view.ids[index]
        task = self._view.snapshot.tasks[task_id]
        return RenderedRow(
            [self._cell(task, one) for one in layout],
            marked=self.marks is not None and task_id in self.marks,
            dimmed=self._view.is_dimmed(index),
            in_range=index in self._range(),
        )

    def _cell(self, task: Task, one: PlacedColumn) -> Cell:
        summary = self.summaries.get(task.id)
        match one.column.key:
            case SortKey.STATUS:
                cell = status_cell(task, long=one.width >= 23)
                return (*cell, (" !", "mark")) if task.id in self.stuck else cell
            case SortKey.WHAT:
                return (what_part(task, self._split_command(task, summary)),)
            case SortKey.INPUTS:
                if task.lang is Lang.PY:  # the end of a command is what differs: see fit
                    return (((self._split_command(task, summary) or NO_SUMMARY).inputs_text, ""),)
                return ((inputs_text((summary or NO_SUMMARY).inputs_text, one.width), ""),)
            case SortKey.BUNDLE:
                return bundle_cell(task.bundles)
            case SortKey.CREATED:
                return (
                    ("—" if task.created is None else format_age(task.created, self.now), "quiet"),
                )
            case SortKey.WAITED:
                return ((duration_text(queue_time(task, self.now)), "quiet"),)
            case SortKey.RAN:
                estimated = task.finished is not None and task.finished_estimated
                return ((duration_text(run_time(task, self.now), estimated=estimated), ""),)
            case SortKey.FINISHED:
                return ((finished_text(task, self.now, long=one.width >= 15), ""),)
            case SortKey.ATTEMPTS:
                return ((f"{len(task.chain)}" if task.chain else "", "quiet"),)
            case SortKey.LANG:
                return ((task.lang.shown, "quiet"),)
            case SortKey.SIZE | SortKey.FILES:
                measured = self._sizes.get(task.id) if self._sizes else None
                return (size_part(measured, task, one),)
            case _:
                return ((f"{task.id[:7]}…{task.id[-4:]}", "quiet"),)

    def _split_command(self, task: Task, summary: TaskSummary | None) -> TaskSummary | None:
        """A command goes on in the column for inputs, which it has none of."""
        if summary is None or task.lang is Lang.R:
            return summary
        widths = {one.column.key: one.width for one in self._layout}
        return split_command(summary, widths[SortKey.WHAT]) if SortKey.INPUTS in widths else summary

    # Marks

    def action_mark(self) -> None:
        """Mark the task under the cursor, or take its mark, and go on to the next."""
        key = self.cursor_key
        if key is None:
            return
        marks = self.marks or frozenset()
        self._set_marks(marks - {key} if key in marks else marks | {key})
        self.redraw_row(self.cursor)
        self.action_move(1)

    def action_range(self) -> None:
        """Begin a range of rows; the second time, mark it."""
        if self._range_key is None:
            self._range_key, self._range_row = self.cursor_key, self.cursor
        else:
            ids = self.keys[self._range().start : self._range().stop]
            self._range_key = None
            self._set_marks((self.marks or frozenset()).union(ids))
        self.forget_strips()

    def drop_range(self) -> bool:
        """Forget the range that was begun; whether there was one."""
        had, self._range_key = self._range_key is not None, None
        self.forget_strips()
        return had

    def action_mark_all(self) -> None:
        """Mark every task that the filters match, of those that are shown, or of a search that
        are found; once that is known, so that who types ahead never marks more than was meant."""
        self._mark_all_pending = True
        self._mark_all_if_ready()

    def _mark_all_if_ready(self) -> None:
        view = self._view
        if not self._mark_all_pending or view.query != self.sought:
            return
        self._mark_all_pending = False
        if view.query and not view.markable_rows:
            self.notify("Nothing that was found passes the filters: 0 takes them away")
        self._set_marks((self.marks or frozenset()) | view.markable_rows)
        self.forget_strips()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._range_key = None
        self._set_marks(frozenset())
        self.forget_strips()

    def _set_marks(self, marks: frozenset[str]) -> None:
        """No mark at all is no filter (SPEC rule 1)."""
        self.marks = marks or None
        self.post_message(self.Marked(self.marks))

    def _drop_missing_marks(self) -> None:
        """Marks whose tasks have all vanished are an empty list, not an absent filter."""
        if self.marks and not self.marks <= self._view.snapshot.tasks.keys():
            self.marks = self.marks & self._view.snapshot.tasks.keys()
            self.post_message(self.Marked(self.marks))

    def _range(self) -> range:
        if self._range_key is None:
            return range(0)
        return range(min(self._range_row, self.cursor), max(self._range_row, self.cursor) + 1)

    def _update_range_start(self) -> None:
        """A range begins at its task; if that is gone, where it stood."""
        if self._range_key is not None:
            row = self._view.row_of(self._range_key, self._range_row)
            self._range_row = self._range_row if row is None else row

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What the rows run is read when they come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def watch_cursor(self, before: int, now: int) -> None:
        """A range that is being marked grows and shrinks with the cursor."""
        super().watch_cursor(before, now)
        if self._range_key is not None:
            self.forget_strips()


def size_part(measured: Measured | None, task: Task, one: PlacedColumn) -> TextPart:
    """``2.1 MB``, or how many files; with ``~`` where it may be another by now."""
    if measured is None:
        return "", ""
    sign = "" if measured.holds(task) else "~"
    by_bytes = one.column.key == SortKey.SIZE
    told = format_size(measured.size.bytes) if by_bytes else f"{measured.size.files:,}"
    return (sign + told).rjust(one.width), "" if by_bytes else "quiet"


def what_part(task: Task, summary: TaskSummary | None) -> TextPart:
    """What the task runs; why that is not known; or nothing, where it is yet to be read."""
    if summary is not None and summary.code_text:
        return summary.code_text, "strong"
    return plain_text(task.problem or (summary.problem if summary else None) or ""), "quiet"


def split_command(summary: TaskSummary, width: int) -> TaskSummary:
    """What runs, cut before the last word that has no room in so many cells."""
    if summary.inputs_text or cell_len(summary.code_text) <= width:
        return summary
    ends = accumulate(summary.code_text.split(" "), "{} {}".format)
    head = max((end for end in ends if cell_len(end) <= width), key=len, default="")
    if not head:
        return summary
    return replace(summary, code_text=head, inputs_text=summary.code_text[len(head) + 1 :])


def inputs_text(varies: str, width: int) -> str:
    """``beta = 0.91, gamma = 0.2``, closer together where there is little room, and then cut at
    the end: the first input is mostly the one that differs."""
    if cell_len(varies) <= width:
        return varies
    return cut_end(varies.replace(" = ", "=").replace(", ", " "), width)


def status_cell(task: Task, *, long: bool) -> Cell:
    """``✗ failure``; for a retried task whose last attempt differs ``✗ failure → success``, or
    where there is little room ``✗ → success``."""
    own = task.status
    tip = task.latest_status
    if not task.chain or tip is own:
        return ((f"{GLYPH[own]} {own}", own.value),)
    then = (str(tip), tip.value) if tip is not None else ("gone", "quiet")
    first = f"{GLYPH[own]} {own}" if long else GLYPH[own]
    return ((first, own.value), (" → ", "quiet"), then)


def bundle_cell(bundles: Sequence[str]) -> Cell:
    """``fit_a +1``: the first bundle and how many more."""
    if not bundles:
        return (("", ""),)
    more = f" +{len(bundles) - 1}" if len(bundles) > 1 else ""
    return ((plain_text(bundles[0]) + more, ""),)


def finished_text(task: Task, now: float, *, long: bool) -> str:
    """The age of the end: ``~`` before an estimate, ``—`` for what has not ended."""
    if task.finished is None:
        return "—"
    told = format_age(task.finished, now)
    return ("~" if task.finished_estimated else "") + (told if long else short_age(told))


def duration_text(seconds: float | None, *, estimated: bool = False) -> str:
    """``12s``, ``~4min``; ``—`` where it is not known, or has not begun."""
    if seconds is None:
        return "—"
    told = short_age(format_duration(seconds)) if seconds >= 1 else "<1s"
    return f"~{told}" if estimated else told


def short_age(told: str) -> str:
    """``3 weeks ago`` and ``3 weeks`` as ``3w``."""
    number, _, unit = told.removesuffix(" ago").partition(" ")
    return f"{number}{_SHORT_UNITS[unit.removesuffix('s')]}" if number.isdigit() else "now"
