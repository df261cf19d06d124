"""The main screen as far as it tells what broke: errors in groups, their messages, their tasks."""

from __future__ import annotations

import gc
from collections.abc import Callable

from textual import on

from hipercow_tui.analysis.error_groups import ErrorKey, ErrorSort
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root
from hipercow_tui.support.malloc_tuning import give_back
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui import messages
from hipercow_tui.ui.browse.live import BUNDLES, ERRORS, TASKS
from hipercow_tui.ui.browse.sizing import SizingScreen
from hipercow_tui.ui.widgets.error_details import ErrorDetailsView, ShownError
from hipercow_tui.ui.widgets.error_table import ErrorTable, in_line
from hipercow_tui.ui.widgets.task_table import TaskTable
from hipercow_tui.ui.widgets.virtual_table import VirtualTable


class TriageScreen(SizingScreen):
    """Groups the failed tasks of the root, once the whole of it was read."""

    def __init__(
        self, root: Root, *, read_only: bool, indexed: bool, clock: Callable[[], float]
    ) -> None:
        super().__init__(root, read_only=read_only, indexed=indexed, clock=clock)
        self._error_sort = ErrorSort()
        self._looked_into: Snapshot | None = None

    # What is shown

    @on(messages.ViewModelReady)
    def _see_board(self, message: messages.ViewModelReady) -> None:
        if not self.is_attached:  # the app is being left: nothing is mounted any more
            return
        request = message.view_model.request
        self.errors.complete = self._complete
        self.errors.see(message.view_model.view, request.now)
        if self._complete and request.snapshot is not self._looked_into:
            self._looked_into = request.snapshot
            self.services.group_errors(request.snapshot, self._error_sort)
        # After the other tables have taken the board in.
        self.call_later(self._show_error)

    @on(messages.ErrorsReady)
    def _show_errors(self, message: messages.ErrorsReady) -> None:
        if not self.is_attached:
            return
        gc.freeze()  # what was read stays; a collector that walks over it takes 50 ms
        give_back()
        unread = self.errors.unread
        self.errors.show(message.view_model)
        if self._query and self.errors.unread != unread:
            self.renew()
        self._tell_counts()
        self._show_error()

    @on(VirtualTable.CursorMoved, "#errors")
    def _error_moved(self) -> None:
        self._show_error()
        self.query_one(ErrorDetailsView).go_to_top()

    def _show_error(self) -> None:
        group, view = self.errors.current, self.tasks.view
        pane = self.query_one(ErrorDetailsView)
        if group is None:
            pane.show(None)
        elif self._tab == ERRORS:
            passing = view.markable_among(group.ids) if view.filtered else group.ids
            pane.show(ShownError(group, len(passing), self.clock()))

    def _tab_shown(self) -> None:
        self._set_pace()
        if self._tab == ERRORS:
            self._show_error()

    def _set_pace(self) -> None:
        """Failures are read faster while somebody looks at them, or searches in them."""
        if self._tab == ERRORS or self._query:
            self.services.errors.speed_up()
        else:
            self.services.errors.slow_down()

    def _sort_errors(self, key: ErrorKey) -> None:
        """By this column, or if it is that already, the other way round."""
        self._error_sort = self._error_sort.toggled(key)
        if self._looked_into is not None:
            self.services.group_errors(self._looked_into, self._error_sort)

    # Marks

    @on(VirtualTable.Opened, "#errors")
    def _take_error(self) -> None:
        """Mark the tasks of the error, and no others, and go where their plan is a key away."""
        group = self.errors.current
        if group is None:
            return
        ids = self.tasks.view.markable_among(group.ids)
        if not ids:
            self.notify("None of these tasks passes the filters: 0 takes them away")
            return
        self._mark(ids)
        self.action_show(TASKS)
        rest = len(group.ids) - len(ids)
        others = f", {rest:,} more stand outside the filters" if rest else ""
        self.notify(
            f"Marked {pluralize(len(ids), 'task')}{others}: p shows what a purge would take"
        )

    @on(ErrorTable.Marked)
    def _mark_error(self, message: ErrorTable.Marked) -> None:
        marks = self.tasks.marks or frozenset()
        self._mark(marks | message.ids if message.marked else marks - message.ids)

    @on(ErrorTable.AllMarked)
    def _mark_errors(self) -> None:
        """While something is searched for, those of the errors that are found."""
        marks, needle = self.tasks.marks or frozenset(), self._query.casefold()
        groups = [group for group in self.errors.groups if group.matches(needle)]
        found = (task_id for group in groups for task_id in group.ids)
        failed = self.tasks.view.markable_among(found)
        if needle and not failed:
            self.notify("Nothing that was found passes the filters")
        self._mark(marks | failed)

    def _mark(self, ids: frozenset[str]) -> None:
        """No mark at all is no filter (SPEC rule 1)."""
        self.tasks.marks = ids or None
        self.tasks.forget_strips()
        self.tasks.post_message(TaskTable.Marked(self.tasks.marks))

    @on(TaskTable.Marked)
    def _marks_changed(self, message: TaskTable.Marked) -> None:
        self.errors.marks = message.marks or frozenset()
        self.errors.forget_strips()

    # Raw messages

    def action_messages(self) -> None:
        """Show every message of the error under the cursor, or of the one the task failed by."""
        if self._tab == ERRORS:
            group = self.errors.current
        else:
            task_id = self.tasks.cursor_key if self.table is self.tasks else None
            group = self.errors.group_of(task_id) if task_id else None
        if group is None:
            self.notify("There is no error here: e shows all")
            return
        from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen

        screen = ErrorMessagesScreen(
            group, self.snapshot.tasks, self.services.errors.failures, self.clock()
        )
        self.app.push_screen(screen, self._go_to_task)

    def action_inputs(self) -> None:
        """Show the inputs of the bundle or the error under the cursor as columns; of a task, those
        of its first bundle."""
        group = self.errors.current if self._tab == ERRORS else None
        found = None
        if self._tab == BUNDLES and (line := self.bundles.current):
            found = self.snapshot.bundle(line.name, line.lang)
        elif self._tab == TASKS and (task := self.tasks.current) and task.bundles:
            found = self.snapshot.bundle(task.bundles[0], task.lang)
        if group is not None:
            title, ids = in_line(group), group.ids
        elif found is not None:
            existing = self.snapshot.of_lang(found.lang).existing(found.task_ids)
            title, ids = found.name, tuple(task.id for task in existing)
        else:
            self.notify("Inputs are shown for a bundle or an error: b or e leads to them")
            return
        from hipercow_tui.ui.screens.sweep import SweepScreen

        loader, failures = self.services.summary_loader, self.services.errors.failures
        screen = SweepScreen(loader, failures, title, ids, lambda: self.snapshot.tasks, self.clock)
        self.app.push_screen(screen, self._go_to_task)

    def _go_to_task(self, task_id: str | None) -> None:
        if task_id is None:
            return
        self.action_show(TASKS)
        row = self.tasks.row_of(task_id)
        if row is None:
            self.notify("That task is not shown: it is gone, or m hides it")
        else:
            self.tasks.move_to(row)

    def action_show(self, tab: str) -> None:
        """Show one of the tables."""
        raise NotImplementedError

    def action_errors(self) -> None:
        """From another table to the errors, and back to the tasks."""
        self.action_show(TASKS if self._tab == ERRORS else ERRORS)
