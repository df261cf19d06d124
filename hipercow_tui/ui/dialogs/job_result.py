"""What became of a purge or an undo: what went or came back, what did not and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.output.report import Report
from hipercow_tui.purging import EmptyReport, ItemResult, PurgeReport, RestoreReport
from hipercow_tui.support.text import format_duration, format_size, pluralize, tasks_and_bundles
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.widgets.virtual_list import VirtualList

_WRAP = 62  # cells of a reason: what an 80 column screen has room for


class JobResultScreen(ModalScreen[str | None]):
    """Shows a report until it is dismissed; with what is to be done next, if a key was
    pressed that the report names."""

    DEFAULT_CSS = """
    JobResultScreen { align: center middle; }
    JobResultScreen #dialog {
        width: 90%; max-width: 110; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $success; border-title-style: bold;
    }
    JobResultScreen #dialog.-incomplete { border: round $warning; }
    JobResultScreen Static { height: auto; }
    JobResultScreen _Reasons { margin-top: 1; }
    JobResultScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="summary.close"),
        Binding("U", "leave_for('undo')", "Undo", id="summary.undo"),
        Binding("T", "leave_for('trash')", "Trash", id="summary.trash"),
    ]

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report
        self._reasons = list(_reasons(report))

    def compose(self) -> ComposeResult:
        """What went or came back; then, where there is any, the list of what did not."""
        report = self._report
        with Vertical(id="dialog", classes="" if report.complete else "-incomplete") as dialog:
            dialog.border_title = _title(report)
            yield Static(_summary(report), markup=False)
            if self._reasons:
                yield _Reasons(self._reasons)
            yield Static("↑↓ scroll · esc closes" if self._reasons else "esc closes", id="keys")

    def action_leave_for(self, step: str) -> None:
        """Do this next, if the report speaks of it."""
        if step in _next_steps(self._report):
            self.dismiss(step)

    def on_mount(self) -> None:
        """As high as it needs, as far as there is room."""
        for reasons in self.query(_Reasons):
            reasons.styles.height = min(len(self._reasons), max(3, self.size.height - 14))
            reasons.focus()


class _Reasons(VirtualList):
    """One line for each thing that did not go or come back, and why."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__()
        self._reasons = reasons

    def on_mount(self) -> None:
        """There are so many lines."""
        self.count = len(self._reasons)

    def line(self, y: int) -> Text:
        """The reason on line ``y``."""
        reason = self._reasons[y]
        return Text(f" {reason}", "" if reason.startswith(" ") else "bold")


def _next_steps(report: Report) -> tuple[str, ...]:
    if isinstance(report, PurgeReport) and report.trash is not None:
        return "undo", "trash"
    return ("trash",) if isinstance(report, EmptyReport) and report.stopped else ()


def _title(report: Report) -> str:
    if isinstance(report, RestoreReport):
        return "Restored" if report.complete else "Restored, but not all"
    if isinstance(report, EmptyReport):
        done, what = "Trash emptied", "Emptying"
    elif report.trash is not None:
        done, what = "Moved to the trash", "Move to the trash"
    else:
        done, what = "Purged", "Purge"
    if report.complete:
        return done
    return f"{what} stopped" if report.stopped else f"{done}, but not all"


def _summary(report: Report) -> str:
    if isinstance(report, RestoreReport):
        return _restore_summary(report)
    what = tasks_and_bundles(len(report.removed), len(report.removed_bundles), "is/are")
    if isinstance(report, PurgeReport) and report.trash is not None:
        return f"{what} in the trash. U undoes; T shows the trash, to empty it too."
    words = f"{what} gone. {format_size(report.bytes)} in"
    words += (
        f" {pluralize(report.files, 'file')} freed in {format_duration(max(1.0, report.seconds))}."
    )
    if isinstance(report, EmptyReport) and report.stopped:
        words += "\nWhat is left is still in the trash (T): restore it there, or finish."
    if isinstance(report, PurgeReport) and report.quarantine_path is not None:
        words += f"\nWhat could not be erased is in {plain_text(str(report.quarantine_path))}."
    return words


def _restore_summary(report: RestoreReport) -> str:
    restored = len(report.restored), len(report.restored_bundles)
    words = f"{tasks_and_bundles(*restored, 'is/are')} back in place."
    if report.missing_ids:
        words += f" {pluralize(len(report.missing_ids), 'task')} had been erased before and can't come back."
    return words


def _reasons(report: Report) -> Iterable[str]:
    """Each reason once, in lines that fit a narrow screen, and under it what it holds for."""
    failed = "Not put back" if isinstance(report, RestoreReport) else "Failed"
    groups = [(failed, report.failed)]
    if isinstance(report, PurgeReport):
        groups.append(("Put back, or left in its place", report.put_back))
        groups.append(("Gone already", report.vanished))
    if isinstance(report, RestoreReport):
        erased = "it had been erased before"
        groups.append(
            ("Gone", tuple(ItemResult(task_id, erased) for task_id in report.missing_ids))
        )
    for title, outcomes in groups:
        by_reason: dict[str, list[str]] = {}
        for one in outcomes:
            by_reason.setdefault(one.reason, []).append(_name(one))
        for reason, names in by_reason.items():
            yield from textwrap.wrap(f"{title}, {len(names):,}: {plain_text(reason)}", _WRAP)
            yield from (f"  {name}" for name in names)


def _name(outcome: ItemResult) -> str:
    name = f"bundle {plain_text(outcome.name)}" if outcome.is_bundle else plain_text(outcome.name)
    return name if outcome.where is None else f"{name}, kept in {plain_text(str(outcome.where))}"
