"""The pane of tasks."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.timer import Timer

from hipercow_tui.analysis.disk_usage import Sizes
from hipercow_tui.analysis.error_groups import ErrorGroup
from hipercow_tui.analysis.task_sorting import READ_KEYS, SortKey
from hipercow_tui.analysis.task_summary import NO_SUMMARY
from hipercow_tui.domain.record_requests import chain_targets
from hipercow_tui.domain.records import RecordTarget
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import TASKS, Row
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.messages import DetailsLoaded
from hipercow_tui.ui.widgets.task_details import ShownTask, TaskDetailsView
from hipercow_tui.ui.widgets.task_table import TaskTable

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.view_model import ViewModel

SETTLE = 0.2  # seconds for which the previous details stay until those of the current row are read
ROWS_ABOVE_MATCH = 3  # rows above the first match when the table scrolls to it


class TasksPane(Pane):
    """The tasks, and the details of the current one."""

    name = TASKS

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        super().__init__(session, screen)
        self.table: TaskTable = TaskTable(session.summaries, session.marks, id=self.name)
        self.details: TaskDetailsView = TaskDetailsView(id="details")
        self.details.add_class("details", "-shown")
        self.table.set_empty_text("Reading …")
        self.table.rows_pending = True
        self._loaded: DetailsLoaded | None = None
        self._settling: Timer | None = None

    @property
    def tasks(self) -> TaskTable:
        """The table of this pane."""
        return self.table

    @property
    def count(self) -> int:
        """The number of tasks."""
        return len(self.session.snapshot.tasks)

    @property
    def notes(self) -> Sequence[str]:
        """The sort order."""
        sort = self.session.state.sort
        return (f"by {sort.key} {'↓' if sort.reverse else '↑'}",)

    @property
    def unread(self) -> int:
        """How many errors and calls are still to be read; a search covers both."""
        return self.session.unread_errors + self.count - len(self.session.summaries)

    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show the rows and the details. If a filter was set or removed, show a matched row."""
        request = view_model.request
        self._explain_empty()
        self.table.stuck = view_model.stuck
        self.table.show(view_model.view, request.now)
        if self.session.complete and request.snapshot is self.session.snapshot:
            self.table.rows_pending = False
        if before is not None and before.view.stack.given != view_model.view.stack.given:
            self._show_a_match(self.table.visible_rows)
        self.show_top_of(request.sort, changing=request.sort.key in READ_KEYS)
        self.load_visible()
        # The choices of the user change no task; time, logs and the disk do.
        if (
            before is None
            or before.request.user_choices == request.user_choices
            or before.request.snapshot is not request.snapshot
        ):
            self.show_details()

    def _show_a_match(self, rows: range) -> None:
        """If none of the rows on the screen is matched, move to the next one that is."""
        row = self.table.view.nearest_match(rows)
        if row is not None:
            self.table.move_to(row)
            # Not at the bottom: the next matches should be visible below it.
            self.table.scroll_to(y=row - ROWS_ABOVE_MATCH, animate=False, force=True)

    def go_to(self, row: Row) -> None:
        """Move to a row; without a key, to the top, or to the first match if that is below."""
        if row.key is not None:
            super().go_to(row)
            return
        self.table.move_to(0)
        self.table.scroll_to(y=0, animate=False, force=True)
        self._show_a_match(range(len(self.table.visible_rows)))

    def _explain_empty(self) -> None:
        if self.session.snapshot.tasks:
            steps = self.session.state.narrowings
            if steps and not self.session.state.only_matched:
                self.table.set_empty_text(
                    f"No task of {steps[-1].label} is left",
                    with_keys("<back=esc> goes back · <clear=0> shows all tasks"),
                )
            else:
                self.table.set_empty_text(
                    "No task passes all filters",
                    with_keys("<only=m> shows all · <clear=0> clears filters"),
                )
        elif self.session.complete:
            self.table.set_empty_text(
                "No tasks yet",
                "task_create_expr() creates one in R,",
                "'hipercow task create' in Python",
                with_keys("new tasks appear here; <help=?> shows the keys"),
            )

    def show_sizes(self, sizes: Sizes, kind: SizeKind) -> None:
        """Show columns for sizes."""
        self.table.show_sizes(sizes, kind)

    # Reading

    def load_visible(self) -> None:
        """Read the calls of the rows on the screen, then of a page below and above."""
        rows, ids = self.table.visible_rows, self.table.keys
        page = len(rows)
        above = ids[max(0, rows.start - page) : rows.start]
        wanted = [*ids[rows.start : rows.stop + page], *above]
        self.session.services.summaries.want(wanted)
        usages = self.session.services.usages
        self.table.usages = usages.usages
        if self.table.shows_usages:
            usages.want(wanted)

    def summaries_loaded(self) -> None:
        """Draw the calls that were read."""
        self.table.redraw()
        if self.session.state.needs_summaries:
            self.session.request_view()
        if self._loaded is None or self._loaded.task.id != self.table.cursor_key:
            self.show_details()

    def usages_loaded(self) -> None:
        """Draw the usages that were read."""
        self.table.redraw()
        if self.session.state.needs_usages:
            self.session.request_view()

    def cursor_moved(self) -> None:
        """Read the details of the current row."""
        self.load_details()
        if self._settling is None:
            self._settling = self.screen.set_timer(SETTLE, self._settled)

    def _settled(self) -> None:
        """Show the known details: the cursor keeps moving, or the disk is slow."""
        self._settling = None
        self.show_details()

    def load_details(self) -> None:
        """Read the details of the current row."""
        if self.task is not None:
            self.session.services.load_details(self.task)

    def reload_details(self, changed: Container[str]) -> None:
        """Read the details again if the current task changed."""
        if self.table.cursor_key in changed:
            self.load_details()

    def details_loaded(self, message: DetailsLoaded) -> None:
        """Show details that were read."""
        self._loaded = message
        self.show_details()

    def show_details(self) -> None:
        """Show the details of the current row as far as they are known."""
        task = self.task
        if task is None:
            self.details.show(None)
            return
        known = self._loaded and self._loaded.task.id == task.id
        if not known and self._settling is not None:
            return  # the details come soon
        self.details.show(
            ShownTask(
                task,
                self.table.view.snapshot,
                self._loaded.details if known and self._loaded else None,
                self.session.summaries.get(task.id, NO_SUMMARY),
                self.session.clock(),
                self.table.stuck.get(task.id, ""),
            )
        )

    # Keys

    @property
    def sort_key(self) -> SortKey:
        """The column by which the table is sorted."""
        return self.session.state.sort.key

    def sort_by(self, column: str) -> None:
        """Sort by a column, or in the opposite direction."""
        state = self.session.state
        self.chosen_sort = sort = state.sort.toggled(SortKey(column))
        self.session.set_state(replace(state, sort=sort))

    @property
    def task(self) -> Task | None:
        """The task under the cursor."""
        return self.table.current

    @property
    def error(self) -> ErrorGroup | None:
        """The error by which the current task failed."""
        task_id = self.table.cursor_key
        return self.session.error_of(task_id) if task_id else None

    @property
    def pin_targets(self) -> Sequence[RecordTarget]:
        """The chains of the marked tasks that pass the filters, else of the current task."""
        source = self.copy_source
        ids = [task.id for task in source.tasks] if source else []
        return chain_targets(self.session.snapshot, ids)

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The tasks of a narrowed list, else of the first bundle that the current task is in."""
        if steps := self.session.state.narrowings:
            return " › ".join(step.label for step in steps), self.table.keys
        task, snapshot = self.task, self.session.snapshot
        bundle = snapshot.bundle(task.bundles[0], task.lang) if task and task.bundles else None
        if bundle is None:
            return None
        existing = snapshot.of_lang(bundle.lang).existing(bundle.task_ids)
        return bundle.name, tuple(task.id for task in existing)
