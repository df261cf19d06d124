"""The help report on a task or an error: it is shown before it is copied or saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import get_current_worker

from hipercow_tui.analysis.error_groups import ErrorGroup
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.help_reader import read_error_report, read_task_report
from hipercow_tui.support.text import format_size, short_id
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.clipboard import copy
from hipercow_tui.ui.dialogs.save_report import SaveReportScreen
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.screens.page import Page
from hipercow_tui.ui.widgets.footer import KeyFooter
from hipercow_tui.ui.widgets.scroll_text import ScrollText


class HelpReportScreen(Page[None]):
    """Show the report on a root that ``read`` returns, which is called in a thread.

    ``subject`` names the task or error. ``file_name`` is proposed when the report is saved.
    """

    DEFAULT_CSS = """
    HelpReportScreen ScrollText { height: 1fr; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Copy the report", id="report.copy"),
        Binding("e", "save", "Save…", tooltip="Save the report as a file", id="report.save"),
        Binding("escape,q,M", "back", "Back", key_display="esc", id="report.back"),
    ]

    def __init__(self, subject: str, file_name: str, root: Root, read: Callable[[], str]) -> None:
        super().__init__()
        self._root = root
        self._subject = subject
        self._file_name = file_name
        self._read_report = read
        self._report = ""

    def compose(self) -> ComposeResult:
        """Yield the subject with the size, the report and the keys."""
        yield Static(id="head", markup=False)
        with ScrollText():
            yield Static(id="report", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the report."""
        self._show_head("reading …")
        self.query_one(ScrollText).focus()
        self._read()

    @work(thread=True)
    def _read(self) -> None:
        report = self._read_report()
        if not get_current_worker().is_cancelled:
            self.call_later(self._show, report)

    def _show(self, report: str) -> None:
        self._report = report
        self._show_head(f"{format_size(len(report.encode()))} · read it before you send it")
        self.query_one("#report", Static).update(Text(report))
        self.refresh_bindings()

    def _show_head(self, note: str) -> None:
        head = Text(f"Report  {note}   {plain_text(self._subject)}", "bold")
        self.query_one("#head", Static).update(head)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to copy and save a report that was read."""
        return bool(self._report) if action in ("copy", "save") else True

    def action_copy(self) -> None:
        """Copy the report."""
        copy(
            self.app,
            self._report,
            "report",
            alternative=with_keys("<report.save=e> saves it as a file"),
        )

    def action_save(self) -> None:
        """Ask for the name of a file, and save the report."""
        self.app.push_screen(SaveReportScreen(self._report, self._file_name, self._root))


def task_report_screen(root: Root, task: Task, snapshot: Snapshot, now: float) -> HelpReportScreen:
    """Return the screen with the report on a task; the arguments are those of
    ``read_task_report``."""
    return HelpReportScreen(
        f"task {short_id(task.id)}",
        f"hipercow-report-{task.id[:8]}.md",
        root,
        lambda: read_task_report(root, task, snapshot, now),
    )


def error_report_screen(
    root: Root, group: ErrorGroup, snapshot: Snapshot, now: float
) -> HelpReportScreen:
    """Return the screen with the report on an error; the arguments are those of
    ``read_error_report``."""
    return HelpReportScreen(
        group.named(group.line),
        f"hipercow-report-{group.ids[0][:8]}.md",
        root,
        lambda: read_error_report(root, group, snapshot, now),
    )
