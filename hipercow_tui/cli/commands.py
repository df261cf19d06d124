"""The commands that take no filters: apply, trash, history; and carrying out a plan from a shell.

Exit status as in exits.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size, measure_many
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.report import (
    Report,
    Sizes,
    batch_as_json,
    batch_line,
    history_line,
    interrupted_lines,
    plan_as_json,
    plan_lines,
    report_as_json,
    report_lines,
)
from hipercow_tui.purging import (
    BatchState,
    Phase,
    Progress,
    RestoreReport,
    TrashEntry,
    empty,
    execute,
    finish,
    list_interrupted,
    list_trash,
    measure_entry,
    move_to_trash,
    preflight,
    read_history,
    refuse_unerasable,
    restore,
)
from hipercow_tui.purging.batch_name import AT_REST
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.purging.plan_file import find_changes, load_plan
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import HipercowTuiError, PurgeError
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import ended_by_interrupt, on_signals
from hipercow_tui.support.streams import (
    is_output_lost,
    print_message,
    print_messages,
    print_output,
    read_answer,
)
from hipercow_tui.support.text import escape_controls, format_size, pluralize, tasks_and_bundles

_MOST_JOBS = 64

_APPLY = """
The plan is the file that 'hipercow-tui purge … --save-plan FILE' wrote. Nothing is deleted if
anything it names has changed since: a status, a new retry, what stands in a bundle.

examples:
  hipercow-tui purge --with-status failure --save-plan old-failures.json
  hipercow-tui apply old-failures.json --yes        later, or in a job on the cluster
"""
_TRASH = """
Without an option it lists what is in the trash, and purges that were interrupted. BATCH is the
name in the first column.

  --restore BATCH   puts everything back that is still whole, never onto anything that exists; what
                    exists again is quarantined, under the same BATCH
  --finish BATCH    finishes a purge, a move to the trash or an undo that was interrupted, by the
                    plan that was confirmed, with all its checks
  --empty BATCH     erases it for good, as it was listed in the question
  --empty           erases all that is in the trash, but nothing interrupted or quarantined
"""
_HISTORY = """
Every purge, restoring and emptying leaves a file in hipercow/tui/history/; the latest comes first.
"""


def run(command: str, words: Sequence[str]) -> int:
    """Run one of COMMANDS with its arguments; returns the exit status."""
    return COMMANDS[command](words)


def warn_interrupted(root: Root) -> None:
    """Say on standard error what broke off in the root, and how to finish it or bring it back."""
    try:
        lines = list(interrupted_lines(list_interrupted(root)))
    except (HipercowTuiError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        lines = [f"can't find out whether a purge was interrupted: {reason}"]
    for line in lines:
        print_message(line)


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
    if warning := preflight(plan, root):
        print_messages([f"! {warning}"])
    tasks = pluralize(len(plan.tasks), "task")
    question = f"Move {tasks} to the trash?" if to_trash else f"Purge {tasks} for good?"
    if not yes and not _confirmed(question):
        return REFUSED
    stopping = _Stopping()
    with on_signals(stopping):
        if to_trash:
            report = move_to_trash(plan, root, stop=stopping.event)
        else:
            report = execute(plan, root, stop=stopping.event, jobs=jobs)
    _print_report(report, as_json=as_json, sizes=sizes)
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
    options = parser.parse_command(words)
    with ended_by_interrupt():
        plan = load_plan(options.file)
        root = find_root(plan.root)
        if root.path != plan.root:
            raise PurgeError(
                f"The plan is for {escape_controls(str(plan.root))}, where there is no root any more"
            )
        warn_interrupted(root)
        changed = list(find_changes(plan, read_root(root)))
    if changed:
        print_output({"root": str(root.path), "changed": changed} if options.json else ())
        print_message(f"nothing was purged: {pluralize(len(changed), 'change')} since the plan:")
        print_messages(f"    {line}" for line in changed)
        return REFUSED
    with ended_by_interrupt():
        sizes = measure_many(root, plan.ids)
    if not (options.json and options.yes):
        (print_messages if options.json else print_output)(plan_lines(plan, sizes))
    if plan.empty:
        print_output(plan_as_json(plan, sizes, dry_run=False) if options.json else ())
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
    parser.add_root()
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--restore", metavar="BATCH", help="put back what it holds")
    either.add_argument("--empty", metavar="BATCH", nargs="?", const="", help="erase it for good")
    either.add_argument("--finish", metavar="BATCH", help="finish what was interrupted")
    parser.add_argument("--yes", action="store_true", help="do not ask before erasing")
    add_jobs(parser)
    options = parser.parse_command(words)
    with ended_by_interrupt():
        root = find_root(options.root)
    if options.restore is not None:
        report = restore(root, options.restore, on_progress=_Warning())
        return _restored(report, as_json=options.json)
    if options.finish is not None:
        return _finish(root, options)
    if options.empty is not None:
        return _empty(root, options)
    with ended_by_interrupt():
        warn_interrupted(root)
        now, batches = time.time(), list_trash(root)
        sized = [(batch, measure_entry(root, batch)) for batch in batches]
    if options.json:
        print_output({"root": str(root.path), "lots": [batch_as_json(*one) for one in sized]})
    else:
        print_output([batch_line(*one, now) for one in sized] or ["The trash is empty"])
    return DONE


def _empty(root: Root, options: argparse.Namespace) -> int:
    batch_id: str = options.empty
    with ended_by_interrupt():
        batches = [
            batch
            for batch in list_trash(root)
            if batch.batch_id == batch_id or (not batch_id and _is_whole(batch))
        ]
    if batch_id and not batches:
        raise PurgeError(
            f"There is no '{escape_controls(batch_id)}' in the trash: 'hipercow-tui trash' lists"
        )
    refuse_unerasable(batches)
    if not options.yes and batches and not _confirmed(f"Erase {_in_all(root, batches)} for good?"):
        return REFUSED
    return _run(
        options,
        lambda stop: empty(root, batches, on_progress=_Warning(), stop=stop, jobs=options.jobs),
    )


def _is_whole(batch: TrashEntry) -> bool:
    return batch.state is BatchState.TRASH


def _in_all(root: Root, batches: Sequence[TrashEntry]) -> str:
    """What lots hold, counted on the disk: ``12 tasks and 1 bundle (1.2 GB)``."""
    tasks = sum(len(batch.tasks) + len(batch.partly_erased) for batch in batches)
    held = tasks_and_bundles(tasks, sum(len(batch.bundles) for batch in batches))
    sizes = [measured for batch in batches if (measured := measure_entry(root, batch))]
    return f"{held} ({format_size(sum(one.bytes for one in sizes))})"


def _finish(root: Root, options: argparse.Namespace) -> int:
    batch_id: str = options.finish
    with ended_by_interrupt():
        named = [batch for batch in list_trash(root) if batch.batch_id == batch_id]
    batches = [batch for batch in named if batch.state not in AT_REST]
    if named and not batches:
        raise PurgeError(f"There is nothing to finish in {batch_id}: nothing was interrupted in it")
    if batches and not any(batch.resumable or batch.in_use for batch in batches):
        raise PurgeError(
            f"Nothing says that what was begun in {batch_id} was confirmed and checked:"
            f" 'hipercow-tui trash --restore {batch_id}' puts it back"
        )
    if not options.yes and batches and not _confirmed(_finish_question(root, batches)):
        return REFUSED
    return _run(
        options,
        lambda stop: finish(root, batch_id, on_progress=_Warning(), stop=stop, jobs=options.jobs),
    )


def _finish_question(root: Root, batches: Sequence[TrashEntry]) -> str:
    held = _in_all(root, batches)
    states = {batch.state for batch in batches}
    if BatchState.RESTORING in states:
        return f"Finish restoring {held}?"
    if BatchState.MOVING in states and all(batch.mode is PurgeMode.TRASH for batch in batches):
        return f"Finish moving to the trash, with {held} moved so far?"
    if BatchState.MOVING in states:
        return f"Finish the purge, with {held} moved so far, which erases all that its plan holds?"
    return f"Finish erasing {held}?"


def _run(options: argparse.Namespace, act: Callable[[threading.Event], Report]) -> int:
    """Do what was confirmed, until a signal stops it, and say what became of it."""
    stopping = _Stopping()
    with on_signals(stopping):
        report = act(stopping.event)
    _print_report(report, as_json=options.json)
    return _status(report, stopping)


class _Warning:
    """Says, once, that another process is waited for."""

    said = False

    def __call__(self, progress: Progress) -> None:
        if progress.phase is not Phase.WAITING or self.said:
            return
        self.said = True
        print_message("watching for half a minute whether another process still works on it")


def _restored(report: RestoreReport, *, as_json: bool) -> int:
    _print_report(report, as_json=as_json)
    return DONE if report.complete else REFUSED


def _print_report(report: Report, *, as_json: bool, sizes: Sizes = MappingProxyType({})) -> None:
    print_output(report_as_json(report, sizes) if as_json else report_lines(report))
    if is_output_lost():
        print_message("it was carried out all the same: 'hipercow-tui history' lists what was done")


@ended_by_interrupt()
def _history(words: Sequence[str]) -> int:
    parser = _parser("history", "What was purged, restored and emptied.", _HISTORY)
    parser.add_root()
    options = parser.parse_command(words)
    root, now = find_root(options.root), time.time()
    entries = read_history(root)
    if options.json:
        print_output(json.dumps(entry.as_json()) for entry in entries)
    else:
        print_output([history_line(entry, now) for entry in entries] or ["Nothing was purged yet"])
    return DONE


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "apply": _apply,
    "trash": _trash,
    "history": _history,
}


def _parser(command: str, description: str, epilog: str) -> CommandParser:
    parser = CommandParser(command, description, epilog)
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _confirmed(question: str) -> bool:
    """Ask once, on the terminal; without a terminal the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print_message(
            "nothing was purged: there is no terminal to ask on; look at it first, for a purge with"
            " --dry-run, then say --yes"
        )
        return False
    if read_answer(f"{question} [y/N]") in ("y", "yes"):
        return True
    print_message("nothing was purged")
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
