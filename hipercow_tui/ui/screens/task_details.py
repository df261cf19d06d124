"""A screen with the details of one task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.analysis.failure_reason import read_details_with_reason
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.support.text import short_id
from hipercow_tui.ui.screens.help_report import task_report_screen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.task_details import ShownTask, TaskDetailsView, headline

if TYPE_CHECKING:
    from hipercow_tui.formats.details import TaskDetails


class TaskDetailsScreen(Page[None]):
    """Show the details of a task as it was in a snapshot.

    ``summary`` is shown until the details are read. ``clock`` gives the time in seconds since the
    epoch.
    """

    DEFAULT_CSS = """
    TaskDetailsScreen TaskDetailsView { height: 1fr; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log", "Log", tooltip="Show the log of the task", id="details.log"),
        Binding("M", "report", "Report", tooltip="Report on the task", id="details.report"),
        Binding("escape,q", "back", "Back", key_display="esc", id="details.back"),
    ]

    def __init__(
        self,
        task: Task,
        snapshot: Snapshot,
        root: Root,
        summary: TaskSummary,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self._shown_task = task
        self._snapshot = snapshot
        self._root = root
        self._summary = summary
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Yield the id with the status, the details and the keys."""
        task = self._shown_task
        title = Text(f"{short_id(task.id)}  {headline(task)}", "bold", no_wrap=True)
        yield Static(title, id="head")
        yield TaskDetailsView()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the known facts, and read the rest."""
        self._show(None)
        self.query_one(TaskDetailsView).focus()
        self._read()

    @work(thread=True)
    def _read(self) -> None:
        details = read_details_with_reason(self._root, self._shown_task)
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, details)

    def _show(self, details: TaskDetails | None) -> None:
        shown = ShownTask(self._shown_task, self._snapshot, details, self._summary, self._clock())
        self.query_one(TaskDetailsView).show(shown)

    def action_details(self) -> None:
        """Go back: enter opens and closes the details."""
        self.dismiss(None)

    def action_log(self) -> None:
        """Show the log of the task."""
        task = self._shown_task
        root = self._root.part(task.lang)
        screen = LogScreen(root, task.id, lambda: task, show_report=self._show_report)
        self.app.push_screen(screen)

    def action_report(self) -> None:
        """Show a report on the task, to ask for help."""
        self._show_report(self._shown_task)

    def _show_report(self, task: Task) -> None:
        self.app.push_screen(task_report_screen(self._root, task, self._snapshot, self._clock()))
