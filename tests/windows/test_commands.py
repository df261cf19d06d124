"""The command line on Windows."""

from __future__ import annotations

from windows_rig import Windows

from hipercow_tui import __version__


def test_the_program_starts(windows: Windows) -> None:
    done = windows.run("-m", "hipercow_tui", "--version")
    assert (done.stdout, done.stderr) == (f"hipercow-tui {__version__}\n", "")
