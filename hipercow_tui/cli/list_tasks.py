"""The command ``list``: print the matched tasks as a table, JSON or CSV."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hipercow_tui.analysis.disk_usage import MeasuredSize
from hipercow_tui.analysis.task_sorting import SIZE_KEYS, SortKey, TaskSort, sort_tasks
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, select
from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.filters import matched_tasks
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size, measure_many
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import Root
from hipercow_tui.output.csv_output import CSV_LINE_END, csv_lines
from hipercow_tui.output.json_output import json_lines, task_as_json
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import (
    escape_controls,
    format_age,
    format_duration,
    format_size,
    pluralize,
)

_COLUMNS = ", ".join(SortKey)
_EPILOG = f"""
examples:
  hipercow-tui list --with-status running
  hipercow-tui list --in-bundle 'sweep_*' --details --json
  hipercow-tui list --sort -size --limit 10            the ten largest tasks
  hipercow-tui list --csv                              for R, pandas or a spreadsheet
  hipercow-tui list --filter 'old failures'            filters that were saved in the app with f

WHEN is {TIMES}.
STATUS is one of {STATUSES}, submitted, running.
COLUMN is one of {_COLUMNS}.
"""


@dataclass(frozen=True, slots=True)
class _Sort:
    """A column to sort by; None keeps the order of the scan."""

    key: SortKey | None
    descending: bool = False


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = _parser()
    options = parser.parse_command(_with_joined_sort(words))
    if options.csv and options.json:
        parser.error("--csv can't be combined with --json: leave out one of them")
    now = time.time()
    root, snapshot, filters = select(options, now, listing=True)
    matched = matched_tasks(snapshot, filters)
    details = _Details(root, snapshot)
    sizes = measure_many(root, matched) if options.sort.key in SIZE_KEYS else {}
    ids = _in_order(matched, options, snapshot, details, sizes, now)[: options.limit]
    tasks = map(snapshot.tasks.__getitem__, ids)
    if options.csv:
        records = (_record(task, options, details, sizes) for task in tasks)
        print_output(csv_lines(_record_keys(options), records), end=CSV_LINE_END)
    elif options.json:
        print_output(_json_lines(tasks, options, details))
    else:
        print_output(_table(tasks, options, snapshot, details, sizes, now))
    _print_remarks(options, snapshot, len(matched), len(ids))
    return DONE


class _Details(dict[str, TaskDetails]):
    """The details of each task, which are read once, when they are needed."""

    def __init__(self, root: Root, snapshot: Snapshot) -> None:
        super().__init__()
        self._root, self._tasks = root, snapshot.tasks

    def __missing__(self, task_id: str) -> TaskDetails:
        details = self[task_id] = read_task_details(self._root, self._tasks[task_id])
        return details


def _parser() -> CommandParser:
    parser = CommandParser("list", "List the tasks that filters select.", _EPILOG)
    add_filters(parser)
    add = parser.add_argument
    add("--csv", action="store_true", help="print CSV, with the keys of --json as a header")
    add("--details", action="store_true", help="add the call of each task and its error")
    add(
        "--sort",
        type=_sort,
        default=_Sort(None),
        metavar="COLUMN",
        help="sort by this column; -COLUMN begins with the largest or newest",
    )
    add("--reverse", action="store_true", help="reverse the order")
    add("--limit", type=_limit, metavar="N", help="only the first N tasks")
    return parser


def _with_joined_sort(words: Sequence[str]) -> list[str]:
    """Return the arguments with ``--sort -size`` as ``--sort=-size``: argparse would take
    ``-size`` for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--sort":
            joined[-1] = f"--sort={word}"
        else:
            joined.append(word)
    return joined


def _sort(text: str) -> _Sort:
    name = text.removeprefix("-")
    if name not in list(SortKey):
        near = difflib.get_close_matches(name, list(SortKey), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {_COLUMNS}"
        raise argparse.ArgumentTypeError(f"'{escape_controls(name)}' is not a column: {hint}")
    return _Sort(SortKey(name), descending=text.startswith("-"))


def _limit(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _in_order(
    ids: list[str],
    options: argparse.Namespace,
    snapshot: Snapshot,
    details: Mapping[str, TaskDetails],
    sizes: Mapping[str, Size],
    now: float,
) -> Sequence[str]:
    """Return the ids in the order that the options name."""
    key = options.sort.key
    if key is None:
        return ids[::-1] if options.reverse else ids
    summaries = {}
    if key in (SortKey.WHAT, SortKey.INPUTS):
        summaries = {i: TaskSummary(details[i].code_text, details[i].inputs_text) for i in ids}
    measured = {i: MeasuredSize(size, 0) for i, size in sizes.items()}
    sort = TaskSort(key, options.sort.descending != options.reverse)
    wanted = set(ids)
    order = sort_tasks(snapshot, sort, summaries, measured, now)
    return [task_id for task_id in order if task_id in wanted]


def _json_lines(
    tasks: Iterable[Task], options: argparse.Namespace, details: Mapping[str, TaskDetails]
) -> Iterator[str]:
    if not options.details:
        return json_lines(tasks)
    return (json.dumps(task_as_json(task, details[task.id])) for task in tasks)


def _record(
    task: Task,
    options: argparse.Namespace,
    details: Mapping[str, TaskDetails],
    sizes: Mapping[str, Size],
) -> dict[str, Any]:
    record = task_as_json(task, details[task.id] if options.details else None)
    if size := sizes.get(task.id):
        record |= {"bytes": size.bytes, "files": size.files}
    return record


def _record_keys(options: argparse.Namespace) -> list[str]:
    """Return the keys of all records, in order."""
    details = TaskDetails(error="", problem="") if options.details else None
    keys = list(task_as_json(Task("", Status.CREATED), details))
    if options.details:
        keys += [key for key in ("error", "problem") if key not in keys]
    return keys + ["bytes", "files"] * (options.sort.key in SIZE_KEYS)


def _table(
    tasks: Iterable[Task],
    options: argparse.Namespace,
    snapshot: Snapshot,
    details: Mapping[str, TaskDetails],
    sizes: Mapping[str, Size],
    now: float,
) -> Iterator[str]:
    """Yield a line for each task, on a terminal after a header.

    A column that is sorted by is added if it is not shown anyway.
    """
    both = bool(snapshot.by_language)
    key = options.sort.key
    added = _ADDED_COLUMNS.get(key)
    if sys.stdout.isatty():
        names = ["id", *["lang"] * both, "status", "finished", *[str(key)] * (added is not None)]
        names += ["bundle", *["what", "inputs"] * options.details]
        yield _line(names, added=added is not None, both=both)
    for task in tasks:
        status = task.status.value
        if task.latest_status not in (task.status, None):
            status += f" → {task.latest_status}"
        finished = "-" if task.finished is None else format_age(task.finished, now)
        cells = [task.id, *[task.lang.shown] * both, status, finished]
        if added is not None:
            cells.append(added(task, sizes.get(task.id), now))
        cells.append(",".join(task.bundles))
        if options.details:
            cells += [details[task.id].code_text, details[task.id].inputs_text]
        yield _line(cells, added=added is not None, both=both)


def _line(cells: Sequence[str], *, added: bool, both: bool) -> str:
    widths = [32, *[6] * both, 9, 14, *[14] * added]
    padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, *cells[len(widths) :]]).rstrip()


def _duration_text(seconds: float | None) -> str:
    return "-" if seconds is None else format_duration(seconds)


_ADDED_COLUMNS: Mapping[SortKey | None, Callable[[Task, Size | None, float], str]] = {
    SortKey.CREATED: lambda task, size, now: (
        "-" if task.created is None else format_age(task.created, now)
    ),
    SortKey.WAITED: lambda task, size, now: _duration_text(queue_time(task, now)),
    SortKey.RAN: lambda task, size, now: _duration_text(run_time(task, now)),
    SortKey.ATTEMPTS: lambda task, size, now: str(max(1, len(task.chain))),
    SortKey.SIZE: lambda task, size, now: format_size(size.bytes) if size else "-",
    SortKey.FILES: lambda task, size, now: f"{size.files:,}" if size else "-",
}


def _print_remarks(
    options: argparse.Namespace, snapshot: Snapshot, matched: int, printed: int
) -> None:
    """Print what the list does not show: broken tasks, and why it is empty or cut."""
    for task in snapshot.tasks.values():
        if not task.exists:
            print_message(f"task {task.id} is broken: {task.problem}")
    existing = sum(task.exists for task in snapshot.tasks.values())
    if not existing:
        root = escape_controls(str(snapshot.root))
        print_message(
            f"{root} has no tasks yet. task_create_expr() in R creates one, 'hipercow task create'"
            " in Python"
        )
    elif sys.stdout.isatty() and not matched:
        print_message(f"none of {pluralize(existing, 'task')} passes the filters")
    elif sys.stdout.isatty() and printed < matched:
        print_message(f"the first {printed:,} of {matched:,} tasks")
