"""The entry point of the command line: run a command, or start the app.

The exit statuses are in docs/cli.md. The modules of a command are imported when it is run, so that
the app starts faster.
"""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path

from hipercow_tui import __version__
from hipercow_tui.cli.arguments import CommandParser
from hipercow_tui.formats.root import find_root
from hipercow_tui.support.ascii_fallback import use_ascii
from hipercow_tui.support.errors import (
    FilterError,
    HipercowTuiError,
    UnknownTasksError,
    os_error_text,
)
from hipercow_tui.support.exit_codes import DONE, INTERRUPTED, REFUSED, USAGE
from hipercow_tui.support.streams import (
    exit_status,
    open_streams,
    print_message,
    print_messages,
    print_output,
)
from hipercow_tui.support.windows_console import supports_escape_sequences

_LOGGER = logging.getLogger(__name__)

_APP = """
keys: space marks a task, / searches, 1 to 6 filter by status, p opens the plan: all tasks that a
purge would take, and why. ? explains every key. Nothing is deleted before you confirm the plan.

commands (--help after a command explains its options):
  hipercow-tui list [ROOT] …    list filtered tasks, as a table or as JSON
  hipercow-tui purge [ROOT] …   delete filtered tasks, from a shell or a script
  hipercow-tui apply FILE …     carry out a saved plan
  hipercow-tui space [ROOT] …   show where the space went: by bundle, age, status and so on
  hipercow-tui errors [ROOT] …  group failed tasks by message, by function or by node
  hipercow-tui reconcile [ROOT] let R ask the cluster about tasks that may have ended
  hipercow-tui wait [ROOT] …    wait until filtered tasks have ended, in a script
  hipercow-tui trash [ROOT] …   list, restore or empty the trash; finish an interrupted purge
  hipercow-tui pin [ROOT] …     hold retry chains and bundles back from every purge
  hipercow-tui unpin [ROOT] …   remove pins
  hipercow-tui pins [ROOT]      list pins, with time, user and note
  hipercow-tui note [ROOT] …    write a note on retry chains and bundles, or remove it
  hipercow-tui notes [ROOT]     list notes, with time and user
  hipercow-tui report ID [ROOT] print a report on a task or an error, to ask for help
  hipercow-tui history [ROOT]   list past purges, restores and emptyings, with time and user
  hipercow-tui keys             list the keys of the app with their ids, to choose other keys
"""
_COMMANDS = {
    "apply": "hipercow_tui.cli.apply",
    "errors": "hipercow_tui.cli.errors",
    "history": "hipercow_tui.cli.history",
    "keys": "hipercow_tui.cli.keys",
    "list": "hipercow_tui.cli.list_tasks",
    "note": "hipercow_tui.cli.notes:run_note",
    "notes": "hipercow_tui.cli.notes:run_notes",
    "pin": "hipercow_tui.cli.pins:run_pin",
    "pins": "hipercow_tui.cli.pins:run_pins",
    "purge": "hipercow_tui.cli.purge",
    "reconcile": "hipercow_tui.cli.reconcile",
    "report": "hipercow_tui.cli.report",
    "space": "hipercow_tui.cli.space",
    "trash": "hipercow_tui.cli.trash",
    "unpin": "hipercow_tui.cli.pins:run_unpin",
    "wait": "hipercow_tui.cli.wait",
}
_NAMES = {name: name for name in _COMMANDS} | {"prune": "purge"}
_SIMILAR = 0.75  # the least similarity of a misspelled command: tasks is a folder, and not trash


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    ``arguments`` are those of the process if they are None. Raises SystemExit after help, and for
    wrong usage.
    """
    open_streams()
    use_ascii()
    words = list(sys.argv[1:] if arguments is None else arguments)
    return exit_status(_run(words))


def _run(words: Sequence[str]) -> int:
    try:
        return _run_command(words)
    except HipercowTuiError as error:
        _LOGGER.warning("ended by %s", type(error).__name__)
        print_message(str(error))
        wrong_usage = isinstance(error, FilterError) and not isinstance(error, UnknownTasksError)
        return USAGE if wrong_usage else REFUSED
    except KeyboardInterrupt:
        print_message("interrupted")
        return INTERRUPTED
    except OSError as error:
        path = f" '{error.filename}'" if isinstance(error.filename, str) else ""
        print_message(
            f"can't read or write{path}: {os_error_text(error)}. 'hipercow-tui trash' lists what"
            " was interrupted, 'hipercow-tui history' what was done"
        )
        return REFUSED
    except Exception as error:
        from hipercow_tui.support.crash_report import what_happened, write_report

        print_messages([what_happened(error, write_report(error))])
        return REFUSED


def _run_command(words: Sequence[str]) -> int:
    match words:
        case [command, *rest] if command in _COMMANDS:
            module, _, function = _COMMANDS[command].partition(":")
            run: Callable[[Sequence[str]], int]
            run = getattr(import_module(module), function or "run")
            return run(rest)
        case [word, *_] if near := _similar_command(word):
            _app_parser().error(f"there is no command '{word}': did you mean '{near}'?")
    return _app(_app_parser().parse_command(words))


def _similar_command(word: str) -> str | None:
    """Return the command that a word is a misspelling of. None for a path that exists: it may be a
    root."""
    near = difflib.get_close_matches(word, _NAMES, n=1, cutoff=_SIMILAR)
    # A path that is like no command is not looked at here: its file system may hang.
    return _NAMES[near[0]] if near and not os.path.lexists(word) else None


def _app_parser() -> CommandParser:
    description = "Browse, filter and safely purge the tasks of a hipercow root."
    parser = CommandParser("", description, _APP)
    parser.add_root()
    parser.add_argument(
        "--filter", metavar="NAME", help="start with the filters that were saved under this name"
    )
    parser.add_argument("--read-only", action="store_true", help="disable purging in the app")
    parser.add_argument(
        "--no-mouse", action="store_true", help="leave the mouse to the terminal, to select text"
    )
    parser.add_argument(
        "--no-index",
        action="store_true",
        help="read everything, and keep nothing for the next start",
    )
    parser.add_argument(
        "--demo", action="store_true", help="open a demo root, which is removed at exit"
    )
    parser.add_argument(
        "--demo-tasks", type=int, metavar="N", help="open a demo root with N tasks (default 2000)"
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser


def _app(options: argparse.Namespace) -> int:
    if options.version:
        print_output([f"hipercow-tui {__version__}"])
        return DONE
    demo = options.demo or options.demo_tasks is not None
    if demo and options.root is not None:
        _app_parser().error("--demo makes a new root: leave out ROOT")
    if options.demo_tasks is not None and options.demo_tasks < 1:
        _app_parser().error("--demo-tasks takes a whole number of at least 1")
    # Textual reads from standard input and draws on standard error.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in streams) or os.environ.get("TERM") == "dumb":
        raise HipercowTuiError(
            "the app needs a terminal for input and output, and TERM must not be 'dumb'. Without"
            " one, use 'hipercow-tui list' and 'hipercow-tui purge'"
        )
    if not supports_escape_sequences():
        raise HipercowTuiError(
            "this console can't show the app, because it doesn't interpret escape sequences. Use"
            " Windows Terminal or a newer Windows, or 'hipercow-tui list' and 'hipercow-tui purge'"
        )
    folder: AbstractContextManager[Path | None]
    if demo:
        from hipercow_tui.demo import living_root

        tasks = options.demo_tasks or 2000
        print_messages([f"Making a demo root of {tasks:,} tasks, which is removed at exit …"])
        folder = living_root(tasks)
    else:
        folder = nullcontext(Path(options.root) if options.root is not None else None)
    from hipercow_tui.ui.run import load_filters, run_app

    first = load_filters(options.filter)
    with folder as start:
        return run_app(
            partial(find_root, start),
            "the working directory" if start is None else str(start),
            read_only=options.read_only,
            indexed=not (demo or options.no_index),
            mouse=not options.no_mouse,
            first=first,
        )
