"""The table that ``list`` prints: a header on a terminal, and a line for each task."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TypeAlias

from hipercow_tui.analysis.task_sorting import SortKey, usage_value
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.formats.task_usage import TaskUsage
from hipercow_tui.output.usage_text import usage_text
from hipercow_tui.support.text import format_age, format_duration, format_size

DetailsReader: TypeAlias = Callable[[Task], TaskDetails]
UsageReader: TypeAlias = Callable[[Task], TaskUsage]

_STATUS_WIDTH = 9
_AGE_WIDTH = 14
_USAGE_WIDTH = 11


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its name, its width in characters, and the text of a task."""

    name: str
    width: int
    text: Callable[[Task], str]


def list_columns(
    tasks: Sequence[Task],
    sorted_by: SortKey | None,
    sizes: Mapping[str, Size],
    snapshot: Snapshot,
    now: float,
    *,
    usage_of: UsageReader,
    usage_keys: Sequence[SortKey],
) -> list[Column]:
    """Return the columns of the table, without those of ``--details``.

    The column ``sorted_by`` is added if it is not among the others, the language if the root has
    both, and the last column if a chain of the tasks has a note. ``sizes`` are those of the tasks
    if ``sorted_by`` needs them, ``now`` is in seconds since the epoch. ``usage_of`` returns the
    usage of a task, for the columns ``usage_keys``.
    """
    width = _STATUS_WIDTH
    if sys.stdout.isatty():  # in a pipe, the width does not depend on the tasks
        width = max(map(len, map(_status_text, tasks)), default=width)
    columns = [Column("id", 32, lambda task: task.id)]
    if snapshot.by_language:
        columns.append(Column("lang", 6, lambda task: task.lang.shown))
    columns.append(Column("status", width, _status_text))
    columns.append(Column("finished", _AGE_WIDTH, lambda task: _age_text(task.finished, now)))
    if sorted_by is not None and (added := _ADDED_COLUMNS.get(sorted_by)):
        columns.append(
            Column(sorted_by, _AGE_WIDTH, lambda task: added(task, sizes.get(task.id), now))
        )
    columns += [_usage_column(key, usage_of) for key in usage_keys]
    columns.append(Column("bundle", 0, lambda task: ",".join(task.bundles)))
    notes = snapshot.chain_note_of
    if any(task.id in notes for task in tasks):
        columns.append(
            Column("note", 0, lambda task: notes[task.id].note if task.id in notes else "")
        )
    return columns


def _usage_column(key: SortKey, usage_of: UsageReader) -> Column:
    def text(task: Task) -> str:
        return usage_text(key, usage_value({task.id: usage_of(task)}, task.id, key))

    return Column(key, _USAGE_WIDTH, text)


def table_lines(
    tasks: Iterable[Task], columns: Sequence[Column], read: DetailsReader | None
) -> Iterator[str]:
    """Yield a line for each task, on a terminal after a header. With ``read``, details are read and
    added."""
    widths = [column.width for column in columns]
    if sys.stdout.isatty():
        names = [column.name for column in columns]
        yield _line([*names, "what", "inputs"] if read else names, widths)
    for task in tasks:
        cells = [column.text(task) for column in columns]
        if read is not None:
            details = read(task)
            cells += [details.code_text, details.inputs_text]
        yield _line(cells, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one line; cells without a width are as wide as their text."""
    padded = map(str.ljust, cells, chain(widths, repeat(0)))
    return "  ".join(padded).rstrip()


def _status_text(task: Task) -> str:
    if task.latest_status in (task.status, None):
        return task.status.value
    return f"{task.status.value} → {task.latest_status}"


def _age_text(then: float | None, now: float) -> str:
    return "-" if then is None else format_age(then, now)


def _duration_text(seconds: float | None) -> str:
    return "-" if seconds is None else format_duration(seconds)


_ADDED_COLUMNS: Mapping[SortKey, Callable[[Task, Size | None, float], str]] = {
    SortKey.CREATED: lambda task, size, now: _age_text(task.created, now),
    SortKey.WAITED: lambda task, size, now: _duration_text(queue_time(task, now)),
    SortKey.RAN: lambda task, size, now: _duration_text(run_time(task, now)),
    SortKey.ATTEMPTS: lambda task, size, now: str(max(1, len(task.chain))),
    SortKey.SIZE: lambda task, size, now: format_size(size.bytes) if size else "-",
    SortKey.DISK: lambda task, size, now: format_size(size.disk_bytes) if size else "-",
    SortKey.FILES: lambda task, size, now: f"{size.files:,}" if size else "-",
}
