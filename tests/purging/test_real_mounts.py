"""Read-only file systems and mounts inside a root. They are really mounted if that is allowed,
otherwise the errors are simulated."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mounts import SMALL, mount, mounted, unmount
from purge_stage import (
    ALL,
    LONE,
    Meanwhile,
    bundles,
    folder_of,
    has_no_batches,
    in_place,
    list_entries,
    make_root,
    names,
    plan_of,
    root_contents,
)

from hipercow_tui.cli.main import main
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    empty,
    execute,
    list_interrupted,
    list_trash,
    move_to_trash,
    preflight,
    restore,
)
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.filesystem import mounts

CHANGING = ("rename", "unlink", "rmdir", "mkdir", "link", "open", "utime", "fchmod")
READ_ONLY = "Read-only file system"


@dataclass
class Disk:
    """A separate disk that can be made read-only."""

    root: Root
    real: bool
    patch: pytest.MonkeyPatch

    def protect(self) -> None:
        if self.real:
            self._remount("ro")
            return
        for name in CHANGING:
            self.patch.setattr(os, name, refusing(getattr(os, name), name))

    def open_up(self) -> None:
        if self.real:
            self._remount("rw")
        else:
            self.patch.undo()

    def _remount(self, how: str) -> None:
        assert mount("-o", f"remount,{how}", self.root.path)


def refusing(real: Callable[..., object], name: str) -> Callable[..., object]:
    def call(*args: object, **kwargs: object) -> object:
        reads = name == "open" and not (len(args) > 1 and int(str(args[1])) & os.O_WRONLY)
        if not reads:
            raise OSError(errno.EROFS, READ_ONLY)
        return real(*args, **kwargs)

    return call


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", *SMALL) as real, pytest.MonkeyPatch.context() as patch:
        yield Disk(make_root(tmp_path / "disk"), real, patch)


def test_a_read_only_file_system_can_be_browsed_and_is_not_changed(
    disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    root = disk.root
    batch_id = str(move_to_trash(plan_of(root, [LONE]), root).trash)
    before, plan = root_contents(root), plan_of(root)
    disk.protect()
    assert READ_ONLY in str(preflight(plan, root))
    for act in (execute, move_to_trash):
        with pytest.raises(PurgeError, match=rf"{READ_ONLY}\. Nothing was changed"):
            act(plan, root)
    with pytest.raises(PurgeError, match=READ_ONLY):
        restore(root, batch_id)
    with pytest.raises(PurgeError, match=READ_ONLY):
        empty(root, list_entries(root))
    assert main(["purge", str(root.path), "--with-status", "failure", "--yes"]) == 1
    said = capsys.readouterr()
    assert READ_ONLY in said.err and "Traceback" not in said.err
    assert main(["list", str(root.path)]) == 0 and main(["trash", str(root.path)]) == 0
    assert batch_id in capsys.readouterr().out
    assert root_contents(root) == before and [batch.batch_id for batch in list_trash(root)] == [
        batch_id
    ]
    disk.open_up()
    assert restore(root, batch_id).complete


def test_a_file_system_that_becomes_read_only_during_the_move_loses_nothing(
    disk: Disk, meanwhile: Meanwhile
) -> None:
    root = disk.root
    before, plan = root_contents(root), plan_of(root)
    meanwhile.after("rename", LONE[2:], disk.protect)
    with pytest.raises(
        PurgeError, match=rf"{READ_ONLY}\. Nothing was deleted; .* can't be put back"
    ):
        execute(plan, root)
    disk.open_up()
    (batch,) = list_trash(root)
    os.utime(root.hipercow / "tui" / str(batch.name) / "alive", (0, 0))
    assert [one.batch_id for one in list_interrupted(root)] == [batch.batch_id]
    assert restore(root, batch.batch_id).complete
    assert root_contents(root) == before and has_no_batches(root)


def test_a_log_that_stays_open_is_reported_and_erased_later(
    root: Root, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mount on a file makes its removal fail with EBUSY, as a network file system does."""
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.01, 0.01))
    log = folder_of(root, LONE) / ".nfs0001"
    log.write_text("a log that is still written")
    plan, real = plan_of(root), os.unlink
    held = mount("--bind", log, log)

    def busy(name: str, **kwargs: int) -> None:
        if name == ".nfs0001":
            raise OSError(errno.EBUSY, "Device or resource busy")
        real(name, **kwargs)

    if not held:
        monkeypatch.setattr(os, "unlink", busy)
    report = execute(plan, root)
    (failed,) = report.failed
    assert failed.name == LONE and ".nfs0001': Device or resource busy" in failed.reason
    assert set(report.removed) == set(ALL) - {LONE} and in_place(root) == set()
    assert failed.where is not None and os.listdir(failed.where) == [".nfs0001"]
    (batch,) = list_trash(root)
    assert batch.interrupted and batch.partly_erased == (LONE,)

    if held:
        unmount(failed.where / ".nfs0001")
    monkeypatch.setattr(os, "unlink", real)
    assert empty(root, list_entries(root, batch.batch_id)).removed == (LONE,) and has_no_batches(
        root
    )


@pytest.mark.parametrize("seconds", [0.15, 60])
def test_a_file_that_its_writer_creates_again_is_reported(
    root: Root, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """NFS does that with a removed file until the last process closes it: ENOTEMPTY."""
    monkeypatch.setattr("hipercow_tui.purging.eraser._PAUSES", (0.05, 0.3))
    plan, stop = plan_of(root), threading.Event()
    folder = os.open(folder_of(root, LONE), os.O_RDONLY)
    end = time.monotonic() + seconds

    def write() -> None:
        while time.monotonic() < end and not stop.is_set():
            try:
                os.close(os.open(".nfs0001", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
            except FileNotFoundError:  # the folder is gone
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        report = execute(plan, root)
    finally:
        stop.set()
        writer.join()
        os.close(folder)
    if seconds < 1:
        assert report.complete and has_no_batches(root)
    elif report.failed:  # it may be removed while the file does not exist
        assert names(report.failed) == {LONE} and "not empty" in report.failed[0].reason
        assert empty(root, list_entries(root, list_trash(root)[0].batch_id)).complete
    assert in_place(root) == set() and bundles(root) == {} and has_no_batches(root)


def test_a_file_system_mounted_in_a_task_is_not_entered(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = folder_of(root, LONE) / "mount"
    inside.mkdir()
    plan, real = plan_of(root), mount(*SMALL, "none", inside)
    (inside / "precious").write_text("keep me")
    if not real:
        inode, fstat = inside.stat().st_ino, os.fstat
        monkeypatch.setattr(mounts, "_statx", lambda: None)
        monkeypatch.setattr(os, "fstat", lambda fd: elsewhere(fstat(fd), inode))
    report = execute(plan, root)
    (failed,) = report.failed
    assert f"'{LONE}/mount': another file system is mounted there" in failed.reason
    assert failed.where is not None
    assert (failed.where / "mount" / "precious").read_text() == "keep me"
    assert set(report.removed) == set(ALL) - {LONE}
    if real:
        unmount(failed.where / "mount")


def elsewhere(found: os.stat_result, inode: int) -> os.stat_result:
    if found.st_ino != inode:
        return found
    return os.stat_result((*found[:2], found.st_dev + 1, *found[3:10]))
