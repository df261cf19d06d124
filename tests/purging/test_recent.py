"""Python's list of recent tasks while others write to it, on full disks, and after what was kept
aside came back."""

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
from purge_stage import Meanwhile, listed, names, plan_of
from py_stage import (
    FAILED,
    FIRST,
    KEPT,
    RECENT,
    SECOND,
    THIRD,
    make_both,
    our_lots,
    recent,
    recent_without,
    standing,
)
from small_py_root import py_dir, py_folder, write_py_task
from small_root import NOW, task_id

from hipercow_tui.plan import PurgePlan
from hipercow_tui.purging import carry_out, empty, move_to_trash, restore
from hipercow_tui.purging.names import TUI
from hipercow_tui.purging.places import exists
from hipercow_tui.roots import Root, find_root

LATE = task_id(50)


@pytest.fixture
def both(tmp_path: Path) -> Root:
    return make_both(tmp_path / "project")


def path_of(root: Root) -> Path:
    return py_dir(root.path) / "recent"


def append(root: Root, identity: str) -> None:
    """As hipercow does for each task that is made."""
    with path_of(root).open("a") as file:
        file.write(f"{identity}\n")


# Others at work


def test_who_opened_the_list_just_before_the_rename_is_waited_for(
    both: Root, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.recent.LINGER", 0.5)
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

    meanwhile.before("rename", "recent.left", write_late)
    carry_out(plan, both)
    writers[0].join()
    assert recent(both) == [*KEPT, LATE]


def test_the_id_of_a_task_that_goes_is_not_brought_over(both: Root, meanwhile: Meanwhile) -> None:
    """It was made a moment ago: its line comes after its folder."""
    path_of(both).write_text("".join(f"{i}\n" for i in RECENT if i != THIRD))
    plan = plan_of(both)

    def make() -> None:
        append(both, THIRD)
        append(both, LATE)

    meanwhile.before("rename", "recent.left", make)
    carry_out(plan, both)
    assert recent(both) == [*KEPT, LATE]


def test_a_list_that_is_written_anew_meanwhile_loses_nothing(
    both: Root, meanwhile: Meanwhile
) -> None:
    """hipercow truncates it to rebuild it; what goes stands in it no more, being moved already."""
    plan = plan_of(both)
    rebuilt = [LATE, *KEPT[::-1], task_id(51)]
    meanwhile.before(
        "rename",
        "recent.left",
        lambda: path_of(both).write_text("".join(f"{i}\n" for i in rebuilt)),
    )
    carry_out(plan, both)
    assert recent(both) == [*KEPT, LATE, task_id(51)]


def test_purges_at_once_and_tasks_that_are_made_lose_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hipercow_tui.purging.recent.LINGER", 0.05)
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


def test_a_list_that_others_have_locked_for_long_is_written_all_the_same(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr("hipercow_tui.purging.recent._PATIENCE", 0.1)
    with path_of(both).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        carry_out(plan_of(both), both)
    assert recent(both) == list(KEPT)


# What comes back late


@pytest.mark.parametrize("gone", [*itertools.permutations((FIRST, SECOND, KEPT[0]))])
@pytest.mark.parametrize("back", [*itertools.permutations(range(3))])
def test_lots_come_back_in_any_order_to_the_list_as_it_was(
    tmp_path: Path, gone: tuple[str, ...], back: tuple[int, ...]
) -> None:
    """Even at its beginning, where what stood before them is gone too."""
    root = make_both(tmp_path)
    for number, identity in enumerate(RECENT):  # as if made a second after the other
        os.utime(py_folder(tmp_path, identity) / "data", (NOW, NOW + number))
    stamps = [str(move_to_trash(plan_of(root, [i]), root).trash) for i in gone]
    write_py_task(tmp_path, LATE, "created")
    for place in back:
        assert restore(root, stamps[place]).complete
    assert recent(root) == [*RECENT, LATE]


def test_what_was_kept_aside_comes_back_to_its_place_in_the_list(both: Root) -> None:
    stamp = str(move_to_trash(plan_of(both), both).trash)
    write_py_task(both.path, SECOND, "running", recent=False)
    report = restore(both, stamp)
    assert names(report.failed) == {SECOND} and SECOND not in report.restored
    # Something of that id stands there, so it is in the list.
    assert recent(both) == list(RECENT)
    shutil.rmtree(py_folder(both.path, SECOND))
    path_of(both).write_text("".join(f"{i}\n" for i in [*recent_without({SECOND}), LATE]))
    assert restore(both, stamp).restored == (SECOND,)
    assert recent(both) == [*RECENT, LATE] and our_lots(both) == []


# Full disks


@pytest.fixture
def no_new_file(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """While it holds True, no file can be made in a Python root."""
    full = [False]
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if full[-1] and flags & os.O_CREAT and not exists(str(path), kwargs["dir_fd"]):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, flags, *args, **kwargs)

    supported = os.supports_dir_fd
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "supports_dir_fd", supported | {refuse})
    return full


@pytest.mark.parametrize("others", ["nothing", "a new task", "another purge"])
def test_what_comes_back_on_a_full_disk_comes_back_to_the_list(
    both: Root, no_new_file: list[bool], others: str
) -> None:
    stamp = str(move_to_trash(plan_of(both, [FIRST, SECOND]), both).trash)
    if others == "a new task":
        append(both, LATE)
    elif others == "another purge":
        carry_out(plan_of(both, [THIRD, KEPT[0]]), both)
    now = recent(both)
    no_new_file.append(True)
    report = restore(both, stamp)
    no_new_file.append(False)
    assert set(report.restored) == {FIRST, SECOND} and report.complete
    assert sorted(recent(both)) == sorted([*now, FIRST, SECOND])
    assert [i for i in recent(both) if i != LATE] == [
        i for i in RECENT if i in {*now, FIRST, SECOND}
    ]
    assert our_lots(both) == []
    append(both, task_id(51))
    assert recent(both)[-1] == task_id(51)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    with mounted(where, "-t", "tmpfs", "-o", "size=2m,nr_inodes=300"):
        yield where


@pytest.mark.parametrize("what", ["bytes", "inodes"])
def test_an_undo_on_a_disk_that_is_really_full(small_disk: Path, what: str) -> None:
    """Where nothing may be mounted, the same is done on a disk with room."""
    root = make_both(small_disk / "project")
    stamp = str(move_to_trash(plan_of(root), root).trash)
    if os.path.ismount(small_disk):
        fill(small_disk / "filler", what)
    report = restore(root, stamp)
    assert report.complete and standing(root) >= {*FAILED, *KEPT}
    assert recent(root) == list(RECENT)


def test_what_there_was_no_room_to_take_out_is_taken_out_once_there_is(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing makes the room that the list needs."""
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
    report = carry_out(plan, both)
    assert report.complete and removed and recent(both) == recent_without({FIRST, SECOND})
    assert not list(py_dir(both.path).glob(f"{TUI}-*"))


def test_emptying_takes_out_what_the_move_to_the_trash_could_not(
    both: Root,
) -> None:
    plan = plan_of(both, FAILED)
    path_of(both).rename(aside := both.path / "aside")
    report = move_to_trash(plan, both)  # there is no list just now
    aside.rename(path_of(both))
    assert report.complete and recent(both) == list(RECENT)
    assert empty(both, listed(both, str(report.trash))).complete
    assert recent(both) == list(KEPT)


def test_what_was_freed_without_a_record_is_out_of_the_list(
    both: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(both, FAILED)

    def mkdir(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "mkdir", mkdir)
    report = carry_out(plan, both)
    assert set(report.removed) == set(FAILED) and recent(both) == list(KEPT)
    assert not list(py_dir(both.path).glob(f"{TUI}-*"))
