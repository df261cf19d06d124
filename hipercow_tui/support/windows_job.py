"""A process of Windows with all processes that it starts, to end them together.

``taskkill /T`` finds children only as long as their parent runs, and ``Rscript.exe`` may end before
the R that it has started. A job of Windows contains them all, because children are born into it.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_CreateJobObject = _kernel32.CreateJobObjectW
_CreateJobObject.restype = wintypes.HANDLE
_CreateJobObject.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
_AssignProcessToJobObject = _kernel32.AssignProcessToJobObject
_AssignProcessToJobObject.restype = wintypes.BOOL
_AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
_TerminateJobObject = _kernel32.TerminateJobObject
_TerminateJobObject.restype = wintypes.BOOL
_TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
_CloseHandle = _kernel32.CloseHandle
_CloseHandle.restype = wintypes.BOOL
_CloseHandle.argtypes = (wintypes.HANDLE,)

_EXIT_STATUS = 1  # of the processes that are ended


class Job:
    """The job of a process that was just started. ``process`` is its handle.

    Raises OSError if Windows refuses. Children that began before are not part of the job: make it
    at once.
    """

    def __init__(self, process: int) -> None:
        self._handle = _CreateJobObject(None, None)
        if not self._handle:
            raise ctypes.WinError(ctypes.get_last_error())
        if not _AssignProcessToJobObject(self._handle, process):
            code = ctypes.get_last_error()
            self.close()
            raise ctypes.WinError(code)

    def terminate(self) -> None:
        """End the process, and all that it has started. Raises OSError."""
        if not _TerminateJobObject(self._handle, _EXIT_STATUS):
            raise ctypes.WinError(ctypes.get_last_error())

    def close(self) -> None:
        """Close the handle. The processes go on."""
        _CloseHandle(self._handle)
