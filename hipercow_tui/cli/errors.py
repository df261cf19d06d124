"""The command ``errors``: group failed tasks by error, and print the groups."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hipercow_tui.analysis.error_groups import ErrorGrouping
from hipercow_tui.analysis.error_listing import explain_failure, list_errors
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.filter_options import TIMES, add_filters, select
from hipercow_tui.domain.filters import matched_tasks
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.root import Root
from hipercow_tui.output.error_report import error_lines, errors_as_json, explanation_lines
from hipercow_tui.settings.rule_file import ErrorRules, RuleFile
from hipercow_tui.support.errors import HipercowTuiError
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import ProgressLine, print_message, print_output

_EPILOG = f"""
By message, numbers, paths and other values do not count. A frame is the innermost function of your
own in which a task failed. The node is read from the outer log. Your own rules are in errors.toml.

examples:
  hipercow-tui errors                                   what broke, the most frequent first
  hipercow-tui errors --by frame --in-bundle 'sweep_*'  where
  hipercow-tui errors --finished-before '1 week' --json
  hipercow-tui errors --explain 5d5f8875c27aa1bf6be6fa469682930c

WHEN is {TIMES}.
STATUS is that of the latest attempt: success selects failures that a retry repaired.
"""


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = _parser()
    options = parser.parse_command(words)
    if options.explain is not None:
        if options.json or options.task_id:
            parser.error("--explain can't be combined with --json or --task-id")
        options.task_id = [options.explain]
    now = time.time()
    root, snapshot, filters = select(options, now, listing=True)
    tasks = [snapshot.tasks[task_id] for task_id in matched_tasks(snapshot, filters)]
    file = RuleFile.of_user()
    rules = ErrorRules() if file is None else file.read()
    for problem in rules.problems:
        print_message(problem)
    if options.explain is not None:
        return _explain(root, tasks, rules)
    failed = [task for task in tasks if task.status is Status.FAILURE]
    with ProgressLine("read", len(failed)) as progress:
        listing = list_errors(root, failed, ErrorGrouping(options.by), rules.rules, progress.show)
    for problem in listing.problems:
        print_message(problem)
    where = str(snapshot.root)
    if options.json:
        print_output(errors_as_json(where, listing, limit=options.limit))
    else:
        print_output(error_lines(where, listing, now, limit=options.limit))
    return DONE


def _explain(root: Root, tasks: Sequence[Task], rules: ErrorRules) -> int:
    """Print how the failure of the only task is grouped. Raises HipercowTuiError."""
    if not tasks:
        raise HipercowTuiError("the other filters leave out the task: explain it without them")
    (task,) = tasks
    if task.status is not Status.FAILURE:
        raise HipercowTuiError(f"task {task.id} has not failed: its status is {task.status}")
    explained = explain_failure(root, task, rules.rules)
    for problem in explained.problems:
        print_message(problem)
    print_output(explanation_lines(task.id, explained))
    return DONE


def _parser() -> CommandParser:
    parser = CommandParser("errors", "Group failed tasks by error.", _EPILOG)
    add_filters(parser)
    add = parser.add_argument
    add(
        "--by",
        choices=[one.value for one in ErrorGrouping],
        default=ErrorGrouping.MESSAGE.value,
        help="group by message (default), by the function in which a task failed, or by node",
    )
    parser.add_limit("groups")
    add("--explain", metavar="ID", help="print how the failure of one task is grouped, and why")
    return parser
