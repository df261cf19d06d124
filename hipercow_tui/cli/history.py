"""The command ``history``: list past purges, restores and emptyings."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import add_disk_usage
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.report import history_line
from hipercow_tui.purging import read_history
from hipercow_tui.support.exit_codes import DONE
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_output

_EPILOG = """
The latest comes first. Each entry is a file in hipercow/tui/history/.
"""


@end_on_interrupt()
def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = CommandParser("history", "List past purges, restores and emptyings.", _EPILOG)
    parser.add_root()
    parser.add_argument("--json", action="store_true", help="print JSON, one line for each entry")
    add_disk_usage(parser)
    options = parser.parse_command(words)
    root, now = find_root(options.root), time.time()
    entries = read_history(root)
    if options.json:
        print_output(json.dumps(entry.as_json()) for entry in entries)
    else:
        print_output(
            [history_line(entry, now, options.size_kind) for entry in entries]
            or ["Nothing purged yet"]
        )
    return DONE
