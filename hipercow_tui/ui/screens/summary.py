"""What became of a purge: what went, what was freed, what did not go and why."""

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

from hipercow_tui.purging import Outcome, PurgeReport
from hipercow_tui.text import count, size, span
from hipercow_tui.ui.cells import plain
from hipercow_tui.ui.widgets.lines import Lines

_WRAP = 62  # cells of a reason: what an 80 column screen has room for


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
        self._reasons = list(_reasons(report))

    def compose(self) -> ComposeResult:
        """What went; then, where there is any, the list of what did not."""
        report = self._report
        with Vertical(id="dialog", classes="" if report.complete else "-incomplete") as dialog:
            dialog.border_title = _title(report)
            yield Static(_gone(report), markup=False)
            if self._reasons:
                yield _Reasons(self._reasons)
            yield Static("↑↓ scroll · esc closes" if self._reasons else "esc closes", id="keys")

    def on_mount(self) -> None:
        """As high as it needs, as far as there is room."""
        for reasons in self.query(_Reasons):
            reasons.styles.height = min(len(self._reasons), max(3, self.size.height - 14))
            reasons.focus()


class _Reasons(Lines):
    """One line for each thing that did not go, and why."""

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
    """Each reason once, in lines that fit a narrow screen, and under it what it holds for."""
    for title, outcomes in (
        ("Failed", report.failed),
        ("Put back, or left in its place", report.put_back),
        ("Gone already", report.vanished),
    ):
        by_reason: dict[str, list[str]] = {}
        for one in outcomes:
            by_reason.setdefault(one.reason, []).append(_name(one))
        for reason, names in by_reason.items():
            yield from textwrap.wrap(f"{title}, {len(names):,}: {plain(reason)}", _WRAP)
            yield from (f"  {name}" for name in names)


def _name(outcome: Outcome) -> str:
    return f"bundle {plain(outcome.name)}" if outcome.is_bundle else outcome.name
