"""Opens screens about the current row of the main screen: its log, messages, inputs, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import TASKS
from hipercow_tui.ui.widgets.sweep_chart import Action
from hipercow_tui.ui.widgets.task_table import TaskTable

if TYPE_CHECKING:
    from hipercow_tui.output.r_calls import RCallTargets
    from hipercow_tui.ui.screens.sweep import SweepSelection


class Inspecting(Controller):
    """Pushes a screen for a key, and handles its result.

    ``show_pane`` shows a pane by name; ``refresh`` is called after R changed the root.
    """

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        show_pane: Callable[[str], None],
        refresh: Callable[[], None],
    ) -> None:
        super().__init__(session, screen, panes)
        self._show_pane = show_pane
        self._refresh = refresh

    @property
    def _pane(self) -> Pane:
        return self._panes.current

    def show_log(self) -> None:
        """Show the log of the current task."""
        from hipercow_tui.ui.screens.log import LogScreen

        task = self._pane.task
        if self._pane.name != TASKS:
            self._screen.notify("Only a task has a log: Enter or b shows the tasks")
        elif task is None:
            self._screen.notify("There is no task here")
        else:
            root, task_id = self._session.root.part(task.lang), task.id
            self._screen.app.push_screen(
                LogScreen(root, task_id, lambda: self._session.snapshot.tasks.get(task_id))
            )

    def show_messages(self) -> None:
        """Show every message of the current error, or of the error of the current task."""
        error = self._pane.error
        if error is None:
            self._screen.notify("There is no error here: e shows all errors")
            return
        from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen

        session = self._session
        screen = ErrorMessagesScreen(
            error, session.snapshot.tasks, session.services.errors.failures, session.clock()
        )
        self._screen.app.push_screen(screen, self._go_to_task)

    def show_inputs(self) -> None:
        """Show the inputs of several tasks as columns."""
        inputs = self._pane.inputs
        if inputs is None:
            self._screen.notify("Inputs are shown for a bundle or an error: press b or e first")
            return
        from hipercow_tui.ui.screens.sweep import SweepScreen

        session, (title, ids) = self._session, inputs
        screen = SweepScreen(
            session.services.summary_loader,
            session.services.errors.failures,
            title,
            ids,
            lambda: session.snapshot.tasks,
            session.clock,
            self._mark_selection,
        )
        self._screen.app.push_screen(screen, self._go_to_task)

    def _mark_selection(self, selection: SweepSelection) -> None:
        """Mark the tasks that were chosen in the chart of inputs; show them after NARROW."""
        table = self._screen.query_one(TaskTable)
        narrow = selection.action is Action.NARROW
        table.marks = selection.ids if narrow else selection.ids | (table.marks or frozenset())
        table.redraw()
        table.post_message(TaskTable.Marked(table.marks))
        if narrow:
            self._show_pane(TASKS)

    def _go_to_task(self, task_id: str | None) -> None:
        """Show the task that was chosen on a screen, if one was chosen."""
        if task_id is None:
            return
        self._show_pane(TASKS)
        table = self._screen.query_one(TaskTable)
        row = table.row_of(task_id)
        if row is None:
            self._screen.notify("That task is not shown: it was purged, or m hides it")
        else:
            table.move_to(row)

    def copy(self) -> None:
        """Copy the current message, or show a menu of what to copy of tasks."""
        from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen

        if text := self._pane.text_to_copy:
            self._screen.app.copy_to_clipboard(text)
            self._screen.notify("Copied the message")
        elif (source := self._pane.copy_source) is not None:
            refusal = "started with --read-only" if self._session.read_only else ""
            self._screen.app.push_screen(CopyMenuScreen(source, refusal=refusal), self._run_r)

    def _run_r(self, targets: RCallTargets | None) -> None:
        from hipercow_tui.ui.dialogs.run_r import RunRScreen

        def ended(started: bool | None) -> None:
            if started:
                self._refresh()

        if targets is not None:
            self._screen.app.push_screen(RunRScreen(targets, self._session.root), ended)

    def show_problems(self) -> None:
        """Show what could not be read."""
        from hipercow_tui.ui.dialogs.problems import ProblemsScreen

        self._screen.app.push_screen(ProblemsScreen(self._session.snapshot))
