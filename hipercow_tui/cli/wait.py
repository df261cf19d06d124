"""The command ``wait``: wait until tasks have ended."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence

from hipercow_tui.analysis.possibly_stuck import find_stuck
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, root_and_filters
from hipercow_tui.domain.cutoff_time import parse_duration
from hipercow_tui.formats.root import Root
from hipercow_tui.output.wait_report import stuck_text, wait_as_json
from hipercow_tui.scanning.waiting import WaitRequest, WaitStep, wait_for
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.exit_codes import DONE, FAILED, TIMED_OUT
from hipercow_tui.support.signals import exit_for_signal, on_signals
from hipercow_tui.support.streams import StatusLine, print_message, print_output
from hipercow_tui.support.text import format_duration

_EPILOG = f"""
The tasks that pass the filters now are waited for, and their retries, but no tasks that are created
later. Without a filter, these are all tasks. A task that the cluster killed stays running in its
files until R asks the cluster: give a timeout.

The exit status is 0 when all tasks have ended, or with --any the first; 3 with --fail-on-failure if
a task failed, was cancelled or is gone; 124 after the timeout.

examples:
  hipercow-tui wait --in-bundle sweep_03 --timeout 2h
  hipercow-tui wait --in-bundle 'fit_*' --fail-on-failure --quiet && Rscript collect.R
  hipercow-tui wait --with-status submitted --with-status running --any

TIME is a number with a unit, such as 30s, '10 min', 2h or '1 day'.
WHEN is {TIMES}.
STATUS is one of {STATUSES}, submitted, running.
"""
_STUCK_EVERY = 60.0  # seconds between two searches for stuck tasks, which visit whole bundles


def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    options = _parser().parse_command(words)
    root, filters = root_and_filters(options, time.time(), listing=True)
    request = WaitRequest(
        filters,
        lang=options.lang,
        follow=not options.no_follow,
        any_task=options.any,
        timeout=options.timeout,
    )
    stuck = _StuckTasks()
    with on_signals(exit_for_signal), StatusLine(quiet=options.quiet) as line:
        step = _wait(root, request, stuck, line)
    text = stuck.text(step)
    if options.json:
        print_output(wait_as_json(root, step, stuck.reasons))
    elif not step.progress.attempts:
        print_message("no task passes the filters: there is nothing to wait for")
    elif step.over and not options.quiet:
        print_output([text])
    if not step.over:
        print_message(f"timeout after {format_duration(options.timeout)}: {text}")
        return TIMED_OUT
    failed = options.fail_on_failure and not step.progress.all_succeeded
    return FAILED if failed else DONE


def _wait(root: Root, request: WaitRequest, stuck: _StuckTasks, line: StatusLine) -> WaitStep:
    """Return the last step of a wait, and show every step."""
    problems: tuple[str, ...] = ()
    for step in wait_for(root, request):
        for problem in step.snapshot.problems:
            if problem not in problems:
                line.print_message(problem)
        problems = step.snapshot.problems
        if hint := stuck.update(step):
            line.print_message(hint)
        if not step.over:
            line.show(stuck.text(step))
    return step


class _StuckTasks:
    """Searches now and then for waited tasks that may be stuck: ``reasons`` by attempt."""

    def __init__(self) -> None:
        self.reasons: Mapping[str, str] = {}
        self._hinted = False
        self._next_search = 0.0  # on the monotonic clock

    def update(self, step: WaitStep) -> str:
        """Search if it is time. Return a hint when a task may be stuck for the first time."""
        attempts = step.progress.attempts
        waited = {attempts[i].id for i in step.progress.unfinished}
        if time.monotonic() >= self._next_search:
            self._next_search = time.monotonic() + _STUCK_EVERY
            self.reasons = find_stuck(step.snapshot, time.time()) if waited else {}
        self.reasons = {i: why for i, why in self.reasons.items() if i in waited}
        if self._hinted or not self.reasons:
            return ""
        self._hinted = True
        first, why = next(iter(self.reasons.items()))
        return stuck_text(step.snapshot.tasks[first], why, len(self.reasons) - 1)

    def text(self, step: WaitStep) -> str:
        """Return how far the tasks are, and how many may be stuck."""
        stuck = f"; {len(self.reasons):,} may be stuck" if self.reasons else ""
        return f"{step.progress}{stuck}"


def _parser() -> CommandParser:
    parser = CommandParser("wait", "Wait until tasks have ended.", _EPILOG)
    add_filters(parser)
    add = parser.add_argument
    add(
        "--timeout",
        type=_timeout,
        metavar="TIME",
        help="stop waiting after this time, counted from the first reading of the root",
    )
    add("--any", action="store_true", help="wait only until the next task ends")
    add(
        "--fail-on-failure",
        action="store_true",
        help="exit with status 3 if a task failed, was cancelled or is gone",
    )
    add("--quiet", action="store_true", help="show no progress and no result")
    return parser


def _timeout(text: str) -> float:
    try:
        return parse_duration(text)
    except FilterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
