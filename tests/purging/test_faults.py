"""Errors of the system: permissions, full disks, folders that can't be emptied."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from purge_stage import (
    ALL,
    BASE,
    CHAIN,
    FREE,
    LONE,
    OTHER,
    RETRY,
    TIP,
    Meanwhile,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    names,
    plan_of,
    root_contents,
    run_script,
)
from small_root import DAY, NOW, task_id, write_task

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import Progress, execute
from hipercow_tui.support.errors import PurgeError


def purge_as_ordinary_user(root: Root, *change: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run_script("purge_worker.py", str(root.path), *change))
    return report


def test_a_task_that_may_not_be_moved_stays_with_its_chain(open_root: Root) -> None:
    folder_of(open_root, RETRY).parent.chmod(0o555)
    report = purge_as_ordinary_user(open_root)
    assert set(report["failed"]) == {RETRY}
    assert "Permission denied" in report["failed"][RETRY]
    assert set(report["put_back"]) == {BASE, TIP}
    assert set(report["removed"]) == {LONE, OTHER, FREE}
    assert in_place(open_root) == set(CHAIN)
    assert report["kept"] is None and has_no_batches(open_root)


def test_a_task_of_another_user_is_not_reported_as_open_in_another_program(
    open_root: Root,
) -> None:
    """A rename of a folder to another one changes its entry ``..``, so it must be writable."""
    if os.geteuid() != 0:
        pytest.skip("only the superuser can make a folder of another user")
    folder_of(open_root, LONE).chmod(0o755)
    report = purge_as_ordinary_user(open_root)
    assert "Permission denied" in report["failed"][LONE] and in_place(open_root) == {LONE}


def test_tasks_that_may_not_be_moved_are_listed_and_can_be_tried_again(
    open_root: Root,
) -> None:
    shard = folder_of(open_root, RETRY).parent
    shard.chmod(0o555)
    said = run_script("purge_worker.py", str(open_root.path), "status")
    assert "failed 1\n" in said and f"{RETRY}  it can't be moved: Permission denied" in said
    assert said.endswith("status 1") and in_place(open_root) == set(CHAIN)
    shard.chmod(0o777)
    said = run_script("purge_worker.py", str(open_root.path), "status")
    assert said.endswith("status 0") and in_place(open_root) == set()


def test_the_chains_of_a_bundle_that_may_not_be_moved_stay(open_root: Root) -> None:
    open_root.bundles.chmod(0o555)
    report = purge_as_ordinary_user(open_root)
    assert set(report["failed"]) == {"sweep", "solo"}
    assert set(report["put_back"]) == {*CHAIN, LONE, OTHER}
    assert report["removed"] == [FREE] and in_place(open_root) == {*CHAIN, LONE, OTHER}


def test_a_folder_that_may_not_be_listed_is_put_back_and_not_measured(open_root: Root) -> None:
    report = purge_as_ordinary_user(open_root, str(folder_of(open_root, LONE)), "333")
    assert set(report["put_back"]) == {LONE}
    assert "can't be listed" in report["put_back"][LONE]
    assert in_place(open_root) == {LONE}
    assert set(report["measured"]) == set(ALL) - {LONE}


def test_files_that_may_not_be_removed_are_reported_and_the_rest_goes(open_root: Root) -> None:
    results = folder_of(open_root, LONE) / "results"
    results.mkdir(mode=0o700)
    (results / "one").write_text("1")
    # If the tests run as root, the folder belongs to another user, otherwise to the same one.
    own = os.geteuid() != 0
    report = purge_as_ordinary_user(open_root)
    if own:
        assert set(report["removed"]) == set(ALL)
        return
    assert set(report["removed"]) == set(ALL) - {LONE}
    assert "'" + LONE + "/results': Permission denied" in report["failed"][LONE]
    left = Path(report["kept"]) / "erasing" / LONE / "results" / "one"
    assert left.read_text() == "1" and ".erasing" in str(left)
    assert (Path(report["kept"]) / "manifest.json").exists()
    assert in_place(open_root) == set() and bundles(open_root) == {}


def test_a_write_protected_folder_of_the_user_is_erased(root: Root) -> None:
    results = folder_of(root, LONE) / "results"
    results.mkdir()
    (results / "one").write_text("1")
    (results / "one").chmod(0o444)
    results.chmod(0o555)
    assert execute(plan_of(root), root).complete


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("call", ["mkdir", "fsync"])
def test_nothing_is_changed_if_no_batch_can_be_made(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    before, plan = root_contents(root), plan_of(root)
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(PurgeError, match="Nothing was changed") as raised:
        execute(plan, root)
    assert os.strerror(code) in str(raised.value)
    assert root_contents(root) == before and has_no_batches(root)


def failing(
    monkeypatch: pytest.MonkeyPatch, call: str, name: str, code: int, times: int
) -> list[str]:
    """Make a system call on this name fail a number of times. Return the failed calls."""
    real: Callable[..., Any] = getattr(os, call)
    failed: list[str] = []

    def hooked(path: Any, *args: Any, **kwargs: Any) -> Any:
        if path == name and len(failed) < times:
            failed.append(path)
            raise OSError(code, os.strerror(code))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, call, hooked)
    return failed


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EIO, errno.ESTALE])
def test_a_task_that_can_not_be_moved_does_not_stop_the_others(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    plan = plan_of(root)
    failing(monkeypatch, "rename", LONE[2:], code, 1)
    report = execute(plan, root)
    says = "it is open in another program" if code == errno.EBUSY else os.strerror(code)
    assert names(report.failed) == {LONE} and says in report.failed[0].reason
    assert set(report.removed) == set(ALL) - {LONE} and in_place(root) == {LONE}


@pytest.mark.parametrize("times", [1, 3])
def test_files_that_nfs_keeps_for_a_moment_are_removed_at_the_end(
    root: Root, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    plan = plan_of(root)
    failed = failing(monkeypatch, "rmdir", LONE, errno.ENOTEMPTY, times)
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.01, 0.01, 0.01))
    report = execute(plan, root)
    assert len(failed) == times and report.complete
    assert has_no_batches(root)


def test_after_many_open_tasks_others_are_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share gives the answer of an open file to a user who lacks a right: to each task."""
    monkeypatch.setattr("hipercow_tui.purging.file_changes.BUSY_TIME", 0.02)
    ids = [task_id(number) for number in range(20)]
    for identity in ids:
        write_task(tmp_path, identity, "failure", finished=NOW - DAY)
    root, tries, rename = find_root(tmp_path), Counter[str](), os.rename

    def refuse(source: str, target: str, **folders: int) -> None:
        if target in ids:
            tries[target] += 1
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        rename(source, target, **folders)

    monkeypatch.setattr(os, "rename", refuse)
    report = execute(plan_of(root), root)
    assert names(report.failed) == set(ids) and has_no_batches(root)
    assert sorted(tries) == sorted(ids) and sum(one > 1 for one in tries.values()) == 12


def test_files_that_nfs_keeps_are_reported(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(root)
    (folder_of(root, LONE) / ".nfs0001").write_text("a log that is still written")
    failing(monkeypatch, "unlink", ".nfs0001", errno.EBUSY, 99)
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.01, 0.01, 0.01))
    report = execute(plan, root)
    assert set(report.removed) == set(ALL) - {LONE} and not report.complete
    (failed,) = report.failed
    assert ".nfs0001': it is open in another program" in failed.reason
    assert failed.where is not None and os.listdir(failed.where) == [".nfs0001"]
    assert report.quarantine_path is not None and report.quarantine_path.name.endswith(".erasing")
    assert set(report.removed_bundles) == {"sweep", "solo"}


def test_bundles_are_put_back_without_hard_links(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(root)
    (folder_of(root, OTHER) / "status-success").touch()
    failing(monkeypatch, "link", "solo", errno.EPERM, 1)
    execute(plan, root)
    assert bundles(root) == {"solo": [OTHER]}


def test_everything_is_put_back_if_erasing_can_not_begin(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def rename(source: str, target: str, **kwargs: int) -> None:
        if target.endswith(".erasing"):
            raise OSError(errno.EIO, "Input/output error")
        real(source, target, **kwargs)

    before, plan = root_contents(root), plan_of(root)
    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PurgeError) as raised:
        execute(plan, root)
    assert str(raised.value) == (
        "Input/output error. Nothing was deleted; all tasks and bundles are back where they were."
    )
    assert root_contents(root) == before and has_no_batches(root)


def test_a_failed_purge_reports_items_that_can_not_be_put_back(
    root: Root, meanwhile: Meanwhile
) -> None:
    def spoil() -> None:
        root.retry.unlink()
        root.retry.mkdir()
        folder_of(root, LONE).mkdir()

    plan = plan_of(root)
    meanwhile.after("rename", FREE[2:], spoil)
    with pytest.raises(
        PurgeError, match=r"Nothing was deleted; 1 task or bundle can't be put"
    ) as e:
        execute(plan, root)
    (kept,) = (root.hipercow / "tui").glob("*.kept/tasks/*")
    assert str(kept) in str(e.value) and (kept / "data").exists()


@pytest.mark.parametrize("calls", range(1, 6))
def test_an_interrupt_puts_complete_items_back(root: Root, calls: int) -> None:
    before, plan, told = root_contents(root), plan_of(root), []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) >= calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(plan, root, on_progress=interrupt)
    after = root_contents(root)
    if calls < 5:  # the last report comes when everything is erased
        assert after == before
    assert has_no_batches(root)
