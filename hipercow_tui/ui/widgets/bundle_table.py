"""The table of bundles: how many tasks, how they fare, how old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleRow, BundleSort
from hipercow_tui.analysis.disk_usage import Total
from hipercow_tui.analysis.task_view import TaskView
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Lang, Status
from hipercow_tui.support.text import format_age, format_size
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow
from hipercow_tui.ui.widgets.virtual_table import VirtualTable

_NAME = Column(BundleKey.NAME, "bundle", 10, 36)
_TASKS = Column(BundleKey.TASKS, "tasks", 6, 7)
_STATUS = Column(BundleKey.STATUS, "status", 11, 13)
_BAR = Column("bar", "its tasks", 8, 24, rank=1)
_SIZE = Column(BundleKey.SIZE, "     size", 9, 9)
_FILES = Column(BundleKey.FILES, "  files", 7, 7, rank=3)
_LANG = Column(BundleKey.LANG, "lang", 6, 6, rank=1)
_CHANGED = Column(BundleKey.CHANGED, "changed", 14, 14, rank=2)


class BundleTable(VirtualTable):
    """The bundles of a snapshot; those without a matched task are dimmed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.now = 0.0
        self._lines: tuple[BundleRow, ...] = ()
        self._keys: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        self._sort = BundleSort()
        self._view = TaskView(Snapshot(Path()))
        self._sizes_shown = False

    def show_sizes(self) -> None:
        """Show what the tasks of each hold, in columns of their own."""
        self._sizes_shown = True
        self._laid_out_for = -1
        self.forget_strips()

    def show(
        self,
        lines: tuple[BundleRow, ...],
        sort: BundleSort,
        view: TaskView,
        now: float,
    ) -> None:
        """Show these bundles; ``now`` is the time that ages are told against."""
        before = self._keys
        if bool(self._view.snapshot.by_language) != bool(view.snapshot.by_language):
            self._laid_out_for = -1
        if lines is not self._lines:
            self._keys = tuple(map(_key, lines))
            self._rows = {key: row for row, key in enumerate(self._keys)}
        self._lines, self._sort, self._view, self.now = lines, sort, view, now
        if self._keys == before:
            self.forget_strips()
        else:
            self.rows_changed(before)

    @property
    def current(self) -> BundleRow | None:
        """The bundle under the cursor."""
        return self._lines[self.cursor] if 0 <= self.cursor < len(self._lines) else None

    @property
    def keys(self) -> Sequence[str]:
        """The name of each bundle, and if it is of Python that: both may have one of that name."""
        return self._keys

    def row_of(self, key: str) -> int | None:
        """Where a bundle stands, if it is there."""
        return self._rows.get(key)

    def line_of(self, key: str) -> BundleRow | None:
        """The bundle of that key, if it is there."""
        row = self._rows.get(key)
        return None if row is None else self._lines[row]

    @property
    def empty_text(self) -> Sequence[str]:
        """Why there are no rows."""
        return (
            "No bundles",
            "hipercow_bundle_create() in R makes one,",
            "'hipercow create bulk' in Python",
            "b goes back to the tasks",
        )

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The bundles in whose names it was found."""
        needle = self.needle
        lines = enumerate(self._lines) if needle else ()
        return [row for row, line in lines if needle in line.name.casefold()]

    def columns(self, width: int) -> Sequence[Column]:
        """The same on every screen, as far as they find room."""
        sizes = (_SIZE, _FILES) if self._sizes_shown else ()
        langs = (_LANG,) if self._view.snapshot.by_language else ()
        return (_NAME, *langs, _TASKS, _STATUS, _BAR, *sizes, _CHANGED)

    def sign(self, column: Column) -> str:
        """An arrow on the column that the bundles are sorted by."""
        return ("↓" if self._sort.reverse else "↑") if column.key == self._sort.key else ""

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """The cells of a bundle."""
        line = self._lines[index]
        dimmed = self._view.filtered and not self._view.has_match(line.bundle)
        return RenderedRow([self._cell(line, one) for one in layout], dimmed=dimmed)

    def _cell(self, line: BundleRow, one: PlacedColumn) -> Cell:
        match one.column.key:
            case BundleKey.NAME:
                return ((plain_text(line.name), "strong"),)
            case BundleKey.LANG:
                return ((line.lang.shown, "quiet"),)
            case BundleKey.TASKS:
                return ((f"{line.tasks:,}".rjust(one.width - 1), ""),)
            case BundleKey.STATUS:
                reduced = line.overall_status
                if reduced is None:
                    return (("all gone" if line.missing_ids else "empty", "quiet"),)
                return ((f"{GLYPH[reduced]} {reduced}", reduced.value),)
            case BundleKey.SIZE:
                return (
                    (
                        size_text(line.disk_usage, format_size(line.disk_usage.size.bytes)).rjust(
                            one.width
                        ),
                        "",
                    ),
                )
            case BundleKey.FILES:
                told = size_text(line.disk_usage, f"{line.disk_usage.size.files:,}")
                return ((told.rjust(one.width), "quiet"),)
            case BundleKey.CHANGED:
                changed = line.bundle.changed
                return (("—" if changed is None else format_age(changed, self.now), "quiet"),)
            case _:
                return status_bar(line.counts, one.width)


def _key(line: BundleRow) -> str:
    return line.name if line.lang is Lang.R else f"{Lang.PY}/{line.name}"  # R's have no slash


def size_text(held: Total, told: str) -> str:
    """Nothing where nothing was measured, ``≥`` where not all of it was."""
    if not held.measured:
        return ""
    return told if held.complete else f"≥{told}"


def status_bar(counts: Mapping[Status | None, int], width: int) -> Cell:
    """The statuses of the tasks as glyphs, in proportion; what there is has at least one."""
    present = [status for status in (*FILTERABLE_STATUSES, Status.BROKEN) if counts.get(status)]
    if not present or width < len(present):
        return (("", ""),)
    total = sum(counts[status] for status in present)
    spare = width - len(present)
    lengths = {status: 1 + spare * counts[status] // total for status in present}
    most = max(present, key=lambda status: counts[status])
    lengths[most] += width - sum(lengths.values())
    return tuple((GLYPH[status] * lengths[status], status.value) for status in present)
