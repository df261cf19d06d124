"""The functions of the package on Windows that change something, by handles."""

from __future__ import annotations

import errno
import msvcrt
import struct
import sys
import time

from hipercow_tui.support.filesystem import nt
from hipercow_tui.support.filesystem.values import OPEN_ELSEWHERE

if sys.platform == "win32":
    from hipercow_tui.support.filesystem.windows import (
        EPOCH,
        FOLDER_ACCESS,
        LEADS_ELSEWHERE,
        checked_name,
        open_named,
        reopen,
        stat_in,
        status_of,
    )

assert sys.platform == "win32"

# "FILE_DISPOSITION_INFORMATION_EX structure (ntddk.h)": FILE_DISPOSITION_DELETE,
# FILE_DISPOSITION_POSIX_SEMANTICS, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE
_REMOVE_NOW = struct.pack("<I", 0x1 | 0x2 | 0x10)
_REMOVE_WHEN_CLOSED = b"\1"  # "FILE_DISPOSITION_INFORMATION structure (ntddk.h)"
# "FILE_RENAME_INFORMATION structure (ntifs.h)": flags, folder, length of the name
_RENAME = struct.Struct("<I4xQI")
_REPLACE = 1  # ReplaceIfExists


def rename(source: str, target: str, source_folder: int, target_folder: int) -> None:
    """Rename an entry to a name that does not exist. It never replaces anything. Raises OSError."""
    handle = open_named(source, source_folder, nt.DELETE, 0)
    try:
        _rename(handle, target, target_folder)
    finally:
        nt.close_handle(handle)


def replace(source: str, target: str, folder: int) -> None:
    """Rename a file in an open folder, and replace a file that has the name. Raises OSError, with
    OPEN_ELSEWHERE if that file is open."""
    handle = open_named(source, folder, nt.DELETE, 0)
    try:
        _rename(handle, target, folder, _REPLACE)
    finally:
        nt.close_handle(handle)


def _rename(handle: int, target: str, folder: int, flags: int = 0) -> None:
    data = _rename_data(flags, target, folder)
    status = nt.set_information(handle, nt.FILE_RENAME_INFORMATION, data)
    if status in nt.UNSUPPORTED:
        _rename_by_path(handle, target, folder, flags)
    elif status == nt.STATUS_ACCESS_DENIED and _may_add_to(folder):
        # The right to rename it was given when it was opened. So something in it is open.
        raise OSError(errno.EBUSY, OPEN_ELSEWHERE, target)
    elif status:
        raise nt.error_of(status, target)


def _rename_data(flags: int, target: str, folder: int | None) -> bytes:
    root = 0 if folder is None else msvcrt.get_osfhandle(folder)
    name = (target if folder is None else checked_name(target)).encode("utf-16-le", "surrogatepass")
    return _RENAME.pack(flags, root, len(name)) + name + bytes(4)


def _rename_by_path(handle: int, target: str, folder: int, flags: int) -> None:
    """Rename where the server can't do it relative to a folder, and check that it is there."""
    path = nt.path_of(msvcrt.get_osfhandle(folder)).removeprefix("\\\\?\\")
    data = _rename_data(flags, f"\\??\\{path}\\{checked_name(target)}", None)
    if status := nt.set_information(handle, nt.FILE_RENAME_INFORMATION, data):
        raise nt.error_of(status, target)
    moved, found = status_of(nt.information(handle)), stat_in(target, folder)
    if (moved.st_dev, moved.st_ino) != (found.st_dev, found.st_ino):
        raise OSError(errno.EIO, "its folder was moved meanwhile", target)


def _may_add_to(folder: int) -> bool:
    try:
        nt.close_handle(reopen(folder, nt.FILE_ADD_FILE | nt.FILE_ADD_SUBDIRECTORY))
    except OSError:
        return False
    return True


def unlink(name: str, folder: int) -> None:
    """Remove an entry that is no folder: a file, a link or a junction. Raises OSError."""
    try:
        handle = open_named(name, folder, nt.DELETE, nt.FILE_NON_DIRECTORY_FILE)
    except IsADirectoryError:
        handle = open_named(name, folder, nt.DELETE, nt.FILE_DIRECTORY_FILE)
        if not _is_link(handle):
            nt.close_handle(handle)
            raise
    try:
        if nt.set_information(handle, nt.FILE_DISPOSITION_INFORMATION_EX, _REMOVE_NOW):
            _remove_when_closed(handle, name)
    finally:
        nt.close_handle(handle)


def _is_link(handle: int) -> bool:
    try:
        return bool(nt.reparse_tag(handle) & LEADS_ELSEWHERE)
    except OSError:
        return False


def remove_folder(name: str, folder: int) -> None:
    """Remove an empty folder at once. Raises OSError: where the system would wait until all
    programs have closed the folder, it is an error that one has it open."""
    options = nt.FILE_DIRECTORY_FILE
    handle = open_named(name, folder, nt.DELETE, options)
    try:
        status = nt.set_information(handle, nt.FILE_DISPOSITION_INFORMATION_EX, _REMOVE_NOW)
    finally:
        nt.close_handle(handle)
    if status:
        handle = open_named(name, folder, nt.DELETE | nt.FILE_LIST_DIRECTORY, options, share=0)
        try:
            _remove_when_closed(handle, name)
        finally:
            nt.close_handle(handle)


def _remove_when_closed(handle: int, name: str) -> None:
    """Mark an open entry, so that it is removed when nobody has it open. A read-only attribute
    does not hinder that. Raises OSError."""
    kind = nt.FILE_DISPOSITION_INFORMATION
    status = nt.set_information(handle, kind, _REMOVE_WHEN_CLOSED)
    if status == nt.STATUS_CANNOT_DELETE:
        # Without this option, the attributes of the target of a link would be changed.
        writable = nt.open_handle("", handle, nt.FILE_WRITE_ATTRIBUTES, nt.FILE_OPEN_REPARSE_POINT)
        nt.set_basic_information(writable, attributes=nt.FILE_ATTRIBUTE_NORMAL)
        nt.close_handle(writable)
        status = nt.set_information(handle, kind, _REMOVE_WHEN_CLOSED)
    if status:
        raise nt.error_of(status, name)


def make_folder(name: str, folder: int, mode: int) -> None:
    """Make a folder. ``mode`` is not used: the rights are inherited. Raises OSError."""
    options = nt.FILE_DIRECTORY_FILE
    nt.close_handle(open_named(name, folder, FOLDER_ACCESS, options, disposition=nt.FILE_CREATE))


def link(source: str, target: str, source_folder: int, target_folder: int) -> None:
    """Raise OSError: here ``rename`` never replaces anything, so no second name is needed."""
    raise OSError(errno.ENOTSUP, "no second names are made here", source)


def touch(name: str, folder: int, seconds: int | None = None) -> None:
    """Set the time of an entry: to now, or to ``seconds`` since the epoch. Raises OSError."""
    _set_time(open_named(name, folder, nt.FILE_WRITE_ATTRIBUTES, 0), seconds)


def touch_fd(fd: int) -> None:
    """Set the time of an open file or folder to now. Raises OSError."""
    _set_time(reopen(fd, nt.FILE_WRITE_ATTRIBUTES), None)


def _set_time(handle: int, seconds: int | None) -> None:
    """Set the time of an open file to now or to ``seconds`` since the epoch, and close it."""
    time_ns = time.time_ns() if seconds is None else seconds * 10**9
    try:
        if status := nt.set_basic_information(handle, written=EPOCH + time_ns // 100):
            raise nt.error_of(status, "")
    finally:
        nt.close_handle(handle)


def sync_folder(folder: int) -> None:
    """Write the entries of an open folder to the disk, where the file system can do that. NTFS
    writes changes of names in their order anyway. Raises OSError if the disk fails."""
    handle = -1
    try:
        handle = reopen(folder, nt.FILE_ADD_FILE)
        nt.flush(handle)
    except OSError as error:
        if error.errno == errno.EIO:
            raise
    finally:
        if handle >= 0:
            nt.close_handle(handle)
