"""The list of recent tasks of Python during other writes, after an undo and on full disks."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mounts import fill, mounted
from purge_stage import Meanwhile, list_entries, names, plan_of
from py_stage import (
    FAILED,
    FIRST,
    KEPT,
    RECENT,
    SECOND,
    THIRD,
    batches_of_both,
    in_place_of_both,
    make_both,
    recent,
    recent_after_undo,
    recent_without,
)
from small_py_root import py_dir, py_folder, write_py_task
from small_root import task_id

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.formats.root import TUI_FOLDER, Root, find_root
from hipercow_tui.purging import empty, execute, move_to_trash, restore

LATE = task_id(50)


@pytest.fixture
def both(tmp_path: Path) -> Root:
    return make_both(tmp_path / "project")


def path_of(root: Root) -> Path:
    return py_dir(root.path) / "recent"


def append(root: Root, identity: str) -> None:
    """Append an id, as hipercow does for each new task."""
    with path_of(root).open("a") as file:
        file.write(f"{identity}\n")


# Concurrent writers


def test_a_line_of_a_writer_that_opened_the_list_before_the_rename_is_kept(
    both: Root, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.recent_list.APPEND_GRACE", 0.5)
    plan = plan_of(both)
    writers = []

    def write_late() -> None:
        file = path_of(both).open("a")

        def write() -> None:
            time.sleep(0.1)
            with file:
                file.write(f"{LATE}\n")

        writers.append(threading.Thread(target=write))
        writers[0].start()

    meanwhile.before("rename", "tui-recent", write_late)
    execute(plan, both)
    writers[0].join()
    assert recent(both) == [*KEPT, LATE]


def test_the_id_of_a_purged_task_is_not_copied_to_the_new_list(
    both: Root, meanwhile: Meanwhile
) -> None:
    """hipercow creates the folder of a task first, and appends its line later."""
    path_of(both).write_text("".join(f"{i}\n" for i in RECENT if i != THIRD))
    plan = plan_of(both)

    def make() -> None:
        append(both, THIRD)
        append(both, LATE)

    meanwhile.before("rename", "tui-recent", make)
    execute(plan, both)
    assert recent(both) == [*KEPT, LATE]


def test_a_list_that_is_rebuilt_meanwhile_loses_nothing(both: Root, meanwhile: Meanwhile) -> None:
    """hipercow truncates and rewrites it, without the tasks that are already moved."""
    plan = plan_of(both)
    rebuilt = [LATE, *KEPT[::-1], task_id(51)]
    meanwhile.before(
        "rename",
        "tui-recent",
        lambda: path_of(both).write_text("".join(f"{i}\n" for i in rebuilt)),
    )
    execute(plan, both)
    assert recent(both) == [*KEPT, LATE, task_id(51)]


def test_concurrent_purges_and_new_tasks_lose_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.recent_list.APPEND_GRACE", 0.05)
    tasks = [task_id(number) for number in range(100, 124)]
    for identity in (*tasks, *KEPT):
        write_py_task(tmp_path, identity, "failure")
    root = find_root(tmp_path)
    plans = [plan_of(root, tasks[start::4]) for start in range(4)]
    made: list[str] = []
    over = threading.Event()

    def make() -> None:
        while not over.is_set():
            made.append(task_id(1000 + len(made)))
            append(root, made[-1])
            time.sleep(0.0002)

    def go_and_come(plan: PurgePlan) -> None:
        for _ in range(3):
            assert restore(root, str(move_to_trash(plan, root).trash)).complete

    maker = threading.Thread(target=make)
    purges = [threading.Thread(target=go_and_come, args=(plan,)) for plan in plans]
    for thread in (maker, *purges):
        thread.start()
    for thread in purges:
        thread.join()
    over.set()
    maker.join()
    assert sorted(recent(root)) == sorted([*tasks, *KEPT, *made])


def draft_of(root: Root) -> Path:
    return py_dir(root.path) / "tui-recent"


def test_a_draft_of_a_process_that_died_is_replaced(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.recent_list.ABANDONED", 0.05)
    draft_of(both).write_text("half a li")
    assert execute(plan_of(both), both).complete
    assert recent(both) == list(KEPT) and not draft_of(both).exists()


def test_a_purge_waits_for_another_one_that_writes_the_list(
    both: Root, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, looks = draft_of(both), []
    real = time.sleep

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            draft.unlink()
        real(seconds)

    draft.touch()
    monkeypatch.setattr(time, "sleep", sleep)
    assert execute(plan_of(both), both).complete
    assert recent(both) == list(KEPT) and len(looks) >= 3


def test_a_purge_that_waits_for_the_list_can_be_stopped(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, before = threading.Event(), recent(both)
    monkeypatch.setattr(time, "sleep", lambda seconds: stop.set())
    draft_of(both).touch()
    report = execute(plan_of(both, FAILED), both, stop=stop)
    assert report.stopped and not report.removed and not report.failed
    assert in_place_of_both(both) >= {*FAILED, *KEPT} and recent(both) == before


def test_the_wait_for_other_purges_has_a_timeout(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the state of a draft seems to change with each call, it never counts as abandoned."""
    monkeypatch.setattr("hipercow_tui.purging.recent_list.LOCK_TIMEOUT", 0.05)
    monkeypatch.setattr("hipercow_tui.purging.recent_list.ABANDONED", 0.0)
    states = itertools.count()
    monkeypatch.setattr(
        "hipercow_tui.purging.recent_list._state_of_draft", lambda folder: (next(states), 0)
    )
    draft_of(both).touch()
    report = execute(plan_of(both), both)
    (failed,) = report.failed
    assert "another purge is writing it" in failed.reason and "--rebuild" in failed.reason
    assert set(report.removed) >= set(FAILED) and draft_of(both).exists()


def test_a_list_whose_inode_number_changes_with_each_call_is_written(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FUSE, and on SMB mounted with noserverino."""
    batch_id, calls, fstat = "", itertools.count(1), os.fstat

    def changing(fd: int) -> os.stat_result:
        number = next(calls)
        assert number < 10_000, "this goes on forever"
        found = fstat(fd)
        return os.stat_result((found[0], number, *found[2:]))

    plan = plan_of(both)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", changing)
        batch_id = str(move_to_trash(plan, both).trash)
        assert recent(both) == list(KEPT)
        assert restore(both, batch_id).complete
    assert recent(both) == recent_after_undo(FAILED)


# Undo


@pytest.mark.parametrize("back", [*itertools.permutations(range(3))])
def test_an_undo_appends_what_is_missing_the_newest_last(both: Root, back: tuple[int, ...]) -> None:
    gone = ([THIRD, FIRST], [SECOND], [KEPT[0]])
    batch_ids = [str(move_to_trash(plan_of(both, ids), both).trash) for ids in gone]
    write_py_task(both.path, LATE, "created")
    for place in back:
        assert restore(both, batch_ids[place]).complete
    appended = [i for place in back for i in RECENT if i in gone[place]]
    assert recent(both) == [KEPT[1], KEPT[2], LATE, *appended]


def test_a_list_with_crlf_keeps_its_line_ends(both: Root) -> None:
    listed = path_of(both).read_bytes().replace(b"\n", b"\r\n")
    path_of(both).write_bytes(listed)
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    assert path_of(both).read_bytes() == "".join(f"{i}\r\n" for i in KEPT).encode()
    restore(both, batch_id)
    after = path_of(both).read_bytes()
    assert sorted(after.split(b"\r\n")) == sorted(listed.split(b"\r\n"))
    assert after.count(b"\n") == after.count(b"\r\n") == len(RECENT)


def test_an_undo_adds_no_id_twice(both: Root) -> None:
    """The list may have been rebuilt, or a task may exist with the id of one in the trash."""
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    write_py_task(both.path, SECOND, "running")
    append(both, FIRST)
    report = restore(both, batch_id)
    assert names(report.failed) == {SECOND}
    assert recent(both) == [*KEPT, SECOND, FIRST, THIRD]
    shutil.rmtree(py_folder(both.path, SECOND))
    path_of(both).write_text(f"{KEPT[0]}\n{LATE}")
    assert restore(both, batch_id).restored == (SECOND,)
    assert recent(both) == [KEPT[0], LATE, SECOND] and batches_of_both(both) == []


def test_an_undo_makes_no_list_where_there_is_none(both: Root) -> None:
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    path_of(both).unlink()  # as 'hipercow task recent --rebuild --limit 0' does
    assert restore(both, batch_id).complete and not path_of(both).exists()


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_an_undo_does_not_touch_a_link_fifo_or_folder_in_place_of_the_list(
    both: Root, kind: str
) -> None:
    batch_id = str(move_to_trash(plan_of(both), both).trash)
    moved_list = path_of(both).rename(both.path / "moved")
    {
        "link": lambda: path_of(both).symlink_to(moved_list),
        "fifo": lambda: os.mkfifo(path_of(both)),
        "folder": lambda: path_of(both).mkdir(),
    }[kind]()
    report = restore(both, batch_id)
    (failed,) = report.failed
    assert failed.name == "recent" and "--rebuild" in failed.reason
    assert in_place_of_both(both) >= set(FAILED) and moved_list.read_text().split() == list(KEPT)


def test_an_undo_appends_to_the_list_that_a_purge_has_just_written(
    both: Root, meanwhile: Meanwhile
) -> None:
    """A purge replaces the list after the undo opened it and before it appends."""
    batch_id = str(move_to_trash(plan_of(both, [FIRST]), both).trash)
    fresh = both.path / "fresh"
    fresh.write_text("".join(f"{i}\n" for i in KEPT))
    real = os.open

    def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        fd = real(path, flags, *args, **kwargs)
        if path == "recent" and flags & os.O_APPEND and fresh.exists():
            fresh.rename(path_of(both))
        return fd

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", opened)
        assert restore(both, batch_id).complete
    assert not fresh.exists() and recent(both) == [*KEPT, FIRST]


# Full disks


def test_an_undo_that_can_not_append_reports_that(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, real = str(move_to_trash(plan_of(both), both).trash), os.write

    def write(fd: int, data: bytes) -> int:
        if FIRST.encode() in data and b"\n" in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    report = restore(both, batch_id)
    (failed,) = report.failed
    assert failed.name == "recent" and "No space left" in failed.reason
    assert "tasks may be missing in it" in failed.reason and "--rebuild" in failed.reason
    assert set(report.restored) >= set(FAILED) and recent(both) == list(KEPT)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    with mounted(where, "-t", "tmpfs", "-o", "size=2m,nr_inodes=300"):
        yield where


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_an_undo_on_a_full_tmpfs_appends_the_ids(small_disk: Path, what: str) -> None:
    """If mounting is not allowed, the test runs on a disk with space."""
    root = make_both(small_disk / "project")
    batch_id = str(move_to_trash(plan_of(root), root).trash)
    if os.path.ismount(small_disk):
        fill(small_disk / "filler", what)
    report = restore(root, batch_id)
    assert report.complete and in_place_of_both(root) >= {*FAILED, *KEPT}
    assert recent(root) == recent_after_undo(FAILED)


def test_ids_are_removed_after_erasing_if_the_disk_was_full_before(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing frees the space that the new list needs."""
    real, unlink = os.open, os.unlink
    removed: list[Any] = []

    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT and "recent" in str(path) and not removed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, flags, *args, **kwargs)

    def count(path: Any, **kwargs: Any) -> None:
        unlink(path, **kwargs)
        removed.extend([path] * (path == "data"))

    plan = plan_of(both, [FIRST, SECOND])
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "unlink", count)
    report = execute(plan, both)
    assert report.complete and removed and recent(both) == recent_without({FIRST, SECOND})
    assert not list(py_dir(both.path).glob(f"{TUI_FOLDER}-*"))


def test_emptying_removes_ids_that_the_move_to_the_trash_could_not_remove(
    both: Root,
) -> None:
    plan = plan_of(both, FAILED)
    path_of(both).rename(moved_list := both.path / "moved")
    report = move_to_trash(plan, both)  # there is no list at this moment
    moved_list.rename(path_of(both))
    assert report.complete and recent(both) == list(RECENT)
    assert empty(both, list_entries(both, str(report.trash))).complete
    assert recent(both) == list(KEPT)


def test_ids_of_tasks_that_were_erased_without_a_batch_are_removed(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(both, FAILED)

    def mkdir(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "mkdir", mkdir)
    report = execute(plan, both)
    assert set(report.removed) == set(FAILED) and recent(both) == list(KEPT)
    assert not list(py_dir(both.path).glob(f"{TUI_FOLDER}-*"))
