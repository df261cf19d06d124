"""The files that are bundles, and their content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from small_py_root import write_py_bundle
from small_root import task_id, write_bundle, write_task

from hipercow_tui import scan
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.root import find_root
from hipercow_tui.formats.safe_open import read_link_target
from hipercow_tui.scanning.scan_cache import ScanCache
from hipercow_tui.scanning.scanner import Scanner

A, B = map(task_id, (1, 2))
NAMES = ["my.bundle", "mine~", "#mine#", "a b", "ü", "percent%2F", "new\nline", "-", "mine\udcff"]
BYTES_64K = 1 << 16


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_task(tmp_path, A, "failure")
    write_bundle(tmp_path, "mine", [A])
    return tmp_path


def folder(root: Path) -> Path:
    return root / "hipercow" / "bundles"


def test_every_name_that_r_lists_is_a_bundle(root: Path) -> None:
    for name in NAMES:
        write_bundle(root, name, [A])
    snapshot = scan(root)
    assert {one.name for one in snapshot.bundles} == {"mine", *NAMES}
    assert all(one.task_ids == (A,) for one in snapshot.bundles) and not snapshot.unread


@pytest.mark.parametrize("name", [".DS_Store", ".hidden", ".nfs0000000000000001"])
def test_hidden_files_are_not_bundles_of_r(root: Path, name: str) -> None:
    write_bundle(root, name, [A])
    os.mkfifo(folder(root) / ".pipe")
    snapshot = scan(root)
    assert [one.name for one in snapshot.bundles] == ["mine"] and not snapshot.unread


def test_a_file_of_text_is_a_bundle_without_tasks(root: Path) -> None:
    (folder(root) / "README.md").write_text("What these are\n\nBundles.\n")
    snapshot = scan(root)
    assert [one.task_ids for one in snapshot.bundles] == [(), (A,)]
    assert "2 lines of bundle 'README.md' not a task id" in snapshot.problems


def test_system_files_are_not_bundles_of_python(tmp_path: Path) -> None:
    for name in (".DS_Store", ".nfs0000000000000001", ".fuse_hidden0001", ".mine"):
        write_py_bundle(tmp_path, name, [A])
    assert [one.name for one in scan(tmp_path).bundles] == [".mine"]


# Links


def inside(root: Path) -> str:
    (root / "hipercow" / "lists").mkdir()
    (root / "hipercow" / "lists" / "all").write_text(f"{A}\n{B}\n")
    return "../lists/all"


def absolute(root: Path) -> str:
    return str(folder(root) / inside(root))


def over_links(root: Path) -> str:
    inside(root)
    (root / "hipercow" / "there").symlink_to("lists")
    (folder(root) / "first").symlink_to("../there/all")
    return "first"


@pytest.mark.parametrize("target", [inside, absolute, over_links])
def test_a_link_into_the_root_is_a_bundle(root: Path, target: Callable[[Path], str]) -> None:
    leads_to = target(root)
    (folder(root) / "link").symlink_to(leads_to)
    snapshot = scan(root)
    found = {one.name: one for one in snapshot.bundles}
    assert found["link"].task_ids == (A, B) and found["link"].link == leads_to
    assert "link" in snapshot.tasks[A].bundles and not snapshot.unread


def outside(root: Path) -> str:
    (root / "elsewhere").write_text(f"{A}\n")
    return str(root / "elsewhere")


def over_a_link_outside(root: Path) -> str:
    (root / "hipercow" / "out").symlink_to(root)
    (root / "elsewhere").write_text(f"{A}\n")
    return "../out/elsewhere"


def to_a_folder(root: Path) -> str:
    return "../tasks"


def to_a_pipe(root: Path) -> str:
    os.mkfifo(root / "hipercow" / "pipe")
    return "../pipe"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (outside, "leads out of the root"),
        (over_a_link_outside, "leads out of the root"),
        (lambda root: "/dev/zero", "leads out of the root"),
        (lambda root: "..", "leads out of the root"),
        (lambda root: "nowhere", "leads nowhere"),
        (lambda root: "link", "Too many levels of symbolic links"),
        (to_a_folder, "is not a regular file"),
        (to_a_pipe, "is not a regular file"),
    ],
)
def test_any_other_link_is_not_read(root: Path, target: Callable[[Path], str], says: str) -> None:
    (folder(root) / "link").symlink_to(target(root))
    snapshot = scan(root)
    assert [one.name for one in snapshot.bundles] == ["mine"]
    assert says in snapshot.unread.bundles["link"]
    assert any("'bundles/link' can't be read" in text for text in snapshot.problems)


def test_bundle_that_is_too_large_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hipercow_tui.formats.bundles.BUNDLE_LIMIT", 50)
    (folder(root) / "link").symlink_to(inside(root))
    write_bundle(root, "large", [A, B])
    assert set(scan(root).unread.bundles) == {"large", "link"}


def test_link_target_that_is_replaced_by_a_link_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hipercow = find_root(root).hipercow
    (folder(root) / "link").symlink_to(inside(root))
    resolved = os.path.realpath(folder(root) / "link")
    (hipercow / "lists").rename(root / "moved")
    (hipercow / "lists").symlink_to(root / "moved")
    monkeypatch.setattr(os.path, "realpath", lambda path, strict: resolved)
    with pytest.raises(OSError, match="Not a directory"):
        read_link_target(folder(root) / "link", within=hipercow, limit=BYTES_64K)


def test_target_of_a_link_is_read_again_in_every_pass(root: Path) -> None:
    (folder(root) / "link").symlink_to(inside(root))
    scanner = Scanner(find_root(root))
    first = last_of(scanner)
    assert last_of(scanner) is first
    (root / "hipercow" / "lists" / "all").write_text(f"{B}\n")
    assert {one.name: one.task_ids for one in last_of(scanner).bundles}["link"] == (B,)


def last_of(scanner: Scanner) -> Snapshot:
    return [state.snapshot for state in scanner.scan()][-1]


def test_index_has_neither_links_nor_unreadable_bundles(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (folder(root) / "link").symlink_to(inside(root))
    os.mkfifo(folder(root) / "pipe")
    for name in ("mine", "link"):
        os.utime(folder(root) / name, (1e9, 1e9), follow_symlinks=False)
    found = find_root(root)
    scanner = Scanner(found, index=ScanCache.of(found))
    for _ in range(2):
        known = last_of(scanner)
    index = ScanCache.of(found)
    assert index is not None and {one.name for one in index.load().bundles} <= {"mine"}
    again = last_of(Scanner(found, index=ScanCache.of(found)))
    assert again.bundles == known.bundles and again.unread == known.unread
    assert set(again.unread.bundles) == {"pipe"}
