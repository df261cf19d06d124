from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from hipercow_tui.formats.safe_open import open_file, open_folder, read_file


def test_file_is_read_completely(tmp_path: Path) -> None:
    content = os.urandom(200_000)
    (tmp_path / "file").write_bytes(content)
    assert read_file(tmp_path / "file", limit=200_000) == content


def test_a_file_is_found_below_an_open_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"text")
    folder = open_folder("folder", dir_fd=(above := open_folder(tmp_path)))
    assert read_file("file", dir_fd=folder, limit=10) == b"text"
    os.close(folder)
    os.close(above)


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1001)
    with pytest.raises(OSError, match=r"is larger than 1.0 kB"):
        read_file(tmp_path / "file", limit=1000)


def test_an_endless_sparse_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="is larger than"):
        read_file(tmp_path / "file", limit=1 << 20)


def test_anything_but_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path(os.devnull)):
        with pytest.raises(OSError, match="is not a regular file"):
            open_file(path)


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(OSError, match="No such device"):
            open_file("socket")


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to file").symlink_to(tmp_path / "file")
    (tmp_path / "to folder").symlink_to(tmp_path / "folder")
    (tmp_path / "to nothing").symlink_to(tmp_path / "nothing")
    for name in ("to file", "to nothing"):
        with pytest.raises(OSError, match="is a symbolic link, which is not followed"):
            open_file(tmp_path / name)
    with pytest.raises(OSError, match="Not a directory"):
        open_folder(tmp_path / "to folder")


def test_a_refused_file_leaves_nothing_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    probe = os.open(tmp_path, os.O_RDONLY)
    os.close(probe)
    with pytest.raises(OSError, match="is not a regular file"):
        open_file(tmp_path / "pipe")
    again = os.open(tmp_path, os.O_RDONLY)
    os.close(again)
    assert again == probe


def test_missing_file_raises_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "nothing", limit=1)
    with pytest.raises(FileNotFoundError):
        open_folder(tmp_path / "nothing")
