"""R with the real package hipercow, for tests that are skipped where it is not installed.

The environment variable HIPERCOW_TUI_R_LIBS names the library with the package, if that is not one
of R's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

_LIBRARY = "HIPERCOW_TUI_R_LIBS"
_VERSION = "cat(as.character(utils::packageVersion('hipercow')))"


@cache
def find_r_environment() -> dict[str, str] | None:
    """Return the environment in which R finds the package; None if there is none."""
    environment = dict(os.environ)
    if library := environment.get(_LIBRARY):
        environment["R_LIBS"] = library
    program = shutil.which("Rscript")
    if program is None:
        return None
    found = subprocess.run(
        [program, "-e", _VERSION], env=environment, capture_output=True, check=False
    )
    return None if found.returncode else environment


def r_environment() -> dict[str, str]:
    """Return the environment in which R finds the package; skip the test if there is none."""
    environment = find_r_environment()
    if environment is None:
        pytest.skip(f"needs R with the package hipercow; {_LIBRARY} can name its library")
    return environment


def run_r(code: str, folder: Path) -> str:
    """Run R code in a folder with the real package; returns what it prints, with its messages."""
    done = subprocess.run(
        ["Rscript", "-e", code],
        cwd=folder,
        env=r_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=True,
    )
    return done.stdout.decode("utf-8")
