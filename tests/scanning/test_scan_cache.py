from __future__ import annotations

import os
import random
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_root import NOW, next_tick, task_id, write_bundle, write_retries, write_task

from hipercow_tui import scan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Status
from hipercow_tui.formats import bundles, r_layout, relations, task_row
from hipercow_tui.formats.r_layout import Stamp
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner
from hipercow_tui.support.user_files import cache_folder

STATUSES = ("success", "failure", "cancelled", "running", "submitted", "created")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Fifty tasks of every status, with chains and a bundle."""
    where = tmp_path / "project"
    for number in range(50):
        write_task(where, task_id(number), STATUSES[number % 6], finished=NOW - number)
    links = [(number + 6, number, number) for number in (1, 13, 31)]
    write_retries(where, [(task_id(a), task_id(b), task_id(c)) for a, b, c in links])
    write_bundle(where, "mine", map(task_id, range(20)))
    return where


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def started(project: Path, *, passes: int = 1) -> Snapshot:
    """The snapshot after a start with the index, and ``passes`` scans three seconds apart."""
    clock = Clock()
    root = find_root(project)
    scanner = Scanner(root, index=ScanCache.of(root), monotonic=clock)
    for _ in range(passes):
        clock.now += 3
        for state in scanner.scan():
            snapshot = state.snapshot
    return snapshot


def saved(project: Path) -> Path:
    """The file of the index, written when no folder could change unnoticed any more."""
    started(project, passes=4)
    index = ScanCache.of(find_root(project))
    assert index is not None
    return index.path


def assert_same(project: Path) -> None:
    found, expected = started(project), scan(project)
    assert dict(found.tasks) == dict(expected.tasks)
    assert found.bundles == expected.bundles and found.problems == expected.problems
    assert found.unread == expected.unread


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of task files that are opened."""
    opened: list[str] = []
    real = task_row.read_beginning

    def record_path(path: str) -> bytes:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(r_layout, "read_beginning", record_path)
    return opened


def folder(project: Path, number: int) -> Path:
    identity = task_id(number)
    return project / "hipercow" / "tasks" / identity[:2] / identity[2:]


def test_second_start_reads_no_task_files(project: Path, reads: list[str]) -> None:
    saved(project)
    reads.clear()
    known = started(project)
    assert not reads
    assert dict(known.tasks) == dict(scan(project).tasks)


def test_a_root_with_another_path_has_the_same_cache(
    project: Path, tmp_path: Path, reads: list[str]
) -> None:
    saved(project)
    (tmp_path / "other").symlink_to(project.parent)
    for path in (tmp_path / "other" / project.name, tmp_path / "moved"):
        if path.name == "moved":
            project.rename(path)
        reads.clear()
        known = started(path)
        assert not reads and known.root == find_root(path).path
        assert dict(known.tasks) == dict(scan(path).tasks)


def test_file_is_in_the_cache_folder_and_private(project: Path, cache: Path) -> None:
    path = saved(project)
    assert path.is_relative_to(cache) and path.parent == cache_folder()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert not [p for p in project.rglob("*") if "index" in p.name]


def test_file_that_others_can_write_to_is_ignored(project: Path) -> None:
    path = saved(project)
    index = ScanCache.of(find_root(project))
    assert index is not None
    for mode in (0o777, 0o720, 0o702):
        path.parent.chmod(mode)
        assert index.read() is None
        assert_same(project)
    path.parent.chmod(0o755)
    path.chmod(0o622)
    assert index.read() is None
    path.chmod(0o644)
    assert index.load().folders


def test_folder_of_another_user_is_ignored(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(project)
    index = ScanCache.of(find_root(project))
    assert index is not None and index.read() is not None
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert index.read() is None


def test_relative_cache_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert cache_folder() == Path.home() / ".cache" / "hipercow-tui"


def damages(raw: bytes) -> Iterator[bytes]:
    rng = random.Random(1)
    yield b""
    for at in [*range(60), *rng.sample(range(60, len(raw)), 60)]:
        yield raw[:at]
        yield raw[:at] + bytes([raw[at] ^ (1 << rng.randrange(8))]) + raw[at + 1 :]
    yield raw + b"\0"


def test_damaged_file_is_ignored_and_replaced(project: Path) -> None:
    path = saved(project)
    index = ScanCache.of(find_root(project))
    assert index is not None and index.load().folders
    for damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)
        assert not index.load().folders
    expected = dict(scan(project).tasks)
    assert dict(started(project, passes=4).tasks) == expected
    assert index.load().folders


def test_file_of_another_root_or_version_is_ignored(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(project)
    shutil.copytree(project, tmp_path / "other")
    other = ScanCache.of(find_root(tmp_path / "other"))
    assert other is not None and other.path != path
    shutil.copy(path, other.path)
    assert not other.load().folders
    # Another folder in the same place.
    project.rename(tmp_path / "away")
    (tmp_path / "other").rename(project)
    index = ScanCache.of(find_root(project))
    assert index is not None and not index.load().folders
    (tmp_path / "away").rename(tmp_path / "back")
    shutil.rmtree(project)
    (tmp_path / "back").rename(project)
    assert index is not None
    again = ScanCache.of(find_root(project))
    assert again is not None and again.load().folders
    monkeypatch.setattr(ScanCache, "MAGIC", b"hipercow-tui index 9\n")
    assert not again.load().folders


def test_pipe_or_folder_instead_of_the_file_is_ignored(project: Path) -> None:
    path = saved(project)
    path.unlink()
    os.mkfifo(path)
    assert_same(project)
    path.unlink(missing_ok=True)
    (path / "held").mkdir(parents=True)
    assert_same(project)


def test_cache_that_cannot_be_written_is_ignored(project: Path, cache: Path) -> None:
    cache.write_text("no folder")
    assert_same(project)


def test_removed_tasks_are_dropped_and_new_tasks_read(project: Path) -> None:
    saved(project)
    shutil.rmtree(folder(project, 0))
    shutil.rmtree(folder(project, 1).parent)
    write_task(project, task_id(99), "failure")
    assert_same(project)


def test_changed_tasks_are_read(project: Path) -> None:
    saved(project)
    (folder(project, 3) / "status-failure").write_text("")
    (folder(project, 2) / "status-success").write_text("")
    assert_same(project)
    assert started(project).tasks[task_id(2)].status is Status.SUCCESS


@pytest.mark.parametrize("before", [True, False])
def test_entries_that_are_not_folders_are_reported_at_a_second_start(
    project: Path, before: bool
) -> None:
    def spoil() -> None:
        next_tick(project)
        for number, place in ((3, folder(project, 3)), (4, folder(project, 4).parent)):
            place.rename(project / f"kept {number}")
            place.symlink_to(project / f"kept {number}")

    if before:
        spoil()
    saved(project)
    if not before:
        spoil()
    assert_same(project)
    again = started(project).unread
    assert again.place(task_id(3)) and again.place(task_id(4)) and not again.place(task_id(5))


@pytest.mark.parametrize("status", STATUSES)
def test_recreated_task_is_read_even_with_the_same_inode(project: Path, status: str) -> None:
    saved(project)
    for number in range(12):
        shutil.rmtree(folder(project, number))
        folder(project, number).parent.rmdir()
        write_task(project, task_id(number), status)
    assert_same(project)


@pytest.mark.parametrize("away", [-400 * 86400.0, 400 * 86400.0])
def test_different_clocks_do_not_matter(project: Path, away: float) -> None:
    for path in (project / "hipercow").rglob("*"):
        os.utime(path, (NOW + away, NOW + away))
    saved(project)
    at = folder(project, 3).stat().st_mtime
    (folder(project, 3) / "status-success").write_text("")
    shutil.copy(folder(project, 0) / "info", folder(project, 3) / "info")
    os.utime(folder(project, 3), (at, at))
    assert_same(project)


def test_later_line_of_retry_changes_the_time_of_creation(project: Path) -> None:
    write_task(project, task_id(60), "success", created=NOW - 5, retry_of=(task_id(0),) * 2)
    (folder(project, 60) / "info").write_bytes((folder(project, 0) / "info").read_bytes())
    saved(project)
    with (project / "hipercow" / "retry").open("a") as file:
        file.write(",".join((task_id(60), task_id(0), task_id(0))) + "\n")
    assert_same(project)
    assert started(project).tasks[task_id(60)].created == NOW - 5


def test_tasks_with_a_problem_are_read_again(project: Path, reads: list[str]) -> None:
    (folder(project, 0) / "info").write_bytes(b"torn")
    saved(project)
    reads.clear()
    assert_same(project)
    assert str(folder(project, 0) / "info") in reads


def test_invalidated_tasks_are_read_once(project: Path, reads: list[str]) -> None:
    saved(project)
    root = find_root(project)
    scanner = Scanner(root, index=ScanCache.of(root))
    list(scanner.scan())
    reads.clear()
    assert scanner.invalidate_cached([task_id(0), task_id(77)])
    list(scanner.scan())
    assert str(folder(project, 0) / "info") in reads
    assert not scanner.invalidate_cached([task_id(0), task_id(77)])


def test_tasks_read_since_the_start_are_not_invalidated(project: Path) -> None:
    scanner = Scanner(find_root(project))
    list(scanner.scan())
    assert not scanner.invalidate_cached(map(task_id, range(50)))


@pytest.fixture
def bundle_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bundles that are opened."""
    opened: list[str] = []

    def read_bundle(name: str, *args: Any, **kwargs: Any) -> Bundle:
        opened.append(name)
        return real(name, *args, **kwargs)

    real = bundles.read_bundle
    monkeypatch.setattr(relations, "read_bundle", read_bundle)
    return opened


def long_ago(project: Path, name: str) -> Path:
    path = project / "hipercow" / "bundles" / name
    os.utime(path, (1e9, 1e9))
    return path


def test_unchanged_bundles_are_not_read(project: Path, bundle_reads: list[str]) -> None:
    write_bundle(project, "new", [task_id(3)])
    long_ago(project, "mine")
    saved(project)
    bundle_reads.clear()
    assert started(project).bundles == scan(project).bundles
    assert bundle_reads == ["new", "mine", "new"], "the new bundle, and both by scan()"


def test_changed_added_and_removed_bundles_are_noticed(project: Path) -> None:
    for name in ("gone", "other"):
        write_bundle(project, name, [task_id(3)])
        long_ago(project, name)
    long_ago(project, "mine")
    saved(project)
    write_bundle(project, "mine", map(task_id, range(5, 9)))
    write_bundle(project, "came", map(task_id, range(3)))
    (project / "hipercow" / "bundles" / "gone").unlink()
    assert_same(project)


def test_invalidated_bundles_are_read_once(
    project: Path, bundle_reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def batch_id(status: os.stat_result) -> Stamp:
        return (status.st_ino, status.st_size, status.st_mtime_ns, 0)

    monkeypatch.setattr(relations, "_file_stamp", batch_id)
    path = long_ago(project, "mine")
    saved(project)
    # The same file, with the same size and time.
    path.write_text("".join(f"{task_id(number)}\n" for number in range(20, 40)))
    os.utime(path, (1e9, 1e9))
    root = find_root(project)
    scanner = Scanner(root, index=ScanCache.of(root))
    list(scanner.scan())
    bundle_reads.clear()
    assert scanner.invalidate_cached([])
    (*_, state) = scanner.scan()
    assert bundle_reads == ["mine"]
    assert dict(state.snapshot.tasks) == dict(scan(project).tasks)
    assert state.snapshot.bundles == scan(project).bundles
    assert not scanner.invalidate_cached([])


def test_only_the_newest_files_are_kept(project: Path, cache: Path) -> None:
    folder = saved(project).parent
    names = [f"{number:032x}.index" for number in range(30)]
    for number, name in enumerate(names):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - 3600 + number,) * 2)
    write_task(project, task_id(60), "success", finished=NOW)
    write_task(project, task_id(61), "success", finished=NOW)
    path = saved(project)
    assert path.exists()
    assert sorted(one.name for one in folder.glob("0*.index")) == names[11:]


def test_old_files_are_deleted_when_another_is_written(project: Path, cache: Path) -> None:
    old, young, foreign = (saved(project).parent / name for name in ("o.index", "y.index", "o.txt"))
    for path, days in ((old, 181), (young, 179), (foreign, 181)):
        path.write_bytes(b"")
        os.utime(path, (time.time() - days * 86400,) * 2)
    write_task(project, task_id(60), "success", finished=NOW)
    write_task(project, task_id(61), "success", finished=NOW)
    saved(project)
    assert not old.exists() and young.exists() and foreign.exists()
