from __future__ import annotations

from pathlib import Path

import pytest
from small_root import DAY, NOW, task_id, write_bundle, write_task
from ui_driving import screen_text, until

from hipercow_tui.roots import find_root
from hipercow_tui.ui.app import HipercowApp

IDS = tuple(map(task_id, range(6)))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_stuck_task_stands_out_and_its_call_can_be_copied(
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
