from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_root import DAY, NOW, task_id, write_bundle, write_task
from textual.pilot import Pilot
from ui_driving import PATIENCE, screen_text, until

from hipercow_tui.analysis.bundle_rows import BundleKey
from hipercow_tui.analysis.space_measuring import measure_space
from hipercow_tui.analysis.space_usage import summarize_space
from hipercow_tui.analysis.task_sorting import SortKey
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.formats.folder_size import measure_many
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.scanning.usage_reader import MeasuringProgress, UsageCache
from hipercow_tui.support.text import format_size
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.cells import short_size
from hipercow_tui.ui.workers import size_worker
from hipercow_tui.ui.workers.size_worker import SizeWorker, estimate_time_left

IDS = tuple(map(task_id, range(40)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Forty tasks, the newest first; task 7 has a file of 7 kilobytes."""
    for number, identity in enumerate(IDS):
        status = "running" if number == 1 else "failure" if number % 2 else "success"
        folder = write_task(tmp_path, identity, status, finished=NOW - (50 - number) * DAY)
        (folder / "big").write_bytes(bytes(1000 * number))
    write_bundle(tmp_path, "small", IDS[:3])
    write_bundle(tmp_path, "large", IDS[30:])
    return tmp_path


def size_of(root: Path, *ids: str) -> int:
    folders = [root / "hipercow" / "tasks" / i[:2] / i[2:] for i in ids]
    return sum(path.stat().st_size for folder in folders for path in folder.iterdir())


def shown(root: Path, *ids: str) -> str:
    """The size of the files of these tasks, as the app shows it."""
    return format_size(size_of(root, *ids))


@asynccontextmanager
async def browsing(
    root: Path, size: tuple[int, int] = (118, 40)
) -> AsyncIterator[tuple[HipercowApp, Pilot[None]]]:
    app = HipercowApp(find_root(root), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(
            pilot, lambda: "live" in screen_text(app) and not app.browser.tasks.rows_pending
        )
        yield app, pilot


@pytest.mark.parametrize("size", [(80, 24), (118, 40), (160, 45)])
async def test_size_column_appears_on_request(root: Path, size: tuple[int, int]) -> None:
    async with browsing(root, size) as (app, pilot):
        assert " size" not in screen_text(app)
        await pilot.press("z")
        as_text = short_size if size == (80, 24) else format_size
        await until(pilot, lambda: as_text(size_of(root, IDS[39])) in screen_text(app))
        assert " size" in screen_text(app)
        assert len(app.browser.session.services.sizes.sizes) == 40


async def test_only_marked_or_matched_tasks_are_measured(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        sizes = app.browser.session.services.sizes.sizes
        await pilot.press("space", "space", "z")
        await until(pilot, lambda: len(sizes) == 2)
        await until(pilot, lambda: "in 10 files" in screen_text(app))
        await pilot.press("0", "1")
        await until(pilot, lambda: len(app.browser.tasks.view.matched) == 19)
        await pilot.press("z")
        await until(pilot, lambda: len(sizes) == 20)


async def test_tasks_can_be_sorted_by_size_once_they_are_measured(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        tasks = app.browser.tasks
        await pilot.press(*["greater_than_sign"] * 3)
        assert str(app.browser.tasks_pane.sort_key) not in ("size", "files")
        await pilot.press("z")
        await until(pilot, lambda: app.browser.session.services.sizes.progress is None)
        while app.browser.tasks_pane.sort_key is not SortKey.SIZE:
            await pilot.press("less_than_sign")
        await until(pilot, lambda: tasks.keys == IDS[::-1])
        await pilot.press("s")
        await until(pilot, lambda: tasks.keys == IDS)


async def test_growing_tasks_are_measured_again_and_removed_tasks_forgotten(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        sizes = app.browser.session.services.sizes.sizes
        await pilot.press("z")
        await until(pilot, lambda: len(sizes) == 40)
        await pilot.press("g")
        await until(pilot, lambda: "~" in screen_text(app))
        before = sizes[IDS[1]].size
        folder = root / "hipercow" / "tasks" / IDS[1][:2] / IDS[1][2:]
        (folder / "log").write_bytes(bytes(500))
        await pilot.press("z")
        await until(pilot, lambda: sizes[IDS[1]].size.bytes == before.bytes + 500)
        shutil.rmtree(folder)
        await pilot.press("r")
        await until(pilot, lambda: IDS[1] not in sizes)


async def test_bundles_show_the_size_of_their_tasks_and_are_sorted_by_it(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        await pilot.press("b", "z")
        await until(pilot, lambda: len(app.browser.session.services.sizes.sizes) == 13)
        while app.browser.bundles_pane.sort_key is not BundleKey.SIZE:
            await pilot.press("greater_than_sign")
        await pilot.press("s", "s")
        await until(pilot, lambda: app.browser.bundles_pane.table.keys == ("large", "small"))
        await until(pilot, lambda: shown(root, *IDS[30:]) in screen_text(app))


async def test_cancelled_measuring_keeps_the_known_sizes(root: Path) -> None:
    async with browsing(root) as (app, pilot):
        worker = app.browser.session.services.sizes
        # No task is measured twice.
        worker.request(IDS)
        assert worker.cancel() or worker.progress is None
        known = dict(worker.sizes)
        await pilot.press("z")
        await until(pilot, lambda: worker.progress is None)
        assert len(worker.sizes) == 40
        assert all(worker.sizes[i] == one for i, one in known.items() if i != IDS[1])
        assert not app.browser.sizing.stop()


@pytest.fixture
def many_files(tmp_path: Path) -> Path:
    """Return a root of sixty tasks with three hundred files each."""
    where = tmp_path / "many"
    for number in range(60):
        folder = write_task(where, task_id(number), "success", extra=["one"])
        for name in range(300):
            os.link(folder / "one", folder / f"{name}")
    return where


def test_worker_has_a_progress_and_can_be_cancelled(many_files: Path) -> None:
    root = find_root(many_files)
    snapshot = read_root(root)
    tasks = list(snapshot.tasks)
    worker = SizeWorker(root, None, lambda: None, lambda error: None)
    worker.update(snapshot)
    for _ in range(20):  # a busy machine may measure all tasks before the cancellation
        worker.request(tasks)
        under_way = worker.progress
        had = worker.cancel()
        time.sleep(0.1)  # the task under way is measured completely
        known = len(worker.sizes)
        if known < len(tasks):
            break
        worker.update(snapshot, tasks)
    assert under_way is not None and under_way.total == 60 and under_way.done < 60
    assert had and worker.progress is None and not worker.cancel()
    time.sleep(0.2)
    assert len(worker.sizes) == known <= 30
    worker.request(tasks)
    assert worker.progress is None or worker.progress.total == 60 - known
    worker.stop()


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_whole_root_is_measured_repeatedly_until_the_worker_unfollows(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(size_worker, "MIN_PAUSE", 0.05)
    monkeypatch.setattr(size_worker, "PAUSE_FACTOR", 1)
    found, snapshot = find_root(root), read_root(find_root(root))
    worker = SizeWorker(found, None, lambda: None, lambda error: None, clock=lambda: NOW)
    worker.update(snapshot)
    worker.follow()
    wait_for(lambda: worker.parts is not None and worker.progress is None)
    expected = measure_space(found, snapshot, None, now=NOW)
    assert summarize_space(snapshot, worker.usages, worker.parts or (), now=NOW) == expected
    assert {i: one.size for i, one in worker.sizes.items()} == measure_many(found, IDS)
    assert not worker.cancel(), "nothing is being measured at this moment"
    log = root / "hipercow" / "tasks" / IDS[1][:2] / IDS[1][2:] / "log"
    log.write_bytes(bytes(500))
    before = worker.measured_count
    wait_for(lambda: worker.usages[IDS[1]].kinds[6] == 500)
    assert worker.measured_count == before + 1, "only the running task has changed"
    worker.unfollow()
    time.sleep(0.2)
    log.write_bytes(bytes(900))
    time.sleep(0.2)
    assert worker.usages[IDS[1]].kinds[6] == 500
    worker.stop()


def test_a_cancelled_measurement_of_the_root_begins_again_only_on_request(
    many_files: Path,
) -> None:
    root = find_root(many_files)
    worker = SizeWorker(root, None, lambda: None, lambda error: None)
    worker.update(read_root(root))
    worker.follow()
    cancelled = worker.cancel()
    worker.follow()
    assert not cancelled or worker.progress is None
    worker.request_all()
    worker.request([task_id(0)])
    assert worker.progress is None or worker.progress.total == 60, "the whole root goes on"
    wait_for(lambda: worker.parts is not None and len(worker.sizes) == 60)
    worker.stop()


def test_measured_tasks_are_known_at_the_next_start(root: Path, tmp_path: Path) -> None:
    cache = UsageCache(tmp_path / "some.usage", b"key")
    workers: list[SizeWorker] = []
    for ids in (IDS[:5], IDS):
        workers.append(
            SizeWorker(find_root(root), cache, lambda: None, lambda error: None, clock=lambda: NOW)
        )
        workers[-1].update(read_root(find_root(root)))
        workers[-1].request(ids)
        workers[-1].prioritize(IDS[3:5])
        wait_for(lambda: workers[-1].progress is None)
    assert set(workers[0].sizes) == set(IDS[:5]) and set(workers[1].sizes) == set(IDS)
    assert set(cache.load()) == set(IDS) - {IDS[1]}, "a running task is measured again"


@pytest.mark.parametrize(
    ("done", "known", "elapsed", "left"),
    [
        (300, 0, 3.0, 7.0),  # 100 tasks a second, and 700 are left
        (300, 200, 2.0, 14.0),  # those of the cache took no time
        (1000, 200, 8.0, 0.0),
        (300, 0, 0.9, None),  # too early
        (200, 200, 60.0, None),  # a file server does not answer
    ],
)
def test_the_time_left_follows_from_the_tasks_that_were_measured(
    done: int, known: int, elapsed: float, left: float | None
) -> None:
    assert estimate_time_left(MeasuringProgress(done, 1000), known, elapsed) == left


@pytest.mark.parametrize(("seconds", "pause"), [(0.2, 10.0), (5.0, 50.0)])
def test_the_pause_after_a_slow_measurement_is_ten_times_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, pause: float
) -> None:
    clock = SimpleNamespace(now=1000.0)

    def take_time(worker: SizeWorker, snapshot: Snapshot, ids: object) -> None:
        clock.now += seconds

    write_task(tmp_path, IDS[0], "success")
    worker = SizeWorker(find_root(tmp_path), None, lambda: None, lambda error: None)
    monkeypatch.setattr(SizeWorker, "_wake", lambda worker: None)  # its thread sleeps
    monkeypatch.setattr(SizeWorker, "_measure", take_time)
    fake = SimpleNamespace(monotonic=lambda: clock.now, time=time.time)
    monkeypatch.setattr(size_worker, "time", fake)
    worker.follow()
    assert worker._step() == 0
    assert worker._step() == pytest.approx(pause)
    clock.now += pause
    assert worker._step() == 0, "it is measured again"
    worker.stop()


async def test_progress_and_the_key_that_cancels_are_shown(many_files: Path) -> None:
    async with browsing(many_files) as (app, pilot):
        app.browser.action_sizes()
        told = app.browser.query_one("#tables").border_subtitle or ""
        assert re.search(r"measuring \d+/60, esc stops", told)
        await pilot.press("escape")
        await until(pilot, lambda: "measuring" not in screen_text(app))
        await until(pilot, lambda: re.search(r" in [\d,]+ files?", screen_text(app)))
