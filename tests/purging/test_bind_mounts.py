"""Bind mounts: a folder of the same file system that also appears inside a root. No test may change
anything in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from mounts import mount, mount_points, unmount
from purge_stage import (
    ALL,
    LONE,
    Meanwhile,
    batches,
    folder_of,
    in_place,
    list_entries,
    names,
    plan_of,
    root_contents,
)
from py_stage import THIRD, make_both

from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import empty, execute, list_trash, move_to_trash, restore
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.filesystem import Mount, mounts

Bind: TypeAlias = Callable[..., None]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not part of the root; the test fails if anything in it is missing."""
    folder = tmp_path / "outside"
    (folder / "inner").mkdir(parents=True)
    (folder / "precious").write_text("keep me")
    (folder / "inner" / "precious").write_text("keep me")
    return folder


@pytest.fixture
def bind(outside: Path, tmp_path: Path) -> Iterator[Bind]:
    """Bind-mount ``outside``, or another folder, at a path. Skip the test if that is not
    allowed."""

    def bind(where: Path, source: Path = outside) -> None:
        if not mount("--bind", source, where):
            pytest.skip("nothing may be mounted here")

    yield bind
    for point in mount_points(tmp_path):
        unmount(point)
    assert (outside / "precious").exists() and (outside / "inner" / "precious").exists()
    for folder in (outside, outside / "inner"):
        assert {path.name for path in folder.iterdir()} <= {"precious", "inner"}


@pytest.fixture(params=["statx", "fdinfo"])
def mechanism(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the mount id is found."""
    if request.param == "fdinfo":  # as on Linux before 5.8
        monkeypatch.setattr(mounts, "_statx", lambda: None)
    return str(request.param)


@pytest.mark.usefixtures("mechanism")
@pytest.mark.parametrize("where", ["figures", "figures/deep"])
def test_a_bind_mount_inside_a_task_is_not_emptied(root: Root, bind: Bind, where: str) -> None:
    (folder_of(root, LONE) / where).mkdir(parents=True)
    bind(folder_of(root, LONE) / where)
    report = execute(plan_of(root), root)
    (failed,) = report.failed
    assert failed.name == LONE and f"'{LONE}/{where}': a folder of the same" in failed.reason
    assert "bind mount" in failed.reason and failed.where is not None
    assert set(report.removed) == set(ALL) - {LONE}


@pytest.mark.usefixtures("mechanism")
def test_a_bind_mount_in_place_of_a_task_stays(root: Root, bind: Bind) -> None:
    plan = plan_of(root)
    bind(folder_of(root, LONE))
    report = execute(plan, root)
    assert names(report.failed) == {LONE} and set(report.removed) == set(ALL) - {LONE}


def test_tasks_inside_a_bind_mount_can_not_be_moved(root: Root, tmp_path: Path, bind: Bind) -> None:
    shard = folder_of(root, LONE).parent
    shard.rename(tmp_path / "shard")
    shard.mkdir()
    bind(shard, tmp_path / "shard")
    before = root_contents(root)
    for act in (execute, move_to_trash):
        report = act(plan_of(root, [LONE]), root)
        assert [one.reason for one in report.failed if one.name == LONE] == [
            "it can't be moved: its folder is a mount point, and nothing can be moved into or out"
            " of it"
        ]
    assert root_contents(root) == before and batches(root) == []


@pytest.mark.usefixtures("mechanism")
@pytest.mark.parametrize("name", ["tasks", "bundles", "tui", "py", "py/tasks", "py/bundles"])
def test_a_root_with_a_bind_mount_is_not_purged(tmp_path: Path, bind: Bind, name: str) -> None:
    root = make_both(tmp_path / "project")
    plan = plan_of(root)
    (root.hipercow / "tui").mkdir()
    bind(root.hipercow / name)
    refusal = find_root(root.path).purge_refusal
    assert refusal is not None and f"hipercow/{name} is a bind mount" in refusal
    assert "unmount it" in refusal
    with pytest.raises(PurgeError, match="is a bind mount"):
        execute(plan, find_root(root.path))
    if name != "py":  # it was mounted after the root was found, over a part of the plan
        with pytest.raises(PurgeError, match=r"can't be used: .*bind mount"):
            execute(plan.of_lang(Lang.PY if name.startswith("py") else Lang.R), root)


@pytest.mark.usefixtures("mechanism")
@pytest.mark.parametrize("name", ["", "tasks", "bundles", "erasing"])
@pytest.mark.parametrize("act", ["restore", "empty"])
def test_a_bind_mount_in_place_of_a_batch_or_in_it_is_not_entered(
    root: Root, bind: Bind, name: str, act: str
) -> None:
    before = root_contents(root)
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    (batch,) = batches(root)
    as_listed = list_entries(root, batch_id)
    bind(batch / name)
    with pytest.raises(PurgeError, match="bind mount"):
        restore(root, batch_id) if act == "restore" else empty(root, as_listed)
    for point in mount_points(root.path):
        unmount(point)
    (found,) = list_trash(root)
    assert set(found.tasks) == set(ALL)
    os.utime(batches(root)[0] / "alive", (0, 0))
    assert restore(root, batch_id).complete and root_contents(root) == before


def test_a_bind_mount_in_place_of_the_quarantine_is_not_entered(root: Root, bind: Bind) -> None:
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    folder_of(root, LONE).mkdir()
    kept = root.hipercow / "tui" / f"{batch_id}.kept"
    (kept / "tasks").mkdir(parents=True)
    bind(kept / "tasks")
    with pytest.raises(PurgeError, match="bind mount"):
        restore(root, batch_id)


def test_a_bundle_of_python_inside_a_bind_mount_can_not_be_moved(
    tmp_path: Path, bind: Bind
) -> None:
    root = make_both(tmp_path / "project")
    folder = root.part(Lang.PY).bundles / "deep"
    folder.rename(tmp_path / "deep")
    folder.mkdir()
    bind(folder, tmp_path / "deep")
    report = execute(plan_of(root).of_lang(Lang.PY), root)
    (failed,) = report.failed
    assert failed.name == "deep/er/one .x" and "its folder is a mount" in failed.reason
    assert (folder / "er" / "one .x").exists() and THIRD in in_place(root.part(Lang.PY))


@pytest.mark.usefixtures("mechanism")
def test_a_bind_mount_that_appears_while_a_task_is_erased_is_not_entered(
    root: Root, bind: Bind, meanwhile: Meanwhile
) -> None:
    """A mount that appears before the folder is opened is detected. If it appears later, the folder
    below it is emptied."""
    for name in ("early", "late"):
        (folder_of(root, LONE) / name).mkdir()
        (folder_of(root, LONE) / name / "file").write_text("ours")
    plan = plan_of(root)

    def find(name: str) -> Path:
        (found,) = (root.hipercow / "tui").glob(f"*/erasing/{LONE}/{name}")
        return found

    meanwhile.before("open", "early", lambda: bind(find("early")))
    meanwhile.after("open", "late", lambda: bind(find("late")))
    report = execute(plan, root)
    (failed,) = report.failed
    assert failed.name == LONE and failed.where is not None and "2 entries" in failed.reason
    for point in mount_points(root.path):
        unmount(point)
    assert (failed.where / "early" / "file").exists()
    assert not (failed.where / "late" / "file").exists()


def test_without_mount_ids_device_numbers_are_compared(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems that have no bind mounts."""
    monkeypatch.setattr(mounts, "_statx", lambda: None)
    monkeypatch.setattr(mounts, "_DESCRIPTORS", "/nowhere")
    found = mounts.mount_at(root.tasks)
    assert found == Mount(root.tasks.stat().st_dev, None)
    inside = folder_of(root, LONE) / "figures"
    inside.mkdir()
    plan, inode, real = plan_of(root), inside.stat().st_ino, os.fstat

    def fstat(fd: int) -> os.stat_result:
        status = real(fd)
        if status.st_ino != inode:
            return status
        return os.stat_result((*status[:2], status.st_dev + 1, *status[3:10]))

    monkeypatch.setattr(os, "fstat", fstat)
    (failed,) = execute(plan, root).failed
    assert failed.name == LONE and "another file system is mounted there" in failed.reason


def test_both_mechanisms_find_the_same_mounts(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    fd = os.open(root.tasks, os.O_RDONLY)
    try:
        by_statx = mounts.folder_status(fd)
        monkeypatch.setattr(mounts, "_statx", lambda: None)
        by_fstat = mounts.folder_status(fd)
    finally:
        os.close(fd)
    assert by_statx == by_fstat
    status = root.tasks.stat()
    assert by_statx[:2] == (status.st_mode, status.st_uid) and stat.S_ISDIR(by_statx.mode)
