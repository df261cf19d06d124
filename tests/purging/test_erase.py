"""Unusual entries in the folder of a task, and what erasing it must not touch."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from purge_stage import LONE, folder_of, nothing_left, plan_of

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import execute


def purge_lone(root: Root) -> int:
    report = execute(plan_of(root, [LONE]), root)
    assert report.complete and report.removed == (LONE,)
    assert not folder_of(root, LONE).exists() and nothing_left(root)
    return report.bytes


def test_links_are_removed_and_never_followed(root: Root, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep me")
    folder = folder_of(root, LONE)
    (folder / "to-folder").symlink_to(outside)
    (folder / "to-file").symlink_to(outside / "precious")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "to-root").symlink_to(root.hipercow)
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to("..")
    (folder / "inner" / "outside").symlink_to(outside)
    purge_lone(root)
    assert (outside / "precious").read_text() == "keep me"


def test_a_folder_swapped_for_a_link_while_it_is_emptied_is_not_followed(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep me")
    plan = plan_of(root, [LONE])
    (folder_of(root, LONE) / "results").mkdir()
    real = os.open

    def swapping(path: Any, *args: Any, **kwargs: Any) -> int:
        if path == "results":
            (found,) = (root.hipercow / "tui").glob(f"*/erasing/{LONE}/results")
            if not found.is_symlink():
                found.rmdir()
                found.symlink_to(outside)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", swapping)
    report = execute(plan, root)
    assert (outside / "precious").read_text() == "keep me"
    assert [outcome.name for outcome in report.failed] == [LONE]


def test_pipes_and_sockets_block_nothing(root: Root) -> None:
    folder = folder_of(root, LONE)
    os.mkfifo(folder / "pipe")
    (folder / "log").unlink(missing_ok=True)
    os.mkfifo(folder / "log")
    here = Path.cwd()
    os.chdir(folder)  # the name of a socket may not be longer than some 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("socket")
    finally:
        os.chdir(here)
    purge_lone(root)


@pytest.mark.parametrize("name", ["data", "info", "log", "result", "status-failure"])
def test_a_pipe_or_device_in_place_of_a_file_blocks_nothing(root: Root, name: str) -> None:
    path = folder_of(root, LONE) / name
    path.unlink(missing_ok=True)
    if os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero has no end
    else:
        os.mkfifo(path)
    purge_lone(root)


@pytest.mark.parametrize("depth", [3, 64, 65, 66, 130, 1100])
def test_folders_nested_deeper_than_the_limit_of_descriptors_are_erased(
    root: Root, depth: int
) -> None:
    fd = os.open(folder_of(root, LONE), os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    purge_lone(root)


def test_ten_thousand_files_in_one_folder_are_erased(root: Root) -> None:
    results = folder_of(root, LONE) / "results"
    results.mkdir()
    for number in range(10_000):
        (results / f"{number}").touch()
    report = execute(plan_of(root), root)
    assert report.complete and report.files > 10_000


def test_names_that_are_not_utf_8_are_erased(root: Root) -> None:
    folder = os.fsencode(folder_of(root, LONE))
    for name in (b"\xff\xfe", b"new\nline", b"\x1b[31m", b"-rf", b" ", b"*"):
        with open(os.path.join(folder, name), "wb"):
            pass
    purge_lone(root)


def test_space_of_a_file_with_another_name_is_not_counted(root: Root, tmp_path: Path) -> None:
    big = folder_of(root, LONE) / "big"
    big.write_bytes(bytes(50_000))
    os.link(big, tmp_path / "elsewhere")
    assert purge_lone(root) < 50_000
    assert (tmp_path / "elsewhere").stat().st_size == 50_000
