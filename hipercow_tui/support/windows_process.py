"""Processes of this Windows machine: when one began, and whether it has ended.

A process id is used again soon. With the time of its beginning it names one process.
"""

from __future__ import annotations

import ctypes
import os
import sys
import winreg
from contextlib import suppress
from ctypes import wintypes
from functools import cache

assert sys.platform == "win32"

_PROCESS_QUERY_LIMITED_INFORMATION = 0x1000  # "Process Security and Access Rights"
_SYNCHRONIZE = 0x100000
_WAIT_OBJECT_0 = 0  # "WaitForSingleObject function (synchapi.h)"
_ERROR_INVALID_PARAMETER = 87  # the reply of OpenProcess if there is no such process

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_OpenProcess = _kernel32.OpenProcess
_OpenProcess.restype = wintypes.HANDLE
_OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
_CloseHandle = _kernel32.CloseHandle
_CloseHandle.restype = wintypes.BOOL
_CloseHandle.argtypes = (wintypes.HANDLE,)
_WaitForSingleObject = _kernel32.WaitForSingleObject
_WaitForSingleObject.restype = wintypes.DWORD
_WaitForSingleObject.argtypes = (wintypes.HANDLE, wintypes.DWORD)
_GetProcessTimes = _kernel32.GetProcessTimes
_GetProcessTimes.restype = wintypes.BOOL
_GetProcessTimes.argtypes = (wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4)


def space_of_this_process() -> str:
    """Return the id of the machine and the time when this process began; empty if Windows has no
    id. Raises OSError."""
    machine = _machine_id()
    return f"{machine} {_begin_time(os.getpid())}" if machine else ""


def has_ended(pid: int, space: str) -> bool:
    """Return whether a process has certainly ended. ``space`` is its result of
    ``space_of_this_process``."""
    machine, _, began = space.rpartition(" ")
    if not machine or machine != _machine_id():
        return False
    try:
        return str(_begin_time(pid)) != began
    except OSError:
        return False


@cache
def _machine_id() -> str:
    """Return the id that Windows got when it was installed; empty if it has none."""
    with (
        suppress(OSError),
        winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key,
    ):
        return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    return ""


def _begin_time(pid: int) -> int | None:
    """Return when a running process began, in units of 100 ns since 1601; None if there is no such
    process. Raises OSError if that can't be found out."""
    handle = _OpenProcess(_PROCESS_QUERY_LIMITED_INFORMATION | _SYNCHRONIZE, False, pid)
    if not handle:
        code = ctypes.get_last_error()
        if code == _ERROR_INVALID_PARAMETER:
            return None
        raise ctypes.WinError(code)
    try:
        if _WaitForSingleObject(handle, 0) == _WAIT_OBJECT_0:
            return None
        began, *others = (wintypes.FILETIME() for _ in range(4))
        if not _GetProcessTimes(handle, ctypes.byref(began), *map(ctypes.byref, others)):
            raise ctypes.WinError(ctypes.get_last_error())
        return began.dwHighDateTime << 32 | began.dwLowDateTime
    finally:
        _CloseHandle(handle)
