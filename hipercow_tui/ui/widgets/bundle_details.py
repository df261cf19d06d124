"""The pane with the details of one bundle: counts by status, progress, its reduced status."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.markup import escape

from hipercow_tui.analysis.bundle_rows import SHOWN_STATUSES, BundleRow, Progress
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.task import Lang
from hipercow_tui.support.text import format_age
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.bundle_table import time_left
from hipercow_tui.ui.widgets.labelled_details import LabelledDetails, Styles


class BundleDetailsView(LabelledDetails):
    """The pane; its title is the name of the bundle."""

    def show(self, row: BundleRow | None, now: float, records: Iterable[Pin | Note] = ()) -> None:
        """Show a bundle with its pin and its note; None clears the pane. ``now`` is in seconds
        since the epoch."""
        if row is None:
            self.clear()
            return
        self.show_lines(
            lambda style: lines(row, now, records, style),
            escape(plain_text(row.name)),
            with_keys("<open=Enter>: its tasks · <inputs=i>: their inputs"),
        )


def lines(
    row: BundleRow, now: float, records: Iterable[Pin | Note], style: Styles
) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts."""
    for record in records:
        yield "pin" if isinstance(record, Pin) else "note", Text(record.text(now))
    yield "tasks", _counts(row, style)
    if row.progress is not None:
        yield "progress", Text(" · ".join(_progress(row.progress, row.task_count, now)))
    if row.overall_status is not None and row.lang is Lang.R:
        reduced = Text(str(row.overall_status), style(row.overall_status.value))
        yield "status", reduced.append(", as R reduces it", style("label"))
    if row.bundle.changed is not None:
        yield "changed", Text(format_age(row.bundle.changed, now))


def _counts(row: BundleRow, style: Styles) -> Text:
    text = Text(f"{row.task_count:,}")
    for status in SHOWN_STATUSES:
        if number := row.status_counts.get(status):
            text.append(" · ", style("label"))
            text.append(f"{GLYPH[status]} {number:,} {status}", style(status.value))
    if row.missing_count:
        text.append(f" · {row.missing_count:,} gone", style("label"))
    return text


def _progress(progress: Progress, tasks: int, now: float) -> Iterable[str]:
    yield f"{progress.done:,} of {tasks:,} done"
    if left := time_left(progress, now):
        yield left
    yield f"{progress.running:,} at once"
