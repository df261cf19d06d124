"""What a terminal of Windows needs besides escape sequences; elsewhere these functions do nothing.

The names are those of the Windows API, in its reference for console and clipboard.
"""

from __future__ import annotations

import sys

_ENABLE_VIRTUAL_TERMINAL_PROCESSING = 0x0004
_CF_UNICODETEXT = 13
_GMEM_MOVEABLE = 0x0002


def supports_escape_sequences() -> bool:
    """Return whether the terminal of standard output interprets escape sequences. The console of
    Windows before version 1607 of Windows 10 prints them."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")
    kernel.GetConsoleMode.argtypes = [wintypes.HANDLE, wintypes.LPDWORD]
    kernel.SetConsoleMode.argtypes = [wintypes.HANDLE, wintypes.DWORD]
    console = msvcrt.get_osfhandle(sys.stdout.fileno())
    mode = wintypes.DWORD()
    if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
        return False
    possible = kernel.SetConsoleMode(console, mode.value | _ENABLE_VIRTUAL_TERMINAL_PROCESSING)
    kernel.SetConsoleMode(console, mode.value)
    return bool(possible)


def copy_to_clipboard(text: str) -> bool:
    """Copy a text to the clipboard of Windows, and return whether that succeeded: another program
    may hold it, and elsewhere there is none."""
    if sys.platform != "win32":
        return False
    import ctypes
    from ctypes import wintypes

    user, kernel = ctypes.WinDLL("user32"), ctypes.WinDLL("kernel32")
    user.OpenClipboard.argtypes = [wintypes.HWND]
    user.SetClipboardData.argtypes = [wintypes.UINT, wintypes.HANDLE]
    user.SetClipboardData.restype = wintypes.HANDLE
    kernel.GlobalAlloc.argtypes = [wintypes.UINT, ctypes.c_size_t]
    kernel.GlobalAlloc.restype = wintypes.HGLOBAL
    kernel.GlobalLock.argtypes = kernel.GlobalUnlock.argtypes = [wintypes.HGLOBAL]
    kernel.GlobalFree.argtypes = [wintypes.HGLOBAL]
    kernel.GlobalLock.restype = wintypes.LPVOID

    lines = text.replace("\r\n", "\n").replace("\n", "\r\n")
    raw = f"{lines}\0".encode("utf-16-le", "replace")
    memory = kernel.GlobalAlloc(_GMEM_MOVEABLE, len(raw))
    if not memory:
        return False
    ctypes.memmove(kernel.GlobalLock(memory), raw, len(raw))
    kernel.GlobalUnlock(memory)
    copied = False
    if user.OpenClipboard(None):
        user.EmptyClipboard()
        copied = bool(user.SetClipboardData(_CF_UNICODETEXT, memory))
        user.CloseClipboard()
    if not copied:  # else the memory belongs to the clipboard
        kernel.GlobalFree(memory)
    return copied
