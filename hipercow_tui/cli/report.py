"""The command ``report``: print a report on a task or an error in Markdown, to ask for help."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hipercow_tui.analysis.error_groups import ErrorGroup, ErrorGrouping
from hipercow_tui.analysis.error_listing import list_errors
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.filters import TaskIds
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.help_reader import read_error_report, read_task_report
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.settings.rule_file import RuleFile
from hipercow_tui.support.errors import HipercowTuiError, UnknownTasksError
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import ProgressLine, print_output

_EPILOG = """
The report has what others need to help: versions, times, the error with its trace, what ran,
inputs, the retry chain, and the last lines of the logs. R is not started. Values of variables with
names such as MY_TOKEN, and text that looks like a password or a key, are hidden. Please read the
report before you send it.

examples:
  hipercow-tui report 5d5f8875c27aa1bf6be6fa469682930c
  hipercow-tui report 5d5f8875c27aa1bf6be6fa469682930c --error
  hipercow-tui report 5d5f8875c27aa1bf6be6fa469682930c ~/project > report.md
"""


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("report", "Print a report on a task or an error in Markdown.", _EPILOG)
    parser.add_argument("id", metavar="ID", help="the id of the task")
    parser.add_root()
    parser.add_argument(
        "--error", action="store_true", help="report on all tasks that failed with the same error"
    )
    options = parser.parse_command(words)
    root, now = find_root(options.root), time.time()
    snapshot = read_root(root)
    TaskIds(frozenset([options.id])).check(snapshot)
    task = snapshot.tasks.get(options.id)
    if task is None:
        raise UnknownTasksError(f"The folder of task {options.id} can't be examined")
    if options.error:
        report = read_error_report(root, _error_of(root, task, snapshot), snapshot, now)
    else:
        report = read_task_report(root, task, snapshot, now)
    print_output(report.splitlines())
    return DONE


def _error_of(root: Root, task: Task, snapshot: Snapshot) -> ErrorGroup:
    """Return the group of failed tasks of a task. Raises HipercowTuiError if it has not failed."""
    failed = list(snapshot.existing(list(snapshot.with_status(Status.FAILURE))))
    if task not in failed:
        raise HipercowTuiError(f"task {task.id} has not failed: its status is {task.status}")
    file = RuleFile.of_user()
    rules = () if file is None else file.read().rules
    with ProgressLine("read", len(failed)) as progress:
        listing = list_errors(root, failed, ErrorGrouping.MESSAGE, rules, progress.show)
    return next(group for group in listing.groups if task.id in group.ids)
