"""Check the file functions on Windows with files that are not ordinary, and where the file system
lacks a function. python windows_files.py FOLDER: prints the names of the checks that passed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from hipercow_tui.purging.process_identity import ProcessIdentity, current_process
from hipercow_tui.support import filesystem

nt: Any = import_module("hipercow_tui.support.filesystem.nt")
DEDUPLICATED = 0x80000013  # IO_REPARSE_TAG_DEDUP
NOT_SUPPORTED = 0xC00000BB


def rename_never_replaces(where: Path, folder: int) -> None:
    (where / "one").write_text("1")
    (where / "two").write_text("2")
    with pytest.raises(FileExistsError):
        filesystem.rename("one", "two", folder, folder)
    filesystem.replace("one", "two", folder)
    assert (where / "two").read_text() == "1" and not (where / "one").exists()


def rename_without_folders_in_requests(where: Path, folder: int) -> None:
    """Some file servers know only full names."""
    really = nt.set_information

    def refuse(handle: int, kind: int, data: bytes) -> int:
        relative = kind == nt.FILE_RENAME_INFORMATION and any(data[8:16])
        return NOT_SUPPORTED if relative else int(really(handle, kind, data))

    (where / "sub").mkdir()
    (where / "one").write_text("1")
    sub = filesystem.open_folder("sub", dir_fd=folder)
    with patch.object(nt, "set_information", refuse):
        filesystem.rename("one", "moved", folder, sub)
    os.close(sub)
    assert (where / "sub" / "moved").read_text() == "1"


def a_folder_with_an_open_file_is_open_elsewhere(where: Path, folder: int) -> None:
    """Windows denies the access then, as it does if the user may not write the target folder."""
    really_set, really_open = nt.set_information, nt.open_handle

    def deny(handle: int, kind: int, data: bytes) -> int:
        renames = kind == nt.FILE_RENAME_INFORMATION
        return int(nt.STATUS_ACCESS_DENIED if renames else really_set(handle, kind, data))

    def deny_adding(name: str, parent: int, access: int, *more: int, **named: int) -> int:
        if access & nt.FILE_ADD_SUBDIRECTORY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return int(really_open(name, parent, access, *more, **named))

    (where / "sub").mkdir()
    with patch.object(nt, "set_information", deny):
        with pytest.raises(OSError, match=filesystem.OPEN_ELSEWHERE):
            filesystem.rename("sub", "moved", folder, folder)
        with patch.object(nt, "open_handle", deny_adding), pytest.raises(PermissionError):
            filesystem.rename("sub", "moved", folder, folder)


def a_process_that_ended_is_gone(where: Path, folder: int) -> None:
    code = (
        "import json; from hipercow_tui.purging.process_identity import current_process;"
        "print(json.dumps(current_process().as_json()))"
    )
    printed = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    ended = ProcessIdentity.from_json(json.loads(printed.stdout))
    assert ended is not None and ended.is_gone
    here = current_process()
    assert not here.is_gone and not replace(ended, host="another").is_gone
    assert replace(here, pid=ended.pid).is_gone and not replace(here, space="").is_gone


def listing_without_file_ids(where: Path, folder: int) -> None:
    really = nt.read_entries

    def refuse(handle: int, kind: int, buffer: Any) -> bool:
        if kind == nt.FILE_ID_BOTH_DIRECTORY_RESTART_INFO:
            raise OSError(errno.EINVAL, "no file ids")
        return bool(really(handle, kind, buffer))

    names = [f"{'x' * 100}-{number}" for number in range(700)]  # more than one buffer
    for name in names:
        (where / name).touch()
    (where / "sub").mkdir()
    with patch.object(nt, "read_entries", refuse), filesystem.scan(folder) as entries:
        found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    assert found == dict.fromkeys(names, False) | {"sub": True}
    assert sorted(filesystem.list_names(str(where))) == sorted(found)


def a_deduplicated_file_has_its_content(where: Path, folder: int) -> None:
    (where / "one").write_text("1")
    with patch.object(nt, "reparse_tag", lambda handle: DEDUPLICATED):
        fd = filesystem.open_file("one", dir_fd=folder)
    assert os.read(fd, 10) == b"1"
    os.close(fd)


def a_write_protected_file_is_removed(where: Path, folder: int) -> None:
    (where / "one").touch()
    (where / "one").chmod(0o444)
    filesystem.unlink("one", folder)
    assert not (where / "one").exists()


def attributes_are_those_of_a_link_and_not_of_its_target(where: Path, folder: int) -> None:
    """Wine has no links, so this looks at how an entry is opened again."""
    really_set, really_open, options = nt.set_information, nt.open_handle, list[int]()

    def refuse(handle: int, kind: int, data: bytes) -> int:
        if kind == nt.FILE_DISPOSITION_INFORMATION_EX:
            return NOT_SUPPORTED
        first = kind == nt.FILE_DISPOSITION_INFORMATION and not options
        return int(nt.STATUS_CANNOT_DELETE if first else really_set(handle, kind, data))

    def open_handle(name: str, parent: int, access: int, flags: int, **named: int) -> int:
        if not name:
            options.append(flags)
        return int(really_open(name, parent, access, flags, **named))

    (where / "one").touch()
    with (
        patch.object(nt, "set_information", refuse),
        patch.object(nt, "open_handle", open_handle),
    ):
        filesystem.unlink("one", folder)
    assert options == [nt.FILE_OPEN_REPARSE_POINT] and not (where / "one").exists()


def an_open_folder_is_not_removed_later(where: Path, folder: int) -> None:
    """A share removes a folder when nobody has it open any more."""
    really = nt.set_information

    def refuse(handle: int, kind: int, data: bytes) -> int:
        at_once = kind == nt.FILE_DISPOSITION_INFORMATION_EX
        return NOT_SUPPORTED if at_once else int(really(handle, kind, data))

    (where / "sub").mkdir()
    sub = filesystem.open_folder("sub", dir_fd=folder)
    with (
        patch.object(nt, "set_information", refuse),
        pytest.raises(OSError, match=filesystem.OPEN_ELSEWHERE),
    ):
        filesystem.remove_folder("sub", folder)
    os.close(sub)
    filesystem.remove_folder("sub", folder)
    assert not (where / "sub").exists()


def names_of_streams_and_devices_are_refused(where: Path, folder: int) -> None:
    (where / "one").touch()
    for name in ("one:stream", "..", ".", "", "sub/../one", "sub/one", "*", "a\\b"):
        with pytest.raises(OSError, match="does not accept the name"):
            filesystem.open_to_write(name, folder, os.O_WRONLY | os.O_CREAT)
    assert filesystem.list_names(folder) == ["one"]


def errors_have_the_usual_numbers(where: Path, folder: int) -> None:
    (where / "one").touch()
    (where / "sub").mkdir()
    (where / "sub" / "two").touch()
    calls: list[tuple[Callable[[], object], int]] = [
        (lambda: filesystem.open_file("none", dir_fd=folder), errno.ENOENT),
        (lambda: filesystem.open_folder("one", dir_fd=folder), errno.ENOTDIR),
        (lambda: filesystem.open_file("sub", dir_fd=folder), errno.EISDIR),
        (lambda: filesystem.make_folder("sub", folder, 0o777), errno.EEXIST),
        (lambda: filesystem.remove_folder("sub", folder), errno.ENOTEMPTY),
        (lambda: filesystem.unlink("sub", folder), errno.EISDIR),
    ]
    for call, number in calls:
        with pytest.raises(OSError) as raised:
            call()
        assert raised.value.errno == number and raised.value.strerror


def lines_are_appended(where: Path, folder: int) -> None:
    (where / "one").write_bytes(b"1\n")
    for line in (b"2\n", b"3\n"):
        fd = filesystem.open_to_write("one", folder, os.O_WRONLY | os.O_APPEND)
        os.write(fd, line)
        os.close(fd)
    assert (where / "one").read_bytes() == b"1\n2\n3\n"


CHECKS = (
    rename_never_replaces,
    rename_without_folders_in_requests,
    a_folder_with_an_open_file_is_open_elsewhere,
    a_process_that_ended_is_gone,
    listing_without_file_ids,
    a_deduplicated_file_has_its_content,
    a_write_protected_file_is_removed,
    attributes_are_those_of_a_link_and_not_of_its_target,
    an_open_folder_is_not_removed_later,
    names_of_streams_and_devices_are_refused,
    errors_have_the_usual_numbers,
    lines_are_appended,
)

if __name__ == "__main__":
    passed = []
    for check in CHECKS:
        place = Path(sys.argv[1], check.__name__)
        place.mkdir()
        opened = filesystem.open_folder(place)
        check(place, opened)
        os.close(opened)
        passed.append(check.__name__)
    sys.stdout.write(json.dumps(passed))
