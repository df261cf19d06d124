"""The command ``list``: print the matched tasks."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, select
from hipercow_tui.domain.filters import FilterStack, matched_tasks
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import Root
from hipercow_tui.output.json_output import task_as_json
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import format_age

_EPILOG = f"""
examples:
  hipercow-tui list --with-status running
  hipercow-tui list --in-bundle 'sweep_*' --details --json
  hipercow-tui list --filter 'old failures'            filters that were saved in the app with f

WHEN is {TIMES}.
STATUS is one of {STATUSES}, submitted, running.
"""


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("list", "List the tasks that filters select.", _EPILOG)
    add_filters(parser)
    parser.add_argument(
        "--details", action="store_true", help="add the call of each task and its error"
    )
    options = parser.parse_command(words)
    now = time.time()
    root, snapshot, filters = select(options, now, listing=True)
    print_output(_lines(options, root, snapshot, filters, now))
    for task in snapshot.tasks.values():
        if not task.exists:
            print_message(f"task {task.id} is broken: {task.problem}")
    return DONE


def _lines(
    options: argparse.Namespace,
    root: Root,
    snapshot: Snapshot,
    filters: FilterStack,
    now: float,
) -> Iterator[str]:
    both = bool(snapshot.by_language)
    for task_id in matched_tasks(snapshot, filters):
        task = snapshot.tasks[task_id]
        details = read_task_details(root, task) if options.details else None
        if options.json:
            yield json.dumps(task_as_json(task, details))
        else:
            yield _line(task, details, now, both=both)


def _line(task: Task, details: TaskDetails | None, now: float, *, both: bool) -> str:
    status = task.status.value
    if task.latest_status not in (task.status, None):
        status += f" → {task.latest_status}"
    finished = "-" if task.finished is None else format_age(task.finished, now)
    lang = [f"{task.lang.shown:<6}"] if both else []
    cells = [task.id, *lang, f"{status:<9}", f"{finished:<14}", ",".join(task.bundles)]
    if details is not None:
        cells += [details.code_text, details.inputs_text]
    return "  ".join(cells).rstrip()
