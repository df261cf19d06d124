"""What became of a purge: what went, what was freed, what did not go and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.purging import Outcome, PurgeReport
from hipercow_tui.text import count, short_id, size, span
from hipercow_tui.ui.cells import plain
from hipercow_tui.ui.widgets.lines import Lines


class SummaryScreen(ModalScreen[None]):
    """Shows a report until it is dismissed."""

    DEFAULT_CSS = """
    SummaryScreen { align: center middle; }
    SummaryScreen #dialog {
        width: 90%; max-width: 110; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $success; border-title-style: bold;
    }
    SummaryScreen #dialog.-incomplete { border: round $warning; }
    SummaryScreen Static { height: auto; }
    SummaryScreen _Reasons { margin-top: 1; }
    SummaryScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="summary.close"),
    ]

    def __init__(self, report: PurgeReport) -> None:
        super().__init__()
        self._report = report

    def compose(self) -> ComposeResult:
        """What went; then, where there is any, the list of what did not."""
        report = self._report
        reasons = list(_reasons(report))
        with Vertical(id="dialog", classes="" if report.complete else "-incomplete") as dialog:
            dialog.border_title = _title(report)
            yield Static(_gone(report), markup=False)
            if reasons:
                yield _Reasons(reasons)
            yield Static("↑↓ scroll · esc closes" if reasons else "esc closes", id="keys")

    def on_mount(self) -> None:
        """As high as it needs, as far as there is room."""
        for reasons in self.query(_Reasons):
            reasons.styles.height = min(reasons.count, max(3, self.size.height - 14))
            reasons.focus()


class _Reasons(Lines):
    """One line for each thing that did not go, and why."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__()
        self._reasons = reasons
        self.set_reactive(Lines.count, len(reasons))

    def line(self, y: int) -> Text:
        """The reason on line ``y``."""
        reason = self._reasons[y]
        return Text(f" {reason}", "" if reason.startswith(" ") else "bold")


def _title(report: PurgeReport) -> str:
    if report.complete:
        return "Purged"
    return "Purge stopped" if report.stopped else "Purged, but not all"


def _gone(report: PurgeReport) -> str:
    tasks = count(len(report.removed), "task")
    bundles = count(len(report.removed_bundles), "bundle")
    words = f"{tasks} and {bundles} are gone. {size(report.bytes)} in"
    words += f" {count(report.files, 'file')} freed in {span(max(1.0, report.seconds))}."
    if report.kept_aside is not None:
        words += f"\nWhat could not be erased is in {plain(str(report.kept_aside))}."
    return words


def _reasons(report: PurgeReport) -> Iterable[str]:
    for title, outcomes in (
        ("Failed", report.failed),
        ("Put back, or left in its place", report.put_back),
        ("Gone already", report.vanished),
    ):
        if outcomes:
            yield f"{title}: {len(outcomes):,}"
            yield from (f"  {_name(one)}  {plain(one.reason)}" for one in outcomes)


def _name(outcome: Outcome) -> str:
    if outcome.is_bundle:
        return f"bundle {plain(outcome.name)}"
    return short_id(outcome.name)
