"""The command line: arguments to calls, nothing else. Exit status: 0 done or nothing to do, 1
refused or partly failed, 2 wrong usage, 128 and a signal's number if that stopped it.

What a command needs is imported when it is run: who starts the app waits for nothing but the app.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from hipercow_tui import __version__
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.formats.root import find_root
from hipercow_tui.support.ascii_fallback import use_ascii
from hipercow_tui.support.errors import FilterError, HipercowTuiError, UnknownTasksError
from hipercow_tui.support.exit_codes import DONE, INTERRUPTED, REFUSED, USAGE
from hipercow_tui.support.streams import (
    exit_status,
    open_streams,
    print_message,
    print_messages,
    print_output,
)

_APP = """
keys: space marks, / searches, 1 to 6 filter by status, p shows what a purge would take and why,
? explains every key. Nothing is deleted before you have seen the plan and confirmed it.

commands (each has a --help of its own):
  hipercow-tui purge [ROOT] …   delete by filters, from a shell or a script
  hipercow-tui list  [ROOT] …   tasks by filters, as a table or as JSON
  hipercow-tui apply FILE …     carry out a plan that 'purge --save-plan FILE' saved
  hipercow-tui trash [ROOT] …   what is in the trash or was interrupted: restore or empty it
  hipercow-tui history [ROOT]   what was purged, restored and emptied, when and by whom
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status. Raises SystemExit after help, and for wrong
    usage."""
    open_streams()
    use_ascii()
    words = list(sys.argv[1:] if arguments is None else arguments)
    return exit_status(_run(words))


def _run(words: Sequence[str]) -> int:
    try:
        return _run_command(words)
    except HipercowTuiError as error:
        print_message(str(error))
        wrong = isinstance(error, FilterError) and not isinstance(error, UnknownTasksError)
        return USAGE if wrong else REFUSED
    except KeyboardInterrupt:
        print_message("interrupted")
        return INTERRUPTED
    except OSError as error:
        reason = error.strerror or str(error)
        path = f" of '{error.filename}'" if isinstance(error.filename, str) else ""
        print_message(
            f"reading or writing{path} failed: {reason}. Try again; 'hipercow-tui trash' lists what"
            " was interrupted, 'hipercow-tui history' what was done"
        )
        return REFUSED
    except Exception as error:
        from hipercow_tui.support.crash_report import what_happened, write_report

        print_messages([what_happened(error, write_report(error))])
        return REFUSED


def _run_command(words: Sequence[str]) -> int:
    match words:
        case ["purge" | "list" as command, *rest]:
            from hipercow_tui.cli import list_purge

            return list_purge.run(command, rest)
        case ["apply" | "trash" | "history" as command, *rest]:
            from hipercow_tui.cli import commands

            return commands.run(command, rest)
    return _app(_app_parser().parse_command(words))


def _app_parser() -> CommandParser:
    description = "Browse, filter and safely purge the tasks of a hipercow root."
    parser = CommandParser("", description, _APP)
    parser.add_root()
    parser.add_argument("--filter", metavar="NAME", help="begin with the filters saved under it")
    parser.add_argument("--read-only", action="store_true", help="start an app that cannot purge")
    parser.add_argument(
        "--no-mouse", action="store_true", help="leave the mouse to the terminal, to select text"
    )
    parser.add_argument(
        "--no-index", action="store_true", help="read everything; keep nothing for the next start"
    )
    parser.add_argument("--demo", action="store_true", help="open a living demo root, gone at exit")
    parser.add_argument(
        "--demo-tasks", type=int, metavar="N", help="a demo root of N tasks (default 2000)"
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser


def _app(options: argparse.Namespace) -> int:
    if options.version:
        print_output([f"hipercow-tui {__version__}"])
        return DONE
    demo = options.demo or options.demo_tasks is not None
    if demo and options.root is not None:
        _app_parser().error("--demo makes a root of its own: leave out ROOT")
    if options.demo_tasks is not None and options.demo_tasks < 1:
        _app_parser().error("--demo-tasks takes a whole number of at least 1")
    # Textual reads from standard input and draws on standard error.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or os.environ.get("TERM") == "dumb":
        raise HipercowTuiError(
            "the app needs a terminal that can be drawn on: start it in one, or use"
            " 'hipercow-tui list' and 'hipercow-tui purge'"
        )
    place: AbstractContextManager[Path | None]
    if demo:
        from hipercow_tui.demo import living_root

        tasks = options.demo_tasks or 2000
        print_messages([f"making a demo of {tasks:,} tasks, gone when you leave …"])
        place = living_root(tasks)
    else:
        place = nullcontext(Path(options.root) if options.root is not None else None)
    from hipercow_tui.ui.run import filters_by_name, run_app

    first = filters_by_name(options.filter)
    with place as where:
        return run_app(
            partial(find_root, where),
            "the working directory" if where is None else str(where),
            read_only=options.read_only,
            indexed=not (demo or options.no_index),
            mouse=not options.no_mouse,
            first=first,
        )
