from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from small_root import task_id, write_task

from hipercow_tui.formats.folder_size import SizeKind, freed_size, measure, measure_many
from hipercow_tui.formats.root import Root, find_root

ONE, TWO, GONE = map(task_id, (1, 2, 3))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for identity in (ONE, TWO):
        folder = write_task(tmp_path / "project", identity, "created")
        (folder / "data").write_bytes(bytes(100))
    return find_root(tmp_path / "project")


def folder_of(root: Root, identity: str) -> Path:
    return root.tasks / identity[:2] / identity[2:]


def counted(root: Root, identity: str) -> tuple[int, int]:
    size = measure(root, identity)
    assert size is not None
    return size.bytes, size.files


def test_files_at_any_depth_count(root: Root) -> None:
    inner = folder_of(root, ONE) / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "big").write_bytes(bytes(5000))
    assert counted(root, ONE) == (5100, 2)


def test_links_count_as_files_and_are_not_followed(root: Root) -> None:
    folder = folder_of(root, ONE)
    (root.path / "big").write_bytes(bytes(5000))
    (folder / "file").symlink_to(root.path / "big")
    (folder / "folder").symlink_to(root.path)
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "log")
    assert counted(root, ONE) == (100, 5)


@pytest.mark.parametrize("identity", [GONE, "../../x", "", "a" * 31 + "/"])
def test_id_without_a_task_has_no_size(root: Root, identity: str) -> None:
    assert measure(root, identity) is None


def test_a_folder_that_is_a_link_has_no_size(root: Root) -> None:
    folder = folder_of(root, ONE)
    folder.rename(root.path / "elsewhere")
    folder.symlink_to(root.path / "elsewhere")
    assert measure(root, ONE) is None


def test_folder_nested_too_deeply_has_no_size(root: Root) -> None:
    Path(folder_of(root, ONE), *["d"] * 150).mkdir(parents=True)
    assert measure(root, ONE) is None
    assert counted(root, TWO) == (100, 1)


def test_measure_many_keeps_the_order_and_omits_missing_tasks(root: Root) -> None:
    done: list[int] = []
    sizes = measure_many(root, [TWO, GONE, ONE], done.append)
    assert list(sizes) == [TWO, ONE]
    assert {(size.bytes, size.files) for size in sizes.values()} == {(100, 1)}
    assert done == [1, 2, 3]


def test_measure_many_stops_on_request(root: Root) -> None:
    stop = threading.Event()
    assert list(measure_many(root, [TWO, ONE], lambda done: stop.set(), stop)) == [TWO]


def test_no_descriptor_is_left_open(root: Root) -> None:
    before = len(os.listdir("/dev/fd"))
    measure_many(root, [ONE, TWO, GONE])
    assert len(os.listdir("/dev/fd")) == before


def test_disk_usage_is_that_of_du_and_apparent_size_that_of_its_files(root: Root) -> None:
    folder = folder_of(root, ONE)
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "big").write_bytes(bytes(123_456))
    (inner / "text").write_bytes(b"x")
    (inner / "link").symlink_to("x" * 200)  # too long for the inode of some file systems
    with (folder / "hole").open("wb") as hole:
        hole.truncate(10_000_000)
    os.link(inner / "big", folder / "again")
    size = measure(root, ONE)
    assert size is not None
    files = [str(path) for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    apparent = du("--apparent-size", *files)
    assert size.of(SizeKind.APPARENT) == apparent == 100 + 123_456 + 1 + 10_000_000
    assert size.of(SizeKind.ON_DISK) == du(str(folder)) < apparent


@pytest.mark.parametrize("step", range(2))
def test_a_file_that_grows_while_it_is_measured_has_its_size_before_or_after(
    root: Root, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    log = folder_of(root, ONE) / "log"
    log.write_bytes(bytes(1000))
    stat, calls = os.stat, iter(range(10))

    def grow(*args: Any, **kwargs: Any) -> os.stat_result:
        if next(calls) == step:
            with log.open("ab") as opened:
                opened.write(bytes(50_000))
        return stat(*args, **kwargs)

    monkeypatch.setattr(os, "stat", grow)
    found = counted(root, ONE)
    monkeypatch.undo()
    assert found in ((1100, 2), (51_100, 2))
    assert counted(root, ONE) == (51_100, 2)


def test_a_task_that_loses_a_file_while_it_is_measured_has_no_size(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = os.listdir

    def lose(folder: int) -> list[str]:
        names = listdir(folder)
        (folder_of(root, ONE) / "data").unlink(missing_ok=True)
        return names

    monkeypatch.setattr(os, "listdir", lose)
    assert measure(root, ONE) is None
    monkeypatch.undo()
    assert counted(root, ONE) == (0, 0)


def test_a_hard_link_across_tasks_counts_where_all_its_names_go(root: Root) -> None:
    one, two = folder_of(root, ONE), folder_of(root, TWO)
    (one / "result").write_bytes(bytes(70_000))
    os.link(one / "result", two / "result")
    sizes = [measure(root, identity) for identity in (ONE, TWO)]
    assert [size and size.bytes for size in sizes] == [100, 100]
    both = freed_size(filter(None, sizes))
    assert both.bytes == 70_200
    assert both.disk_bytes == du(str(one), str(two))


def du(*arguments: str) -> int:
    command = ["du", "--block-size=1", "--total", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(output.splitlines()[-1].split()[0])
