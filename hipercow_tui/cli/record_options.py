"""What the commands for pins and for notes share: their arguments, and how they are listed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.notes import Note
from hipercow_tui.domain.pins import Pin
from hipercow_tui.domain.record_requests import RecordItem
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.output.json_output import record_item_as_json
from hipercow_tui.output.report import record_line
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.streams import print_output


def target_parser(command: str, description: str, epilog: str) -> CommandParser:
    """Return a parser with the root, tasks and bundles."""
    parser = CommandParser(command, description, epilog)
    parser.add_root()
    parser.add_argument(
        "--task-id",
        action="append",
        default=[],
        metavar="ID",
        help="the retry chain of this task; may be repeated",
    )
    parser.add_argument(
        "--bundle",
        action="append",
        default=[],
        metavar="NAME",
        help="the bundle of this name; may be repeated",
    )
    return parser


def read_target_root(options: argparse.Namespace) -> tuple[Root, Snapshot]:
    """Return the root and its snapshot. Raises FilterError if no task and no bundle is named."""
    if not (options.task_id or options.bundle):
        raise FilterError("Name a task or a bundle: --task-id ID or --bundle NAME")
    root = find_root(options.root)
    return root, read_root(root)


def list_parser(command: str, description: str, epilog: str) -> CommandParser:
    """Return a parser with the root and ``--json``."""
    parser = CommandParser(command, description, epilog)
    parser.add_root()
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def print_records(
    options: argparse.Namespace,
    snapshot: Snapshot,
    items: Sequence[RecordItem[Pin] | RecordItem[Note]],
    unread: Sequence[str],
    *,
    key: str,
    nothing: str,
) -> None:
    """Print pins or notes as lines, or as JSON below ``key``.

    ``unread`` are sentences on what can't be read. Without these, ``nothing`` is printed if there
    are no items.
    """
    if options.json:
        shown = [record_item_as_json(one) for one in items]
        problem = "; ".join(unread) or None
        print_output({"root": str(snapshot.root), key: shown, "problem": problem})
    else:
        now = time.time()
        lines = [record_line(one, now) for one in items]
        print_output(lines or ([] if unread else [nothing]))
