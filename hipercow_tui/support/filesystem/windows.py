"""The functions of the package on Windows, by handles.

The descriptor of a folder is one of the C library for the handle of that folder: ``os.close`` and
``os.fstat`` accept it. Files are opened with all sharing, so that no other program is disturbed.
"""

from __future__ import annotations

import ctypes
import errno
import msvcrt
import os
import re
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from hipercow_tui.support.filesystem import nt
from hipercow_tui.support.filesystem.values import FolderStatus, Mount

assert sys.platform == "win32"

_BLOCK = 512  # bytes, the unit of ``st_blocks``
EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601
# "Reparse Point Tags": this bit is set in those of links, junctions and mounted volumes. Others, as
# those of deduplicated files, are ordinary files for a reader.
LEADS_ELSEWHERE = 0x20000000
FOLDER_ACCESS = nt.FILE_LIST_DIRECTORY | nt.FILE_TRAVERSE
_NAME = re.compile(r'[^\\/:*?"<>|\0-\x1f]+\Z')
# "FILE_ID_BOTH_DIR_INFO structure (winbase.h)": next entry, write time, change time, size,
# allocated size, attributes, length of the name, reparse tag, file id. Some file servers and FAT
# have only the "FILE_FULL_DIR_INFO structure (winbase.h)", which ends before the file id.
_LISTINGS = (
    (nt.FILE_ID_BOTH_DIRECTORY_RESTART_INFO, struct.Struct("<I20xqqqqIII28xQ")),
    (nt.FILE_FULL_DIRECTORY_RESTART_INFO, struct.Struct("<I20xqqqqIII")),
)
_BUFFER = 1 << 16  # bytes for a listing


class Status(NamedTuple):
    """The status of an entry, with the fields of ``os.stat_result`` that are used."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_size: int
    st_blocks: int
    st_mtime_ns: int
    st_ctime_ns: int

    @property
    def st_mtime(self) -> float:
        """The time of the last change of the content, in seconds since the epoch."""
        return self.st_mtime_ns / 1e9

    @property
    def st_ctime(self) -> float:
        """The time of the last change of the content, name or attributes, in seconds since the
        epoch."""
        return self.st_ctime_ns / 1e9


class Entry:
    """An entry of a listing, like ``os.DirEntry``. The number of names of a file is not listed:
    here it is 1."""

    __slots__ = ("_folder", "_status", "name", "path")

    def __init__(self, name: str, path: str, status: Status, folder: int | None) -> None:
        self.name, self.path = name, path
        self._status, self._folder = status, folder

    def is_dir(self, *, follow_symlinks: Literal[False]) -> bool:
        """Return whether it is a folder, and not a junction or link to one."""
        return stat.S_ISDIR(self._status.st_mode)

    def is_file(self, *, follow_symlinks: Literal[False]) -> bool:
        """Return whether it is a regular file."""
        return stat.S_ISREG(self._status.st_mode)

    def is_symlink(self) -> bool:
        """Return whether it is a link, a junction or a mounted volume."""
        return stat.S_ISLNK(self._status.st_mode)

    def inode(self) -> int:
        """Return the number of the file in its volume, 0 if the server has none."""
        return self._status.st_ino

    def stat(self, *, follow_symlinks: Literal[False]) -> Status:
        """Return its status. The times of a folder are looked up: those in a listing can be old.
        Raises OSError."""
        if not stat.S_ISDIR(self._status.st_mode):
            return self._status
        return lstat(self.path) if self._folder is None else stat_in(self.name, self._folder)


def open_folder(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """Open a folder and return its descriptor; the caller closes it. Raises OSError, also for a
    link or a junction."""
    handle = open_named(path, dir_fd, FOLDER_ACCESS, nt.FILE_DIRECTORY_FILE)
    _refuse_link(handle, path)
    return _descriptor(handle)


def open_file(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> int:
    """Open a file for reading and return its descriptor; the caller closes it. Raises OSError,
    also for a link."""
    handle = open_named(path, dir_fd, nt.FILE_READ_DATA, nt.FILE_NON_DIRECTORY_FILE)
    if not _refuse_link(handle, path):
        return _descriptor(handle)
    try:
        # It was opened as a reparse point, which does not have the content of the file.
        options = nt.FILE_NON_DIRECTORY_FILE
        return _descriptor(nt.open_handle("", handle, nt.FILE_READ_DATA, options))
    finally:
        nt.close_handle(handle)


def open_to_write(name: str, folder: int, flags: int, mode: int = 0o666) -> int:
    """Open a file in an open folder and return its descriptor; the caller closes it. ``flags``
    are those of ``os.open``; ``mode`` is not used. Raises OSError."""
    access = nt.FILE_APPEND_DATA | nt.FILE_WRITE_ATTRIBUTES
    if not flags & os.O_APPEND:  # with this right alone, the system appends in one step
        access |= nt.FILE_WRITE_DATA
    if flags & os.O_RDWR:
        access |= nt.FILE_READ_DATA
    disposition = nt.FILE_OPEN_IF if flags & os.O_CREAT else nt.FILE_OPEN
    if flags & os.O_EXCL:
        disposition = nt.FILE_CREATE
    handle = open_named(name, folder, access, nt.FILE_NON_DIRECTORY_FILE, disposition=disposition)
    _refuse_link(handle, name)
    fd = _descriptor(handle, flags & (os.O_APPEND | os.O_RDWR | os.O_WRONLY))
    try:
        if flags & os.O_TRUNC:
            os.ftruncate(fd, 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read at most ``size`` bytes of an open file from ``offset`` on. Raises OSError."""
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, size)


def write_at(fd: int, data: bytes, offset: int) -> int:
    """Write into an open file from ``offset`` on. Return how many bytes. Raises OSError."""
    os.lseek(fd, offset, os.SEEK_SET)
    return os.write(fd, data)


@contextmanager
def scan(folder: int | str) -> Iterator[Iterator[Entry]]:
    """List an open folder, or one by its path, with the kinds of the entries. Raises OSError."""
    if isinstance(folder, int):
        yield _entries(msvcrt.get_osfhandle(folder), folder, "")
        return
    fd = open_folder(folder)
    try:
        yield _entries(msvcrt.get_osfhandle(fd), None, f"{folder}\\")
    finally:
        os.close(fd)


def list_names(folder: int | str) -> list[str]:
    """List the names in an open folder, or in one by its path. Raises OSError."""
    with scan(folder) as entries:
        return [entry.name for entry in entries]


def list_statuses(folder: int) -> Iterator[tuple[str, Status]]:
    """List the names in an open folder with the status of each. Raises OSError."""
    for entry in _entries(msvcrt.get_osfhandle(folder), folder, ""):
        yield entry.name, entry.stat(follow_symlinks=False)


def _entries(handle: int, folder: int | None, prefix: str) -> Iterator[Entry]:
    buffer = ctypes.create_string_buffer(_BUFFER)
    kind, layout = _LISTINGS[0]
    try:
        more = nt.read_entries(handle, kind, buffer)
    except OSError:
        kind, layout = _LISTINGS[1]
        more = nt.read_entries(handle, kind, buffer)
    while more:
        raw, at, step = buffer.raw, 0, 1
        while step:
            step, written, changed, size, allocated, attributes, length, tag, *ids = (
                layout.unpack_from(raw, at)
            )
            begin = at + layout.size
            name = raw[begin : begin + length].decode("utf-16-le", "surrogatepass")
            at += step
            if name not in (".", ".."):
                tag = tag if attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT else 0
                number = ids[0] if ids else 0
                found = nt.FileInformation(
                    attributes, tag, 0, number, 1, size, allocated, written, changed
                )
                yield Entry(name, prefix + name, status_of(found), folder)
        more = nt.read_entries(handle, kind - 1, buffer)  # without "restart"


def lstat(path: str | os.PathLike[str]) -> Status:
    """Return the status of the entry at a path. Raises OSError."""
    return _status_by_name(path, None)


def stat_in(name: str, folder: int) -> Status:
    """Return the status of an entry in an open folder. Raises OSError."""
    return _status_by_name(name, folder)


def stat_fd(fd: int) -> Status:
    """Return the status of an open file or folder. Raises OSError."""
    return status_of(nt.information(msvcrt.get_osfhandle(fd)))


def folder_status(fd: int) -> FolderStatus:
    """Return the status of an open folder. Its owner is 0: rights are inherited. Raises OSError."""
    status = stat_fd(fd)
    return FolderStatus(status.st_mode, 0, status.st_blocks, Mount(status.st_dev, None))


def mount_at(path: str | os.PathLike[str]) -> Mount:
    """Return the volume of the entry at a path. Raises OSError."""
    return Mount(lstat(path).st_dev, None)


def is_on_network(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is on a file server."""
    drive = os.path.splitdrive(os.path.abspath(path))[0]
    return nt.drive_type(f"{drive}\\") == nt.DRIVE_REMOTE


def read_link(name: str, folder: int) -> str:
    """Return the target of a symbolic link in an open folder. Raises OSError."""
    return os.readlink(f"{nt.path_of(msvcrt.get_osfhandle(folder))}\\{checked_name(name)}")


def open_named(
    path: str | os.PathLike[str],
    folder: int | None,
    access: int,
    options: int,
    *,
    disposition: int = nt.FILE_OPEN,
    share: int = nt.FILE_SHARE_ALL,
) -> int:
    """Open a name in an open folder, or a path without one, and return the handle: see
    ``nt.open_handle``. A link is opened itself. Raises OSError."""
    name = _nt_path(path) if folder is None else checked_name(os.fspath(path))
    root = None if folder is None else msvcrt.get_osfhandle(folder)
    options |= nt.FILE_OPEN_REPARSE_POINT
    return nt.open_handle(name, root, access, options, disposition=disposition, share=share)


def reopen(fd: int, access: int) -> int:
    """Open a file or folder a second time, with other rights, not by its name."""
    return nt.open_handle("", msvcrt.get_osfhandle(fd), access, 0)


def _descriptor(handle: int, flags: int = os.O_RDONLY) -> int:
    return msvcrt.open_osfhandle(handle, flags | os.O_NOINHERIT | os.O_BINARY)


def _nt_path(path: str | os.PathLike[str]) -> str:
    """Return the name of a path in the kernel, which has no limit of 260 characters."""
    full = os.path.abspath(os.fspath(path).replace("/", "\\"))
    if full.startswith("\\\\?\\"):
        return f"\\??\\{full[4:]}"
    return f"\\??\\UNC{full[1:]}" if full.startswith("\\\\") else f"\\??\\{full}"


def checked_name(name: str) -> str:
    """Return a name in an open folder. Raises OSError for a name that the system would take for
    something else, such as one in a subfolder or a stream of a file."""
    if name in (".", "..") or not _NAME.match(name):
        raise OSError(errno.EINVAL, "Windows does not accept the name", name)
    return name


def _refuse_link(handle: int, path: str | os.PathLike[str]) -> int:
    """Return the reparse tag of an open file. Close it and raise OSError if it is a link."""
    try:
        tag = nt.reparse_tag(handle)
        if tag & LEADS_ELSEWHERE:
            text = "is a link or a junction, which is not followed"
            raise OSError(errno.ELOOP, text, os.fspath(path))
        return tag
    except OSError:
        nt.close_handle(handle)
        raise


def _status_by_name(path: str | os.PathLike[str], folder: int | None) -> Status:
    handle = open_named(path, folder, 0, 0)
    try:
        return status_of(nt.information(handle))
    finally:
        nt.close_handle(handle)


def status_of(found: nt.FileInformation) -> Status:
    """Return the status for what the system says about a file."""
    mode = stat.S_IFREG | 0o666
    if found.tag & LEADS_ELSEWHERE:
        mode = stat.S_IFLNK | 0o777
    elif found.attributes & nt.FILE_ATTRIBUTE_DIRECTORY:
        mode = stat.S_IFDIR | 0o777
    return Status(
        mode,
        found.number,
        found.volume,
        found.links,
        found.size,
        found.allocated // _BLOCK,
        (found.written - EPOCH) * 100,
        (found.changed - EPOCH) * 100,
    )
