"""The pane of errors: failed tasks in groups of the same message, frame or node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorGrouping, ErrorKey, ErrorSort
from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.garbage_collection import GarbageExemption
from hipercow_tui.support.malloc_tuning import release_free_memory
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import ERRORS
from hipercow_tui.ui.cells import cut_end
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView, ShownError
from hipercow_tui.ui.widgets.error_table import ErrorTable

if TYPE_CHECKING:
    from hipercow_tui.ui.dialogs.copy_menu import CopySource
    from hipercow_tui.ui.workers.failure_worker import FailureViewModel
    from hipercow_tui.ui.workers.view_model import ViewModel

PROBLEM_TIMEOUT = 15  # seconds for which a problem with a rule is shown
LABEL = 60  # cells of a message in the label of its tasks
_GROUPINGS = tuple(ErrorGrouping)


class ErrorsPane(Pane):
    """The errors, once the complete root has been read; Enter narrows the list of tasks to one."""

    name = ERRORS
    key = "e"
    nothing_to_leave = "There is nothing to go back to · <errors=e> shows the tasks"

    def __init__(self, session: Session, screen: Screen[Any]) -> None:
        super().__init__(session, screen)
        self.table: ErrorTable = ErrorTable(session.marks, id=self.name)
        self.details: ErrorDetailsView = ErrorDetailsView(id="error-details")
        self.details.add_class("details")
        self._requested: tuple[Snapshot, ErrorSort, ErrorGrouping] | None = None
        self._followed: str | None = None  # a task of the group under the cursor at the last t
        self._follows = False  # whether the cursor is still to go to its group
        self._problems: frozenset[str] = frozenset()  # that were shown
        self._exemption = GarbageExemption()  # of failures

    @property
    def count(self) -> int:
        """The number of errors."""
        return len(self.table.groups)

    @property
    def notes(self) -> Sequence[str]:
        """The number of failures read so far, until all are read, how they are grouped, and the
        order."""
        return (*filter(None, (self.table.progress,)), f"by {self.table.by}", *super().notes)

    @property
    def unread(self) -> int:
        """How many failures are still to be read."""
        return self.session.unread_errors

    def apply(self, view_model: ViewModel, before: ViewModel | None) -> None:
        """Show which errors have matched tasks; request the errors of a new snapshot."""
        request = view_model.request
        self.table.complete = self.session.complete
        self.table.set_view(view_model.view, request.now)
        if self.session.complete:
            self._request_groups(request.snapshot)
        self.show_details()

    def show_groups(self, view_model: FailureViewModel) -> None:
        """Show the errors that are known so far."""
        self._exemption.update(view_model.read)
        release_free_memory()
        unread = self.session.unread_errors
        self.session.errors = view_model
        self.table.show(view_model)
        self._follow_task(reading=view_model.reading)
        self.show_top_of(view_model.request.sort)
        self._show_problems(view_model.problems)
        if self.session.state.query and self.session.unread_errors != unread:
            self.session.request_view()
        self.show_details()

    def _request_groups(self, snapshot: Snapshot) -> None:
        """Request the groups of a snapshot in the present order, unless they are the last ones."""
        sort, by = self.session.state.error_sort, self.session.state.error_by
        before = self._requested
        if before is None or before[0] is not snapshot or before[1:] != (sort, by):
            self._requested = snapshot, sort, by
            self.session.services.group_errors(snapshot, sort, by)

    def _follow_task(self, *, reading: bool) -> None:
        """After the grouping has changed, go to the group of the task that was followed."""
        if self._follows and self.table.by is self.session.state.error_by:
            row = self.table.row_with(self._followed or "")
            if row is not None:
                self.table.move_to(row)
            self._follows = row is None and reading

    def _show_problems(self, problems: Sequence[str]) -> None:
        """Show the first of the new problems with the rules of the user."""
        new = [problem for problem in problems if problem not in self._problems]
        self._problems |= frozenset(new)
        if new:
            more = f" (and {len(new) - 1:,} more: hipercow-tui errors)" if len(new) > 1 else ""
            self.screen.notify(
                new[0] + more,
                title="Rules for errors",
                severity="warning",
                timeout=PROBLEM_TIMEOUT,
                markup=False,
            )

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
            self._request_again()

    def group_by_next(self) -> None:
        """Group by message, frame or node; the cursor stays on the group of the same task."""
        group, state = self.table.current, self.session.state
        if group is not None and self._followed not in group.ids:
            self._followed = group.ids[0]
        self._follows = True
        place = _GROUPINGS.index(state.error_by)
        by = _GROUPINGS[(place + 1) % len(_GROUPINGS)]
        self.session.set_state(replace(state, error_by=by))
        self._request_again()

    def _request_again(self) -> None:
        if self._requested is not None:
            self._request_groups(self._requested[0])

    @property
    def narrowing(self) -> Narrowing | None:
        """The tasks of the current error."""
        group = self.table.current
        if group is None:
            return None
        return Narrowing.to_tasks(group.named(cut_end(group.line, LABEL)), group.ids)

    @property
    def error(self) -> ErrorGroup | None:
        """The error under the cursor."""
        return self.table.current

    @property
    def inputs(self) -> tuple[str, Sequence[str]] | None:
        """The tasks of the current error."""
        group = self.table.current
        return (group.line, group.ids) if group else None

    @property
    def copy_source(self) -> CopySource | None:
        """The message, frame or node of the current error, and its tasks."""
        from hipercow_tui.ui.dialogs.copy_menu import CopySource

        group, session = self.table.current, self.session
        if group is None:
            return None
        tasks = tuple(session.snapshot.existing(group.ids))
        text = group.by.value, group.text
        label = group.named(group.line)
        if self.unread:
            label = f"{pluralize(len(tasks), 'task')} read so far of {label}"
        return CopySource(label, tasks, session.snapshot, session.summaries, text=text)
