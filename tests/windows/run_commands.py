"""Run commands in one process: ``python run_commands.py < COMMANDS``, both as JSON.

A command is its arguments after the working directory. Its answer has its exit status, its standard
output and its standard error.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from hipercow_tui.cli.main import main

Command = Sequence[str]


def run_commands(commands: Iterable[Command]) -> list[dict[str, Any]]:
    """Return the answer of each command."""
    before = os.getcwd()
    try:
        return [_run(folder, arguments) for folder, *arguments in commands]
    finally:
        os.chdir(before)


def _run(folder: str, arguments: Sequence[str]) -> dict[str, Any]:
    os.chdir(folder)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    answers = run_commands(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answers))
