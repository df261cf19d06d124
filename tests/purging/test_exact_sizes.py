"""The sizes of a plan and of a purge are those that lstat gives."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from small_py_root import py_folder, write_py_task
from small_root import NOW, task_id, write_bundle, write_retries, write_task
from ui_driving import screen_text, until

from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import FilterStack, WithStatus
from hipercow_tui.domain.plan import make_plan
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import HardLink, Size, freed, measure, measure_many
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.report import report_lines, total_size
from hipercow_tui.purging import execute
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.job_result import JobResultScreen
from hipercow_tui.ui.screens.plan import PlanScreen

GO = tuple(map(task_id, range(6)))
PYTHON, KEPT = task_id(20), task_id(30)
FAILED = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow=False))


def folder_of(root: Path, identity: str) -> Path:
    return root / "hipercow" / "tasks" / identity[:2] / identity[2:]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Tasks with all that a folder can hold: nested and hidden files, empty ones, holes, links to
    files and folders, a pipe, and files of several names: within a task, over two tasks that go,
    with one that stays, and outside."""
    where = tmp_path / "project"
    for number, identity in enumerate(GO[:-1]):
        folder = write_task(where, identity, "failure")
        (folder / "log").write_bytes(bytes(1000 + 7 * number))
    write_task(where, GO[-1], "success", retry_of=(GO[0], GO[0]))
    write_retries(where, [(GO[-1], GO[0], GO[0])])
    (write_py_task(where, PYTHON, "failure") / "log").write_bytes(bytes(333))
    write_task(where, KEPT, "success")
    write_bundle(where, "sweep", [*GO, KEPT])
    deep = folder_of(where, GO[1]) / "a" / "b" / ".hidden"
    deep.mkdir(parents=True)
    (deep / "results.csv").write_bytes(bytes(123_457))
    (deep / "empty").touch()
    (deep.parent / "nothing").mkdir()
    os.truncate(deep / "results.csv", 5_000_000_123)  # a hole
    (deep / "to_kept").symlink_to(folder_of(where, KEPT) / "data")
    (deep / "to_folder").symlink_to(folder_of(where, KEPT))
    os.mkfifo(deep / "pipe")
    for name, others in {
        "within": [folder_of(where, GO[2]) / "again"],
        "two": [folder_of(where, GO[3]) / "two", folder_of(where, GO[4]) / "two"],
        "kept": [folder_of(where, KEPT) / "kept"],
        "outside": [tmp_path / "elsewhere"],
    }.items():
        file = folder_of(where, GO[2]) / name
        file.write_bytes(bytes(10_000 + len(name)))
        for other in others:
            os.link(file, other)
    return where


def held(*folders: Path) -> tuple[dict[tuple[int, int], int], int]:
    """What a du of apparent sizes finds below: the size of each file on disk, and how many names
    of anything but folders."""
    space: dict[tuple[int, int], int] = {}
    names = 0
    for folder in folders:
        for where, _, files in os.walk(folder):
            links = [one for one in os.listdir(where) if os.path.islink(f"{where}/{one}")]
            for name in {*files, *links}:
                found = os.lstat(f"{where}/{name}")
                names += 1
                if stat.S_ISREG(found.st_mode):
                    space[found.st_dev, found.st_ino] = found.st_size
    return space, names


def rooms(root: Path) -> tuple[Path, Path, Path]:
    """The folder of the tasks, and a folder outside of the root."""
    hipercow = root / "hipercow"
    return hipercow / "tasks", hipercow / "py" / "tasks", root.parent


def all_held(root: Path) -> Size:
    tasks, python, outside = rooms(root)
    space = held(tasks, python)[0] | {
        (found.st_dev, found.st_ino): found.st_size
        for found in [os.lstat(one) for one in outside.iterdir() if one.is_file()]
    }
    return Size(sum(space.values()), held(tasks, python)[1])


def less(before: Size, after: Size) -> Size:
    return Size(before.bytes - after.bytes, before.files - after.files)


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["purge", *words, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_size_of_a_task_is_that_of_lstat(root: Path) -> None:
    for identity in (*GO, PYTHON, KEPT):
        folder = py_folder(root, identity) if identity == PYTHON else folder_of(root, identity)
        found = measure(find_root(root), identity)
        assert found is not None and freed([found]).files == held(folder)[1]
        by_name = [p.lstat() for p in folder.rglob("*")]
        assert found.bytes == sum(s.st_size for s in by_name if stat.S_ISREG(s.st_mode))


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_the_plan_the_purge_and_the_disk_agree_on_freed_bytes(
    root: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    before = all_held(root)
    how = (str(root), "--with-status", "failure", "--no-follow")
    planned = as_json(capsys, *how, "--dry-run")
    assert all_held(root) == before
    done = as_json(capsys, *how, "--yes", "--jobs", jobs)
    really = less(before, all_held(root))
    assert (planned["bytes"], planned["files"]) == (done["bytes"], done["files"])
    assert Size(done["bytes"], done["files"]) == really
    assert {task["id"] for task in done["tasks"]} == {*GO, PYTHON}
    assert really.bytes > 5_000_000_000


def test_the_size_of_a_changed_task_is_the_one_that_is_freed(root: Path) -> None:
    where = find_root(root)
    plan = make_plan(read_root(where), FAILED, now=NOW)
    total = total_size(plan, measure_many(where, plan.ids))
    with (folder_of(root, GO[3]) / "log").open("ab") as log:
        log.write(bytes(5000))  # more to free than was planned
    (folder_of(root, GO[4]) / "status-cancelled").touch()  # another status: it stays
    before = all_held(root)
    report = execute(plan, where)
    really = less(before, all_held(root))
    assert GO[4] in {one.name for one in report.put_back}
    assert GO[4] not in report.removed and GO[3] in report.removed
    assert Size(report.bytes, report.files) == really != total
    told = "\n".join(report_lines(report))
    assert f"{format_size(really.bytes)} in {pluralize(really.files, 'file')} freed" in told


async def test_the_screens_show_the_same_sizes(root: Path) -> None:
    before = all_held(root)
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: "live" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: "matched 5" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.measured)
        planned = screen_text(app)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.focused)
        asked = screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, JobResultScreen))
        told = screen_text(app)
    really = less(before, all_held(root))
    said = f"{format_size(really.bytes)} in {pluralize(really.files, 'file')}"
    assert said in planned and said in asked and f"{said} freed" in told


def test_a_file_with_several_names_is_freed_with_the_last_name() -> None:
    two = HardLink((1, 7), 2, 100)
    one = Size(100, 1, (two,))
    assert freed([one]) == Size(0, 1)
    assert freed([one, one, Size(5, 1)]) == Size(105, 3)
    assert freed([]) == Size()
