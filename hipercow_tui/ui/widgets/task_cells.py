"""The texts of task table cells, which other tables and screens use too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from rich.cells import cell_len

from hipercow_tui.analysis.disk_usage import MeasuredSize
from hipercow_tui.analysis.task_sorting import SortKey, Usages, usage_value
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.output.usage_text import usage_text
from hipercow_tui.support.text import AGE_UNITS, format_age, format_duration, format_size
from hipercow_tui.ui.cells import (
    Column,
    PlacedColumn,
    cut_end,
    plain_text,
    short_number,
    short_size,
)
from hipercow_tui.ui.status_style import GLYPH
from hipercow_tui.ui.widgets.row_rendering import Cell, TextPart

LONG_AGES_FROM = 84  # width of a table in cells, from which on ages are "3 weeks ago" and not "3w"
LONG_AGE = 15  # cells of "2 months ago"
LONG_SIZE, SHORT_SIZE = 9, 6  # cells of "~361.2 kB" and of "~361k" or the title "disk↓"
_SYMBOLS = {unit.name: unit.symbol for unit in AGE_UNITS}


def table_id(task_id: str) -> str:
    """Return an id in the twelve cells of its column: ``3f2a9c1…71e0``."""
    return f"{task_id[:7]}…{task_id[-4:]}"


def size_part(measured: MeasuredSize | None, task: Task, placed: PlacedColumn) -> TextPart:
    """Return ``2.1 MB``, in a narrow column ``2.1M``, or the number of files; with ``~`` if it may
    have changed."""
    if measured is None:
        return "", ""
    sign, size = "" if measured.is_current(task) else "~", measured.size
    if placed.column.key == SortKey.FILES:
        number = short_number(size.files, placed.width - len(sign))
        return (sign + number).rjust(placed.width), "quiet"
    kind = SizeKind.APPARENT if placed.column.key == SortKey.SIZE else SizeKind.ON_DISK
    shown = format_size if placed.width >= LONG_SIZE else short_size
    return (sign + shown(size.of(kind))).rjust(placed.width), ""


def usage_part(usages: Usages, task: Task, key: SortKey, width: int) -> TextPart:
    """Return a number of a column of USAGE_KEYS; ``—`` if it is not known, "" if it is unread."""
    if task.id not in usages:
        return "", ""
    number = usage_value(usages, task.id, key)
    if number is None:
        text = "—"
    else:
        text = duration_text(number) if key is SortKey.CPU else usage_text(key, number)
    return text.rjust(width), "quiet" if key in (SortKey.CORES, SortKey.MEMORY) else ""


def what_part(task: Task, summary: TaskSummary | None) -> TextPart:
    """Return the call of a task, or the problem if it can't be read; empty if not read yet."""
    if summary is not None and summary.code_text:
        return summary.code_text, "strong"
    return plain_text(task.problem or (summary.problem if summary else None) or ""), "quiet"


def split_command(summary: TaskSummary, width: int) -> TaskSummary:
    """Split a long command at a word: the rest becomes the text of the inputs."""
    if summary.inputs_text or cell_len(summary.code_text) <= width:
        return summary
    ends = accumulate(summary.code_text.split(" "), "{} {}".format)
    head = max((end for end in ends if cell_len(end) <= width), key=len, default="")
    if not head:
        return summary
    return replace(summary, code_text=head, inputs_text=summary.code_text[len(head) + 1 :])


def inputs_text(inputs: str, width: int) -> str:
    """Fit ``beta = 0.91, gamma = 0.2`` into a width: first without spaces, then cut at the end.

    The first input is usually the one that differs.
    """
    if cell_len(inputs) <= width:
        return inputs
    return cut_end(inputs.replace(" = ", "=").replace(", ", " "), width)


def status_cell(task: Task, *, long: bool) -> Cell:
    """Return ``✗ failure``, or ``✗ failure → success`` if the latest attempt differs.

    The short form of that is ``✗ → success``.
    """
    own, latest = task.status, task.latest_status
    if not task.chain or latest is own:
        return ((f"{GLYPH[own]} {own}", own.value),)
    second = (str(latest), latest.value) if latest is not None else ("gone", "quiet")
    first = f"{GLYPH[own]} {own}" if long else GLYPH[own]
    return ((first, own.value), (" → ", "quiet"), second)


def bundle_cell(bundles: Sequence[str]) -> Cell:
    """Return ``fit_a +1``: the first bundle and the number of others."""
    if not bundles:
        return (("", ""),)
    more = f" +{len(bundles) - 1}" if len(bundles) > 1 else ""
    return ((plain_text(bundles[0]) + more, ""),)


def finished_column(width: int, rank: int) -> Column:
    """Return the column of a table of this width with the time of finishing."""
    long = width >= LONG_AGES_FROM
    cells = LONG_AGE if long else 6
    return Column(SortKey.FINISHED, "finished" if long else "ended", cells, cells, rank)


def finished_text(task: Task, now: float, *, long: bool) -> str:
    """Return when a task finished; ``~`` marks an estimate, ``—`` an unfinished task."""
    if task.finished is None:
        return "—"
    age = format_age(task.finished, now)
    return ("~" if task.finished_estimated else "") + (age if long else short_age(age))


def duration_text(seconds: float | None, *, estimated: bool = False) -> str:
    """Return ``12s`` or ``~4min``; ``—`` if it is unknown or has not started."""
    if seconds is None:
        return "—"
    text = short_age(format_duration(seconds)) if seconds >= 1 else "<1s"
    return f"~{text}" if estimated else text


def short_age(age: str) -> str:
    """Shorten ``3 weeks ago`` and ``3 weeks`` to ``3w``."""
    number, _, unit = age.removesuffix(" ago").partition(" ")
    return f"{number}{_SYMBOLS[unit.removesuffix('s')]}" if number.isdigit() else "now"
