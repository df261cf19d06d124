"""The argument parser of the commands; it prints help and errors through ``support.streams``."""

from __future__ import annotations

import argparse
import difflib
import logging
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from hipercow_tui import __version__
from hipercow_tui.support.exit_codes import DONE, USAGE
from hipercow_tui.support.log_setup import start_logging
from hipercow_tui.support.streams import exit_status, print_messages, print_output

_LOGGER = logging.getLogger(__name__)


class CommandParser(argparse.ArgumentParser):
    """A parser that accepts no abbreviations: ``--y`` must not mean ``--yes``."""

    def __init__(self, command: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=f"hipercow-tui {command}".strip(),
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--log-file", metavar="FILE", help="append a log of the program to FILE")
        self.color = False  # Python 3.14 colours the help, and print_output escapes colours

    def add_root(self) -> None:
        """Add the folder of the root as an optional argument."""
        self.add_argument(
            "root",
            nargs="?",
            metavar="ROOT",
            help="the project's folder, or one in it (default: the working directory)",
        )

    def add_limit(self, what: str) -> None:
        """Add ``--limit``; ``what`` names the things that are printed."""
        self.add_argument("--limit", type=_limit, metavar="N", help=f"only the first N {what}")

    def parse_command(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the options of a command, and start logging. Raises HipercowTuiError if the log
        file can't be written."""
        options, unknown = self.parse_known_args(words)
        if unknown:
            self.error(self._unknown_text(unknown))
        start_logging(options.log_file)
        _LOGGER.info("%s %s on %s", self.prog, __version__, sys.platform)
        return options

    def _unknown_text(self, words: Sequence[str]) -> str:
        """Return a sentence on arguments that the command does not have."""
        hints = []
        for word in words:
            option = word.partition("=")[0]
            near = difflib.get_close_matches(option, self._option_string_actions, n=1)
            if word.startswith("-") and near:
                hints.append(f": did you mean {near[0]}?")
        more = hints[0] if hints else ": --help lists the arguments"
        return f"unrecognized arguments: {' '.join(words)}{more}"

    def print_help(self, file: Any = None) -> None:
        """Print the help on standard output."""
        print_output(self.format_help().splitlines())

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message on standard error, and exit."""
        print_messages([*self.format_usage().splitlines(), f"{self.prog}: error: {message}"])
        raise SystemExit(USAGE)

    def exit(self, status: int = DONE, message: str | None = None) -> NoReturn:
        """Exit with a status; ``message`` is not used, ``error`` prints its own."""
        raise SystemExit(exit_status(status))


def _limit(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)
