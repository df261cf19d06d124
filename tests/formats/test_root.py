from __future__ import annotations

import os
from pathlib import Path

import pytest

from hipercow_tui.formats.root import find_root
from hipercow_tui.support.errors import RootError

OLD_ID = "5D5f8875c27aa1bf6be6fa469682930c"


def make(root: Path, *folders: str) -> Path:
    for folder in ("hipercow", *folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
    return root


def test_root_is_found_in_the_folder_and_in_every_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/b/c")
    for start in (tmp_path, tmp_path / "a", tmp_path / "a" / "b" / "c"):
        assert find_root(start).path == tmp_path.resolve()
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert find_root().path == tmp_path.resolve()


def test_missing_root_names_the_start_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        RootError, match=r"Couldn't find hipercow root.*hipercow_init\(\)"
    ) as caught:
        find_root(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_file_named_hipercow_is_skipped_and_mentioned(tmp_path: Path) -> None:
    make(tmp_path, "inner")
    (tmp_path / "inner" / "hipercow").write_text("")
    assert find_root(tmp_path / "inner").path == tmp_path.resolve()
    (tmp_path / "hipercow").rmdir()
    with pytest.raises(RootError, match="is a file, not a folder"):
        find_root(tmp_path / "inner")


def test_missing_start_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="No such file or directory"):
        find_root(tmp_path / "nowhere")


def test_source_of_the_r_package_is_not_a_root(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "hipercow" / "DESCRIPTION").write_text("Package: hipercow\nTitle: x\n")
    with pytest.raises(RootError, match="source of the R package"):
        find_root(tmp_path)
    (tmp_path / "hipercow" / "DESCRIPTION").write_text("Package: other\n")
    assert find_root(tmp_path).purge_refusal is None


@pytest.mark.parametrize("as_folder", [True, False])
def test_the_layout_from_before_0_3_0(tmp_path: Path, as_folder: bool) -> None:
    make(tmp_path, "hipercow/tasks")
    old = tmp_path / "hipercow" / "tasks" / OLD_ID
    if as_folder:
        old.mkdir()
    else:
        old.write_text("")
    with pytest.raises(RootError, match=r"tasks created with hipercow earlier than 0\.3\.0"):
        find_root(tmp_path)


def test_hipercow_may_be_a_link_resolved_once(tmp_path: Path) -> None:
    real = make(tmp_path / "elsewhere", "hipercow/tasks")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "hipercow").symlink_to(real / "hipercow")
    root = find_root(tmp_path / "project")
    assert root.path == (tmp_path / "project").resolve()
    assert root.hipercow == (real / "hipercow").resolve()
    assert root.purge_refusal is None


@pytest.mark.parametrize("name", ["tasks", "bundles", "py", "tui"])
def test_root_with_links_can_be_browsed_but_not_purged(tmp_path: Path, name: str) -> None:
    make(tmp_path, "elsewhere")
    (tmp_path / "hipercow" / name).symlink_to(tmp_path / "elsewhere")
    refusal = find_root(tmp_path).purge_refusal
    assert refusal is not None and "symbolic link" in refusal


def test_loop_of_links_gives_a_message(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(RootError):
        find_root(tmp_path / "a")


def test_names_of_folders_are_escaped(tmp_path: Path) -> None:
    evil = tmp_path / "\x1b]0;x\x07"
    evil.mkdir()
    with pytest.raises(RootError) as caught:
        find_root(evil)
    assert "\x1b" not in str(caught.value)


def test_unreadable_tasks_folder_gives_a_message(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "hipercow" / "tasks").symlink_to("tasks")
    with pytest.raises(RootError, match="Couldn't read"):
        find_root(tmp_path)
    assert os.path.lexists(tmp_path / "hipercow" / "tasks")
