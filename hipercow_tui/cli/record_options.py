"""The arguments of the commands that write or remove pins and notes."""

from __future__ import annotations

import argparse

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import FilterError


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
