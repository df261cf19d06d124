"""The command ``apply``: carry out a saved plan."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import (
    add_disk_usage,
    add_jobs,
    confirm_and_carry_out,
    print_plan,
    print_plan_json,
    warn_interrupted,
)
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging.plan_changes import find_changes
from hipercow_tui.purging.plan_file import load_plan, plan_for_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.errors import PurgeError, RootError
from hipercow_tui.support.exit_codes import DONE, REFUSED
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message, print_messages, print_output
from hipercow_tui.support.text import escape_controls, pluralize

_EPILOG = """
FILE is a plan that was saved with 'hipercow-tui purge … --save-plan FILE', or with 'e' in the plan
of the app. Nothing is purged if anything in the plan has changed since: a status, a new retry, the
content of a bundle, a pin.

A plan names its root by path. On a machine that has the same root at another path, use --root. It
is refused if that is another root or a copy.

examples:
  hipercow-tui purge --with-status failure --save-plan old-failures.json
  hipercow-tui apply old-failures.json --yes        later, or in a job on the cluster
  hipercow-tui apply old-failures.json --root /mnt/project
"""


def run(words: Sequence[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    options = _parser().parse_command(words)
    with end_on_interrupt():
        plan, root = _load(options)
        warn_interrupted(root)
        changes = list(find_changes(plan, read_root(root)))
        if changes:
            return _refuse(root, changes, as_json=options.json)
        sizes = measure_many(root, plan.ids)
    if not (options.json and options.yes):
        print_plan(plan, sizes, as_json=options.json, kind=options.size_kind)
    if plan.empty:
        if options.json:
            print_plan_json(plan, sizes, dry_run=False)
        return DONE
    return confirm_and_carry_out(plan, root, sizes, options)


def _parser() -> CommandParser:
    parser = CommandParser("apply", "Carry out a saved plan.", _EPILOG)
    add = parser.add_argument
    add("file", metavar="FILE", help="the saved plan")
    add("--root", metavar="ROOT", help="the path of the plan's root on this machine, if it differs")
    add("--trash", action="store_true", help="move to the trash instead of erasing")
    add("--yes", action="store_true", help="do not ask for confirmation")
    add("--json", action="store_true", help="print JSON")
    add_disk_usage(parser)
    add_jobs(parser)
    return parser


def _load(options: argparse.Namespace) -> tuple[PurgePlan, Root]:
    saved = load_plan(options.file)
    if options.root is not None:
        root = find_root(options.root)
        return plan_for_root(saved, root), root
    path = saved.plan.root
    try:
        root = find_root(path)
    except RootError as error:
        raise PurgeError(f"{_no_root(path)}. {error}") from None
    if root.path != path:  # there is one in a folder above it
        raise PurgeError(_no_root(path))
    return saved.plan, root


def _no_root(path: Path) -> str:
    return (
        f"The plan is for {escape_controls(str(path))}, where there is no root now; if the root has"
        " another path here, name it with --root"
    )


def _refuse(root: Root, changes: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        print_output({"root": str(root.path), "changed": changes})
    number = pluralize(len(changes), "change")
    print_message(f"Nothing was purged, because of {number} since the plan was saved:")
    print_messages(f"    {line}" for line in changes)
    return REFUSED
