"""Power cuts on a file system that writes removals before renames: a purge syncs the renames first,
and a recovery finds incomplete tasks."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TypeAlias

import pytest
from purge_stage import (
    ALL,
    CHAIN,
    LONE,
    OTHER,
    batches,
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
from py_stage import FIRST, age_both, make_both

from hipercow_tui.cli.main import main
from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.domain.task import Lang
from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    BatchState,
    PurgeReport,
    empty,
    execute,
    finish,
    list_trash,
    move_to_trash,
    restore,
)
from hipercow_tui.support.errors import PurgeError

Log: TypeAlias = list[tuple[str, object]]


def logged(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Record the synced folders, by inode, and the removed names."""
    log: Log = []
    fsync, unlink = os.fsync, os.unlink

    def logging_fsync(fd: int) -> None:
        log.append(("fsync", os.fstat(fd).st_ino))
        fsync(fd)

    def logging_unlink(name: str, **kwargs: int) -> None:
        log.append(("unlink", name))
        unlink(name, **kwargs)

    monkeypatch.setattr(os, "fsync", logging_fsync)
    monkeypatch.setattr(os, "unlink", logging_unlink)
    return log


def synced_before(log: Log, name: str) -> set[object]:
    """Return the folders that were synced before the first entry of this name was removed."""
    return {inode for call, inode in log[: log.index(("unlink", name))] if call == "fsync"}


def inodes(*paths: Path) -> set[int]:
    return {path.stat().st_ino for path in paths}


@pytest.fixture
def both(tmp_path: Path) -> Root:
    return make_both(tmp_path / "both")


def sources(root: Root, plan: PurgePlan, lang: Lang) -> set[int]:
    """Return the folders that tasks and bundles are moved out of."""
    part = root.part(lang)
    shards = [folder_of(part, i).parent for i in plan.of_lang(lang).ids]
    folders = [(part.bundles / one.bundle.name).parent for one in plan.of_lang(lang).bundles]
    return inodes(part.hipercow, *shards, *folders)


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("act", ["purge", "empty"])
def test_all_moves_are_written_to_the_disk_before_anything_is_erased(
    both: Root, monkeypatch: pytest.MonkeyPatch, lang: Lang, act: str
) -> None:
    plan = plan_of(both).of_lang(lang)
    expected, rename = sources(both, plan, lang), os.rename
    if act == "empty":
        batch_id = str(move_to_trash(plan, both).trash)
    log = logged(monkeypatch)

    def noticing(source: str, target: str, **kwargs: int) -> None:
        rename(source, target, **kwargs)
        if target.endswith(".erasing"):
            batch = both.part(lang).hipercow / "tui" / target
            expected.update(
                inodes(batch.parent, batch, batch / "tasks", batch / "bundles"),
            )
            log.clear()  # only a sync after the change of state counts

    monkeypatch.setattr(os, "rename", noticing)
    report = execute(plan, both) if act == "purge" else empty(both, list_entries(both, batch_id))
    assert report.complete and len(report.removed) == len(plan.ids)
    assert synced_before(log, "data") >= expected


def test_a_chain_on_a_full_disk_is_written_to_the_disk_before_it_is_erased(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    plan = plan_of(root, CHAIN)
    expected = inodes(root.hipercow, *(folder_of(root, i).parent for i in CHAIN))
    log = logged(monkeypatch)
    monkeypatch.setattr(os, "mkdir", full)
    assert set(execute(plan, root).removed) == set(CHAIN)
    assert synced_before(log, "data") >= expected


def test_folders_are_synced_once_a_purge_and_not_once_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = []
    for ids in ([LONE], [LONE, *CHAIN]):
        root = make_root(tmp_path / str(len(ids)))
        plan = plan_of(root, ids)
        log = logged(monkeypatch)
        assert execute(plan, root).complete
        numbers.append(len([call for call, _ in log if call == "fsync"]))
        monkeypatch.undo()
    assert numbers[1] - numbers[0] == 3  # the three folders tasks/ab of the chain


def failing_sync(monkeypatch: pytest.MonkeyPatch, code: int, name: str = "") -> None:
    """Make the sync of folders fail, or only of folders with a path that ends in ``name``."""
    real = os.fsync

    def fsync(fd: int) -> None:
        path = os.readlink(f"/proc/self/fd/{fd}")
        if stat.S_ISDIR(os.fstat(fd).st_mode) and path.endswith(name):
            raise OSError(code, os.strerror(code))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.ENOSYS])
def test_a_purge_continues_if_folders_can_not_be_synced(
    root: Root, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    plan = plan_of(root)
    failing_sync(monkeypatch, code)
    assert execute(plan, root).complete and in_place(root) == set() and has_no_batches(root)


@pytest.mark.parametrize("name", ["/tui", f"tasks/{LONE[:2]}", "/bundles"])
def test_nothing_is_erased_if_a_sync_fails(
    root: Root, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before, plan = root_contents(root), plan_of(root)
    failing_sync(monkeypatch, errno.EIO, name)
    with pytest.raises(PurgeError, match=r"can't be written.*: Input/output error"):
        execute(plan, root)
    assert root_contents(root) == before and has_no_batches(root)
    monkeypatch.undo()
    batch_id = str(move_to_trash(plan, root).trash)
    failing_sync(monkeypatch, errno.EIO, name)
    with pytest.raises(PurgeError, match="can't be written to the disk: Input/output error"):
        empty(root, list_entries(root, batch_id))
    assert set(list_trash(root)[0].tasks) == set(ALL)


def test_a_source_folder_that_is_gone_or_a_link_does_not_fail_the_sync(root: Root) -> None:
    batch_ids = [move_to_trash(plan_of(root, ids), root).trash for ids in ([LONE], [OTHER], CHAIN)]
    folder_of(root, LONE).parent.rmdir()
    folder_of(root, OTHER).parent.rmdir()
    folder_of(root, OTHER).parent.symlink_to(root.bundles)
    for batch_id in batch_ids:
        assert empty(root, list_entries(root, batch_id)).complete
    assert in_place(root) == set(ALL) - {LONE, OTHER, *CHAIN}


class Cut:
    """A batch of all failed tasks, in the state after a power cut."""

    def __init__(self, root: Root, lang: Lang, state: BatchState) -> None:
        self.root, self.part = root, root.part(lang)
        self.plan = plan_of(root).of_lang(lang)
        self.batch_id = str(move_to_trash(self.plan, root).trash)
        (batch,) = batches(self.part)
        suffix = "" if state is BatchState.MOVING else f".{state}"
        self.batch = batch.rename(batch.with_name(f"{self.batch_id}{suffix}"))

    def lose(self, identity: str, *files: str) -> None:
        """Make the removals of a partly erased task persistent, but not its move to ``erasing``."""
        for file in files:
            (self.batch / "tasks" / identity / file).unlink()

    def undo_move(self, identity: str) -> None:
        """Undo its move out of its place, too."""
        place = folder_of(self.part, identity)
        place.parent.mkdir(exist_ok=True)
        (self.batch / "tasks" / identity).rename(place)

    def is_quarantined(self, identity: str) -> bool:
        kept = self.part.hipercow / "tui" / f"{self.batch_id}.kept" / "erasing" / identity
        return (kept / "status-failure").exists() and not folder_of(self.part, identity).exists()


CUTS = [(Lang.R, LONE, "info"), (Lang.PY, FIRST, "times")]


def cut(tmp_path: Path, lang: Lang, state: BatchState = BatchState.ERASING) -> Cut:
    root = make_root(tmp_path / "project") if lang is Lang.R else make_both(tmp_path / "project")
    done = Cut(root, lang, state)
    age_both(root)
    return done


@pytest.mark.parametrize(("lang", "victim", "info"), CUTS)
@pytest.mark.parametrize(
    ("state", "in_batch"),
    [
        (BatchState.ERASING, True),
        (BatchState.ERASING, False),
        (BatchState.MOVING, True),
        (BatchState.RESTORING, True),
    ],
)
def test_an_incomplete_task_is_quarantined_and_reported_by_a_restore(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lang: Lang,
    victim: str,
    info: str,
    state: BatchState,
    in_batch: bool,
) -> None:
    done = cut(tmp_path, lang, state)
    done.lose(victim, "data", info)
    if not in_batch:
        done.undo_move(victim)
    assert main(["trash", str(done.root.path), "--restore", done.batch_id, "--yes"]) == 1
    said = capsys.readouterr()
    assert f"it is incomplete: data, {info} are missing" in said.out + said.err
    assert done.is_quarantined(victim)
    assert in_place(done.part) >= set(done.plan.ids) - {victim}
    (batch,) = list_trash(done.root)
    assert (
        batch.state is BatchState.QUARANTINED
        and batch.partly_erased == (victim,)
        and batch.tasks == ()
    )

    (failed,) = restore(done.root, done.batch_id).failed  # a second restore does not erase it
    assert failed.name == victim and done.is_quarantined(victim)
    assert failed.where is not None and failed.where.exists()
    assert empty(done.root, list_entries(done.root, done.batch_id)).complete and not list_trash(
        done.root
    )


@pytest.mark.parametrize(("lang", "victim", "info"), CUTS)
@pytest.mark.parametrize("file", ["data", "status-failure"])
def test_an_incomplete_task_is_quarantined_when_a_move_is_finished(
    tmp_path: Path, lang: Lang, victim: str, info: str, file: str
) -> None:
    del info
    done = cut(tmp_path, lang, BatchState.MOVING)
    done.lose(victim, file)
    report = finish(done.root, done.batch_id)
    assert isinstance(report, PurgeReport) and report.vanished == ()
    assert [one.reason for one in report.failed] == [f"it is incomplete: {file} is missing"]
    assert names(report.failed) == {victim} and report.quarantine_path is not None
    assert report.failed[0].where is not None and report.failed[0].where.exists()
    assert victim not in report.removed and not folder_of(done.part, victim).exists()
    assert victim in {i for batch in list_trash(done.root) for i in batch.partly_erased}


@pytest.mark.parametrize(("lang", "victim", "info"), CUTS)
def test_an_incomplete_task_in_its_place_is_quarantined_when_erasing_is_finished(
    tmp_path: Path, lang: Lang, victim: str, info: str
) -> None:
    done = cut(tmp_path, lang)
    done.lose(victim, "data", info)
    done.undo_move(victim)
    report = finish(done.root, done.batch_id)
    assert names(report.failed) == {victim} and done.is_quarantined(victim)
    assert set(done.plan.ids).isdisjoint(in_place(done.part))


@pytest.mark.parametrize(
    "state", [BatchState.ERASING, BatchState.MOVING, BatchState.RESTORING, BatchState.TRASH]
)
def test_a_task_with_more_files_than_planned_is_restored(tmp_path: Path, state: BatchState) -> None:
    done = cut(tmp_path, Lang.R, state)
    (done.batch / "tasks" / LONE / "status-success").touch()
    assert restore(done.root, done.batch_id).complete
    assert in_place(done.part) == set(ALL) and set(bundles(done.part)) == {"sweep", "solo"}


def test_an_incomplete_task_leaves_the_others_of_its_chain_complete(tmp_path: Path) -> None:
    done = cut(tmp_path, Lang.R)
    done.lose(CHAIN[-1], "data")
    report = restore(done.root, done.batch_id)
    assert names(report.failed) == {CHAIN[-1]} and done.is_quarantined(CHAIN[-1])
    assert set(report.restored) == set(ALL) - {CHAIN[-1]} == in_place(done.part)


def test_an_incomplete_loose_task_is_not_put_back(root: Root) -> None:
    loose_task = root.hipercow / f"tui-{LONE}"
    folder_of(root, LONE).rename(loose_task)
    (loose_task / "data").unlink()
    os.utime(loose_task, (0, 0))
    report = restore(root, loose_task.name)
    assert names(report.failed) == {LONE} and "data is missing" in report.failed[0].reason
    assert loose_task.exists() and not folder_of(root, LONE).exists()
    finished = finish(root, loose_task.name)
    assert (
        isinstance(finished, PurgeReport)
        and finished.removed == (LONE,)
        and not loose_task.exists()
    )
