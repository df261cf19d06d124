"""The command ``space``: show where the space of a root went."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from hipercow_tui.analysis.space_measuring import measure_space, read_and_group_space, read_calls
from hipercow_tui.analysis.space_usage import SpaceGrouping
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import add_disk_usage
from hipercow_tui.cli.progress_lines import ProgressLines
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.space_report import SpaceUnit, space_as_json, space_lines
from hipercow_tui.scanning.scanner import read_root, without_garbage_collection
from hipercow_tui.scanning.usage_reader import UsageCache
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_output

_EPILOG = """
Each file counts once, as du counts it. A task that has ended is measured once: the next time its
size is known. All tasks in several bundles are one group, so that no task counts twice. With
--by task and --limit, or on a terminal, each line has the call of its task.

examples:
  hipercow-tui space                               which bundles are large
  hipercow-tui space --by age --disk-usage         how old it is, as du counts it
  hipercow-tui space --by task --limit 10          the ten largest tasks
  hipercow-tui space --by kind --files             for a quota of files
"""

_TERMINAL_LIMIT = 40  # groups that a terminal shows without --limit


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    options = _parser().parse_command(words)
    by, unit, now = (
        SpaceGrouping(options.by),
        SpaceUnit(options.size_kind, options.files),
        time.time(),
    )
    root = find_root(options.root)
    with without_garbage_collection():
        snapshot = read_root(root)
        for problem in snapshot.problems:
            print_message(problem)
        show = ProgressLines(len(snapshot.tasks))
        usage = measure_space(
            root,
            snapshot,
            UsageCache.of(root),
            now=now,
            on_progress=lambda progress: show("measured", progress.done),
        )
    groups = read_and_group_space(
        root,
        usage,
        by,
        now=now,
        kind=unit.kind,
        files=unit.files,
        on_progress=lambda done: show("read", done),
    )
    on_terminal = sys.stdout.isatty() and not options.json
    limit = options.limit or (_TERMINAL_LIMIT if on_terminal else None)
    calls: Mapping[str, str] = {}
    if by is SpaceGrouping.TASK and limit is not None:  # reading the calls of all takes long
        shown = [group.label for group in groups[:limit]]
        reading = ProgressLines(len(shown))
        calls = read_calls(root, snapshot, shown, lambda done: reading("read", done))
    if options.json:
        print_output(space_as_json(usage, by, groups, limit=limit, calls=calls))
    else:
        print_output(
            space_lines(usage, by, groups, unit, limit=limit, calls=calls, bars=on_terminal)
        )
    return DONE


def _parser() -> CommandParser:
    parser = CommandParser("space", "Show where the space of a root went.", _EPILOG)
    parser.add_root()
    add = parser.add_argument
    add(
        "--by",
        choices=[one.value for one in SpaceGrouping],
        default=SpaceGrouping.BUNDLE.value,
        help="group the tasks by bundle (default), function, status, age or environment, or list"
        " single tasks or the kinds of files",
    )
    add("--files", action="store_true", help="compare the number of files instead of sizes")
    parser.add_limit("groups (default: 40 on a terminal, else all)")
    add("--json", action="store_true", help="print JSON")
    add_disk_usage(parser)
    return parser
