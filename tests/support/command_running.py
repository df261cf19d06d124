"""Run commands of the command line in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root

Capture = pytest.CaptureFixture[str]


def run(*words: str | Path | Root) -> int:
    """Run a command. Return its exit status."""
    return main([str(word.path if isinstance(word, Root) else word) for word in words])


def printed_json(capsys: Capture) -> Any:
    """Return the JSON value that has been printed since the last look."""
    return json.loads(capsys.readouterr().out)
