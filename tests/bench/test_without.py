"""Each mechanism for speed can be switched off for a measurement."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bench.mechanisms import WITHOUT
from bench.without import CHANGES


@pytest.mark.parametrize("change", CHANGES)
def test_app_starts_without_a_mechanism(change: str) -> None:
    command = [sys.executable, str(WITHOUT), change, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and "hipercow-tui" in done.stdout
