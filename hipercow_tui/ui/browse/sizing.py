"""Measures tasks on request, for the main screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hipercow_tui.analysis.disk_usage import DiskUsage, sum_usage
from hipercow_tui.analysis.task_sorting import SIZE_KEYS
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.state import BUNDLES, SPACE
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.task_table import TaskTable

_MEANING = {
    SizeKind.APPARENT: "Sizes are bytes in files",
    SizeKind.ON_DISK: "Sizes are the space on the disk, as du counts it",
}


class Sizing(Controller):
    """Starts and stops measuring, and shows the progress."""

    _requested: frozenset[str] = frozenset()  # ids
    _selection: object = None  # what selected them
    _usage = DiskUsage()
    _usage_of: tuple[Snapshot | None, int] = None, 0  # a snapshot and the number of measured tasks

    def toggle(self) -> None:
        """Measure the tasks that the pane selects, those on the screen first, or in the pane of
        space the whole root; while the progress is shown, stop."""
        sizes, in_space = self._session.services.sizes, self._session.state.pane == SPACE
        if (in_space or self._session.state.show_sizes) and self.stop():
            return
        if in_space:
            sizes.request_all()
            return
        tasks = tuple(self._panes.current.tasks_to_measure)
        self._requested = frozenset(task.id for task in tasks)
        self._selection = self._present_selection
        self._usage_of = None, 0
        self._session.set_state(replace(self._session.state, show_sizes=True))
        self._show_columns()
        sizes.request(self._requested)
        self.measure_visible()

    def switch_kind(self) -> None:
        """Show sizes by the other definition, until the app ends."""
        state = self._session.state
        kind = next(kind for kind in SizeKind if kind is not state.size_kind)
        self._session.set_state(state.with_size_kind(kind))
        if state.show_sizes:
            self._show_columns()
        elif state.pane != SPACE:
            self._screen.notify(
                with_keys(f"{_MEANING[kind]}. <sizes=z> measures, <size_kind=Z> switches")
            )

    def _show_columns(self) -> None:
        sizes = self._session.services.sizes.sizes
        for pane in self._panes:
            pane.show_sizes(sizes, self._session.state.size_kind)

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
        finished = self._session.services.sizes.progress is None
        if finished or state.sort.key in SIZE_KEYS or state.pane == BUNDLES:
            self._session.request_view()

    @property
    def notes(self) -> Sequence[str]:
        """The progress while tasks are measured; later their total size, if they are selected."""
        if not self._session.state.show_sizes or self._session.state.pane == SPACE:
            return ()
        progress = self._session.services.sizes.progress
        if progress is not None:
            return (with_keys(f"measuring {progress.done:,}/{progress.total:,}, <back=esc> stops"),)
        if self._selection != self._present_selection:
            return ()
        found = self._update_usage()
        total = found.size.text(self._session.state.size_kind)
        return (
            total if found.complete else f"{total}, {found.measured:,}/{found.tasks:,} measured",
        )

    @property
    def _present_selection(self) -> object:
        """What selects the tasks that ``toggle`` measures: pane, filters and marks."""
        return self._session.state.pane, self._session.selection_key

    def _update_usage(self) -> DiskUsage:
        """Return the size of the requested tasks, computed again only after a change."""
        snapshot, sizes = self._session.snapshot, self._session.services.sizes
        before, count = self._usage_of
        if before is not snapshot or count != sizes.measured_count:
            self._usage = sum_usage(snapshot.existing(self._requested), sizes.sizes)
            self._usage_of = snapshot, sizes.measured_count
        return self._usage
