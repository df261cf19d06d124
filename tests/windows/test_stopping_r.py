"""R is stopped on Windows. A program in place of ``Rscript.exe`` starts others, as R does."""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from pathlib import Path

import pytest
from windows_rig import Windows
from windows_stopped_r import PROGRAM

SCRIPT = Path(__file__).parents[1] / "support" / "windows_stopped_r.py"
# The child writes until it ends, and keeps the pipe open.
_STAND_IN = """
import os, subprocess, sys, time
child = "import time\\nwhile True: open('ticks', 'a').write('x'); time.sleep(0.02)"
subprocess.Popen([sys.executable, "-c", child])
while not os.path.exists("ticks"):
    time.sleep(0.02)
print(repr(sys.argv[1:]), sys.stdin.read().split(), flush=True)
time.sleep(60)
"""


def make_rscript(windows: Windows, folder: Path) -> None:
    """Make ``Rscript.exe`` as pip makes programs: a launcher, a Python, and a script in a ZIP."""
    distlib = pytest.importorskip("pip._vendor.distlib")
    launcher = Path(distlib.__file__).with_name("t64.exe").read_bytes()
    python = (
        windows.path(windows.wine / "python" / "python.exe") if windows.wine else sys.executable
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("__main__.py", _STAND_IN)
    folder.mkdir()
    program = launcher + f'#!"{python}"\r\n'.encode() + archive.getvalue()
    (folder / "Rscript.exe").write_bytes(program)


def test_stopping_r_ends_all_programs_that_it_started(windows: Windows, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "hipercow").mkdir(parents=True)
    make_rscript(windows, tmp_path / "bin")
    done = windows.run(*map(windows.path, (SCRIPT, tmp_path / "bin", project)))
    stopped, status, seconds, lines = json.loads(done.stdout)
    assert stopped and status and seconds < 30
    assert lines == [f"{['-e', PROGRAM]!r} ['one', 'two']"]
    size = (project / "ticks").stat().st_size
    time.sleep(0.3)
    assert (project / "ticks").stat().st_size == size
