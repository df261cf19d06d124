"""The command ``purge``: make a plan by filters; then print, save, or carry it out."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Mapping, Sequence

from hipercow_tui.analysis.goal import GoalOrder, plan_for_goal
from hipercow_tui.analysis.goal_request import GoalRequest
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import (
    add_disk_usage,
    add_jobs,
    confirm_and_carry_out,
    print_plan,
    print_plan_json,
)
from hipercow_tui.cli.filter_options import STATUSES, TIMES, add_filters, select
from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.folder_size import Size, measure_many
from hipercow_tui.formats.free_space import read_free_space
from hipercow_tui.formats.root import Root
from hipercow_tui.output.report import blocked_message
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import ProgressLine, print_message

_EPILOG = f"""
A task is purged if it passes all filters that are given. Its whole retry chain is purged with it,
and each bundle that lists one of these tasks (the bundle's other tasks stay). Nothing is purged if
one of the tasks is submitted, running, or can't be read: --skip-blocked leaves out its retry chain.
What is pinned stays: 'hipercow-tui pins' lists it.
A bundle that can't be read may list any task, so nothing is purged, unless you use
--ignore-unreadable-bundles.

examples:
  hipercow-tui purge --with-status failure --finished-before '2 weeks' --dry-run
  hipercow-tui purge --in-bundle 'sweep_*' --in-bundle '!sweep_09' --yes
  hipercow-tui purge ~/project --task-id 5d5f8875c27aa1bf6be6fa469682930c
  hipercow-tui purge --with-status failure --trash            can be restored: hipercow-tui trash
  hipercow-tui purge --with-status failure --save-plan old.json       then: hipercow-tui apply
  hipercow-tui purge --with-status failure --free '20 GB' --dry-run
  hipercow-tui purge --finished-before '3 months' --until-free 15% --order largest

A goal (--free, --until-free, --free-files) purges no more of the matched tasks than needed: whole
retry chains in the order, until the goal is reached. It never takes blocked, pinned or unmeasured
chains, and those with a task of the last hour only with --include-recent. If it can't be reached,
nothing is purged, and the exit status is 1. If it is met already, nothing is purged either.

ctrl+c stops a purge between two tasks, and puts back everything that is not erased yet.

WHEN is {TIMES}.
STATUS is one of {STATUSES}; a retried task counts by its latest attempt.

exit status: 0 done or nothing to do, 1 refused or partly failed, 2 wrong usage, 128 plus the
number of the signal if one stopped it
"""


def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    options = _parser().parse_command(words)
    now = time.time()
    root, snapshot, filters = select(options, now, listing=False)
    plan, sizes, missed = _make_plan(root, snapshot, filters, now, options)
    planning_only = options.dry_run or options.save_plan is not None
    if not (missed or (options.json and (planning_only or options.yes))):
        print_plan(plan, sizes, as_json=options.json, kind=options.size_kind)
    if options.save_plan is not None and not (plan.refused or missed):
        save_plan(plan, options.save_plan)
    if (plan.refused or plan.empty or planning_only) and options.json:
        print_plan_json(plan, sizes, dry_run=planning_only)
    if plan.refused:
        print_message(blocked_message(plan, "--skip-blocked"))
        return REFUSED
    if missed:
        print_message(f"Nothing was purged. {plan.goal}")
        return REFUSED
    if plan.empty or planning_only:
        return DONE
    return confirm_and_carry_out(plan, root, sizes, options)


def _make_plan(
    root: Root, snapshot: Snapshot, filters: FilterStack, now: float, options: argparse.Namespace
) -> tuple[PurgePlan, Mapping[str, Size], bool]:
    """Return the plan, the sizes of its tasks, and whether it has a goal that can't be reached.

    A goal chooses among the chains that can go, so blocked chains are left out then.
    """
    goal = _goal_request(options).goal(lambda: read_free_space(root.path), options.size_kind)
    ignore = options.ignore_unreadable_bundles
    plan = make_plan(
        snapshot,
        filters,
        now=now,
        skip_blocked=options.skip_blocked or goal is not None,
        ignore_unreadable_bundles=ignore,
    )
    sizes = _measure(root, () if plan.refused else plan.ids)
    if goal is None:
        return plan, sizes, False
    plan, choice = plan_for_goal(plan, snapshot, sizes, goal, ignore_unreadable_bundles=ignore)
    return plan, sizes, not choice.met


@end_on_interrupt()
def _measure(root: Root, ids: Collection[str]) -> Mapping[str, Size]:
    """Return the sizes of tasks by id, and show the progress on a terminal."""
    with ProgressLine("measuring", len(ids)) as progress:
        return measure_many(root, ids, progress.show)


def _goal_request(options: argparse.Namespace) -> GoalRequest:
    return GoalRequest(
        options.free,
        options.until_free,
        options.free_files,
        options.order,
        options.include_recent,
    )


def _parser() -> CommandParser:
    parser = CommandParser("purge", "Delete the tasks that filters select.", _EPILOG)
    add_filters(parser)
    add = parser.add_argument
    add("--skip-blocked", action="store_true", help="leave out retry chains with a blocked task")
    add(
        "--ignore-unreadable-bundles",
        action="store_true",
        help="purge although a bundle can't be read; it stays, and may list missing tasks",
    )
    _add_goal(parser)
    add("--dry-run", action="store_true", help="print the plan and change nothing")
    add(
        "--trash",
        action="store_true",
        help="move to the trash, from where tasks can be restored; this frees no space yet",
    )
    add("--save-plan", metavar="FILE", help="write the plan to a file and change nothing")
    add("--yes", action="store_true", help="do not ask for confirmation")
    add_disk_usage(parser)
    add_jobs(parser)
    return parser


def _add_goal(parser: CommandParser) -> None:
    """Add the options of a goal."""
    add = parser.add_argument
    add("--free", metavar="SIZE", help="purge only as much as frees this size, such as '20 GB'")
    add(
        "--until-free",
        metavar="PERCENT",
        help="purge only until this part of the file system is free, such as 15%%",
    )
    add("--free-files", type=int, metavar="N", help="purge only as much as frees N files")
    add(
        "--order",
        choices=tuple(map(str, GoalOrder)),
        help="what a goal takes first: oldest (default), largest, or by status: failures, then"
        " cancelled, then successes",
    )
    add("--include-recent", action="store_true", help="a goal may take tasks of the last hour")
