"""Calls of the Windows kernel that ``windows`` needs, by ctypes.

NtCreateFile opens a name relative to an open folder, and NtSetInformationFile renames into one; the
documented functions of kernel32 take only paths. Names of structures, constants and functions are
those of Microsoft's pages, which are cited by their titles. Only 64-bit Windows is supported.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from ctypes import wintypes
from typing import NamedTuple

from hipercow_tui.support.filesystem.values import OPEN_ELSEWHERE

assert sys.platform == "win32"

# "ACCESS_MASK", "File Access Rights Constants"
FILE_READ_DATA = FILE_LIST_DIRECTORY = 0x1
FILE_WRITE_DATA = FILE_ADD_FILE = 0x2
FILE_APPEND_DATA = FILE_ADD_SUBDIRECTORY = 0x4
FILE_TRAVERSE = 0x20
FILE_READ_ATTRIBUTES = 0x80
FILE_WRITE_ATTRIBUTES = 0x100
DELETE = 0x10000
SYNCHRONIZE = 0x100000
# "NtCreateFile function (winternl.h)"
FILE_SHARE_ALL = 0x1 | 0x2 | 0x4  # FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE
FILE_OPEN, FILE_CREATE, FILE_OPEN_IF = 1, 2, 3
FILE_DIRECTORY_FILE = 0x1
FILE_SYNCHRONOUS_IO_NONALERT = 0x20
FILE_NON_DIRECTORY_FILE = 0x40
FILE_OPEN_REPARSE_POINT = 0x200000
_OBJ_CASE_INSENSITIVE = 0x40  # "OBJECT_ATTRIBUTES structure (ntdef.h)"
# "File Attribute Constants"
FILE_ATTRIBUTE_DIRECTORY = 0x10
FILE_ATTRIBUTE_NORMAL = 0x80
FILE_ATTRIBUTE_REPARSE_POINT = 0x400
# "FILE_INFORMATION_CLASS enumeration (wdm.h)"
FILE_BASIC_INFORMATION = 4
FILE_RENAME_INFORMATION = 10
FILE_DISPOSITION_INFORMATION = 13
FILE_DISPOSITION_INFORMATION_EX = 64
# "FILE_INFO_BY_HANDLE_CLASS enumeration (minwinbase.h)"
_FILE_BASIC_INFO = 0
_FILE_STANDARD_INFO = 1
_FILE_ATTRIBUTE_TAG_INFO = 9
FILE_ID_BOTH_DIRECTORY_RESTART_INFO = 11
FILE_FULL_DIRECTORY_RESTART_INFO = 15
_ERROR_NO_MORE_FILES = 18
# The replies of file systems that have no reparse points.
_ERROR_INVALID_FUNCTION, _ERROR_NOT_SUPPORTED, _ERROR_INVALID_PARAMETER = 1, 50, 87
DRIVE_REMOTE = 4  # "GetDriveTypeW function (fileapi.h)"
_MAX_PATH = 1 << 15  # characters of any path
# "NTSTATUS Values" [MS-ERREF]
STATUS_NOT_IMPLEMENTED = 0xC0000002
STATUS_INVALID_INFO_CLASS = 0xC0000003
STATUS_INVALID_PARAMETER = 0xC000000D
STATUS_INVALID_DEVICE_REQUEST = 0xC0000010
STATUS_ACCESS_DENIED = 0xC0000022
STATUS_NOT_SUPPORTED = 0xC00000BB
STATUS_CANNOT_DELETE = 0xC0000121
UNSUPPORTED = {
    STATUS_NOT_IMPLEMENTED,
    STATUS_INVALID_INFO_CLASS,
    STATUS_INVALID_PARAMETER,
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_NOT_SUPPORTED,
}

_ERRNO_BY_STATUS = {
    0xC0000033: (errno.EINVAL, "Windows does not accept the name"),  # STATUS_OBJECT_NAME_INVALID
    0xC0000056: (errno.EBUSY, OPEN_ELSEWHERE),  # STATUS_DELETE_PENDING: removed once it is closed
    0xC0000043: (errno.EBUSY, OPEN_ELSEWHERE),  # STATUS_SHARING_VIOLATION
    0xC0000054: (errno.EBUSY, OPEN_ELSEWHERE),  # STATUS_FILE_LOCK_CONFLICT
    0xC0000103: (errno.ENOTDIR, ""),  # STATUS_NOT_A_DIRECTORY
    0xC00000BA: (errno.EISDIR, ""),  # STATUS_FILE_IS_A_DIRECTORY
    0xC0000044: (errno.EDQUOT, "Disk quota exceeded"),  # STATUS_QUOTA_EXCEEDED
    0xC00000BB: (errno.ENOTSUP, "Operation not supported"),  # STATUS_NOT_SUPPORTED
}
_NO_ERRNO = errno.EINVAL  # what Python uses for an error that has none


class _UnicodeString(ctypes.Structure):
    """From "UNICODE_STRING structure (subauth.h)"."""

    _fields_ = (
        ("Length", wintypes.USHORT),
        ("MaximumLength", wintypes.USHORT),
        ("Buffer", ctypes.c_wchar_p),
    )


class _ObjectAttributes(ctypes.Structure):
    """From "OBJECT_ATTRIBUTES structure (ntdef.h)"."""

    _fields_ = (
        ("Length", wintypes.ULONG),
        ("RootDirectory", wintypes.HANDLE),
        ("ObjectName", ctypes.POINTER(_UnicodeString)),
        ("Attributes", wintypes.ULONG),
        ("SecurityDescriptor", ctypes.c_void_p),
        ("SecurityQualityOfService", ctypes.c_void_p),
    )


class _IoStatusBlock(ctypes.Structure):
    """From "IO_STATUS_BLOCK structure (wdm.h)"."""

    _fields_ = (("Pointer", ctypes.c_void_p), ("Information", ctypes.c_void_p))


class _ByHandleFileInformation(ctypes.Structure):
    """From "BY_HANDLE_FILE_INFORMATION structure (fileapi.h)"."""

    _fields_ = (
        ("dwFileAttributes", wintypes.DWORD),
        ("ftCreationTime", wintypes.FILETIME),
        ("ftLastAccessTime", wintypes.FILETIME),
        ("ftLastWriteTime", wintypes.FILETIME),
        ("dwVolumeSerialNumber", wintypes.DWORD),
        ("nFileSizeHigh", wintypes.DWORD),
        ("nFileSizeLow", wintypes.DWORD),
        ("nNumberOfLinks", wintypes.DWORD),
        ("nFileIndexHigh", wintypes.DWORD),
        ("nFileIndexLow", wintypes.DWORD),
    )


class _FileBasicInfo(ctypes.Structure):
    """From "FILE_BASIC_INFO structure (winbase.h)", also FILE_BASIC_INFORMATION."""

    _fields_ = (
        ("CreationTime", wintypes.LARGE_INTEGER),
        ("LastAccessTime", wintypes.LARGE_INTEGER),
        ("LastWriteTime", wintypes.LARGE_INTEGER),
        ("ChangeTime", wintypes.LARGE_INTEGER),
        ("FileAttributes", wintypes.DWORD),
    )


class _FileStandardInfo(ctypes.Structure):
    """From "FILE_STANDARD_INFO structure (winbase.h)"."""

    _fields_ = (
        ("AllocationSize", wintypes.LARGE_INTEGER),
        ("EndOfFile", wintypes.LARGE_INTEGER),
        ("NumberOfLinks", wintypes.DWORD),
        ("DeletePending", wintypes.BOOLEAN),
        ("Directory", wintypes.BOOLEAN),
    )


class _FileAttributeTagInfo(ctypes.Structure):
    """From "FILE_ATTRIBUTE_TAG_INFO structure (winbase.h)"."""

    _fields_ = (("FileAttributes", wintypes.DWORD), ("ReparseTag", wintypes.DWORD))


_ntdll = ctypes.WinDLL("ntdll")
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

_NtCreateFile = _ntdll.NtCreateFile
_NtCreateFile.restype = wintypes.ULONG
_NtCreateFile.argtypes = (
    ctypes.POINTER(wintypes.HANDLE),
    wintypes.ULONG,
    ctypes.POINTER(_ObjectAttributes),
    ctypes.POINTER(_IoStatusBlock),
    ctypes.POINTER(wintypes.LARGE_INTEGER),
    *[wintypes.ULONG] * 4,
    ctypes.c_void_p,
    wintypes.ULONG,
)
_NtSetInformationFile = _ntdll.NtSetInformationFile
_NtSetInformationFile.restype = wintypes.ULONG
_NtSetInformationFile.argtypes = (
    wintypes.HANDLE,
    ctypes.POINTER(_IoStatusBlock),
    ctypes.c_void_p,
    wintypes.ULONG,
    ctypes.c_int,
)
_RtlNtStatusToDosError = _ntdll.RtlNtStatusToDosError
_RtlNtStatusToDosError.restype = wintypes.ULONG
_RtlNtStatusToDosError.argtypes = (wintypes.ULONG,)
_CloseHandle = _kernel32.CloseHandle
_CloseHandle.restype = wintypes.BOOL
_CloseHandle.argtypes = (wintypes.HANDLE,)
_FlushFileBuffers = _kernel32.FlushFileBuffers
_FlushFileBuffers.restype = wintypes.BOOL
_FlushFileBuffers.argtypes = (wintypes.HANDLE,)
_GetDriveTypeW = _kernel32.GetDriveTypeW
_GetDriveTypeW.restype = wintypes.UINT
_GetDriveTypeW.argtypes = (wintypes.LPCWSTR,)
_GetFinalPathNameByHandleW = _kernel32.GetFinalPathNameByHandleW
_GetFinalPathNameByHandleW.restype = wintypes.DWORD
_GetFinalPathNameByHandleW.argtypes = (
    wintypes.HANDLE,
    wintypes.LPWSTR,
    wintypes.DWORD,
    wintypes.DWORD,
)
_GetFileInformationByHandle = _kernel32.GetFileInformationByHandle
_GetFileInformationByHandle.restype = wintypes.BOOL
_GetFileInformationByHandle.argtypes = (
    wintypes.HANDLE,
    ctypes.POINTER(_ByHandleFileInformation),
)
_GetFileInformationByHandleEx = _kernel32.GetFileInformationByHandleEx
_GetFileInformationByHandleEx.restype = wintypes.BOOL
_GetFileInformationByHandleEx.argtypes = (
    wintypes.HANDLE,
    ctypes.c_int,
    ctypes.c_void_p,
    wintypes.DWORD,
)


class FileInformation(NamedTuple):
    """What the system says about an open file. Times are in units of 100 ns since 1601, sizes in
    bytes. ``tag`` is the kind of a reparse point, else 0."""

    attributes: int
    tag: int
    volume: int
    number: int
    links: int
    size: int
    allocated: int
    written: int
    changed: int


def error_of(status: int, name: str) -> OSError:
    """Return the error for an NTSTATUS, with an errno and a ``strerror``, which is in the language
    of Windows if there is no errno for it."""
    known = _ERRNO_BY_STATUS.get(status)
    if known:
        return OSError(known[0], known[1] or os.strerror(known[0]), name)
    return _windows_error(_RtlNtStatusToDosError(status), name)


def _windows_error(code: int, name: str) -> OSError:
    """Return the error for a code of Windows. Python knows the errno of the frequent ones."""
    error = ctypes.WinError(code)
    number = error.errno or errno.EIO
    text = (error.strerror or "") if number == _NO_ERRNO else os.strerror(number)
    return OSError(number, text, name)


def open_handle(
    name: str,
    folder: int | None,
    access: int,
    options: int,
    *,
    disposition: int = FILE_OPEN,
    share: int = FILE_SHARE_ALL,
) -> int:
    """Open a name in an open folder, or a full name of the kernel (``\\??\\C:\\…``) without one.

    An empty name is the open file itself. Returns the handle. Raises OSError.
    """
    size = len(name.encode("utf-16-le", "surrogatepass"))
    text = _UnicodeString(size, size, name)
    attributes = _ObjectAttributes(
        ctypes.sizeof(_ObjectAttributes), folder, ctypes.pointer(text), _OBJ_CASE_INSENSITIVE
    )
    handle = wintypes.HANDLE()
    status = _NtCreateFile(
        ctypes.byref(handle),
        access | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
        ctypes.byref(attributes),
        ctypes.byref(_IoStatusBlock()),
        None,
        FILE_ATTRIBUTE_NORMAL,
        share,
        disposition,
        options | FILE_SYNCHRONOUS_IO_NONALERT,
        None,
        0,
    )
    if status or handle.value is None:
        raise error_of(status, name)
    return handle.value


def close_handle(handle: int) -> None:
    """Close a handle."""
    _CloseHandle(handle)


def set_information(handle: int, kind: int, data: bytes) -> int:
    """Change something of an open file: ``kind`` is a FILE_INFORMATION_CLASS, and ``data`` its
    structure. Returns the NTSTATUS, 0 if that was done."""
    status: int = _NtSetInformationFile(
        handle, ctypes.byref(_IoStatusBlock()), data, len(data), kind
    )
    return status


def set_basic_information(handle: int, *, written: int = 0, attributes: int = 0) -> int:
    """Set the time of the last change or the attributes of an open file; 0 leaves them unchanged.
    Returns the NTSTATUS."""
    return set_information(
        handle, FILE_BASIC_INFORMATION, bytes(_FileBasicInfo(0, written, written, 0, attributes))
    )


def flush(handle: int) -> None:
    """Write an open file or folder to the disk. Raises OSError."""
    if not _FlushFileBuffers(handle):
        raise _windows_error(ctypes.get_last_error(), "")


def information(handle: int) -> FileInformation:
    """Return what the system says about an open file. Raises OSError."""
    found, basic, standard = _ByHandleFileInformation(), _FileBasicInfo(), _FileStandardInfo()
    if not _GetFileInformationByHandle(handle, ctypes.byref(found)):
        raise _windows_error(ctypes.get_last_error(), "")
    _query(handle, _FILE_BASIC_INFO, basic)
    _query(handle, _FILE_STANDARD_INFO, standard)
    return FileInformation(
        found.dwFileAttributes,
        reparse_tag(handle) if found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT else 0,
        found.dwVolumeSerialNumber,
        found.nFileIndexHigh << 32 | found.nFileIndexLow,
        found.nNumberOfLinks,
        standard.EndOfFile,
        standard.AllocationSize,
        basic.LastWriteTime,
        basic.ChangeTime,
    )


def reparse_tag(handle: int) -> int:
    """Return the kind of an open reparse point, or 0 if the file is none. Raises OSError."""
    found = _FileAttributeTagInfo()
    size = ctypes.sizeof(found)
    if not _GetFileInformationByHandleEx(
        handle, _FILE_ATTRIBUTE_TAG_INFO, ctypes.byref(found), size
    ):
        code = ctypes.get_last_error()
        if code in (_ERROR_INVALID_FUNCTION, _ERROR_NOT_SUPPORTED, _ERROR_INVALID_PARAMETER):
            return 0
        raise _windows_error(code, "")
    return found.ReparseTag if found.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT else 0


def _query(handle: int, kind: int, structure: ctypes.Structure) -> None:
    size = ctypes.sizeof(structure)
    if not _GetFileInformationByHandleEx(handle, kind, ctypes.byref(structure), size):
        raise _windows_error(ctypes.get_last_error(), "")


def drive_type(root: str) -> int:
    """Return the kind of a drive by the path of its root folder."""
    kind: int = _GetDriveTypeW(root)
    return kind


def path_of(handle: int) -> str:
    """Return the present path of an open file, beginning with ``\\\\?\\``. Raises OSError."""
    buffer = ctypes.create_unicode_buffer(_MAX_PATH)
    if not _GetFinalPathNameByHandleW(handle, buffer, _MAX_PATH, 0):
        raise _windows_error(ctypes.get_last_error(), "")
    return buffer.value


def read_entries(handle: int, kind: int, buffer: ctypes.Array[ctypes.c_char]) -> bool:
    """Fill the buffer with the next entries of an open folder, structures of ``kind``. Returns
    whether there were any. Raises OSError."""
    if _GetFileInformationByHandleEx(handle, kind, buffer, ctypes.sizeof(buffer)):
        return True
    code = ctypes.get_last_error()
    if code == _ERROR_NO_MORE_FILES:
        return False
    raise _windows_error(code, "")
