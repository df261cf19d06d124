"""The table of bundles, with the number and the statuses of their tasks, progress and age."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len

from hipercow_tui.analysis.bundle_rows import (
    BundleKey,
    BundleRow,
    BundleSort,
    Progress,
    fitting_counts,
    format_time_left,
    strip_lengths,
)
from hipercow_tui.analysis.disk_usage import DiskUsage
from hipercow_tui.analysis.task_view import TaskView, next_hit
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Lang, Status
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import format_age, format_size
from hipercow_tui.ui.cells import Column, PlacedColumn, plain_text, short_number
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.marks import Marks
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.keyed_table import KeyedTable
from hipercow_tui.ui.widgets.markable_table import MarkableTable
from hipercow_tui.ui.widgets.row_rendering import MARKED, Cell, RenderedRow, sign_of

_NAME = Column(BundleKey.NAME, "bundle", 14, 36)
_TASKS = Column(BundleKey.TASKS, "tasks", 6, 7, right=True)
_STATUS = Column(BundleKey.STATUS, "status", 9, 30)
_BAR = Column("bar", "its tasks", 9, 40, rank=1)
_PROGRESS = Column("progress", "progress", 17, 28, rank=3)
_SIZES = {
    SizeKind.APPARENT: Column(BundleKey.SIZE, SizeKind.APPARENT, 9, 9, right=True),
    SizeKind.ON_DISK: Column(BundleKey.DISK, SizeKind.ON_DISK, 9, 9, right=True),
}
_FILES = Column(BundleKey.FILES, "files", 7, 7, rank=4, right=True)
_LANG = Column(BundleKey.LANG, "lang", 6, 6, rank=1)
_CHANGED = Column(BundleKey.CHANGED, "changed", 14, 14, rank=2)


class BundleTable(MarkableTable, KeyedTable):
    """The bundles of a snapshot. Bundles without a matched task are dimmed."""

    def __init__(self, marks: Marks, *, id: str | None = None) -> None:
        super().__init__(marks, id=id)
        self.now = 0.0
        self._bundles: tuple[BundleRow, ...] = ()
        self._largest = 0
        self._runs = False
        self._sort = BundleSort()
        self._view = TaskView(Snapshot(Path()))
        self._size_kind: SizeKind | None = None  # None if sizes are not shown
        self.set_empty_text(
            "No bundles",
            "hipercow_bundle_create() in R makes one,",
            "'hipercow create bulk' in Python",
            with_keys("<switch=b>: back to the tasks"),
        )

    def show_sizes(self, kind: SizeKind) -> None:
        """Add columns for the size of the tasks of each bundle."""
        self._size_kind = kind
        self.forget_layout()

    def show(
        self, bundles: tuple[BundleRow, ...], sort: BundleSort, view: TaskView, now: float
    ) -> None:
        """Show these bundles; ``now`` is the time for their ages, in seconds since the epoch."""
        runs = any(row.progress for row in bundles)
        both_languages = bool(view.snapshot.by_language)
        if (bool(self._view.snapshot.by_language), self._runs) != (both_languages, runs):
            self.forget_layout()
        self._bundles, self._sort, self._view, self.now = bundles, sort, view, now
        self._runs, self._largest = runs, max((row.task_count for row in bundles), default=0)
        self.set_keys(tuple(map(_key, bundles)))

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
        """The bundles with the query in their name or note."""
        needle = self.needle
        bundles = enumerate(self._bundles) if needle else ()
        return [
            row
            for row, bundle in bundles
            if needle in bundle.name.casefold()
            or ((note := self._note_of(bundle)) and note.matches(needle))
        ]

    def _note_of(self, bundle: BundleRow) -> Note | None:
        return self._view.snapshot.note_of.get(bundle.pin_target)

    def next_match(self, step: int) -> int | None:
        """Return the next bundle with a matched task, or with -1 the previous one."""
        rows = enumerate(self._bundles) if self._view.filtered else ()
        matched = [row for row, bundle in rows if self._view.has_match(bundle.bundle)]
        return next_hit(matched, self.cursor, step)

    @property
    def sort(self) -> BundleSort:
        """The order of the bundles."""
        return self._sort

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns for names, tasks and sizes; progress only while a task runs."""
        sizes = (_SIZES[self._size_kind], _FILES) if self._size_kind else ()
        langs = (_LANG,) if self._view.snapshot.by_language else ()
        progress = (_PROGRESS,) if self._runs else ()
        return (_NAME, *langs, _TASKS, _STATUS, _BAR, *progress, *sizes, _CHANGED)

    def row(self, index: int, layout: Sequence[PlacedColumn]) -> RenderedRow:
        """Return the cells of a bundle."""
        bundle = self._bundles[index]
        dimmed = self._view.filtered and not self._view.has_match(bundle.bundle)
        return RenderedRow(
            [self._cell(bundle, placed) for placed in layout],
            mark=self.mark_of(self.keys[index]),
            dimmed=dimmed,
            in_range=self.in_range(index),
            sign=sign_of(
                pinned=bundle.pin_target in self._view.snapshot.pin_of,
                noted=self._note_of(bundle) is not None,
            ),
        )

    @property
    def marked(self) -> Sequence[BundleRow]:
        """The bundles of which all tasks are marked."""
        rows = zip(self.keys, self._bundles, strict=True)
        return [row for key, row in rows if self.mark_of(key) == MARKED]

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
                if not bundle.task_count:
                    return (("removed" if bundle.missing_count else "empty", "quiet"),)
                return status_counts(bundle.status_counts, placed.width)
            case "progress":
                return progress_cell(bundle.progress, bundle.task_count, self.now, placed.width)
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
                return status_bar(bundle.status_counts, placed.width, self._largest)


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


def status_bar(counts: Mapping[Status | None, int], width: int, largest: int) -> Cell:
    """Return a strip of glyphs, as long as the bundle is large (see ``strip_lengths``)."""
    lengths = strip_lengths(counts, width, largest)
    return tuple((GLYPH[status] * lengths[status], status.value) for status in lengths) or (
        ("", ""),
    )


def status_counts(counts: Mapping[Status | None, int], width: int) -> Cell:
    """Return ``✗ 12 ✓ 228``: as many counts as fit, and ``…`` if some are left out."""
    statuses, complete = fitting_counts(
        counts, width, text_width=lambda status, number: cell_len(_count_text(status, number))
    )
    parts = [
        (" " * (place > 0) + _count_text(status, counts[status]), status.value)
        for place, status in enumerate(statuses)
    ]
    return (*parts, ("" if complete else " …", "quiet"))


def _count_text(status: Status, number: int) -> str:
    return f"{GLYPH[status]} {number:,}"


def progress_cell(progress: Progress | None, tasks: int, now: float, width: int) -> Cell:
    """Return ``96 of 240, about 2 h left``; in a narrow column ``96/240, about 2 h``, or only
    ``96/240``."""
    if progress is None:
        return (("", ""),)
    long, short = f"{progress.done:,} of {tasks:,}", f"{progress.done:,}/{tasks:,}"
    left = time_left(progress, now)
    texts = [f"{long}, {left}", f"{short}, {left.removesuffix(' left')}"] if left else []
    texts += [f"{long} done", short]
    return ((next((text for text in texts if cell_len(text) <= width), ""), "quiet"),)


def time_left(progress: Progress, now: float) -> str:
    """Return ``about 2 h left``, or nothing if that can't be estimated."""
    seconds = progress.seconds_left(now)
    return "" if seconds is None else f"{format_time_left(seconds)} left"
