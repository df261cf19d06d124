"""The options of ``list``, ``purge`` and ``wait`` that select tasks."""

from __future__ import annotations

import argparse

from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.cli.confirm_and_run import warn_interrupted
from hipercow_tui.domain.filters import FilterStack, requested_filters
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.settings.saved_filters import FilterFile
from hipercow_tui.support.errors import FilterError, NoFilterError
from hipercow_tui.support.signals import end_on_interrupt
from hipercow_tui.support.streams import print_message

STATUSES = "created, success, failure, cancelled"
TIMES = (
    "an age such as '9 days', '2 w' or '3 months' (s, min, h, d, w, mo of 30 days, y of 365\ndays),"
    " or a date or time such as 2026-01-31"
)
_OPTIONS = ("task_id", "finished_before", "in_bundle", "with_status", "no_follow", "lang")


def add_filters(parser: CommandParser) -> None:
    """Add the root, the filters and ``--json`` to the parser of a command."""
    parser.add_root()
    add = parser.add_argument
    add("--task-id", action="append", metavar="ID", help="this task; may be repeated")
    add("--finished-before", metavar="WHEN", help="tasks that finished before this time")
    add(
        "--in-bundle",
        action="append",
        metavar="GLOB",
        help="tasks in bundles with a matching name; may be repeated; !GLOB excludes",
    )
    add(
        "--with-status",
        action="append",
        metavar="STATUS",
        help="tasks with this status; may be repeated",
    )
    add(
        "--no-follow",
        action="store_true",
        help="a retried task counts by its own status, not by its latest attempt",
    )
    add(
        "--filter",
        metavar="NAME",
        help="filters that were saved in the app, instead of all other filters",
    )
    add("--lang", choices=("r", "py"), help="only tasks of hipercow for R, or for Python")
    add("--json", action="store_true", help="print JSON")


@end_on_interrupt()
def select(
    options: argparse.Namespace, now: float, *, listing: bool
) -> tuple[Root, Snapshot, FilterStack]:
    """Read the root and the filters that the options name.

    ``now`` is in seconds since the epoch. With ``listing`` no filter is needed, and all statuses
    are allowed. Raises FilterError or RootError.
    """
    root, filters = root_and_filters(options, now, listing=listing)
    snapshot = read_root(root).of_lang(options.lang)
    for problem in snapshot.problems:
        print_message(problem)
    filters.check(snapshot)
    return root, snapshot, filters


@end_on_interrupt()
def root_and_filters(
    options: argparse.Namespace, now: float, *, listing: bool
) -> tuple[Root, FilterStack]:
    """Find the root and make the filters that the options name, as ``select`` does; read no task,
    and check no filter against the root."""
    if options.filter is not None:
        _use_saved_filters(options)
    try:
        filters = requested_filters(
            options.task_id,
            options.finished_before,
            options.in_bundle,
            options.with_status,
            follow=not options.no_follow,
            now=now,
            listing=listing,
        )
    except NoFilterError:  # its message has the names of Python
        raise NoFilterError(
            "No filter selected: give at least one of --task-id, --finished-before, --in-bundle,"
            " --with-status"
        ) from None
    root = find_root(options.root)
    warn_interrupted(root)
    return root, filters


def _use_saved_filters(options: argparse.Namespace) -> None:
    """Set the options to the filters that ``--filter`` names."""
    given = [name for name in _OPTIONS if getattr(options, name)]
    if given:
        raise FilterError(
            f"--filter can't be combined with --{given[0].replace('_', '-')}: leave out one of"
            " them, or save both under one name in the app"
        )
    saved = FilterFile.of_user().get(options.filter)
    options.finished_before, options.lang = saved.finished_before, saved.lang
    options.in_bundle, options.with_status = saved.in_bundle or None, sorted(saved.status) or None
