"""Opens screens about the current row of the main screen: its log, messages, inputs, copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from hipercow_tui.domain.narrowing import Narrowing
from hipercow_tui.domain.task import Task
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.browse.controller import Controller
from hipercow_tui.ui.browse.drilling import Drilling
from hipercow_tui.ui.browse.pane import Pane
from hipercow_tui.ui.browse.panes import Panes
from hipercow_tui.ui.browse.session import Session
from hipercow_tui.ui.browse.state import TASKS
from hipercow_tui.ui.key_hints import with_keys

if TYPE_CHECKING:
    from hipercow_tui.analysis.error_groups import ErrorGroup
    from hipercow_tui.output.r_calls import RCallTargets
    from hipercow_tui.ui.dialogs.retry import RetryCopy
    from hipercow_tui.ui.screens.sweep_choice import SweepChoice, SweepPlace


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

        screen = LogScreen(self._session.root, task_id, task, show_report=self._show_report_on)
        self._screen.app.push_screen(screen)

    def show_messages(self) -> None:
        """Show every message of the current error, or of the error of the current task."""
        error = self._pane.error
        if error is None:
            self._screen.notify(with_keys("There is no error here: <errors=e> shows all errors"))
        elif error.lacks_reason:
            self._offer_outer_logs(error)
        else:
            self._open_messages(error, None)

    def _offer_outer_logs(self, error: ErrorGroup) -> None:
        """Fetch the outer logs of tasks without a message, or show their messages."""
        from hipercow_tui.ui.dialogs.choice import Choice
        from hipercow_tui.ui.dialogs.fetch_logs import MOST_TASKS, FetchLogsScreen, question

        known = self._session.snapshot.tasks
        tasks = [known[task_id] for task_id in error.ids if task_id in known][:MOST_TASKS]

        def answered(answer: str | None) -> None:
            if answer == "messages":
                self._open_messages(error, None)
            elif answer is not None:
                dialog = FetchLogsScreen(tasks, self._session.root, allowed=True)
                self._screen.app.push_screen(dialog)

        messages = Choice("messages", "o", "Messages", "default")
        asked = question(tasks, messages, total=len(error.ids))
        self._screen.app.push_screen(asked, answered)

    def _open_messages(self, error: ErrorGroup, first: str | None) -> None:
        """Show messages, with the cursor on those of a task."""
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
            first=first,
        )

        def leave(task_id: str | None) -> None:
            if task_id is not None:
                self._drilling.go_to_task(task_id, lambda: self._open_messages(error, task_id))

        self._screen.app.push_screen(screen, leave)

    def show_inputs(self) -> None:
        """Show the inputs of several tasks as columns."""
        inputs = self._pane.inputs
        if inputs is None:
            self._screen.notify(
                with_keys(
                    "Inputs are shown for a bundle or an error:"
                    " press <switch=b> or <errors=e> first"
                )
            )
        else:
            self._open_inputs(*inputs, None)

    def _open_inputs(self, title: str, ids: Sequence[str], place: SweepPlace | None) -> None:
        """Show the inputs of tasks, at a place where the user was before."""
        from hipercow_tui.ui.screens.sweep import SweepScreen

        session = self._session
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
            export=self._export_part,
            place=place,
        )

        def leave(choice: SweepChoice | None) -> None:
            if choice is None:
                return
            target, left = choice

            def reopen() -> None:
                self._open_inputs(title, ids, left)

            if isinstance(target, Narrowing):
                self._drilling.drill(target, reopen)
            else:
                self._drilling.go_to_task(target, reopen)

        self._screen.app.push_screen(screen, leave)

    def export_inputs(self) -> None:
        """Export the inputs of the marked tasks that pass the filters, else those of the current
        row, such as a bundle or an error, else of all tasks that pass the filters."""
        pane, view = self._pane, self._pane.tasks.view
        marked = view.markable_among(self._session.marks.ids or ())
        if not marked and pane.name != TASKS and pane.inputs is not None:
            title, ids = pane.inputs
            self._export_part(pane.narrowing.label if pane.narrowing else title, ids)
            return
        wanted = marked or view.markable
        tasks = tuple(self._session.snapshot.existing([i for i in view.order if i in wanted]))
        kind = "marked " if marked else "matched " if view.filtered else ""
        what = pluralize(len(tasks), f"{kind}task")
        self._export(what if kind else f"all {what}", tasks)

    def _export_part(self, label: str, ids: Sequence[str]) -> None:
        tasks = tuple(self._session.snapshot.existing(ids))
        self._export(f"{label}, {pluralize(len(tasks), 'task')}", tasks)

    def _export(self, what: str, tasks: Sequence[Task]) -> None:
        from hipercow_tui.ui.dialogs.export_inputs import ExportInputsScreen

        if tasks:
            screen = ExportInputsScreen(self._session.root, what, tasks, self._session.clock())
            self._screen.app.push_screen(screen)
        else:
            self._screen.notify("There is no task to export: none passes the filters")

    def _plan_marked(self) -> None:
        """Plan a purge of the marked tasks; the other filters are not on those screens."""
        if self._session.marks.ids is None:
            self._screen.notify(
                with_keys("Mark tasks first: <mark=space>, <range=v> and <mark_all=a> mark them"),
                markup=False,  # a key can be "["
            )
        else:
            self._plan()

    def copy(self) -> None:
        """Show a menu of what to copy of tasks."""
        from hipercow_tui.ui.dialogs.copy_menu import CopyMenuScreen

        if (source := self._pane.copy_source) is not None:
            refusal = "started with --read-only" if self._session.read_only else ""
            self._screen.app.push_screen(CopyMenuScreen(source, refusal=refusal), self._run_r)

    def _run_r(self, chosen: RCallTargets | RetryCopy | None) -> None:
        from hipercow_tui.output.r_calls import RAction
        from hipercow_tui.ui.dialogs.cancel import CancelScreen
        from hipercow_tui.ui.dialogs.retry import RetryCopy, RetryScreen

        def ended(started: bool | None) -> None:
            if started:
                self._refresh()

        session = self._session
        if isinstance(chosen, RetryCopy):
            chosen.start(self._screen.app, session.root, session.clock())
        elif chosen is not None and chosen.action is RAction.RETRY:
            screen = RetryScreen(chosen, session.root, self._error_text, session.clock)
            self._screen.app.push_screen(screen, ended)
        elif chosen is not None:
            self._screen.app.push_screen(CancelScreen(chosen, session.root), ended)

    def _error_text(self, task_id: str) -> str:
        """Return the error of a task as far as it was read, or ""."""
        failure = self._session.services.errors.failures.get(task_id)
        return failure.message if failure else ""

    def show_report(self) -> None:
        """Show a report on the current task or error, to ask for help."""
        from hipercow_tui.ui.screens.help_report import error_report_screen

        task, error, session = self._pane.task, self._pane.error, self._session
        if task is not None:
            self._show_report_on(task)
        elif error is not None:
            screen = error_report_screen(session.root, error, session.snapshot, session.clock())
            self._screen.app.push_screen(screen)
        else:
            self._screen.notify(
                with_keys(
                    "Go to a task or an error for a report on it: <errors=e> shows all errors"
                )
            )

    def _show_report_on(self, task: Task) -> None:
        from hipercow_tui.ui.screens.help_report import task_report_screen

        session = self._session
        screen = task_report_screen(session.root, task, session.snapshot, session.clock())
        self._screen.app.push_screen(screen)

    def show_problems(self) -> None:
        """Show what could not be read."""
        from hipercow_tui.ui.dialogs.problems import ProblemsScreen

        self._screen.app.push_screen(ProblemsScreen(self._session.snapshot))
