"""The command line: arguments to calls, nothing else. What works by filters is here, the rest in
commands.py. Exit status: 0 done or nothing to do, 1 refused or partly failed, 2 wrong usage, 128
and a signal's number if that stopped it."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from hipercow_tui import __version__, commands
from hipercow_tui.commands import DONE, INTERRUPTED, REFUSED, USAGE
from hipercow_tui.errors import FilterError, HipercowTuiError, UnknownTasksError
from hipercow_tui.filters import FilterStack, matched_tasks, requested_filters
from hipercow_tui.index import Index
from hipercow_tui.model import Snapshot, Task
from hipercow_tui.plan import PurgePlan, make_plan
from hipercow_tui.report import (
    blocked_message,
    plan_as_json,
    plan_lines,
    report_lines,
    task_as_json,
)
from hipercow_tui.roots import Root, find_root
from hipercow_tui.roots.details import TaskDetails
from hipercow_tui.roots.py_details import details_of
from hipercow_tui.roots.sizes import Size, measure_many
from hipercow_tui.saved_filters import FilterFile
from hipercow_tui.saved_plan import save_plan
from hipercow_tui.scanning import read_root
from hipercow_tui.signals import no_hurry, on_signals
from hipercow_tui.text import age, visible

_FILTERS = ("task_id", "finished_before", "in_bundle", "with_status", "no_follow", "lang")
_STATUSES = "created, success, failure, cancelled"
_FILTER = "the filters that were saved under this name in the app"
_WHEN = "'9 days', '2 w', '12 h' ago, or a date or time such as 2026-01-31"
_APP = """
keys: space marks, / searches, 1 to 6 filter by status, p shows what a purge would take and why,
? explains every key. Nothing is deleted before you have seen the plan and confirmed it.

commands (each has a --help of its own):
  hipercow-tui purge [ROOT] …   delete by filters, from a shell or a script
  hipercow-tui list  [ROOT] …   tasks by filters, as a table or as JSON
  hipercow-tui apply FILE …     carry out a plan that 'purge --save-plan FILE' saved
  hipercow-tui trash [ROOT] …   what is in the trash or was interrupted: restore or empty it
  hipercow-tui history [ROOT]   what was purged, restored and emptied, when and by whom
"""
_PURGE = f"""
A task goes if it passes every filter given; its whole retry chain goes with it, and so does every
bundle that names one of these (the bundle's other tasks stay). Nothing goes if any of it is
submitted or running, unless you leave such chains out with --skip-blocked.

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    by_filters = {"purge": _purge, "list": _list}
    try:
        if words and words[0] in by_filters:
            command = words.pop(0)
            return by_filters[command](_filter_parser(command).parse_args(words))
        if words and words[0] in commands.COMMANDS:
            return commands.run(words[0], words[1:])
        return _app(_app_parser().parse_args(words))
    except HipercowTuiError as error:
        print(f"hipercow-tui: {error}", file=sys.stderr)
        wrong = isinstance(error, FilterError) and not isinstance(error, UnknownTasksError)
        return USAGE if wrong else REFUSED
    except KeyboardInterrupt:
        print("hipercow-tui: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        # Who read our output has left; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _app_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hipercow-tui",
        description="Browse, filter and safely purge the tasks of a hipercow root.",
        epilog=_APP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "root", nargs="?", metavar="ROOT", help="the project's folder, or one in it"
    )
    parser.add_argument("--filter", metavar="NAME", help=_FILTER)
    parser.add_argument("--read-only", action="store_true", help="start an app that cannot purge")
    parser.add_argument(
        "--no-index", action="store_true", help="read everything; keep nothing for the next start"
    )
    parser.add_argument("--demo", action="store_true", help="open a living demo root, gone at exit")
    parser.add_argument(
        "--demo-tasks", type=int, metavar="N", help="a demo root of N tasks (default 2000)"
    )
    parser.add_argument("--version", action="version", version=f"hipercow-tui {__version__}")
    return parser


def _filter_parser(command: str) -> argparse.ArgumentParser:
    purging = command == "purge"
    parser = argparse.ArgumentParser(
        prog=f"hipercow-tui {command}",
        description="Delete tasks by filters." if purging else "List tasks by filters.",
        epilog=_PURGE if purging else _LIST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", nargs="?", metavar="ROOT", help="the project's folder, or one in it")
    add("--task-id", action="append", metavar="ID", help="this task; may be repeated")
    add("--finished-before", metavar="WHEN", help="tasks that finished before then")
    add("--in-bundle", action="append", metavar="GLOB", help="tasks in such bundles; repeatable")
    add("--with-status", action="append", metavar="STATUS", help="tasks so; may be repeated")
    add("--no-follow", action="store_true", help="a retried task counts as itself, not as its tip")
    add("--filter", metavar="NAME", help=f"{_FILTER}; stands alone")
    add("--lang", choices=("r", "py"), help="only what this hipercow wrote; default both")
    add("--json", action="store_true", help="machine-readable output")
    if purging:
        add("--skip-blocked", action="store_true", help="leave out chains that can't go")
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
    commands.tell_interrupted(root)
    snapshot = read_root(root).of_lang(options.lang)
    for problem in snapshot.problems:
        print(f"hipercow-tui: {problem}", file=sys.stderr)
    filters.check(snapshot)
    return root, snapshot, filters


def _take_saved(options: argparse.Namespace) -> None:
    """Put the saved filters where those of the command line would stand."""
    given = [name for name in _FILTERS if getattr(options, name)]
    if given:
        raise FilterError(
            f"--filter stands alone: leave out --{given[0].replace('_', '-')}, or save it with it"
        )
    saved = FilterFile.of_user().named(options.filter)
    options.finished_before, options.lang = saved.finished_before, saved.lang
    options.in_bundle, options.with_status = saved.in_bundle or None, sorted(saved.status) or None


def _list(options: argparse.Namespace) -> int:
    now = time.time()
    root, snapshot, filters = _selected(options, now)
    for task_id in matched_tasks(snapshot, filters):
        task = snapshot.tasks[task_id]
        details = None
        if options.details:
            details = details_of(root, task)
        if options.json:
            print(json.dumps(task_as_json(task, details)))
        else:
            print(_row(task, details, now, both=bool(snapshot.parts)))
    broken = [task for task in snapshot.tasks.values() if not task.exists]
    for task in broken:
        print(f"hipercow-tui: {task.id} is broken: {task.problem}", file=sys.stderr)
    return DONE


def _row(task: Task, details: TaskDetails | None, now: float, *, both: bool) -> str:
    status = task.status.value
    if task.tip_status not in (task.status, None):
        status += f" → {task.tip_status}"
    finished = "-" if task.finished is None else age(task.finished, now)
    lang = [f"{task.lang.shown:<6}"] if both else []
    row = [task.id, *lang, f"{status:<9}", f"{finished:<14}", ",".join(task.bundles)]
    if details is not None:
        row += [details.what, details.varies]
    return visible("  ".join(row).rstrip())


def _purge(options: argparse.Namespace) -> int:
    now = time.time()
    root, snapshot, filters = _selected(options, now)
    plan = make_plan(snapshot, filters, now=now, skip_blocked=options.skip_blocked)
    sizes = measure_many(root, () if plan.refused else plan.ids)
    preview = sys.stderr if options.json else sys.stdout
    silent = options.dry_run or options.yes or options.save_plan is not None
    if not (options.json and silent):
        print("\n".join(plan_lines(plan, sizes)), file=preview)
    if plan.refused:
        _print_json(options, plan, sizes)
        print(f"hipercow-tui: {blocked_message(plan)}", file=sys.stderr)
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
        print(
            json.dumps(
                plan_as_json(plan, sizes, dry_run=options.dry_run or options.save_plan is not None)
            )
        )


def _app(options: argparse.Namespace) -> int:
    demo = options.demo or options.demo_tasks is not None
    if demo and options.root is not None:
        _app_parser().error("--demo makes a root of its own: leave out ROOT")
    if options.demo_tasks is not None and options.demo_tasks < 1:
        _app_parser().error("--demo-tasks takes a whole number of at least 1")
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise HipercowTuiError(
            "the app needs a terminal that can be drawn on: start it in one, or use"
            " 'hipercow-tui list' and 'hipercow-tui purge'"
        )
    filters = first = None
    with suppress(FilterError):
        filters = FilterFile.of_user()
    if options.filter is not None:
        first = FilterFile.of_user().named(options.filter)
    place: AbstractContextManager[Path | None]
    if demo:
        from hipercow_tui.demo import living_root

        place = living_root(options.demo_tasks or 2000)
    else:
        place = nullcontext(Path(options.root) if options.root is not None else None)
    with place as where:
        root = find_root(where)
        # A key is painted by the next beat of Textual, and by when another thread gives way.
        os.environ.setdefault("TEXTUAL_FPS", "120")
        sys.setswitchinterval(0.001)
        # Textual takes a third of a second to import: not before it is clear that it is needed.
        from hipercow_tui.ui.app import HipercowApp

        index = None if demo or options.no_index else Index.of(root)
        app = HipercowApp(
            root, read_only=options.read_only, index=index, filters=filters, first=first
        )
        with on_signals(app.leave):
            app.run()
        with on_signals(no_hurry):
            left = app.settle()
        if left is not None:
            commands.say(report_lines(left.report) if left.report else [visible(left.error or "")])
        return app.return_code or DONE
