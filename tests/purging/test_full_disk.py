"""Purges on a disk without space for a folder or a byte."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mounts import SMALL, fill, mounted
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    LONE,
    OTHER,
    RETRY,
    TIP,
    Meanwhile,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    make_root,
    names,
    plan_of,
    root_contents,
)
from small_root import task_id, write_bundle, write_task

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    PurgeReport,
    execute,
    finish,
    list_trash,
    move_to_trash,
    preflight,
    read_history,
    restore,
)
from hipercow_tui.support.errors import PurgeError

NO_ROOM = [errno.ENOSPC, errno.EDQUOT]


def full(monkeypatch: pytest.MonkeyPatch, code: int, calls: tuple[str, ...], until: int) -> None:
    """Make these calls fail for lack of space until a number of files are removed."""
    removed = 0

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if removed < until:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        return call

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal removed
            result = real(*args, **kwargs)
            removed += 1
            return result

        return call

    for name in calls:
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr(os, "unlink", counting(os.unlink))


@pytest.mark.parametrize("code", NO_ROOM)
@pytest.mark.parametrize("until", [1, 12, 25, 10_000])
@pytest.mark.parametrize("calls", [("mkdir",), ("fsync",), ("mkdir", "fsync", "write")])
def test_a_purge_on_a_full_disk_frees_space(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int, until: int, calls: tuple[str, ...]
) -> None:
    plan = plan_of(root)
    full(monkeypatch, code, calls, until)
    report = execute(plan, root)
    assert set(report.removed) == set(ALL) and in_place(root) == set()
    assert report.bytes > 1500
    if until < 10_000:
        assert report.complete and bundles(root) == {} and has_no_batches(root)
    else:  # there is never space for the bundles
        assert (
            names(report.failed) == {"sweep", "solo"} and "disk is full" in report.failed[0].reason
        )
    assert not list(root.hipercow.glob("tui-*"))


@pytest.mark.parametrize("code", NO_ROOM)
@pytest.mark.parametrize("name", [LONE[2:], BASE[2:], TIP[2:], "solo"])
def test_an_item_that_can_not_be_moved_is_purged_after_others_freed_space(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int, name: str
) -> None:
    real = os.rename
    failed: list[str] = []

    def rename(source: str, target: str, **kwargs: int) -> None:
        if source == name and not failed:
            failed.append(source)
            raise OSError(code, os.strerror(code))
        real(source, target, **kwargs)

    plan = plan_of(root)
    monkeypatch.setattr(os, "rename", rename)
    report = execute(plan, root)
    assert failed and report.complete and report.removed == plan.ids
    assert set(report.removed_bundles) == {"sweep", "solo"} and has_no_batches(root)


def test_if_nothing_can_be_moved_the_error_says_how_to_free_space(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plan = root_contents(root), plan_of(root)

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "mkdir", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(PurgeError, match=r"No space left .* delete one or two files manually"):
        execute(plan, root)
    assert root_contents(root) == before


def test_preflight_warns_of_a_full_disk(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    before, plan = root_contents(root), plan_of(root)
    assert preflight(plan, root) is None
    full(monkeypatch, errno.EDQUOT, ("fsync",), 10_000)
    warning = preflight(plan, root)
    assert warning is not None and "too little disk space" in warning and "undo" in warning
    assert root_contents(root) == before and not (root.hipercow / "tui").exists()


def test_preflight_names_a_folder_that_can_not_be_written(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, errno.EROFS, ("mkdir",), 1)
    assert "Read-only file system" in str(preflight(plan_of(root), root))


def test_nothing_is_moved_to_the_trash_of_a_full_disk(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plan = root_contents(root), plan_of(root)
    full(monkeypatch, errno.ENOSPC, ("mkdir",), 1)
    with pytest.raises(PurgeError, match="Purging for good frees space"):
        move_to_trash(plan, root)
    assert root_contents(root) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (folder_of(root, TIP) / "status-success").touch(),
        lambda root: root.retry.write_text(f"{task_id(77)},{TIP},{BASE}\n"),
        lambda root: write_bundle(root.path, "fresh", [TIP]),
        lambda root: write_bundle(root.path, "sweep", [BASE, LONE, TIP]),
    ],
)
def test_changed_tasks_stay_on_a_full_disk(
    root: Root, monkeypatch: pytest.MonkeyPatch, change: Callable[[Root], object]
) -> None:
    plan = plan_of(root)
    change(root)
    full(monkeypatch, errno.ENOSPC, ("mkdir",), 10_000)
    report = execute(plan, root)
    assert set(CHAIN) <= in_place(root) and set(report.removed).isdisjoint(CHAIN)
    assert OTHER in report.removed and not list(root.hipercow.glob("tui-*"))


def test_a_purge_on_a_full_disk_can_be_stopped(
    root: Root, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile
) -> None:
    plan, stop = plan_of(root), threading.Event()
    full(monkeypatch, errno.ENOSPC, ("mkdir",), 10_000)
    meanwhile.after("rmdir", f"tui-{BASE}.erasing", stop.set)
    report = execute(plan, root, stop=stop)
    assert report.stopped and report.removed == CHAIN
    assert in_place(root) == set(ALL) - set(CHAIN) and set(bundles(root)) == {"sweep", "solo"}


@pytest.mark.parametrize("died", ["", ".erasing"])
def test_a_loose_task_is_listed_and_put_back_or_erased(root: Root, died: str) -> None:
    left = root.hipercow / f"tui-{LONE}{died}"
    for act in ("restore", "empty"):
        if not folder_of(root, LONE).exists():
            write_task(root.path, LONE, "failure")
        folder_of(root, LONE).rename(left)
        os.utime(left, (0, 0))
        (batch,) = list_trash(root)
        assert batch.batch_id == f"tui-{LONE}" and not batch.in_use
        assert (batch.tasks, batch.partly_erased) == (((LONE,), ()) if not died else ((), (LONE,)))
        if act == "restore":
            report = restore(root, batch.batch_id)
            assert (report.restored, report.missing_ids) == (
                ((LONE,), ()) if not died else ((), (LONE,))
            )
        else:
            finished = finish(root, batch.batch_id)
            assert isinstance(finished, PurgeReport)
            assert finished.removed == ((LONE,) if died else ())
            assert batch.resumable == bool(died)
        assert not left.exists() and not list_trash(root)
        assert folder_of(root, LONE).exists() == (not died)
    assert len(read_history(root)) == 2


def test_a_loose_task_in_use_is_not_touched(
    root: Root, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile
) -> None:
    """The folder may be old, and the chain may take longer than a minute."""
    plan, seen = plan_of(root), []
    for identity in ALL:
        os.utime(folder_of(root, identity), (0, 0))
    full(monkeypatch, errno.ENOSPC, ("mkdir",), 10_000)
    monkeypatch.setattr("hipercow_tui.purging.heartbeat.INTERVAL", 0.01)

    def look() -> None:
        loose_tasks = {batch.batch_id: batch for batch in list_trash(root)}
        assert set(loose_tasks) == {f"tui-{identity}" for identity in CHAIN}
        assert all(batch.in_use and not batch.interrupted for batch in loose_tasks.values())
        for act in (restore, finish):
            with pytest.raises(PurgeError, match=f"tui-{BASE} is in use"):
                act(root, f"tui-{BASE}")
        base = root.hipercow / f"tui-{BASE}"
        os.utime(base, (0, 0))
        deadline = time.monotonic() + 30
        while base.stat().st_mtime == 0:  # until the next heartbeat
            assert time.monotonic() < deadline
        seen.append(True)

    meanwhile.before("rename", f"tui-{TIP}", look)
    report = execute(plan, root)
    assert seen and set(report.removed) == set(ALL)


def test_a_chain_is_kept_if_a_loose_task_of_it_was_taken_over(
    root: Root, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile
) -> None:
    plan, before = plan_of(root), root_contents(root)
    full(monkeypatch, errno.ENOSPC, ("mkdir",), 10_000)

    def stand_still() -> None:
        os.utime(root.hipercow / f"tui-{TIP}", (0, 0))
        assert restore(root, f"tui-{TIP}").restored == (TIP,)

    meanwhile.before("rename", f"tui-{TIP}", stand_still)
    report = execute(plan, root)
    assert names(report.failed) >= set(CHAIN) and set(report.removed).isdisjoint(CHAIN)
    for identity in (BASE, RETRY):
        os.utime(root.hipercow / f"tui-{identity}", (0, 0))
        assert restore(root, f"tui-{identity}").complete
    after = root_contents(root)
    assert in_place(root) == set(CHAIN) and all(after[name] == before[name] for name in after)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    with mounted(where, *SMALL):
        yield where


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_a_full_tmpfs_is_freed(small_disk: Path, what: str) -> None:
    """If mounting is not allowed, the test runs on a disk with space."""
    root = make_root(small_disk)
    (folder_of(root, OTHER) / "big").write_bytes(bytes(500_000))
    if os.path.ismount(small_disk):
        fill(root.path / "filler", what)
        assert "too little disk space" in str(preflight(plan_of(root), root))
    report = execute(plan_of(root), root)
    assert report.complete and set(report.removed) == set(ALL)
    assert in_place(root) == set() and bundles(root) == {} and has_no_batches(root)
    assert report.bytes > 500_000
