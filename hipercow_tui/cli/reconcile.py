"""The command ``reconcile``: let R ask the cluster about tasks that may have ended."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from hipercow_tui.analysis.possibly_stuck import find_stuck
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import StopRequest
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, select
from hipercow_tui.cli.progress_lines import ProgressLines
from hipercow_tui.domain.filters import matched_tasks
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.log_file import last_written, sanitize_line
from hipercow_tui.formats.root import Root
from hipercow_tui.output import r_runner
from hipercow_tui.output.r_calls import ask_call, marker_call
from hipercow_tui.output.r_programs import RECONCILE, id_lines
from hipercow_tui.output.reconciling import (
    Answer,
    AnswerReport,
    AskTargets,
    answer_lines,
    missing_markers,
    read_answer,
    report_as_json,
    targets_among,
)
from hipercow_tui.support.errors import RscriptError
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt, on_signals
from hipercow_tui.support.streams import print_message, print_messages, print_output
from hipercow_tui.support.text import pluralize

_EPILOG = f"""
task_info() of hipercow for R asks the cluster about each task. A task that the cluster killed or
lost becomes a failure or cancelled; a task that is alive stays as it is. Without a filter, it is
called for all tasks that may be stuck; with filters for all matched tasks that are submitted or
running. The exit status is 1 if R could not ask about one of them, or not record its end.

examples:
  hipercow-tui reconcile --dry-run                 which tasks may be stuck, and why
  hipercow-tui reconcile
  hipercow-tui reconcile --in-bundle 'sweep_*' --json

WHEN is {TIMES}.
STATUS is one of {STATUSES}, submitted, running.
"""
_PYTHON = (
    "left out, because hipercow for Python can't ask the cluster: make an empty file"
    " 'status-cancelled' in the folder of a task that the cluster has lost"
)


def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("reconcile", "Free tasks that the cluster killed or lost.", _EPILOG)
    add_filters(parser)
    parser.add_argument("--dry-run", action="store_true", help="only list the tasks to ask about")
    options = parser.parse_command(words)
    now = time.time()
    root, snapshot, filters = select(options, now, listing=True)
    stuck = _find_stuck(root, snapshot, now)
    ids: Collection[str] = matched_tasks(snapshot, filters) if filters.given else stuck
    targets = targets_among(snapshot.existing(ids))
    if targets.python:
        print_message(f"{pluralize(targets.python, 'task')} of Python {_PYTHON}")
    if options.dry_run or not targets.tasks:
        if options.json:
            report = AnswerReport(targets.tasks)
            print_output(report_as_json(report, root, dry_run=options.dry_run))
        else:
            print_output(_target_lines(targets, stuck))
        return DONE
    return _ask(targets, root, as_json=options.json)


@end_on_interrupt()
def _find_stuck(root: Root, snapshot: Snapshot, now: float) -> Mapping[str, str]:
    tasks = snapshot.existing([*snapshot.with_status(Status.RUNNING)])
    written = {task.id: last_written(root.part(task.lang).tasks, task.id) for task in tasks}
    log_times = {task_id: at for task_id, at in written.items() if at is not None}
    return find_stuck(snapshot, now, log_times)


def _target_lines(targets: AskTargets, stuck: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each task that R would be asked about."""
    for task in targets.tasks:
        yield f"{task.status:<9}  {task.id}  {stuck.get(task.id, '')}".rstrip()
    if not targets.tasks:
        yield "There is no task to ask about"


def _ask(targets: AskTargets, root: Root, *, as_json: bool) -> int:
    """Ask, print the report and return the exit status."""
    ids, answers = frozenset(targets.ids), dict[str, Answer]()
    show = ProgressLines(len(targets.tasks))

    def take(line: bytes) -> None:
        if (answer := read_answer(line, ids)) is not None:
            answers[answer.task_id] = answer
            show("asked about", len(answers))
        else:
            print_messages([sanitize_line(line)])

    stop = StopRequest()
    try:
        r_runner.hipercow_version(root, stop.event)
        with on_signals(stop):
            result = r_runner.run(RECONCILE, id_lines(targets.ids), root, take, stop.event)
    except RscriptError:
        print_messages(["This call in R does the same:", *ask_call(targets.tasks).splitlines()])
        raise
    report = AnswerReport(targets.tasks, answers)
    if as_json:
        print_output(report_as_json(report, root, dry_run=False))
    else:
        print_output(answer_lines(report))
        print_output(marker_call(missing_markers(report, root)).splitlines())
    if stop.signal is not None and not report.complete:
        return 128 + stop.signal
    return DONE if report.complete and result.succeeded else REFUSED
