"""Each change checks the disk after an error, and only then."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from errno import EEXIST, ENOENT
from pathlib import Path
from typing import Any

import pytest

import hipercow_tui.purging
from hipercow_tui.purging import file_changes
from hipercow_tui.purging.access import ensure_folder, make_folder
from hipercow_tui.purging.file_changes import link, remove_folder, rename, unlink
from hipercow_tui.support.filesystem import sync_folder

CODES = [errno.EIO, errno.ESTALE, ENOENT, EEXIST, errno.ETIMEDOUT, errno.ENOTEMPTY]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "file").write_text("data")
    (tmp_path / "folder").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


CHANGES: dict[str, tuple[Callable[[int], object], str, str]] = {
    "rename": (lambda fd: rename("file", "new", fd, fd), "file", "new"),
    "unlink": (lambda fd: unlink("file", fd), "file", ""),
    "rmdir": (lambda fd: remove_folder("folder", fd), "folder", ""),
    "mkdir": (lambda fd: make_folder("new", fd), "", "new"),
    "link": (lambda fd: link("file", "new", fd, fd), "", "new"),
}


def replying(patch: pytest.MonkeyPatch, call: str, code: int, *, done: bool) -> None:
    real: Callable[..., Any] = getattr(os, call)

    def reply(*args: Any, **kwargs: Any) -> None:
        if done:
            real(*args, **kwargs)
        raise OSError(code, os.strerror(code))

    patch.setattr(os, call, reply)


# A folder that exists may belong to another process; a missing entry counts as removed.
UNAMBIGUOUS = [
    (call, code)
    for call in CHANGES
    for code in CODES
    if (call, code) not in {("mkdir", EEXIST), ("unlink", ENOENT), ("rmdir", ENOENT)}
]


@pytest.mark.parametrize(("call", "code"), UNAMBIGUOUS)
def test_an_error_is_raised_only_if_the_change_was_not_made(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    change, before, after = CHANGES[call]
    with monkeypatch.context() as patch:
        replying(patch, call, code, done=False)
        with pytest.raises(OSError, match=re.escape(os.strerror(code))):
            change(folder)
    with monkeypatch.context() as patch:
        replying(patch, call, code, done=True)
        change(folder)
    assert not before or not (tmp_path / before).exists()
    assert not after or (tmp_path / after).exists()


@pytest.mark.parametrize("call", CHANGES)
def test_an_error_is_raised_if_the_result_can_not_be_examined(
    folder: int, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def stat(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EIO, "no look either")

    replying(monkeypatch, call, errno.ETIMEDOUT, done=True)
    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.ETIMEDOUT))):
        CHANGES[call][0](folder)


@pytest.mark.parametrize("call", ["rename", "unlink", "rmdir"])
def test_a_change_without_error_costs_one_call(
    folder: int, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def stat(*args: object, **kwargs: object) -> None:
        raise AssertionError("a look")

    monkeypatch.setattr(os, "stat", stat)
    CHANGES[call][0](folder)


def test_removing_a_missing_entry_is_not_an_error(folder: int) -> None:
    unlink("nothing", folder)
    remove_folder("nothing", folder)


def test_a_folder_that_must_be_new_is_not_an_existing_one(folder: int) -> None:
    with pytest.raises(FileExistsError):
        make_folder("folder", folder)
    ensure_folder("folder", folder)


def test_link_makes_a_second_name_or_fails(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link("file", "second", folder, folder)
    link("file", "second", folder, folder)  # as after a process that died here
    (tmp_path / "other").write_text("other")
    with pytest.raises(FileExistsError):
        link("file", "other", folder, folder)
    monkeypatch.setattr(os, "link", lambda *args, **kwargs: None)
    with pytest.raises(OSError, match="reported that it was done, but it was not"):
        link("file", "third", folder, folder)


def test_a_file_that_is_in_neither_place_was_not_renamed(folder: int) -> None:
    with pytest.raises(FileNotFoundError):
        rename("nothing", "new", folder, folder)


def test_sync_folder_fails_only_if_the_disk_fails(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOSYS):
        with monkeypatch.context() as patch:
            replying(patch, "fsync", code, done=False)
            sync_folder(folder)
    replying(monkeypatch, "fsync", errno.EIO, done=False)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EIO))):
        sync_folder(folder)


def test_only_the_expected_modules_rename_or_link() -> None:
    """A takeover of a batch uses a bare rename: of two processes one must fail."""
    package = Path(str(hipercow_tui.purging.__file__)).parent
    bare = re.compile(r"filesystem\.(rename|replace|link|make_folder)\(")
    found = {
        path.name: bare.findall(path.read_text("utf-8"))
        for path in package.glob("*.py")
        if path.name != Path(file_changes.__file__).name
    }
    assert {name: calls for name, calls in found.items() if calls} == {
        "batch_lifecycle.py": ["rename"],
    }
