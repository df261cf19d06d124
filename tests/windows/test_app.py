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
