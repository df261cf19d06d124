"""The commands that take no filters: apply, trash, history; and carrying out a plan from a shell.

Exit status as in exits.py.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hipercow_tui.errors import HipercowTuiError, PurgeError
from hipercow_tui.exits import DONE, REFUSED
from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging import (
    RestoreReport,
    State,
    carry_out,
    empty,
    finish,
    history,
    interrupted,
    move_to_trash,
    restore,
    safety_check,
    trash,
    trash_size,
)
from hipercow_tui.report import (
    Json,
    Report,
    history_line,
    interrupted_lines,
    lot_as_json,
    lot_line,
    plan_as_json,
    plan_lines,
    report_as_json,
    report_lines,
)
from hipercow_tui.roots import Root, find_root
from hipercow_tui.roots.sizes import Size, measure_many
from hipercow_tui.saved_plan import changes, load_plan
from hipercow_tui.scanning import read_root
from hipercow_tui.signals import ended_by_interrupt, on_signals
from hipercow_tui.text import count, visible

_MOST_JOBS = 64

_APPLY = """
The plan is the file that 'hipercow-tui purge … --save-plan FILE' wrote. Nothing is deleted if
anything it names has changed since: a status, a new retry, what stands in a bundle.

examples:
  hipercow-tui purge --with-status failure --save-plan old-failures.json
  hipercow-tui apply old-failures.json --yes        later, or in a job on the cluster
"""
_TRASH = """
Without an option it lists what is in the trash, and purges that were interrupted. STAMP is the
name in the first column.

  --restore STAMP   puts everything back that is still whole, never onto anything that exists; what
                    stands again is kept aside, under the same STAMP
  --empty STAMP     erases it for good; a purge or a move to the trash that was interrupted is
                    finished by its plan, with all its checks
  --empty           erases all that is in the trash, but nothing interrupted or kept aside
"""
_HISTORY = """
Every purge, restoring and emptying leaves a file in hipercow/tui/history/; the latest comes first.
"""


def run(command: str, words: Sequence[str]) -> int:
    """Run one of COMMANDS with its arguments; returns the exit status."""
    return COMMANDS[command](words)


def tell_interrupted(root: Root) -> None:
    """Say on standard error what broke off in the root, and how to finish it or bring it back."""
    try:
        lines = list(interrupted_lines(interrupted(root)))
    except (HipercowTuiError, OSError) as error:
        lines = [f"whether a purge was interrupted can't be told: {visible(str(error))}"]
    for line in lines:
        print(f"hipercow-tui: {line}", file=sys.stderr)


def confirm_and_carry_out(
    plan: PurgePlan,
    root: Root,
    sizes: Mapping[str, Size],
    *,
    to_trash: bool,
    yes: bool,
    as_json: bool,
    jobs: int,
) -> int:
    """Ask, unless ``yes``, then purge or move to the trash, and say what became of it."""
    if warning := safety_check(plan, root):
        print(f"! {warning}", file=sys.stderr)
    tasks = count(len(plan.tasks), "task")
    question = f"Move {tasks} to the trash?" if to_trash else f"Purge {tasks} for good?"
    if not yes and not _confirmed(question):
        return REFUSED
    stopping = _Stopping()
    with on_signals(stopping):
        if to_trash:
            report = move_to_trash(plan, root, stop=stopping.event)
        else:
            report = carry_out(plan, root, stop=stopping.event, jobs=jobs)
    say(report_as_json(report, sizes) if as_json else report_lines(report))
    return _status(report, stopping)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """How many chains are erased at a time: more helps where a file server takes its time."""
    parser.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="chains to erase at a time (default 1)"
    )


def _jobs(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_JOBS):
        raise argparse.ArgumentTypeError(f"it takes a whole number from 1 to {_MOST_JOBS}")
    return int(text)


def _apply(words: Sequence[str]) -> int:
    parser = _parser("apply", "Carry out a plan that was saved.", _APPLY)
    parser.add_argument("file", metavar="FILE", help="the plan")
    parser.add_argument("--trash", action="store_true", help="move to the trash instead of freeing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_jobs(parser)
    options = parser.parse_args(words)
    with ended_by_interrupt():
        plan = load_plan(options.file)
        root = find_root(plan.root)
        if root.path != plan.root:
            raise PurgeError(
                f"The plan is for {visible(str(plan.root))}, where there is no root any more"
            )
        tell_interrupted(root)
        changed = list(changes(plan, read_root(root)))
    if changed:
        say({"root": str(root.path), "changed": changed} if options.json else ())
        number = count(len(changed), "change")
        print(f"hipercow-tui: nothing was purged: {number} since the plan:", file=sys.stderr)
        for line in changed:
            print(f"    {line}", file=sys.stderr)
        return REFUSED
    with ended_by_interrupt():
        sizes = measure_many(root, plan.ids)
    if not (options.json and options.yes):
        preview = sys.stderr if options.json else sys.stdout
        print("\n".join(plan_lines(plan, sizes)), file=preview)
    if plan.empty:
        say(plan_as_json(plan, sizes, dry_run=False) if options.json else ())
        return DONE
    return confirm_and_carry_out(
        plan,
        root,
        sizes,
        to_trash=options.trash,
        yes=options.yes,
        as_json=options.json,
        jobs=options.jobs,
    )


def _trash(words: Sequence[str]) -> int:
    parser = _parser("trash", "List, restore or empty the trash.", _TRASH)
    _add_root(parser)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--restore", metavar="STAMP", help="put back what it holds")
    either.add_argument("--empty", metavar="STAMP", nargs="?", const="", help="erase it for good")
    parser.add_argument("--yes", action="store_true", help="do not ask before erasing")
    add_jobs(parser)
    options = parser.parse_args(words)
    with ended_by_interrupt():
        root = find_root(options.root)
    if options.restore is not None:
        return _restored(restore(root, options.restore), as_json=options.json)
    if options.empty is not None:
        return _empty(root, options)
    with ended_by_interrupt():
        tell_interrupted(root)
        now, lots = time.time(), trash(root)
        sized = [(lot, trash_size(root, lot)) for lot in lots]
    if options.json:
        say({"root": str(root.path), "lots": [lot_as_json(*one) for one in sized]})
    else:
        say([lot_line(*one, now) for one in sized] or ["The trash is empty"])
    return DONE


def _empty(root: Root, options: argparse.Namespace) -> int:
    stamp: str = options.empty
    with ended_by_interrupt():
        lots = [lot for lot in trash(root) if stamp in ("", lot.stamp)]
    named = next((lot for lot in lots if stamp and lot.interrupted), None)
    question = f"Erase {visible(stamp) or 'all that is in the trash'} for good?"
    if not options.yes and lots and not _confirmed(question):
        return REFUSED
    stopping = _Stopping()
    with on_signals(stopping):
        report: Report
        if named is not None and named.state is State.MOVING:
            report = finish(root, stamp, stop=stopping.event, jobs=options.jobs)
        else:
            report = empty(root, stamp or None, stop=stopping.event, jobs=options.jobs)
    say(report_as_json(report) if options.json else report_lines(report))
    return _status(report, stopping)


def _restored(report: RestoreReport, *, as_json: bool) -> int:
    say(report_as_json(report) if as_json else report_lines(report))
    return DONE if report.complete else REFUSED


@ended_by_interrupt()
def _history(words: Sequence[str]) -> int:
    parser = _parser("history", "What was purged, restored and emptied.", _HISTORY)
    _add_root(parser)
    options = parser.parse_args(words)
    root, now = find_root(options.root), time.time()
    entries = history(root)
    if options.json:
        say(json.dumps(entry.as_json()) for entry in entries)
    else:
        say([history_line(entry, now) for entry in entries] or ["Nothing was purged yet"])
    return DONE


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "apply": _apply,
    "trash": _trash,
    "history": _history,
}


def _parser(command: str, description: str, epilog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"hipercow-tui {command}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "root", nargs="?", metavar="ROOT", help="the project's folder, or one in it"
    )


def _confirmed(question: str) -> bool:
    """Ask, once, on the terminal; without one nobody can have meant yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print(
            "hipercow-tui: nothing was purged: there is no terminal to ask on; look at it first,"
            " for a purge with --dry-run, then say --yes",
            file=sys.stderr,
        )
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("hipercow-tui: nothing was purged", file=sys.stderr)
    return False


@dataclass(slots=True)
class _Stopping:
    """The wish to stop between two tasks, and the signal that brought it."""

    event: threading.Event = field(default_factory=threading.Event)
    signal: int | None = None

    def __call__(self, number: int) -> None:
        self.signal = number
        self.event.set()


def _status(report: Report, stopping: _Stopping) -> int:
    if report.complete:
        return DONE
    return REFUSED if stopping.signal is None else 128 + stopping.signal


def say(said: Json | Iterable[str]) -> None:
    """Print an object or lines. What was done is done: a terminal that went away, or a reader that
    left, must not change the exit status."""
    lines = [json.dumps(said)] if isinstance(said, dict) else said
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
