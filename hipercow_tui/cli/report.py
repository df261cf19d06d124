"""The command ``report``: print a report on a task in Markdown, to ask for help."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.filters import TaskIds
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.help_reader import read_task_report
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import UnknownTasksError
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_output

_EPILOG = """
The report has what others need to help: versions, times, the error with its trace, what ran,
inputs, the retry chain, and the last lines of the logs. R is not started. Values of variables with
names such as MY_TOKEN, and text that looks like a password or a key, are hidden. Please read the
report before you send it.

examples:
  hipercow-tui report 5d5f8875c27aa1bf6be6fa469682930c
  hipercow-tui report 5d5f8875c27aa1bf6be6fa469682930c ~/project > report.md
"""


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("report", "Print a report on a task in Markdown.", _EPILOG)
    parser.add_argument("id", metavar="ID", help="the id of the task")
    parser.add_root()
    options = parser.parse_command(words)
    root = find_root(options.root)
    snapshot = read_root(root)
    TaskIds(frozenset([options.id])).check(snapshot)
    task = snapshot.tasks.get(options.id)
    if task is None:
        raise UnknownTasksError(f"The folder of task {options.id} can't be examined")
    report = read_task_report(root, task, snapshot.tasks, time.time())
    print_output(report.splitlines())
    return DONE
