"""Opens screens about the current row of the main screen: its log, messages, inputs, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.task import Task
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.drilling import Drilling
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session

if TYPE_CHECKING:
    from hipercow_tui.output.r_calls import RCallTargets


class Inspecting(Controller):
    """Pushes a screen for a key, and handles its result.

    ``drilling`` goes to the task that was chosen there. ``plan`` plans a purge, ``refresh`` is
    called after R changed the root.
    """

    def __init__(
        self,
        session: Session,
        screen: Screen[Any],
        panes: Panes,
        *,
        drilling: Drilling,
        plan: Callable[[], None],
        refresh: Callable[[], None],
    ) -> None:
        super().__init__(session, screen, panes)
        self._drilling = drilling
        self._plan = plan
        self._refresh = refresh

    @property
    def _pane(self) -> Pane:
        return self._panes.current

    def show_log(self) -> None:
        """Show the log of the current task."""
        task = self._pane.task
        if task is None:
            self._screen.notify("There is no task here")
        else:
            self.show_log_of(task.id)

    def show_log_of(self, task_id: str) -> None:
        """Show the log of a task that is in the snapshot, or was when a screen was opened."""
        from hipercow_tui.ui.screens.log import LogScreen

        def task() -> Task | None:
            return self._session.snapshot.tasks.get(task_id)

        self._screen.app.push_screen(LogScreen(self._session.root, task_id, task))

    def show_messages(self) -> None:
        """Show every message of the current error, or of the error of the current task."""
        error = self._pane.error
        if error is None:
            self._screen.notify("There is no error here: e shows all errors")
            return
        from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen

        session = self._session
        screen = ErrorMessagesScreen(
            error,
            session.snapshot.tasks,
            session.services.errors.failures,
            session.clock(),
            marks=session.marks,
            plan=self._plan_marked,
            show_log=self.show_log_of,
        )
        self._screen.app.push_screen(screen, self._leave)

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
            marks=session.marks,
            plan=self._plan_marked,
            show_log=self.show_log_of,
        )
        self._screen.app.push_screen(screen, self._leave)

    def _leave(self, chosen: str | Narrowing | None) -> None:
        """Go to the task that was chosen on a screen, or narrow the list to the chosen tasks."""
        if isinstance(chosen, Narrowing):
            self._drilling.drill(chosen)
        elif chosen is not None:
            self._drilling.go_to_task(chosen)

    def _plan_marked(self) -> None:
        """Plan a purge of the marked tasks; the other filters are not on those screens."""
        if self._session.marks.ids is None:
            self._screen.notify("Mark tasks first: space, v and a mark them")
        else:
            self._plan()

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
