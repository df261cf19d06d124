"""The pane with the details of one bundle: counts by status, progress, its reduced status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.markup import escape

from hipercow_tui.analysis.bundle_rows import SHOWN_STATUSES, BundleRow, Progress
from hipercow_tui.analysis.usage_summary import Asked, Distribution, UsageSummary
from hipercow_tui.domain.age_scale import bar_heights
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.task import Lang
from hipercow_tui.output.usage_text import cores_text
from hipercow_tui.support.text import format_age, format_size, pluralize
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.bundle_table import time_left
from hipercow_tui.ui.widgets.chart_drawing import LEVELS
from hipercow_tui.ui.widgets.labelled_details import FULL_KEY, LabelledDetails, Styles

_CAVEAT = (
    "Measured by R: child processes count only after they ended, on Windows never, and memory is"
    " the heap of R, without other memory and child processes"
)


class BundleDetailsView(LabelledDetails):
    """The pane; its title is the name of the bundle."""

    BINDINGS: ClassVar[list[BindingType]] = [FULL_KEY]

    def show(
        self,
        row: BundleRow | None,
        now: float,
        records: Iterable[Pin | Note] = (),
        usage: UsageSummary | None = None,
    ) -> None:
        """Show a bundle with its pin, its note and the usage of its tasks; None clears the pane.
        ``now`` is in seconds since the epoch."""
        if row is None:
            self.clear()
            return
        self.show_lines(
            lambda style: lines(row, now, records, usage, style),
            escape(plain_text(row.name)),
            with_keys("<open=Enter>: its tasks · <inputs=i>: their inputs"),
        )


def lines(
    row: BundleRow,
    now: float,
    records: Iterable[Pin | Note],
    usage: UsageSummary | None,
    style: Styles,
) -> Iterable[tuple[str, Text]]:
    """Yield labels and their texts."""
    for record in records:
        yield "pin" if isinstance(record, Pin) else "note", Text(record.text(now))
    yield "tasks", _counts(row, style)
    if row.progress is not None:
        yield "progress", Text(" · ".join(_progress(row.progress, row.task_count, now)))
    yield from usage_lines(usage, style)
    if row.overall_status is not None and row.lang is Lang.R:
        reduced = Text(str(row.overall_status), style(row.overall_status.value))
        yield "status", reduced.append(", as R reduces it", style("label"))
    if row.bundle.changed is not None:
        yield "changed", Text(format_age(row.bundle.changed, now))
    if usage is not None:
        yield from _histograms(usage, style)


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


def usage_lines(usage: UsageSummary | None, style: Styles) -> Iterable[tuple[str, Text]]:
    """Yield a line on cores and one on memory of the tasks that have ended."""
    if usage is None or not usage.ended:
        return
    if not usage.complete:
        yield "usage", Text(f"reading {usage.read:,} of {usage.ended:,} …", style("label"))
    if not usage.read:
        return
    yield "cores", _cores(usage)
    yield "memory", _memory(usage)


def _histograms(usage: UsageSummary, style: Styles) -> Iterable[tuple[str, Text]]:
    if usage.used_cores is not None:
        yield "used cores", _histogram(usage.used_cores, cores_text, style)
    if usage.used_memory is not None:
        yield "used memory", _histogram(usage.used_memory, _size, style)
    if usage.used_cores is not None or usage.used_memory is not None:
        yield "", Text(_CAVEAT, style("label"))


def _cores(usage: UsageSummary) -> Text:
    """Return ``asked for 32, used 1.1 (median; p95 1.3, most 1.4)``."""
    asked = _asked(usage.cores, cores_text).replace("node", "all of a node")
    text = Text(f"asked for {asked}, ")
    used = usage.used_cores
    if used is None:
        return text.append("used unknown")
    text.append("used ").append(cores_text(used.median), "bold")
    text.append(f" (median; p95 {cores_text(used.p95)}, most {cores_text(used.most)})")
    return text.append(_unknown(usage.read - used.count))


def _memory(usage: UsageSummary) -> Text:
    """Return ``p95 3.1 GB of 16 GB (median 2 GB, most 3.4 GB)``."""
    asked = f" of {_asked(usage.memory, _size)}" if usage.memory else ", no memory asked for"
    used = usage.used_memory
    if used is None:
        return Text(f"used unknown{asked}")
    text = Text("p95 ").append(_size(used.p95), "bold")
    text.append(f"{asked} (median {_size(used.median)}, most {_size(used.most)})")
    return text.append(_unknown(usage.read - used.count))


def _asked(asked: Asked | None, shown: Callable[[float], str]) -> str:
    """Return ``32``, ``1 to 32`` or ``unknown``."""
    if asked is None:
        return "unknown"
    least, most = shown(asked.least), shown(asked.most)
    text = least if least == most else f"{least} to {most}"
    return text + (f" ({pluralize(asked.unknown, 'task')} unknown)" if asked.unknown else "")


def _unknown(count: int) -> str:
    return f" · unknown of {pluralize(count, 'task')}" if count else ""


def _size(number: float) -> str:
    return format_size(round(number))


def _histogram(used: Distribution, shown: Callable[[float], str], style: Styles) -> Text:
    """Return a bar for each bin, between the ends of the scale."""
    bars = "".join(LEVELS[height] for height in bar_heights(used.bins, len(LEVELS) - 1))
    text = Text("0 ", style("label")).append(bars, style("running"))
    return text.append(f" {shown(used.top)}", style("label"))
