"""The main screen as far as it tells what tasks and bundles hold, for who asked."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from textual import on

from hipercow_tui.analysis.bundle_rows import BundleKey
from hipercow_tui.analysis.disk_usage import sum_usage
from hipercow_tui.analysis.task_sorting import SIZE_KEYS, SortKey
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.live import BUNDLES, LiveScreen

ONCE_MEASURED = (*SIZE_KEYS, BundleKey.SIZE, BundleKey.FILES)


class SizingScreen(LiveScreen):
    """Measures on request; what was asked for is told at the foot of the table."""

    _asked_for: frozenset[str] | None = None

    def action_sizes(self) -> None:
        """Measure the marked tasks, else the matched, else all; on the bundles, all of theirs.
        While that is under way: stop."""
        if self.stop_measuring():
            return
        tasks = tuple(self._in_question())
        self._asked_for = frozenset(task.id for task in tasks)
        self.tasks.show_sizes(self.services.sizes.sizes)
        self.bundles.show_sizes()
        self.services.sizes.request(tasks)
        self._measure_in_sight()
        self._tell_counts()

    def _in_question(self) -> Iterable[Task]:
        tasks, view = self.snapshot.tasks, self.tasks.view
        if self._tab == BUNDLES:
            named = {i for bundle in self.snapshot.bundles for i in bundle.task_ids}
            return [tasks[i] for i in named if i in tasks]
        if self.tasks.marks:
            return [tasks[i] for i in view.ids if i in self.tasks.marks and i in tasks]
        return [
            tasks[i] for row, i in enumerate(view.ids) if i in tasks and not view.is_dimmed(row)
        ]

    def stop_measuring(self) -> bool:
        """Measure no more; whether anything was being measured."""
        had = self.services.sizes.cancel()
        if had:
            self._tell_counts()
        return had

    @property
    def _sized(self) -> bool:
        return self._asked_for is not None

    def sorts_by(self, key: StrEnum) -> bool:
        """Whether a table can be sorted by it: by size only once that was asked for, by language
        where there is more than one."""
        if key in (SortKey.LANG, BundleKey.LANG):
            return bool(self.snapshot.by_language)
        return self._sized or key not in ONCE_MEASURED

    @on(messages.SizesMeasured)
    def _sizes_read(self) -> None:
        self.tasks.forget_strips()
        if self._sort.key in SIZE_KEYS or self._tab == BUNDLES:
            self.renew()
        self._tell_counts()

    def _read_rows(self) -> None:
        super()._read_rows()
        self._measure_in_sight()

    def _measure_in_sight(self) -> None:
        if self._sized:
            rows = self.tasks.visible_rows
            self.services.sizes.prioritize(self.tasks.keys[rows.start : rows.stop])

    def _loose_tasks(self) -> list[str]:
        """How far measuring is; then how much it was."""
        if self._asked_for is None:
            return []
        found = sum_usage(self.snapshot.existing(self._asked_for), self.services.sizes.sizes)
        said = f"{format_size(found.size.bytes)} in {pluralize(found.size.files, 'file')}"
        progress = self.services.sizes.progress
        if progress is not None:
            return [f"measuring {progress.done:,}/{progress.total:,}, esc stops", said]
        return [said if found.complete else f"{said}, {found.measured:,}/{found.tasks:,} measured"]
