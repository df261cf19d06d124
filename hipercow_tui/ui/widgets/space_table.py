"""The table of space: bars with figures for groups, tasks, files, and the rest of the root."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hipercow_tui.analysis.space_rows import REST, SpaceKey, SpaceRow, SpaceSort
from hipercow_tui.analysis.space_usage import NOTHING, PINNED, SpaceGrouping
from hipercow_tui.analysis.task_summary import NO_SUMMARY, Summaries
from hipercow_tui.analysis.task_view import TaskView, next_hit
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import format_size, share_text
from hipercow_tui.ui.cells import Column, PlacedColumn, cut_end, plain_text, short_number
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import MARKED, Cell, RenderedRow, sign_of

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.space_view import SpaceView

_SHARE = Column("share", "share", 6, 6, right=True)
_BAR = Column("bar", "", 6, 40)
_FILES = Column(SpaceKey.FILES, "files", 7, 7, rank=3, right=True)
_TASKS = Column("tasks", "tasks", 6, 7, rank=2, right=True)
_PURGEABLE = Column(SpaceKey.PURGEABLE, "can go", 8, 8, rank=1, right=True)
_EIGHTHS = "▏▎▍▌▋▊▉█"
# What fills the part of a bar that can't go, the bar of something that no purge takes, and the
# parts of a bar that is split by status.
_HELD_FILL, _REST_FILL = "▒", "░"
_STATUS_FILLS = {Status.FAILURE: "█", Status.CANCELLED: "▓", Status.SUCCESS: "▒"}
_OTHER_FILL = "░"
LEGEND = " ".join([*(f"{fill} {s}" for s, fill in _STATUS_FILLS.items()), f"{_OTHER_FILL} other"])


class SpaceTable(MarkableTable, KeyedTable):
    """The rows of a list of space. Rows without a matched task are dimmed."""

    def __init__(self, summaries: Summaries, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(marks, id=id)
        self._summaries = summaries
        self._shown: SpaceView | None = None
        self._by_key: Mapping[str, SpaceRow] = {}
        self._hits_for: object = None  # what ``_hits`` is for
        self._hits: list[int] = []
        self._view = TaskView(Snapshot(Path()))
        self.set_empty_text("Measuring …")

    def show(self, view: SpaceView) -> None:
        """Show a list."""
        before, self._shown = self._shown, view
        self._by_key = {row.key: row for row in view.rows}
        if before is None or _columns_of(before) != _columns_of(view):
            self.forget_layout()
        if view.problem:
            self.set_empty_text(
                "The folder of this task can't be read", view.problem, with_keys("<back=esc>: back")
            )
        else:
            self.set_empty_text(
                "There is nothing to show", with_keys("<space_tab=w>: back to the tasks")
            )
        self.set_keys(tuple(self._by_key))

    def set_view(self, view: TaskView) -> None:
        """Set the view with the matched tasks and the query."""
        self._view = view
        self.redraw()

    @property
    def shown(self) -> SpaceView | None:
        """The list that is shown."""
        return self._shown

    @property
    def current(self) -> SpaceRow | None:
        """The row under the cursor."""
        return self._by_key.get(self.cursor_key or "")

    @property
    def sort(self) -> SpaceSort:
        """The order of the rows."""
        return self._shown.request.sort if self._shown else SpaceSort()

    # Search and filters

    @property
    def needle(self) -> str:
        """The case-folded query."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The rows with the query in their texts; it takes 80 ms to find them among 100,000."""
        needle, view = self.needle, self._shown
        wanted = needle, view and view.request.number, len(self._summaries)
        if self._hits_for != wanted:
            rows = enumerate(self._by_key.values()) if needle else ()
            found = [number for number, row in rows if needle in self._text(row).casefold()]
            self._hits_for, self._hits = wanted, found
        return self._hits

    def next_match(self, step: int) -> int | None:
        """Return the next row with a matched task, or with -1 the previous one."""
        rows = enumerate(self._by_key.values()) if self._view.filtered else ()
        matched = [number for number, row in rows if row.ids and not self._is_dimmed(row)]
        return next_hit(matched, self.cursor, step)

    def _is_dimmed(self, row: SpaceRow) -> bool:
        return self._view.filtered and self._view.markable.isdisjoint(row.ids)

    # Marks

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to mark a row, or to begin a range there, only if it has tasks: a file, a kind of
        files and the rest have none. Offer to mark all only if any row has tasks."""
        row = self.current
        if action == "mark" or (action == "range" and not self._range):
            offered = row is None or bool(row.ids)
        elif action == "mark_all":
            offered = any(one.ids for one in self._by_key.values())
        else:
            offered = True
        if not offered:
            return False
        return super().check_action(action, parameters)

    @property
    def marked(self) -> Sequence[SpaceRow]:
        """The rows of which all tasks are marked."""
        rows = self._by_key.values()
        return [row for row in rows if row.ids and self.mark_of(row.key) == MARKED]

    def tasks_of(self, key: str) -> Collection[str]:
        """Return the tasks of a row; none of a file or of the rest of the root."""
        return self._by_key[key].ids

    @property
    def ids_to_mark(self) -> Collection[str]:
        """The tasks of the rows that pass the filters; during a search, only of rows found."""
        return self._view.markable_among(super().ids_to_mark)

    # Drawing

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns; single tasks need no number of tasks, files none of what can go."""
        view = self._shown
        kind = view.request.kind if view else SizeKind.APPARENT
        size = Column(SpaceKey.SIZE, kind, 8, 8, right=True)
        label, extra = _columns_of(view) if view else ("", ())
        return (size, _SHARE, _BAR, Column(SpaceKey.LABEL, label, 16, 56), *extra, _FILES)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a row."""
        row = self._by_key[self.keys[index]]
        return RenderedRow(
            [self._cell(row, placed) for placed in layout],
            mark=self.mark_of(row.key),
            dimmed=bool(row.ids) and self._is_dimmed(row),
            in_range=self.in_range(index),
            sign=sign_of(
                pinned=any(
                    group.label == PINNED and len(group.ids) == len(row.ids) for group in row.held
                )
            ),
        )

    def _cell(self, row: SpaceRow, placed: PlacedColumn) -> Cell:
        assert self._shown is not None  # there are rows
        kind, width = self._shown.request.kind, placed.width
        match placed.column.key:
            case SpaceKey.SIZE:
                return ((format_size(row.amount.of(kind)).rjust(width), ""),)
            case "share":
                text = share_text(row.amount.of(kind), self._shown.whole.of(kind))
                return ((text.rjust(width), "quiet"),)
            case SpaceKey.LABEL:
                return self._label(row, width)
            case "tasks":
                text = short_number(len(row.ids), width) if row.ids else ""
                return ((text.rjust(width), ""),)
            case SpaceKey.PURGEABLE:
                purgeable = row.purgeable
                text = "" if purgeable is None else format_size(purgeable.of(kind))
                return ((text.rjust(width), ""),)
            case SpaceKey.FILES:
                return ((short_number(row.amount.files, width).rjust(width), "quiet"),)
            case _:
                return bar(row, kind, self._shown.largest, width)

    def _label(self, row: SpaceRow, width: int) -> Cell:
        if row.task is not None:
            status = row.task.status
            code = self._summaries.get(row.key, NO_SUMMARY).code_text
            return (
                (f"{GLYPH[status]} ", status.value),
                (row.label, "strong"),
                (cut_end(f" {code}", width - len(row.label) - 2), "quiet"),
            )
        if row.is_rest:
            indent = "" if row.key == REST else "  "
            return ((cut_end(f"{indent}{plain_text(row.label)}", width), "quiet"),)
        assert self._shown is not None  # there are rows
        if row.opens and self._shown.request.by is SpaceGrouping.STATUS:
            status = Status(row.label)
            return ((f"{GLYPH[status]} {status}", status.value),)
        return ((cut_end(plain_text(row.label), width), "strong"),)

    def _text(self, row: SpaceRow) -> str:
        """Return the texts that a search of a row finds."""
        if row.task is None:
            return row.label
        return f"{row.key} {self._summaries.get(row.key, NO_SUMMARY).code_text}"


def _columns_of(view: SpaceView) -> tuple[str, tuple[Column, ...]]:
    """Return the title of the column of labels, and the columns beside it."""
    rows = [row for row in view.rows[:1] if not row.is_rest]
    by = view.request.by
    if not view.steps and not (rows and rows[0].task):
        return by.value, (_TASKS, _PURGEABLE) if any(row.ids for row in rows) else ()
    if rows and rows[0].task is None:
        return "file", ()
    return "task", (_PURGEABLE,)


def bar(row: SpaceRow, kind: SizeKind, largest: int, width: int) -> Cell:
    """Return the bar of a row, full for the largest.

    A part in another shade can't be purged; it is at least one cell, if the bar has two. A shorter
    bar has no parts. The bar of an age has a part for each status.
    """
    number = min(row.amount.of(kind), largest)
    if not number:
        return (("", ""),)
    if row.is_rest:
        return ((_REST_FILL * max(1, round(width * number / largest)), "quiet"),)
    if row.by_status:
        return _status_bar(row, kind, max(1, round(width * number / largest)))
    purgeable = row.amount if row.purgeable is None else row.purgeable
    cells = max(1, round(width * number / largest))
    if purgeable == row.amount or (cells == 1 and any(purgeable)):
        full, rest = divmod(max(1, round(8 * width * number / largest)), 8)
        return (("█" * full + (_EIGHTHS[rest - 1] if rest else ""), ""),)
    free = round(cells * purgeable.of(kind) / row.amount.of(kind))
    if cells > 1 and any(purgeable):
        free = min(max(free, 1), cells - 1)
    return (("█" * free, ""), (_HELD_FILL * (cells - free), "quiet"))


def _status_bar(row: SpaceRow, kind: SizeKind, cells: int) -> Cell:
    whole, before, drawn = row.amount.of(kind), 0, 0
    parts = []
    for status, fill in _STATUS_FILLS.items():
        before += row.by_status.get(status, NOTHING).of(kind)
        length = round(cells * before / whole) - drawn
        drawn += length
        parts.append((fill * length, status.value))
    return (*parts, (_OTHER_FILL * (cells - drawn), "quiet"))
