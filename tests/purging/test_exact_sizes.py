"""The sizes of a plan and of a report agree with a separate count by lstat."""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_py_root import py_folder, write_py_task
from small_root import NOW, task_id, write_bundle, write_retries, write_task
from ui_driving import screen_text, until

from hipercow_tui.analysis.bundle_rows import BundleSort
from hipercow_tui.analysis.disk_usage import MeasuredSize
from hipercow_tui.analysis.task_sorting import TaskSort
from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import FilterStack, TaskIds, WithStatus
from hipercow_tui.domain.narrowing import Selection
from hipercow_tui.domain.plan import PlanTotals, make_plan
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import (
    SharedFile,
    Size,
    SizeKind,
    freed_size,
    measure,
    measure_many,
)
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.report import report_lines, total_size
from hipercow_tui.purging import HistoryKind, execute, read_history
from hipercow_tui.purging.run_record import RunRecord
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.text import format_size, pluralize
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.messages import TotalsReady
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.trash import TrashScreen
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.workers.view_model import PurgeForecast, ViewRequest, forecast_purge

GO = tuple(map(task_id, range(6)))
PYTHON, KEPT = task_id(20), task_id(30)
FAILED_TIPS = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE})))
FAILED = FilterStack(with_status=WithStatus(frozenset({Status.FAILURE}), follow=False))


def folder_of(root: Path, identity: str) -> Path:
    return root / "hipercow" / "tasks" / identity[:2] / identity[2:]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Tasks with everything that a folder can hold: nested and hidden files, empty ones, sparse
    files, links to files and folders, a pipe, and files of several names: within a task, over two
    tasks that go, with one that stays, and outside."""
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


def held(*folders: Path) -> tuple[dict[tuple[int, int], os.stat_result], int]:
    """Measure folders as du does: return the status of each inode on disk, and the number of names
    that are not folders."""
    space: dict[tuple[int, int], os.stat_result] = {}
    names = 0
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            found = path.lstat()
            space[found.st_dev, found.st_ino] = found
            names += not stat.S_ISDIR(found.st_mode)
    return space, names


def measured_folders(root: Path) -> tuple[Path, Path, Path]:
    """The folders that hold tasks, and one outside of the root."""
    hipercow = root / "hipercow"
    return hipercow / "tasks", hipercow / "py" / "tasks", root.parent


def all_held(root: Path) -> Size:
    """The size of all tasks and of what is outside of the root. The 256 folders that hold the tasks
    do not count: they are not theirs."""
    tasks, python, outside = measured_folders(root)
    folders = [one for part in (tasks, python) for one in part.glob("??/*")]
    space, names = held(*folders)
    others = [one.lstat() for one in outside.iterdir() if one.is_file()]
    space |= {(found.st_dev, found.st_ino): found for found in others}
    regular = [found for found in space.values() if stat.S_ISREG(found.st_mode)]
    return Size(
        sum(found.st_size for found in regular),
        names,
        sum(found.st_blocks * 512 for found in space.values()),
    )


def less(before: Size, after: Size) -> Size:
    return Size(
        before.bytes - after.bytes,
        before.files - after.files,
        before.disk_bytes - after.disk_bytes,
    )


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["purge", *words, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_size_of_each_task_agrees_with_lstat(root: Path) -> None:
    for identity in (*GO, PYTHON, KEPT):
        folder = py_folder(root, identity) if identity == PYTHON else folder_of(root, identity)
        found = measure(find_root(root), identity)
        space, names = held(folder)
        files = [one for one in space.values() if not stat.S_ISDIR(one.st_mode)]
        inside = Counter(one.lstat().st_ino for one in folder.rglob("*"))
        freed = [one for one in files if inside[one.st_ino] == one.st_nlink]
        folders = [one for one in space.values() if stat.S_ISDIR(one.st_mode)]
        assert found is not None and found.files == names
        assert found.bytes == sum(one.st_size for one in freed if stat.S_ISREG(one.st_mode))
        assert found.disk_bytes == sum(one.st_blocks * 512 for one in (*freed, *folders))
        assert len(found.shared) == len(files) - len(freed)


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_the_size_of_a_plan_agrees_with_the_report_and_the_disk(
    root: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    before = all_held(root)
    how = (str(root), "--with-status", "failure", "--no-follow")
    planned = as_json(capsys, *how, "--dry-run")
    assert all_held(root) == before
    done = as_json(capsys, *how, "--yes", "--jobs", jobs)
    really = less(before, all_held(root))
    keys = ("bytes", "files", "disk_bytes")
    assert [planned[key] for key in keys] == [done[key] for key in keys]
    assert Size(*(done[key] for key in keys)) == really
    assert {task["id"] for task in done["tasks"]} == {*GO, PYTHON}
    assert really.bytes > 5_000_000_000


def test_a_file_counts_once_if_two_threads_remove_its_last_names(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(bytes(100))
    os.link(tmp_path / "0", tmp_path / "1")
    record = RunRecord()
    both = [(tmp_path / name).lstat() for name in "01"]  # both threads see two names
    assert [record.expect_names(status) for status in both] == [True, True]
    assert [record.remove_name(status) for status in both] == [False, True]
    (tmp_path / "2").write_bytes(b"x")
    assert not record.expect_names((tmp_path / "2").lstat())


def test_the_size_of_changed_tasks_is_that_of_the_disk(root: Path) -> None:
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
    assert report.freed == really
    assert (really.bytes, really.files) != (total.bytes, total.files)
    told = "\n".join(report_lines(report))
    assert f"{format_size(really.bytes)} in {pluralize(really.files, 'file')} freed" in told


@pytest.mark.parametrize("kind", SizeKind)
async def test_the_screens_show_the_same_sizes(root: Path, kind: SizeKind) -> None:
    before = all_held(root)
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: "live" in screen_text(app))
        if kind is SizeKind.ON_DISK:
            await pilot.press("Z")
        await pilot.press("1")
        await until(pilot, lambda: "matched 5" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.measured)
        planned = screen_text(app)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.focused)
        asked = screen_text(app)
        await pilot.press("t")
        await until(pilot, lambda: app.browser.query(JobResult))
        moved = screen_text(app)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrashScreen))
        await until(pilot, lambda: " files" in screen_text(app))
        listed = screen_text(app)
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen) and app.focused)
        before_emptying = screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: app.browser.query(JobResult))
        told = screen_text(app)
        await pilot.press("escape", "H")
        await until(pilot, lambda: "emptied" in screen_text(app))
        history = screen_text(app)
    really = less(before, all_held(root))
    said = really.text(kind)
    assert said in planned and said in asked and said in listed and said in before_emptying
    assert f"{said} freed" in told
    entries = [one for one in read_history(find_root(root)) if one.kind is HistoryKind.EMPTY]
    moves = [one for one in read_history(find_root(root)) if one.kind is HistoryKind.TRASH]
    assert f"Emptying it frees {said}" in " ".join(moved.replace("│", " ").split())
    for verb, found in (("emptied", entries), ("to the trash", moves)):
        sizes = [entry.size_of(kind) or 0 for entry in found]  # of R and of Python
        assert len(sizes) == 2 and sum(sizes) == really.of(kind)
        lines = [line for line in history.splitlines() if verb in line]
        assert all(any(format_size(one) in line for line in lines) for one in sizes)


async def test_the_forecast_shows_the_size_of_the_plan_once_all_is_measured(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: "live" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: "0 blocked" in screen_text(app))
        await pilot.press("z")
        plan = make_plan(read_root(find_root(root)), FAILED_TIPS, now=NOW)
        total = total_size(plan, measure_many(find_root(root), plan.ids))
        await until(pilot, lambda: f"= {format_size(total.bytes)} " in screen_text(app))
        await pilot.press("Z")
        await until(pilot, lambda: f"= {format_size(total.disk_bytes)} on disk" in screen_text(app))


async def test_the_forecast_has_the_size_that_the_plan_measured(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: "live" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: "0 blocked" in screen_text(app))
        await pilot.press("p")
        plan = make_plan(read_root(find_root(root)), FAILED_TIPS, now=NOW)
        total = total_size(plan, measure_many(find_root(root), plan.ids))
        await until(pilot, lambda: f"{format_size(total.bytes)} in " in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: f"= {format_size(total.bytes)} " in screen_text(app))


def test_a_forecast_has_a_size_only_if_all_tasks_of_the_plan_are_measured(root: Path) -> None:
    snapshot = read_root(find_root(root))
    filters = FilterStack(task_ids=TaskIds(frozenset({GO[0], GO[1]})))
    request = ViewRequest(snapshot, NOW, Selection(filters), TaskSort(), BundleSort(), False, "")
    plan = make_plan(snapshot, filters, now=NOW)
    assert set(plan.ids) == {GO[0], GO[1], GO[5]}  # the retry of GO[0] goes with it
    sizes = measure_many(find_root(root), plan.ids)
    known = {i: MeasuredSize(one, snapshot.tasks[i].files_mask) for i, one in sizes.items()}
    assert forecast_purge(request, known).size == freed_size(sizes.values())
    for missing in plan.ids:
        some = {i: one for i, one in known.items() if i != missing}
        others = {KEPT: MeasuredSize(Size(1), 0)}
        assert forecast_purge(request, some | others).size is None
        changed = {missing: MeasuredSize(Size(1), 0)}
        assert forecast_purge(request, known | changed).size is None


async def test_no_figure_of_older_filters_is_shown(root: Path) -> None:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=(118, 40)) as pilot:
        await until(pilot, lambda: "live" in screen_text(app))
        await pilot.press("z")
        await until(pilot, lambda: app.browser.session.services.sizes.progress is None)
        total = app.browser.query_one("#tables").border_subtitle or ""
        assert re.search(r"\d+ files", total)
        app.browser.presenter.show_forecast(PurgeForecast(Selection(), PlanTotals(77)))
        app.browser.filters.toggle_status(Status.FAILURE)
        await until(pilot, lambda: app.browser.filters.stack.given)
        assert "77 matched" not in screen_text(app)
        assert " files" not in (app.browser.query_one("#tables").border_subtitle or "")
        old = PurgeForecast(Selection(), PlanTotals(88))
        app.browser.post_message(TotalsReady(old))
        await until(pilot, lambda: "5 matched" in screen_text(app))
        assert "88 matched" not in screen_text(app)
        unmarked = app.browser.session.selection
        app.browser.session.marks.add({GO[1]})
        app.browser.post_message(TotalsReady(PurgeForecast(unmarked, PlanTotals(99))))
        await until(pilot, lambda: "1 marked" in screen_text(app))
        assert "99 marked" not in screen_text(app) and "99 matched" not in screen_text(app)


def test_a_file_with_several_links_is_counted_with_the_last_one() -> None:
    def folder(inside: int) -> Size:
        return Size(5, 1, 7, (SharedFile((1, 7), 3, inside, 100, 512),))

    assert freed_size([folder(1)]) == folder(1)
    assert freed_size([folder(1), folder(1)]) == Size(10, 2, 14, folder(2).shared)
    assert freed_size([folder(1), folder(2), Size(5, 1)]) == Size(115, 3, 526)
    assert freed_size([freed_size([folder(1), Size(5, 1)]), folder(2)]) == Size(115, 3, 526)
    assert freed_size([]) == Size()


@pytest.mark.parametrize("kind", SizeKind)
def test_all_commands_give_the_same_figure_to_the_byte(
    root: Path, capsys: pytest.CaptureFixture[str], kind: SizeKind
) -> None:
    key = {SizeKind.APPARENT: "bytes", SizeKind.ON_DISK: "disk_bytes"}[kind]
    before = all_held(root)
    how = (str(root), "--with-status", "failure", "--no-follow")
    plan = as_json(capsys, *how, "--dry-run")
    as_json(capsys, *how, "--yes", "--trash")
    assert main(["trash", str(root), "--json"]) == 0
    batches = json.loads(capsys.readouterr().out)["lots"]
    assert {batch["lang"] for batch in batches} == {"r", "py"}
    assert main(["trash", str(root), "--empty", "--yes", "--json"]) == 0
    emptied = json.loads(capsys.readouterr().out)
    assert main(["history", str(root), "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    history = sum(entry[key] for entry in entries if entry["kind"] == "empty")
    assert history == sum(entry["moved"][key] for entry in entries if entry["kind"] == "trash")
    listed = sum(batch[key] for batch in batches)
    really = less(before, all_held(root)).of(kind)
    assert plan[key] == listed == emptied[key] == history == really


def test_disk_usage_is_printed_on_request(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    how = ["purge", str(root), "--with-status", "failure", "--no-follow"]
    plan = as_json(capsys, *how[1:], "--dry-run")
    on_disk = f"{format_size(plan['disk_bytes'])} on disk in {plan['files']} files"
    assert main([*how, "--dry-run", "--disk-usage"]) == 0
    assert on_disk in capsys.readouterr().out
    assert main([*how, "--dry-run"]) == 0
    assert f"{format_size(plan['bytes'])} in {plan['files']} files" in capsys.readouterr().out
    assert main([*how, "--yes", "--trash"]) == 0
    capsys.readouterr()
    assert main(["trash", str(root), "--disk-usage"]) == 0
    assert " on disk in " in capsys.readouterr().out
    assert main(["trash", str(root), "--empty", "--yes", "--disk-usage"]) == 0
    assert f"{on_disk} freed" in capsys.readouterr().out
    assert main(["history", str(root), "--disk-usage"]) == 0
    assert " on disk freed" in capsys.readouterr().out
