"""Opens screens about the line under the cursor of a plan: details, log, inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.screen import Screen

from hipercow_tui.analysis.plan_rows import bundle_tasks
from hipercow_tui.analysis.plan_tree import KnownFacts, PlanGroup
from hipercow_tui.analysis.task_summary import NO_SUMMARY
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.support.text import pluralize
from hipercow_tui.ui.screens.help_report import task_report_screen
from hipercow_tui.ui.screens.log import LogScreen
from hipercow_tui.ui.screens.sweep import SweepScreen
from hipercow_tui.ui.screens.sweep_choice import SweepChoice
from hipercow_tui.ui.screens.task_details import TaskDetailsScreen
from hipercow_tui.ui.widgets.plan_list import PlanList
from hipercow_tui.ui.workers.summary_loader import SummaryLoader


class PlanInspecting:
    """Pushes a screen for a key. ``snapshot`` is the one that the plan is made from."""

    def __init__(
        self,
        screen: Screen[Any],
        snapshot: Snapshot,
        root: Root,
        known: KnownFacts,
        summary_loader: SummaryLoader,
        clock: Callable[[], float],
    ) -> None:
        self._screen = screen
        self.snapshot = snapshot
        self._root = root
        self._known = known
        self._summary_loader = summary_loader
        self._clock = clock

    @property
    def _lines(self) -> PlanList:
        return self._screen.query_one(PlanList)

    def show_details(self) -> None:
        """Show the details of the task; of a bundle the inputs; fold or unfold a group."""
        task = self._lines.current_task
        if task is not None:
            summary = self._known.summaries.get(task.id, NO_SUMMARY)
            self._screen.app.push_screen(
                TaskDetailsScreen(task, self.snapshot, self._root, summary, self._clock)
            )
        elif isinstance(self._lines.row, PlanGroup):
            self._lines.toggle_fold()
        else:
            self.show_inputs()

    def show_log(self) -> None:
        """Show the log of the task."""
        task = self._lines.current_task
        if task is None:
            self._screen.notify("Only a task has a log: go to the line of one")
        else:
            self._show_log_of(task.id)

    def _show_log_of(self, task_id: str) -> None:
        task = self.snapshot.tasks.get(task_id)
        if task is not None:
            root = self._root.part(task.lang)
            screen = LogScreen(root, task_id, lambda: task, show_report=self._show_report_on)
            self._screen.app.push_screen(screen)

    def show_report(self) -> None:
        """Show a report on the task, to ask for help."""
        task = self._lines.current_task
        if task is None:
            self._screen.notify("A report is about a task: go to the line of one")
        else:
            self._show_report_on(task)

    def _show_report_on(self, task: Task) -> None:
        screen = task_report_screen(self._root, task, self.snapshot, self._clock())
        self._screen.app.push_screen(screen)

    def show_inputs(self) -> None:
        """Show the inputs of the tasks of a bundle, or of the group."""
        lines = self._lines
        if lines.row is None or lines.plan_tree is None:
            return
        title, ids = bundle_tasks(lines.plan_tree, lines.row, lines.group)

        def chosen(choice: SweepChoice | None) -> None:
            target = choice.target if choice else None
            if isinstance(target, str) and not lines.go_to_task(target):
                self._screen.notify("That task is not in the plan")

        screen = SweepScreen(
            self._summary_loader,
            self._known.failures,
            title,
            ids,
            lambda: self.snapshot.tasks,
            self._clock,
            marks=None,
            plan=None,
            show_log=self._show_log_of,
            export=self._export_inputs,
        )
        self._screen.app.push_screen(screen, chosen)

    def _export_inputs(self, label: str, ids: Sequence[str]) -> None:
        from hipercow_tui.ui.dialogs.export_inputs import ExportInputsScreen

        tasks = tuple(self.snapshot.existing(ids))
        what = f"{label}, {pluralize(len(tasks), 'task')}"
        screen = ExportInputsScreen(self._root, what, tasks, self._clock())
        self._screen.app.push_screen(screen)
