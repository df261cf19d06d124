"""What the commands that change a root share: confirmation, signals, progress and reports."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import Size, SizeKind
from hipercow_tui.formats.free_space import read_free_space
from hipercow_tui.formats.root import Root
from hipercow_tui.output.json_output import plan_as_json, report_as_json
from hipercow_tui.output.report import (
    Report,
    Sizes,
    free_space_lines,
    interrupted_lines,
    plan_lines,
    report_lines,
)
from hipercow_tui.purging import execute, list_interrupted, move_to_trash, preflight
from hipercow_tui.support.errors import HipercowTuiError, os_error_text
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import on_signals
from hipercow_tui.support.streams import (
    is_output_lost,
    print_message,
    print_messages,
    print_output,
    read_answer,
)
from hipercow_tui.support.text import pluralize

_MAX_JOBS = 64


def warn_interrupted(root: Root) -> None:
    """Print the interrupted batches of the root, and how to finish or restore them."""
    try:
        lines = list(interrupted_lines(list_interrupted(root)))
    except (HipercowTuiError, OSError) as error:
        reason = os_error_text(error) if isinstance(error, OSError) else str(error)
        lines = [f"can't find out whether a purge was interrupted: {reason}"]
    for line in lines:
        print_message(line)


def confirm_and_carry_out(
    plan: PurgePlan, root: Root, sizes: Mapping[str, Size], options: argparse.Namespace
) -> int:
    """Carry out a plan after a confirmation, and print the report.

    ``options`` are those of the command: ``trash``, ``yes``, ``json``, ``jobs`` and ``size_kind``.
    Returns the exit status. Raises PurgeError.
    """
    if warning := preflight(plan, root):
        print_messages([f"! {warning}"])
    tasks = pluralize(len(plan.tasks), "task")
    question = f"Move {tasks} to the trash?" if options.trash else f"Purge {tasks} for good?"
    if not options.yes and not confirmed(question, "Nothing was purged"):
        return REFUSED

    def act(stop: threading.Event) -> Report:
        if options.trash:
            return move_to_trash(plan, root, sizes=sizes, stop=stop)
        return execute(plan, root, stop=stop, jobs=options.jobs)

    return run_until_signal(act, root, as_json=options.json, sizes=sizes, kind=options.size_kind)


def print_plan(plan: PurgePlan, sizes: Sizes, *, as_json: bool, kind: SizeKind) -> None:
    """Print a plan as text; with ``as_json`` on standard error, since JSON follows."""
    (print_messages if as_json else print_output)(plan_lines(plan, sizes, kind))


def print_plan_json(plan: PurgePlan, sizes: Sizes, *, dry_run: bool) -> None:
    """Print a plan that is not carried out as JSON."""
    print_output(plan_as_json(plan, sizes, dry_run=dry_run))


def add_jobs(parser: CommandParser) -> None:
    """Add the option ``--jobs``, which makes a purge faster on a slow file server."""
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="erase N retry chains at a time (default 1); helps on a slow file server",
    )


def add_disk_usage(parser: CommandParser) -> None:
    """Add the option ``--disk-usage``, which sets ``size_kind``."""
    parser.add_argument(
        "--disk-usage",
        dest="size_kind",
        action="store_const",
        const=SizeKind.ON_DISK,
        default=SizeKind.APPARENT,
        help="print the space that is allocated on the disk, as du counts it, instead of bytes in"
        " files; JSON has both",
    )


def _jobs(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MAX_JOBS):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_MAX_JOBS}")
    return int(text)


def confirmed(question: str, declined: str) -> bool:
    """Ask on the terminal; without a terminal the answer is no.

    ``declined`` is the message after a no, such as ``Nothing was erased``.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print_message(
            f"{declined}: there is no terminal for the question '{question}'. Use --yes to confirm"
            " beforehand"
        )
        return False
    if read_answer(f"{question} [y/N]") in ("y", "yes"):
        return True
    print_message(declined)
    return False


def run_until_signal(
    act: Callable[[threading.Event], Report],
    root: Root,
    *,
    as_json: bool,
    kind: SizeKind,
    sizes: Sizes = MappingProxyType({}),
) -> int:
    """Run a confirmed action, print its report and return the exit status.

    ``act`` changes the root. It gets an event that is set by SIGINT, SIGTERM or SIGHUP: it then
    stops between two tasks.
    """
    stop = StopRequest()
    before = None if as_json else read_free_space(root.path)
    with on_signals(stop):
        report = act(stop.event)
    print_report(report, as_json=as_json, kind=kind, sizes=sizes)
    if not as_json:
        print_output(free_space_lines(report, before, lambda: read_free_space(root.path)))
    if report.complete:
        return DONE
    return REFUSED if stop.signal is None else 128 + stop.signal


@dataclass(slots=True)
class StopRequest:
    """A signal handler that sets an event, and keeps the number of the signal."""

    event: threading.Event = field(default_factory=threading.Event)
    signal: int | None = None

    def __call__(self, number: int) -> None:
        """Handle a signal."""
        self.signal = number
        self.event.set()


def print_report(
    report: Report, *, as_json: bool, kind: SizeKind, sizes: Sizes = MappingProxyType({})
) -> None:
    """Print a report; ``sizes`` are those of the plan's tasks, for JSON."""
    print_output(report_as_json(report, sizes) if as_json else report_lines(report, kind))
    if is_output_lost():
        print_message("the action was carried out anyway: see 'hipercow-tui history'")
