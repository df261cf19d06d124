from __future__ import annotations

import os
from pathlib import Path
from queue import Empty, Queue

import pytest
from small_root import DAY, NOW, task_id, write_bundle, write_task
from ui_driving import screen_text, until

from hipercow_tui.formats.log_file import last_written
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.workers.log_activity import LogActivityWorker

IDS = tuple(map(task_id, range(6)))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_stuck_task_is_highlighted_and_its_call_can_be_copied(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    for identity in IDS[1:]:
        write_task(tmp_path, identity, "success", created=NOW - 3 * DAY, finished=NOW - 2.9 * DAY)
    write_task(tmp_path, IDS[0], "running", created=NOW - 2.5 * DAY, finished=NOW - 2.4 * DAY)
    write_bundle(tmp_path, "sweep", IDS)
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "▶ running !" in screen_text(app))
        await until(pilot, lambda: "running for 2 days" in screen_text(app))
        await pilot.press("c", "s")
        await until(pilot, lambda: app.screen is app.browser)
        assert app.clipboard == f'hipercow::task_info("{IDS[0]}")'


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_silent_log_is_reported_until_it_is_written(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    began = NOW - 3 * DAY
    folder = write_task(tmp_path, IDS[0], "running", created=began - 60, finished=began)
    (folder / "log").write_text("hello\n")
    os.utime(folder / "log", (NOW - 2.5 * DAY, NOW - 2.5 * DAY))
    app = HipercowApp(find_root(tmp_path), clock=lambda: NOW)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "▶ running !" in screen_text(app))
        await until(pilot, lambda: "silent for 2 days" in " ".join(screen_text(app).split()))


def test_logs_are_checked_again_and_reported_only_if_written(tmp_path: Path) -> None:
    folders = [
        write_task(tmp_path, IDS[number], status)
        for number, status in enumerate(("running", "running", "running", "success"))
    ]
    for folder in (folders[0], folders[1], folders[3]):
        (folder / "log").write_text("hello\n")
        os.utime(folder / "log", (NOW - 9, NOW - 9))
    os.symlink(folders[0] / "log", folders[2] / "log")
    told: Queue[object] = Queue()
    root = find_root(tmp_path)
    watch = LogActivityWorker(root, lambda: told.put(watch.log_times), told.put, every=0.01)
    watch.watch(read_root(root))
    assert told.get(timeout=10) == {IDS[0]: NOW - 9, IDS[1]: NOW - 9}
    os.utime(folders[0] / "log", (NOW, NOW))
    assert told.get(timeout=10) == {IDS[0]: NOW, IDS[1]: NOW - 9}
    with pytest.raises(Empty):
        told.get(timeout=0.1)
    watch.stop()


def test_an_invalid_id_gives_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a task id"):
        last_written(tmp_path, "../../x")


async def test_ages_in_the_details_are_updated(tmp_path: Path) -> None:
    write_task(tmp_path, IDS[0], "success", created=NOW - 3 * DAY, finished=NOW - 2 * DAY)
    now = [NOW]
    app = HipercowApp(find_root(tmp_path), clock=lambda: now[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "finished 2 days ago" in " ".join(screen_text(app).split()))
        now[0] += 3 * DAY
        app.browser.session.request_view()
        await until(pilot, lambda: "finished 5 days ago" in " ".join(screen_text(app).split()))
