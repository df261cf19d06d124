"""Files made in a root can be used by the group of its folders, under any umask."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from purge_stage import ALL, BASE, batches, in_place, make_root, plan_of
from py_stage import make_both
from small_root import write_bundle

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    access,
    empty,
    execute,
    list_trash,
    move_to_trash,
    read_history,
    restore,
)

MASKS = [0o000, 0o022, 0o077]
needs_users = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be other users"
)
GROUP, COLLEAGUE = 54321, 12345


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def made_in(root: Root) -> list[Path]:
    """Return the files and folders that this app made, without items that were moved into them."""
    folders = [path for path in root.path.rglob("tui") if path.is_dir()]
    paths = [inner for folder in folders for inner in folder.rglob("*")]
    moved = ("tasks", "bundles", "erasing")
    return folders + [path for path in paths if not set(moved) & set(path.parent.parts[-2:])]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("given", [0o2775, 0o2770, 0o3777, 0o755, 0o750, 0o700])
@pytest.mark.parametrize("make", [make_root, make_both])
def test_modes_follow_the_root(
    tmp_path: Path, make: Callable[[Path], Root], given: int, mask: int
) -> None:
    root = make(tmp_path)
    for folder in (root.hipercow, root.hipercow / "py"):
        if folder.exists():
            folder.chmod(given)
    with umask(mask):
        if make is make_root:  # something is quarantined, too
            batch_id = str(move_to_trash(plan_of(root), root).trash)
            write_bundle(root.path, "solo", [])
            assert not restore(root, batch_id).complete
        assert move_to_trash(plan_of(root), root).removed
    made = made_in(root)
    assert {path.name for path in made} >= {"manifest.json", "alive", "history", "tui"}
    assert len(made) > 10
    for path in made:
        allowed = given if path.is_dir() else given & 0o644
        others = allowed & ~mask & 0o007
        assert mode(path) & 0o777 == allowed & 0o770 | others, path
        assert not path.is_dir() or mode(path) & 0o3000 == given & 0o3000, path


@needs_users
def test_another_group_gets_no_more_rights_than_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is not in the group of the root, and the folder does not pass its group on."""
    tmp_path.chmod(0o775)
    os.chown(tmp_path, -1, GROUP)
    parent = os.open(tmp_path, os.O_RDONLY)
    with umask(0):
        access.make_folder("ours", parent)
        os.close(access.create_file("our file", parent))

        def refuse(*_: int) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "fchown", refuse)
        access.make_folder("not ours", parent)
        os.close(access.create_file("not our file", parent))
    os.close(parent)
    found = {path.name: (mode(path), path.stat().st_gid) for path in tmp_path.iterdir()}
    assert found == {
        "ours": (0o775, GROUP),
        "our file": (0o644, GROUP),
        "not ours": (0o755, os.getgid()),
        "not our file": (0o644, os.getgid()),
    }
    tmp_path.chmod(0o770)
    parent = os.open(tmp_path, os.O_RDONLY)
    with umask(0):
        access.make_folder("closed", parent)
    os.close(parent)
    assert mode(tmp_path / "closed") == 0o700


@pytest.fixture
def shared_root() -> Iterator[Root]:
    """A root of a group. Members of the group may move its tasks."""
    where = Path(tempfile.mkdtemp(prefix="hipercow-tui-"))
    root = make_root(where)
    for path in (where, *where.rglob("*")):
        os.chown(path, -1, GROUP)
        path.chmod(0o2770 if path.is_dir() else 0o660)
    yield root
    shutil.rmtree(where)


def as_colleague(act: Callable[[], object]) -> int:
    """Run a function as another user of the same group; return the exit status of the process."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(GROUP)
            os.setuid(COLLEAGUE)
            act()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_users
@pytest.mark.parametrize("mask", MASKS)
def test_users_of_the_group_can_restore_and_empty_batches_of_each_other(
    shared_root: Root, mask: int
) -> None:
    with umask(mask):
        batch_id = str(move_to_trash(plan_of(shared_root), shared_root).trash)
    assert as_colleague(lambda: restore(shared_root, batch_id)) == 0
    assert in_place(shared_root) == set(ALL) and not batches(shared_root)
    with umask(mask):
        execute(plan_of(shared_root, [BASE]), shared_root)
        move_to_trash(plan_of(shared_root), shared_root)
    assert as_colleague(lambda: empty(shared_root, list_trash(shared_root))) == 0
    assert not in_place(shared_root) and not batches(shared_root)
    kinds = [entry.kind.value for entry in read_history(shared_root)]
    assert sorted(kinds) == ["empty", "purge", "restore", "trash", "trash"]
    assert as_colleague(lambda: [read_history(shared_root)[4]]) == 0
