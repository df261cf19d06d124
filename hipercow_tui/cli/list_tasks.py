"""The command ``list``: print the matched tasks as a table, JSON, CSV or R code."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NoReturn

from hipercow_tui.analysis.disk_usage import MeasuredSize
from hipercow_tui.analysis.failure_reason import read_details_with_reason
from hipercow_tui.analysis.task_sorting import (
    SIZE_KEYS,
    USAGE_KEYS,
    SortKey,
    TaskSort,
    sort_tasks,
)
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, select
from hipercow_tui.cli.list_inputs import print_inputs
from hipercow_tui.cli.list_table import DetailsReader, UsageReader, list_columns, table_lines
from hipercow_tui.domain.filters import matched_tasks
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size, measure_many
from hipercow_tui.formats.task_usage import read_usage
from hipercow_tui.output.csv_output import CSV_LINE_END, csv_lines
from hipercow_tui.output.inputs_export.writers import Format
from hipercow_tui.output.json_output import json_lines, listed_task_as_json
from hipercow_tui.output.usage_text import usage_as_json
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import (
    escape_controls,
    pluralize,
)

_COLUMNS = ", ".join(SortKey)
_COLUMN_LINES = textwrap.fill(f"COLUMN is one of {_COLUMNS}.", 96)
_SIZE_COLUMNS = ["bytes", "disk_bytes", "files"]  # of --csv
_KEPT_USAGES = 100_000  # 200 bytes each
_INPUT_FORMATS = {"csv": Format.CSV, "json": Format.JSON, "r": Format.R}
_EPILOG = f"""
examples:
  hipercow-tui list --with-status running
  hipercow-tui list --in-bundle 'sweep_*' --details --json
  hipercow-tui list --sort -size --limit 10            the ten largest tasks
  hipercow-tui list --usage --sort efficiency          cores and memory, the worst use first
  hipercow-tui list --csv                              for R, pandas or a spreadsheet
  hipercow-tui list --in-bundle sweep_03 --inputs --csv    with a column for each input
  hipercow-tui list --filter 'old failures'            filters that were saved in the app with f

WHEN is {TIMES}.
STATUS is one of {STATUSES}, submitted, running.
{_COLUMN_LINES}
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
    form = _inputs_format(options, parser)
    now = time.time()
    root, snapshot, filters = select(options, now, listing=True)
    matched = matched_tasks(snapshot, filters)
    read = partial(read_details_with_reason, root, with_resources=False)
    sizes = measure_many(root, matched) if options.sort.key in SIZE_KEYS else {}
    # Several columns, and the order, need the same reading.
    usage_of = lru_cache(_KEPT_USAGES)(partial(read_usage, root))
    ids = _in_order(matched, options, snapshot, read, usage_of, sizes, now)[: options.limit]
    tasks = [snapshot.tasks[task_id] for task_id in ids]
    if form is not None:
        print_inputs(root, tasks, form)
    elif options.csv:
        records = (_record(task, options, read, usage_of, sizes, snapshot) for task in tasks)
        print_output(csv_lines(_record_keys(options), records), end=CSV_LINE_END)
    elif options.json and (options.details or options.usage):
        records = (_record(task, options, read, usage_of, {}, snapshot) for task in tasks)
        print_output(map(json.dumps, records))
    elif options.json:
        print_output(json_lines(tasks, snapshot.chain_note_of))
    else:
        columns = list_columns(
            tasks,
            options.sort.key,
            sizes,
            snapshot,
            now,
            usage_of=usage_of,
            usage_keys=_usage_keys(options),
        )
        print_output(table_lines(tasks, columns, read if options.details else None))
    _print_remarks(snapshot, len(matched), len(tasks))
    return DONE


def _inputs_format(options: argparse.Namespace, parser: CommandParser) -> Format | None:
    """Return the format of an output with inputs; None for other outputs.

    Options that can't be combined are wrong usage.
    """
    chosen = [name for name in ("csv", "json", "r") if getattr(options, name)]
    if len(chosen) > 1:
        _refuse_both(chosen[0], chosen[1], parser)
    if not (options.inputs or options.r):
        return None
    if not chosen:
        parser.error("--inputs needs --csv, --json or --r")
    for name in ("details", "usage"):
        if getattr(options, name):
            _refuse_both(name, "inputs" if options.inputs else "r", parser)
    return _INPUT_FORMATS[chosen[0]]


def _refuse_both(one: str, other: str, parser: CommandParser) -> NoReturn:
    parser.error(f"--{one} can't be combined with --{other}: leave out one of them")


def _parser() -> CommandParser:
    parser = CommandParser("list", "List the tasks that filters select.", _EPILOG)
    add_filters(parser)
    add = parser.add_argument
    add("--csv", action="store_true", help="print CSV, with the keys of --json as a header")
    add("--details", action="store_true", help="add the call of each task and its error")
    add(
        "--inputs",
        action="store_true",
        help="with --csv or --json: add the inputs of each task with their types, and its error",
    )
    add("--r", action="store_true", help="print a data.frame() of R, with the inputs of each task")
    add(
        "--usage",
        action="store_true",
        help="add cores, CPU time and memory of each task: requested, and used",
    )
    add(
        "--sort",
        type=_sort,
        default=_Sort(None),
        metavar="COLUMN",
        help="sort by this column; -COLUMN begins with the largest or newest",
    )
    add("--reverse", action="store_true", help="reverse the order")
    parser.add_limit("tasks")
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


def _in_order(
    ids: list[str],
    options: argparse.Namespace,
    snapshot: Snapshot,
    read: DetailsReader,
    usage_of: UsageReader,
    sizes: Mapping[str, Size],
    now: float,
) -> Sequence[str]:
    """Return the ids in the order that the options name."""
    key = options.sort.key
    if key is None:
        return ids[::-1] if options.reverse else ids
    summaries = {}
    if key in (SortKey.WHAT, SortKey.INPUTS):
        for task_id in ids:
            details = read(snapshot.tasks[task_id])
            summaries[task_id] = TaskSummary(details.code_text, details.inputs_text)
    tasks = map(snapshot.tasks.__getitem__, ids) if key in USAGE_KEYS else ()
    usages = {task.id: usage_of(task) for task in tasks}
    measured = {i: MeasuredSize(size, 0) for i, size in sizes.items()}
    sort = TaskSort(key, options.sort.descending != options.reverse)
    wanted = set(ids)
    order = sort_tasks(snapshot, sort, summaries, measured, now, usages)
    return [task_id for task_id in order if task_id in wanted]


def _record(
    task: Task,
    options: argparse.Namespace,
    read: DetailsReader,
    usage_of: UsageReader,
    sizes: Mapping[str, Size],
    snapshot: Snapshot,
) -> dict[str, Any]:
    details = read(task) if options.details else None
    record = listed_task_as_json(task, snapshot.chain_note_of, details)
    if size := sizes.get(task.id):
        record |= dict(zip(_SIZE_COLUMNS, (size.bytes, size.disk_bytes, size.files), strict=True))
    if options.usage:
        record |= usage_as_json(usage_of(task))
    return record


def _record_keys(options: argparse.Namespace) -> list[str]:
    """Return the keys of all records, in order."""
    details = TaskDetails(error="", problem="") if options.details else None
    keys = list(listed_task_as_json(Task("", Status.CREATED), {}, details))
    if options.details:
        keys += [key for key in ("error", "problem") if key not in keys]
    keys += _SIZE_COLUMNS * (options.sort.key in SIZE_KEYS)
    return keys + (list(USAGE_KEYS) if options.usage else [])


def _usage_keys(options: argparse.Namespace) -> Sequence[SortKey]:
    """Return the columns of the table on what tasks asked for and used."""
    if options.usage:
        return USAGE_KEYS
    return (options.sort.key,) if options.sort.key in USAGE_KEYS else ()


def _print_remarks(snapshot: Snapshot, matched: int, printed: int) -> None:
    """Print what the list does not show: broken tasks, and why it is empty or cut."""
    broken = [task for task in snapshot.tasks.values() if not task.exists]
    for task in broken:
        print_message(f"task {task.id} is broken: {task.problem}")
    existing = len(snapshot.tasks) - len(broken)
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
