"""The table of bundles, with the number and the statuses of their tasks, and their age."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from hipercow_tui.analysis.bundle_rows import BundleKey, BundleRow, BundleSort
from hipercow_tui.analysis.disk_usage import DiskUsage
from hipercow_tui.analysis.task_view import TaskView
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import FILTERABLE_STATUSES, Lang, Status
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import format_age, format_size
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text, short_number
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import Cell, RenderedRow

_NAME = Column(BundleKey.NAME, "bundle", 10, 36)
_TASKS = Column(BundleKey.TASKS, "tasks", 6, 7, right=True)
_STATUS = Column(BundleKey.STATUS, "status", 11, 13)
_BAR = Column("bar", "its tasks", 8, 24, rank=1)
_SIZES = {
    SizeKind.APPARENT: Column(BundleKey.SIZE, SizeKind.APPARENT, 9, 9, right=True),
    SizeKind.ON_DISK: Column(BundleKey.DISK, SizeKind.ON_DISK, 9, 9, right=True),
}
_FILES = Column(BundleKey.FILES, "files", 7, 7, rank=3, right=True)
_LANG = Column(BundleKey.LANG, "lang", 6, 6, rank=1)
_CHANGED = Column(BundleKey.CHANGED, "changed", 14, 14, rank=2)


class BundleTable(MarkableTable, KeyedTable):
    """The bundles of a snapshot. Bundles without a matched task are dimmed."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(marks, id=id)
        self.now = 0.0
        self._bundles: tuple[BundleRow, ...] = ()
        self._sort = BundleSort()
        self._view = TaskView(Snapshot(Path()))
        self._size_kind: SizeKind | None = None  # None if sizes are not shown
        self.set_empty_text(
            "No bundles",
            "hipercow_bundle_create() in R makes one,",
            "'hipercow create bulk' in Python",
            "b: back to the tasks",
        )

    def show_sizes(self, kind: SizeKind) -> None:
        """Add columns for the size of the tasks of each bundle."""
        self._size_kind = kind
        self.forget_layout()

    def show(
        self, bundles: tuple[BundleRow, ...], sort: BundleSort, view: TaskView, now: float
    ) -> None:
        """Show these bundles; ``now`` is the time for their ages, in seconds since the epoch."""
        if bool(self._view.snapshot.by_language) != bool(view.snapshot.by_language):
            self.forget_layout()
        self._bundles, self._sort, self._view, self.now = bundles, sort, view, now
        self.set_keys(tuple(map(_key, bundles)))
        self.mark_all_if_ready()

    @property
    def current(self) -> BundleRow | None:
        """The bundle under the cursor."""
        return self._bundles[self.cursor] if 0 <= self.cursor < len(self._bundles) else None

    def bundle_of(self, key: str) -> BundleRow | None:
        """Return the bundle with that key, or None."""
        row = self.row_of(key)
        return None if row is None else self._bundles[row]

    @property
    def needle(self) -> str:
        """The case-folded query."""
        return self._view.query.casefold()

    @property
    def hits(self) -> Sequence[int]:
        """The bundles whose names contain the query."""
        needle = self.needle
        bundles = enumerate(self._bundles) if needle else ()
        return [row for row, bundle in bundles if needle in bundle.name.casefold()]

    @property
    def sort(self) -> BundleSort:
        """The order of the bundles."""
        return self._sort

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns for names, tasks and sizes."""
        sizes = (_SIZES[self._size_kind], _FILES) if self._size_kind else ()
        langs = (_LANG,) if self._view.snapshot.by_language else ()
        return (_NAME, *langs, _TASKS, _STATUS, _BAR, *sizes, _CHANGED)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a bundle."""
        bundle = self._bundles[index]
        dimmed = self._view.filtered and not self._view.has_match(bundle.bundle)
        return RenderedRow(
            [self._cell(bundle, placed) for placed in layout],
            mark=self.mark_of(self.keys[index]),
            dimmed=dimmed,
            in_range=self.in_range(index),
        )

    def tasks_of(self, key: str) -> Collection[str]:
        """Return the existing tasks of a bundle."""
        row = self.bundle_of(key)
        if row is None:
            return ()
        snapshot = self._view.snapshot.of_lang(row.lang)
        return [task.id for task in snapshot.existing(row.bundle.task_ids)]

    @property
    def ids_to_mark(self) -> Collection[str]:
        """The tasks of bundles that pass the filters; during a search, only of bundles found."""
        return self._view.markable_among(super().ids_to_mark)

    @property
    def shown_search(self) -> str:
        """The search of the view."""
        return self._view.query

    def _cell(self, bundle: BundleRow, placed: PlacedColumn) -> Cell:
        usage, key = bundle.disk_usage, placed.column.key
        match key:
            case BundleKey.NAME:
                return ((plain_text(bundle.name), "strong"),)
            case BundleKey.LANG:
                return ((bundle.lang.shown, "quiet"),)
            case BundleKey.TASKS:
                number = short_number(bundle.task_count, placed.width)
                return ((number.rjust(placed.width), ""),)
            case BundleKey.STATUS:
                status = bundle.overall_status
                if status is None:
                    return (("all removed" if bundle.missing_count else "empty", "quiet"),)
                return ((f"{GLYPH[status]} {status}", status.value),)
            case BundleKey.SIZE | BundleKey.DISK:
                kind = SizeKind.APPARENT if key == BundleKey.SIZE else SizeKind.ON_DISK
                size = size_text(usage, format_size(usage.size.of(kind)))
                return ((size.rjust(placed.width), ""),)
            case BundleKey.FILES:
                files = size_text(usage, short_number(usage.size.files, placed.width - 1))
                return ((files.rjust(placed.width), "quiet"),)
            case BundleKey.CHANGED:
                changed = bundle.bundle.changed
                return (("—" if changed is None else format_age(changed, self.now), "quiet"),)
            case _:
                return status_bar(bundle.status_counts, placed.width)


def _key(bundle: BundleRow) -> str:
    """Return a key that differs for bundles of R and Python with the same name.

    A name of an R bundle contains no slash.
    """
    return bundle.name if bundle.lang is Lang.R else f"{Lang.PY}/{bundle.name}"


def size_text(usage: DiskUsage, text: str) -> str:
    """Return the text of a size: empty if no task is measured, with ``≥`` if not all are."""
    if not usage.measured:
        return ""
    return text if usage.complete else f"≥{text}"


def status_bar(counts: Mapping[Status | None, int], width: int) -> Cell:
    """Return a bar of glyphs in proportion to the counts; each present status has at least one."""
    present = [status for status in (*FILTERABLE_STATUSES, Status.BROKEN) if counts.get(status)]
    if not present or width < len(present):
        return (("", ""),)
    total = sum(counts[status] for status in present)
    spare = width - len(present)
    lengths = {status: 1 + spare * counts[status] // total for status in present}
    most = max(present, key=lambda status: counts[status])
    lengths[most] += width - sum(lengths.values())
    return tuple((GLYPH[status] * lengths[status], status.value) for status in present)
