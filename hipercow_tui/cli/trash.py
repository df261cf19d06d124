"""The command ``trash``: list, restore, finish and empty batches."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import (
    add_disk_usage,
    add_jobs,
    confirmed,
    print_report,
    run_until_signal,
    warn_interrupted,
)
from hipercow_tui.cli.filter_options import TIMES
from hipercow_tui.domain.cutoff_time import parse_cutoff
from hipercow_tui.formats.folder_size import SizeKind, freed_size
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.json_output import batch_as_json
from hipercow_tui.output.report import batch_line
from hipercow_tui.purging import (
    BatchState,
    Phase,
    Progress,
    TrashEntry,
    empty,
    finish,
    list_trash,
    measure_entry,
    older_than,
    refuse_unerasable,
    restore,
)
from hipercow_tui.purging.batch_name import AT_REST
from hipercow_tui.purging.manifest import PurgeMode
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output
from hipercow_tui.support.text import escape_controls, pluralize, tasks_and_bundles

_EPILOG = f"""
Without an option, this lists the batches in the trash and interrupted purges. BATCH is the batch id
in the first column.

  --restore BATCH   puts back all that is complete, never over anything that exists; a task that
                    exists again is quarantined under that batch id
  --finish BATCH    finishes a purge, a move to the trash or a restore that was interrupted, by the
                    confirmed plan and with all checks
  --empty BATCH     erases the batch for good, if it has not changed since the question
  --empty           erases all of the trash for good, but nothing interrupted or quarantined
  --empty --older-than WHEN
                    erases only batches of purges before this time; batches of which the time is
                    not known stay

WHEN is {TIMES}.
"""


def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = _parser()
    options = parser.parse_command(words)
    if options.older_than is not None and options.empty != "":
        parser.error("--older-than needs --empty without a BATCH")
    with end_on_interrupt():
        root = find_root(options.root)
    if options.restore is not None:
        report = restore(root, options.restore, on_progress=_WaitMessage())
        print_report(report, as_json=options.json, kind=options.size_kind)
        return DONE if report.complete else REFUSED
    if options.finish is not None:
        return _finish(root, options)
    if options.empty is not None:
        return _empty(root, options)
    return _list(root, options)


def _parser() -> CommandParser:
    parser = CommandParser("trash", "List, restore or empty the trash.", _EPILOG)
    parser.add_root()
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--restore", metavar="BATCH", help="put back the tasks of a batch")
    either.add_argument(
        "--empty", metavar="BATCH", nargs="?", const="", help="erase a batch, or all, for good"
    )
    either.add_argument("--finish", metavar="BATCH", help="finish what was interrupted")
    parser.add_argument(
        "--older-than",
        metavar="WHEN",
        help="with --empty: only batches that were moved to the trash before this time",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_disk_usage(parser)
    add_jobs(parser)
    return parser


@end_on_interrupt()
def _list(root: Root, options: argparse.Namespace) -> int:
    warn_interrupted(root)
    now = time.time()
    batches = [(batch, measure_entry(root, batch)) for batch in list_trash(root)]
    if options.json:
        items = [batch_as_json(batch, size) for batch, size in batches]
        print_output({"root": str(root.path), "lots": items})
    else:
        lines = [batch_line(batch, size, now, options.size_kind) for batch, size in batches]
        print_output(lines or ["The trash is empty"])
    return DONE


def _empty(root: Root, options: argparse.Namespace) -> int:
    cutoff = None if options.older_than is None else parse_cutoff(options.older_than, time.time())
    with end_on_interrupt():
        batches = _to_empty(list_trash(root), options.empty, cutoff)
    if cutoff is not None and not batches and not options.json:
        older = escape_controls(options.older_than)
        print_output([f"Nothing in the trash is older than '{older}', so nothing was erased"])
        return DONE
    refuse_unerasable(batches)
    if not options.yes and batches:
        question = _empty_question(root, batches, options)
        if not confirmed(question, "Nothing was erased"):
            return REFUSED
    wait = _WaitMessage()
    return run_until_signal(
        lambda stop: empty(root, batches, on_progress=wait, stop=stop, jobs=options.jobs),
        root,
        as_json=options.json,
        kind=options.size_kind,
    )


def _to_empty(
    entries: Sequence[TrashEntry], batch_id: str, cutoff: float | None
) -> Sequence[TrashEntry]:
    """Return the entries of a batch id; if that is empty, all complete batches, or those that were
    moved to the trash before ``cutoff``. Raises PurgeError if there is no such batch."""
    if not batch_id and cutoff is not None:
        return older_than(entries, cutoff)
    found = [
        entry
        for entry in entries
        if entry.batch_id == batch_id or (not batch_id and entry.state is BatchState.TRASH)
    ]
    if batch_id and not found:
        raise PurgeError(
            f"There is no batch '{escape_controls(batch_id)}' in the trash: 'hipercow-tui trash'"
            " lists the batches"
        )
    return found


def _empty_question(root: Root, batches: Sequence[TrashEntry], options: argparse.Namespace) -> str:
    contents = _contents(root, batches, options.size_kind)
    if options.empty:
        return f"Erase {contents} for good?"
    number = len({batch.batch_id for batch in batches})
    older = f" older than '{options.older_than}'" if options.older_than else ""
    return f"Erase {contents} in {pluralize(number, 'batch', 'batches')}{older} for good?"


def _contents(root: Root, batches: Sequence[TrashEntry], kind: SizeKind) -> str:
    """Return the number and size of what batches hold: ``12 tasks and 1 bundle (1.2 GB)``."""
    tasks = sum(len(batch.tasks) + len(batch.partly_erased) for batch in batches)
    numbers = tasks_and_bundles(tasks, sum(len(batch.bundles) for batch in batches))
    sizes = [size for batch in batches if (size := measure_entry(root, batch))]
    return f"{numbers} ({kind.text(freed_size(sizes).of(kind))})"


def _finish(root: Root, options: argparse.Namespace) -> int:
    batch_id: str = options.finish
    with end_on_interrupt():
        named = [batch for batch in list_trash(root) if batch.batch_id == batch_id]
    batches = [batch for batch in named if batch.state not in AT_REST]
    if named and not batches:
        raise PurgeError(
            f"There is nothing to finish in batch {batch_id}: nothing was interrupted in it"
        )
    if batches and not any(batch.resumable or batch.in_use for batch in batches):
        raise PurgeError(
            f"Batch {batch_id} can't be finished: it does not show that its plan was confirmed."
            f" 'hipercow-tui trash --restore {batch_id}' puts its tasks back"
        )
    if (
        batches
        and not options.yes
        and not confirmed(
            _finish_question(root, batches, options.size_kind), "Nothing was finished"
        )
    ):
        return REFUSED
    wait = _WaitMessage()
    return run_until_signal(
        lambda stop: finish(root, batch_id, on_progress=wait, stop=stop, jobs=options.jobs),
        root,
        as_json=options.json,
        kind=options.size_kind,
    )


def _finish_question(root: Root, batches: Sequence[TrashEntry], kind: SizeKind) -> str:
    contents = _contents(root, batches, kind)
    states = {batch.state for batch in batches}
    if BatchState.RESTORING in states:
        return f"Finish restoring {contents}?"
    if BatchState.MOVING in states and all(batch.mode is PurgeMode.TRASH for batch in batches):
        return f"Finish moving to the trash, with {contents} moved so far?"
    if BatchState.MOVING in states:
        return f"Finish the purge, with {contents} moved so far, and erase everything in its plan?"
    return f"Finish erasing {contents}?"


class _WaitMessage:
    """A progress callback that says once that another process may be at work."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, progress: Progress) -> None:
        if progress.phase is Phase.WAITING and not self._said:
            self._said = True
            print_message("another process may still be working on it: watching for half a minute")
