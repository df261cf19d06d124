"""The table of errors: what broke, how often, where and for which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorKey, ErrorSort
from hipercow_tui.analysis.task_view import TaskView
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.text import format_age, pluralize
from hipercow_tui.ui.cells import Column, PlacedColumn, cut_end, plain_text
from hipercow_tui.ui.keymap import MARKS
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.task_table import bundle_cell, short_age
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel

LONG_AGES_FROM = 112  # cells from which ages are written out

_TASKS = Column(ErrorKey.TASKS, "tasks", 6, 7)
_BAR = Column("bar", "", 5, 16, rank=2)
_MESSAGE = Column(ErrorKey.MESSAGE, "message", 28, 120)
_INPUTS = Column(ErrorKey.INPUTS, "differing inputs", 16, 32, rank=3)
_BUNDLE = Column(ErrorKey.BUNDLE, "bundle", 12, 20, rank=4)
_EIGHTHS = "▏▎▍▌▋▊▉█"


class ErrorTable(VirtualTable):
    """The groups of a board; those none of whose tasks passes the filters are dimmed, those all of
    whose tasks are marked have the mark."""

    BINDINGS: ClassVar[list[BindingType]] = [one for one in MARKS if one.id != "range"]

    class Marked(Message):
        """These tasks are to be marked, or no longer."""

        def __init__(self, ids: frozenset[str], marked: bool) -> None:
            super().__init__()
            self.ids = ids
            self.marked = marked

    class AllMarked(Message):
        """Every failed task that the filters match is to be marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now = 0.0
        self.marks: frozenset[str] = frozenset()
        self.complete = False
        self._view_model: FailureViewModel | None = None
        self._keys: tuple[str, ...] = ()
        self._groups: dict[str, ErrorGroup] = {}
        self._rows: dict[str, int] = {}
        self._view = TaskView(Snapshot(Path()))

    # The rows

    def show(self, view_model: FailureViewModel) -> None:
        """Show these groups."""
        before = self._keys
        self._view_model = view_model
        self._groups = {_key(group): group for group in view_model.groups}
        self._keys = tuple(self._groups)
        self._rows = {key: row for row, key in enumerate(self._keys)}
        self.filling = view_model.reading
        if self._keys == before:
            self.forget_strips()
        else:
            self.rows_changed(before)

    def see(self, view: TaskView, now: float) -> None:
        """What the filters match is told against this view, ages against ``now``."""
        self._view, self.now = view, now
        self.forget_strips()

    @property
    def keys(self) -> Sequence[str]:
        """What names each group."""
        return self._keys

    def row_of(self, key: str) -> int | None:
        """Where a group stands, if it is there."""
        return self._rows.get(key)

    @property
    def groups(self) -> Sequence[ErrorGroup]:
        """What is shown."""
        return self._view_model.groups if self._view_model else ()

    @property
    def current(self) -> ErrorGroup | None:
        """The group under the cursor."""
        return self._groups.get(self.cursor_key or "")

    def group_of(self, task_id: str) -> ErrorGroup | None:
        """The group that a task is in, if it is known how it failed."""
        return next((group for group in self.groups if task_id in group.ids), None)

    @property
    def progress(self) -> str:
        """``read 120 of 243`` while not all are."""
        view_model = self._view_model
        return (
            f"read {view_model.read:,} of {view_model.failed:,}"
            if view_model and view_model.reading
            else ""
        )

    @property
    def unread(self) -> int:
        """How many failures are still to be read."""
        return self._view_model.failed - self._view_model.read if self._view_model else 0

    @property
    def sort(self) -> ErrorSort:
        """The order of the groups."""
        return self._view_model.request.sort if self._view_model else ErrorSort()

    @property
    def empty_text(self) -> Sequence[str]:
        """Why there are no rows."""
        view_model = self._view_model
        if not self.complete or view_model is None:
            return ("Reading …",)
        if view_model.failed:
            return (f"Reading how {pluralize(view_model.failed, 'task')} failed …",)
        if not view_model.request.snapshot.tasks:
            return ("No tasks yet", "when one fails, its error stands here", "e goes back to them")
        return (
            "No task has failed",
            "errors come up here by themselves",
            "e goes back to the tasks",
        )

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The errors in which it was found."""
        needle = self.needle
        return (
            [row for row, each in enumerate(self.groups) if each.matches(needle)] if needle else ()
        )

    def columns(self, width: int) -> Sequence[Column]:
        """Ages are short where there is little room."""
        last = 14 if width >= LONG_AGES_FROM else 5
        title = "last" if width < LONG_AGES_FROM else "last failed"
        return (_TASKS, _BAR, _MESSAGE, _INPUTS, _BUNDLE, Column(ErrorKey.LAST, title, last, last))

    def sign(self, column: Column) -> str:
        """An arrow on the column that the groups are sorted by."""
        return ("↓" if self.sort.reverse else "↑") if column.key == self.sort.key else ""

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a group."""
        group = self._groups[self._keys[index]]
        view = self._view
        return RenderedRow(
            [self._cell(group, one) for one in layout],
            marked=self.marks.issuperset(group.ids),
            dimmed=view.filtered and view.markable.isdisjoint(group.ids),
        )

    def _cell(self, group: ErrorGroup, one: PlacedColumn) -> Cell:
        match one.column.key:
            case ErrorKey.TASKS:
                return ((f"{len(group.ids):,}".rjust(one.width - 1), ""),)
            case ErrorKey.MESSAGE:
                style = "strong" if group.has_message else "quiet"
                return ((cut_end(plain_text(in_line(group)), one.width), style),)
            case ErrorKey.INPUTS:
                told = ", ".join(map(str, group.varying))
                return ((cut_end(plain_text(told), one.width), ""),)
            case ErrorKey.BUNDLE:
                return bundle_cell([name for name, _ in group.bundles])
            case ErrorKey.LAST:
                return ((last_text(group, self.now, long=one.width >= 14), "quiet"),)
            case _:
                most = max(len(each.ids) for each in self.groups)
                return ((bar(len(group.ids), most, one.width), "failure"),)

    # Marks

    def action_mark(self) -> None:
        """Mark the group under the cursor too, or take its marks, and go on to the next."""
        group = self.current
        if group is not None:
            self.post_message(
                self.Marked(frozenset(group.ids), not self.marks.issuperset(group.ids))
            )
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every failed task that the filters match."""
        self.post_message(self.AllMarked())

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.post_message(self.Marked(self.marks, False))


def _key(group: ErrorGroup) -> str:
    return f"{group.has_message:d}{group.pattern}"


def in_line(group: ErrorGroup) -> str:
    """The message of a group on one line; where there is none, why."""
    text = " ".join(group.text.split())
    return text if group.has_message else f"not known: {text}"


def last_text(group: ErrorGroup, now: float, *, long: bool) -> str:
    """The age of the last of its failures."""
    if group.last is None:
        return "—"
    told = format_age(group.last, now)
    return told if long else short_age(told)


def bar(number: int, most: int, width: int) -> str:
    """A bar of eighths of cells, full for ``most``; what there is has at least one eighth."""
    eighths = max(1, round(8 * width * number / most))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest - 1] if rest else "")
