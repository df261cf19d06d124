"""Measures tasks on request, for the main screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.analysis.disk_usage import sum_usage
from hipercow_tui.analysis.task_sorting import SIZE_KEYS
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.state import BUNDLES
from hipercow_tui.ui.widgets.task_table import TaskTable


class Sizing(Controller):
    """Starts and stops measuring, and shows the progress."""

    _requested: frozenset[str] = frozenset()

    def toggle(self) -> None:
        """Measure the tasks that the pane selects, those on the screen first; while tasks are
        measured, stop."""
        if self.stop():
            return
        sizes = self._session.services.sizes
        tasks = tuple(self._panes.current.tasks_to_measure)
        self._requested = frozenset(task.id for task in tasks)
        for pane in self._panes:
            pane.show_sizes(sizes.sizes)
        self._session.set_state(replace(self._session.state, show_sizes=True))
        sizes.request(tasks)
        self.measure_visible()

    def stop(self) -> bool:
        """Stop measuring; return whether anything was being measured."""
        return self._session.services.sizes.cancel()

    def measure_visible(self) -> None:
        """Of the requested tasks, measure those on the screen next."""
        if self._session.state.show_sizes:
            table = self._screen.query_one(TaskTable)
            rows = table.visible_rows
            self._session.services.sizes.prioritize(table.keys[rows.start : rows.stop])

    def measured(self) -> None:
        """Show sizes that were measured."""
        self._screen.query_one(TaskTable).redraw()
        state = self._session.state
        if state.sort.key in SIZE_KEYS or state.pane == BUNDLES:
            self._session.request_view()

    @property
    def notes(self) -> Sequence[str]:
        """The progress while tasks are measured, and their total size."""
        if not self._session.state.show_sizes:
            return ()
        sizes = self._session.services.sizes
        found = sum_usage(self._session.snapshot.existing(self._requested), sizes.sizes)
        total = f"{format_size(found.size.bytes)} in {pluralize(found.size.files, 'file')}"
        progress = sizes.progress
        if progress is not None:
            return (f"measuring {progress.done:,}/{progress.total:,}, esc stops", total)
        return (
            total if found.complete else f"{total}, {found.measured:,}/{found.tasks:,} measured",
        )
