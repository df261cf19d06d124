"""The pane of errors: failed tasks in groups of the same message."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.analysis.comparison import parse_comparison
from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorKey
from hipercow_tui.analysis.task_view import failures_that_meet
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.malloc_tuning import release_free_memory
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import ERRORS, TASKS
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView, ShownError
from hipercow_tui.ui.widgets.error_table import ErrorTable, message_line
from hipercow_tui.ui.widgets.task_table import TaskTable

if TYPE_CHECKING:
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel
    from hipercow_tui.ui.workers.view_model import ViewModel


class ErrorsPane(Pane):
    """The errors, once the complete root has been read; Enter marks the tasks of one."""

    name = ERRORS
    key = "e"

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        super().__init__(session, screen)
        self.table: ErrorTable = ErrorTable(id=self.name)
        self.details: ErrorDetailsView = ErrorDetailsView(id="error-details")
        self.details.add_class("details")
        self._grouped: Snapshot | None = None

    @property
    def count(self) -> int:
        """The number of errors."""
        return len(self.table.groups)

    @property
    def notes(self) -> Sequence[str]:
        """The number of failures read so far, until all are read."""
        return tuple(filter(None, (self.table.progress,)))

    @property
    def unread(self) -> int:
        """How many failures are still to be read."""
        return self.session.unread_errors

    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show which errors have matched tasks; request the errors of a new snapshot."""
        request = view_model.request
        self.table.complete = self.session.complete
        self.table.set_view(view_model.view, request.now)
        if self.session.complete and request.snapshot is not self._grouped:
            self._grouped = request.snapshot
            self._request_groups()
        self.show_details()

    def show_groups(self, view_model: FailureViewModel) -> None:
        """Show the errors that are known so far."""
        gc.freeze()  # they stay in memory; a garbage collector that visits them takes 50 ms
        release_free_memory()
        unread = self.session.unread_errors
        self.session.errors = view_model
        self.table.show(view_model)
        self.show_top_of(view_model.request.sort)
        if self.session.state.query and self.session.unread_errors != unread:
            self.session.request_view()
        self.show_details()

    def _request_groups(self) -> None:
        if self._grouped is not None:
            self.session.services.group_errors(self._grouped, self.session.state.error_sort)

    def cursor_moved(self) -> None:
        """Show the details from their beginning."""
        self.show_details()
        self.details.go_to_top()

    def show_details(self) -> None:
        """Show the error under the cursor."""
        group, view = self.table.current, self.tasks.view
        if group is None:
            self.details.show(None)
        elif self.session.state.pane == self.name:
            passing = view.markable_among(group.ids) if view.filtered else group.ids
            self.details.show(ShownError(group, len(passing), self.session.clock()))

    # Keys

    @property
    def sort_key(self) -> ErrorKey:
        """The column by which the table is sorted."""
        return self.session.state.error_sort.key

    def sort_by(self, column: str) -> None:
        """Sort by a column, or in the opposite direction; the bars have no order."""
        state = self.session.state
        if column in tuple(ErrorKey):
            self.chosen_sort = sort = state.error_sort.toggled(ErrorKey(column))
            self.session.set_state(replace(state, error_sort=sort))
            self._request_groups()

    def open(self, key: str) -> str:
        """Mark the tasks of the error and no others, and show them."""
        group = self.table.current
        if group is None:
            return self.name
        ids = self.tasks.view.markable_among(group.ids)
        if not ids:
            self.table.notify("No task of this error passes the filters: 0 clears them")
            return self.name
        self._set_marks(ids)
        rest = len(group.ids) - len(ids)
        others = f", {rest:,} more do not pass the filters" if rest else ""
        self.table.notify(
            f"Marked {pluralize(len(ids), 'task')}{others}: p shows what a purge would take"
        )
        return TASKS

    @property
    def error(self) -> ErrorGroup | None:
        """The error under the cursor."""
        return self.table.current

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The tasks of the current error."""
        group = self.table.current
        return (message_line(group), group.ids) if group else None

    @property
    def text_to_copy(self) -> str:
        """The message of the current error."""
        group = self.table.current
        return group.text if group else ""

    # Marks

    def mark(self, ids: frozenset[str], *, marked: bool) -> None:
        """Mark tasks, or remove their marks."""
        marks = self.tasks.marks or frozenset()
        self._set_marks(marks | ids if marked else marks - ids)

    def mark_all(self) -> None:
        """Mark the matched tasks of all errors; during a search, only those that were found."""
        query = self.session.state.query
        failed = self.tasks.view.markable_among(self._tasks_found(query))
        if query and not failed:
            self.table.notify("No task that was found passes the filters")
        self.mark(failed, marked=True)

    def _tasks_found(self, query: str) -> Iterable[str]:
        """Return the tasks of all errors that contain the query; for a comparison such as
        ``beta > 0.9`` the failed tasks with such an input."""
        comparison = parse_comparison(query)
        if comparison is not None:
            return failures_that_meet(comparison, self.session.services.errors.failures)
        groups = [group for group in self.table.groups if group.matches(query.casefold())]
        return (task_id for group in groups for task_id in group.ids)

    def _set_marks(self, ids: frozenset[str]) -> None:
        """Replace the marks of the task table; without any mark there is no filter by marks."""
        self.tasks.marks = ids or None
        self.tasks.redraw()
        self.tasks.post_message(TaskTable.Marked(self.tasks.marks))

    def show_marks(self, marks: frozenset[str] | None) -> None:
        """Show the marks of the task table."""
        self.table.marks = marks or frozenset()
        self.table.redraw()
