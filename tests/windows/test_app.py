"""The app on Windows, with Textual's headless driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from windows_rig import Windows


def test_a_root_is_browsed_and_a_purge_is_undone(
    windows: Windows, sir_model: Path, sir_model_expected: dict[str, Any], tmp_path: Path
) -> None:
    script = windows.path(Path(__file__).with_name("app_journey.py"))
    folders = {
        f"WIN_PD_OVERRIDE_{name}": windows.path(tmp_path / name)
        for name in ("APPDATA", "LOCAL_APPDATA")
    }
    running = sir_model_expected["names"]["running"]
    done = windows.run(script, windows.path(sir_model), running, env=folders)
    assert done.returncode == 0, done.stderr


def test_a_text_is_copied_to_the_clipboard(windows: Windows) -> None:
    done = windows.run("-c", _COPY)
    assert (done.stdout, done.stderr) == ("'grüße ✓\\r\\ntwo'\n", "")


def test_the_folder_of_a_killed_demo_is_removed_by_the_next(
    windows: Windows, tmp_path: Path
) -> None:
    place = windows.path(tmp_path)
    with windows.start("-c", _DEMO, place) as killed:
        assert killed.stdout is not None
        name = killed.stdout.readline().strip()
        killed.kill()
    assert (tmp_path / name).is_dir()
    done = windows.run("-c", _NEXT_DEMO, place)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("hipercow-demo-*"))


def test_errors_are_read_in_a_process(windows: Windows, sir_model: Path) -> None:
    done = windows.run("-c", _READ_FAILURES, windows.path(sir_model))
    assert (done.stdout, done.stderr) == ("10 True\n", "")


_DEMO = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from hipercow_tui.demo import living_root
with living_root(20) as root:
    print(root.parent.name, flush=True)
    time.sleep(60)
"""

_NEXT_DEMO = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from hipercow_tui.demo.demo_folder import remove_abandoned_folders
remove_abandoned_folders()
"""

_READ_FAILURES = """
import sys
from hipercow_tui.analysis.failure_reader import FailureReader
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import Scanner
root = find_root(sys.argv[1])
*_, last = Scanner(root).scan()
failed = [task for task in last.snapshot.tasks.values() if task.status is Status.FAILURE]
reader = FailureReader(root)
here = reader.read(failed, more=0)
by_process = reader.read(failed, more=10_000)
print(len(here), reader._process is not None and here == by_process)
reader.close()
"""

_COPY = """
import ctypes
from ctypes import wintypes
from hipercow_tui.support.windows_console import copy_to_clipboard
assert copy_to_clipboard("grüße ✓\\ntwo")
user, kernel = ctypes.WinDLL("user32"), ctypes.WinDLL("kernel32")
user.GetClipboardData.restype = kernel.GlobalLock.restype = wintypes.HANDLE
kernel.GlobalLock.argtypes = [wintypes.HANDLE]
assert user.OpenClipboard(None)
print(repr(ctypes.wstring_at(kernel.GlobalLock(user.GetClipboardData(13)))))
"""
