"""What the system refuses: permissions, full disks, folders that will not empty."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
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
    in_place,
    make_root,
    names,
    nothing_left,
    plan_of,
    run_script,
    whole,
)

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import Progress, execute
from hipercow_tui.support.errors import PurgeError


@pytest.fixture
def open_root() -> Iterator[Root]:
    """A root that an ordinary user may change: below /tmp itself, whose folders all may enter."""
    where = Path(tempfile.mkdtemp(prefix="hipercow-tui-"))
    root = make_root(where)
    for path in (where, *where.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    yield root
    for path in (where, *where.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o777)
    shutil.rmtree(where)


def purge_as_ordinary_user(root: Root, *change: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run_script("purge_worker.py", str(root.path), *change))
    return report


def test_what_may_not_be_moved_stays_with_its_chain(open_root: Root) -> None:
    folder_of(open_root, RETRY).parent.chmod(0o555)
    report = purge_as_ordinary_user(open_root)
    assert set(report["failed"]) == {RETRY}
    assert "Permission denied" in report["failed"][RETRY]
    assert set(report["put_back"]) == {BASE, TIP}
    assert set(report["removed"]) == {LONE, OTHER, FREE}
    assert in_place(open_root) == set(CHAIN)
    assert report["kept"] is None and nothing_left(open_root)


def test_what_may_not_be_moved_is_listed_by_the_command_and_can_be_tried_again(
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


def test_a_bundle_that_may_not_be_moved_keeps_its_chains(open_root: Root) -> None:
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


def test_what_may_not_be_removed_is_reported_and_the_rest_goes(open_root: Root) -> None:
    results = folder_of(open_root, LONE) / "results"
    results.mkdir(mode=0o700)
    (results / "one").write_text("1")
    # For the superuser's tests this is another user's folder; for all others, their own.
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


def test_a_folder_of_ours_that_is_write_protected_is_emptied(root: Root) -> None:
    results = folder_of(root, LONE) / "results"
    results.mkdir()
    (results / "one").write_text("1")
    (results / "one").chmod(0o444)
    results.chmod(0o555)
    assert execute(plan_of(root), root).complete


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("call", ["mkdir", "fsync"])
def test_where_no_lot_can_be_made_nothing_is_changed(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    before, plan = whole(root), plan_of(root)
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(PurgeError, match="Nothing was changed") as raised:
        execute(plan, root)
    assert os.strerror(code) in str(raised.value)
    assert whole(root) == before and nothing_left(root)


def failing(
    monkeypatch: pytest.MonkeyPatch, call: str, name: str, code: int, times: int
) -> list[str]:
    """Makes a system call on that name fail, so many times; returns the failed calls."""
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
def test_a_task_that_can_not_be_moved_is_a_failure_of_its_own(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    plan = plan_of(root)
    failing(monkeypatch, "rename", LONE[2:], code, 1)
    report = execute(plan, root)
    assert names(report.failed) == {LONE} and os.strerror(code) in report.failed[0].reason
    assert set(report.removed) == set(ALL) - {LONE} and in_place(root) == {LONE}


@pytest.mark.parametrize("times", [1, 3])
def test_what_a_network_file_system_keeps_for_a_moment_goes_at_the_end(
    root: Root, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    plan = plan_of(root)
    failed = failing(monkeypatch, "rmdir", LONE, errno.ENOTEMPTY, times)
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.01, 0.01, 0.01))
    report = execute(plan, root)
    assert len(failed) == times and report.complete
    assert nothing_left(root)


def test_what_a_network_file_system_keeps_for_good_is_reported(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(root)
    (folder_of(root, LONE) / ".nfs0001").write_text("a log that is still written")
    failing(monkeypatch, "unlink", ".nfs0001", errno.EBUSY, 99)
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.01, 0.01, 0.01))
    report = execute(plan, root)
    assert set(report.removed) == set(ALL) - {LONE} and not report.complete
    (failed,) = report.failed
    assert ".nfs0001': Device or resource busy" in failed.reason
    assert failed.where is not None and os.listdir(failed.where) == [".nfs0001"]
    assert report.quarantine_path is not None and report.quarantine_path.name.endswith(".erasing")
    assert set(report.removed_bundles) == {"sweep", "solo"}


def test_without_hard_links_bundles_are_put_back_all_the_same(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(root)
    (folder_of(root, OTHER) / "status-success").touch()
    failing(monkeypatch, "link", "solo", errno.EPERM, 1)
    execute(plan, root)
    assert bundles(root) == {"solo": [OTHER]}


def test_when_erasing_can_not_begin_everything_is_put_back(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def rename(source: str, target: str, **kwargs: int) -> None:
        if target.endswith(".erasing"):
            raise OSError(errno.EIO, "Input/output error")
        real(source, target, **kwargs)

    before, plan = whole(root), plan_of(root)
    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PurgeError) as raised:
        execute(plan, root)
    assert str(raised.value) == (
        "Input/output error. Nothing was deleted; everything else is in its place."
    )
    assert whole(root) == before and nothing_left(root)


def test_what_can_not_be_put_back_when_a_purge_fails_is_told(
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
def test_an_interrupt_brings_back_what_is_whole(root: Root, calls: int) -> None:
    before, plan, told = whole(root), plan_of(root), []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) >= calls:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(plan, root, on_progress=interrupt)
    after = whole(root)
    if calls < 5:  # the last is told when all is erased
        assert after == before
    assert nothing_left(root)
