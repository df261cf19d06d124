"""The parser of each command's arguments: its help and its errors are printed as all else is."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from hipercow_tui.support.exit_codes import DONE, USAGE
from hipercow_tui.support.streams import exit_status, print_messages, print_output


class CommandParser(argparse.ArgumentParser):
    """Takes options by their whole names only: a prefix such as ``--y`` must not mean ``--yes``."""

    def __init__(self, command: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=f"hipercow-tui {command}".strip(),
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.color = False  # Python 3.14 would colour the help, and the codes would be escaped

    def add_root(self) -> None:
        """Take the root's folder as an argument."""
        self.add_argument(
            "root", nargs="?", metavar="ROOT", help="the project's folder, or one in it"
        )

    def print_help(self, file: Any = None) -> None:
        """Print the help on standard output."""
        print_output(self.format_help().splitlines())

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message on standard error, and exit."""
        print_messages([*self.format_usage().splitlines(), f"{self.prog}: error: {message}"])
        raise SystemExit(USAGE)

    def exit(self, status: int = DONE, message: str | None = None) -> NoReturn:
        """Exit after the help."""
        raise SystemExit(exit_status(status))
