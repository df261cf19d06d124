"""The commands that work by filters: purge and list. Exit status as in exits.py."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence

from hipercow_tui.cli import commands
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.filters import FilterStack, matched_tasks, requested_filters
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Task
from hipercow_tui.formats.details import TaskDetails
from hipercow_tui.formats.folder_size import Size, measure_many
from hipercow_tui.formats.py_details import read_task_details
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.report import blocked_message, plan_as_json, plan_lines, task_as_json
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.settings.saved_filters import FilterFile
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import ended_by_interrupt
from hipercow_tui.support.streams import print_message, print_messages, print_output
from hipercow_tui.support.text import format_age

_FILTERS = ("task_id", "finished_before", "in_bundle", "with_status", "no_follow", "lang")
_STATUSES = "created, success, failure, cancelled"
_WHEN = "'9 days', '2 w', '12 h' ago, or a date or time such as 2026-01-31"
_PURGE = f"""
A task goes if it passes every filter given; its whole retry chain goes with it, and so does every
bundle that names one of these (the bundle's other tasks stay). Nothing goes if any of it is
submitted or running, or can't be read, unless you leave such chains out with --skip-blocked. A
bundle that can't be read may name any task: nothing goes, unless --ignore-unreadable-bundles.

examples:
  hipercow-tui purge --with-status failure --finished-before '2 weeks' --dry-run
  hipercow-tui purge --in-bundle 'sweep_*' --in-bundle '!sweep_09' --yes
  hipercow-tui purge ~/project --task-id 5d5f8875c27aa1bf6be6fa469682930c
  hipercow-tui purge --with-status failure --trash            can be restored: hipercow-tui trash
  hipercow-tui purge --with-status failure --save-plan old.json       then: hipercow-tui apply

ctrl+c stops a purge between two tasks and brings back all that is not erased yet.

WHEN is {_WHEN}.
STATUS is one of {_STATUSES}; a retried task counts as its last attempt.

exit status: 0 done or nothing to do, 1 refused or partly failed, 2 wrong usage, 128 and the
signal's number if one stopped it
"""
_LIST = f"""
examples:
  hipercow-tui list --with-status running
  hipercow-tui list --in-bundle 'sweep_*' --details --json
  hipercow-tui list --filter 'old failures'                   saved in the app, with f

WHEN is {_WHEN}.
STATUS is one of {_STATUSES}, submitted, running.
"""


def run(command: str, words: Sequence[str]) -> int:
    """Run purge or list with its arguments; returns the exit status."""
    options = _filter_parser(command).parse_command(words)
    return _purge(options) if command == "purge" else _list(options)


def _filter_parser(command: str) -> CommandParser:
    purging = command == "purge"
    description = "Delete tasks by filters." if purging else "List tasks by filters."
    parser = CommandParser(command, description, _PURGE if purging else _LIST)
    parser.add_root()
    add = parser.add_argument
    add("--task-id", action="append", metavar="ID", help="this task; may be repeated")
    add("--finished-before", metavar="WHEN", help="tasks that finished before then")
    add("--in-bundle", action="append", metavar="GLOB", help="tasks in such bundles; repeatable")
    add("--with-status", action="append", metavar="STATUS", help="tasks so; may be repeated")
    add("--no-follow", action="store_true", help="a retried task counts as itself, not as its tip")
    add(
        "--filter",
        metavar="NAME",
        help="filters saved in the app under this name; stands alone",
    )
    add("--lang", choices=("r", "py"), help="only what this hipercow wrote; default both")
    add("--json", action="store_true", help="machine-readable output")
    if purging:
        add("--skip-blocked", action="store_true", help="leave out chains that can't go")
        add(
            "--ignore-unreadable-bundles",
            action="store_true",
            help="purge though a bundle can't be read; it stays, and may name tasks that are gone",
        )
        add("--dry-run", action="store_true", help="say what would go, delete nothing")
        add(
            "--trash", action="store_true", help="move to the trash: can be restored, frees nothing"
        )
        add("--save-plan", metavar="FILE", help="write the plan to FILE and delete nothing")
        add("--yes", action="store_true", help="do not ask")
        commands.add_jobs(parser)
    else:
        add("--details", action="store_true", help="also what each task runs, and its error")
    return parser


@ended_by_interrupt()
def _selected(options: argparse.Namespace, now: float) -> tuple[Root, Snapshot, FilterStack]:
    if options.filter is not None:
        _take_saved(options)
    filters = requested_filters(
        options.task_id,
        options.finished_before,
        options.in_bundle,
        options.with_status,
        follow=not options.no_follow,
        now=now,
        listing=not hasattr(options, "dry_run"),
    )
    root = find_root(options.root)
    commands.warn_interrupted(root)
    snapshot = read_root(root).of_lang(options.lang)
    for problem in snapshot.problems:
        print_message(problem)
    filters.check(snapshot)
    return root, snapshot, filters


def _take_saved(options: argparse.Namespace) -> None:
    """Put the saved filters where those of the command line would stand."""
    given = [name for name in _FILTERS if getattr(options, name)]
    if given:
        raise FilterError(
            f"--filter stands alone: leave out --{given[0].replace('_', '-')}, or save it with it"
        )
    saved = FilterFile.of_user().get(options.filter)
    options.finished_before, options.lang = saved.finished_before, saved.lang
    options.in_bundle, options.with_status = saved.in_bundle or None, sorted(saved.status) or None


@ended_by_interrupt()
def _list(options: argparse.Namespace) -> int:
    now = time.time()
    root, snapshot, filters = _selected(options, now)
    both = bool(snapshot.by_language)

    def lines() -> Iterator[str]:
        for task_id in matched_tasks(snapshot, filters):
            task = snapshot.tasks[task_id]
            details = read_task_details(root, task) if options.details else None
            if options.json:
                yield json.dumps(task_as_json(task, details))
            else:
                yield _row(task, details, now, both=both)

    print_output(lines())
    for task in snapshot.tasks.values():
        if not task.exists:
            print_message(f"{task.id} is broken: {task.problem}")
    return DONE


def _row(task: Task, details: TaskDetails | None, now: float, *, both: bool) -> str:
    status = task.status.value
    if task.latest_status not in (task.status, None):
        status += f" → {task.latest_status}"
    finished = "-" if task.finished is None else format_age(task.finished, now)
    lang = [f"{task.lang.shown:<6}"] if both else []
    row = [task.id, *lang, f"{status:<9}", f"{finished:<14}", ",".join(task.bundles)]
    if details is not None:
        row += [details.code_text, details.inputs_text]
    return "  ".join(row).rstrip()


def _purge(options: argparse.Namespace) -> int:
    now = time.time()
    root, snapshot, filters = _selected(options, now)
    plan = make_plan(
        snapshot,
        filters,
        now=now,
        skip_blocked=options.skip_blocked,
        ignore_unreadable_bundles=options.ignore_unreadable_bundles,
    )
    with ended_by_interrupt():
        sizes = measure_many(root, () if plan.refused else plan.ids)
    silent = options.dry_run or options.yes or options.save_plan is not None
    if not (options.json and silent):
        (print_messages if options.json else print_output)(plan_lines(plan, sizes))
    if plan.refused:
        _print_json(options, plan, sizes)
        print_message(blocked_message(plan))
        return REFUSED
    if options.save_plan is not None:
        save_plan(plan, options.save_plan)
    if options.dry_run or options.save_plan is not None or plan.empty:
        _print_json(options, plan, sizes)
        return DONE
    return commands.confirm_and_carry_out(
        plan,
        root,
        sizes,
        to_trash=options.trash,
        yes=options.yes,
        as_json=options.json,
        jobs=options.jobs,
    )


def _print_json(options: argparse.Namespace, plan: PurgePlan, sizes: dict[str, Size]) -> None:
    if options.json:
        dry_run = options.dry_run or options.save_plan is not None
        print_output(plan_as_json(plan, sizes, dry_run=dry_run))
