"""The scans of a wait."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from small_root import task_id, write_task

from hipercow_tui.domain.filters import FilterStack
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning.scan_pace import ScanPace
from hipercow_tui.scanning.waiting import WaitRequest, wait_for


def test_no_snapshots_pile_up_while_the_terminal_is_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans: list[float] = []

    def pause_after(_: ScanPace, seconds: float) -> float:
        scans.append(seconds)
        return 0.0

    monkeypatch.setattr(ScanPace, "pause_after", pause_after)
    write_task(tmp_path, task_id(0), "running")
    before = set(threading.enumerate())
    steps = wait_for(find_root(tmp_path), WaitRequest(FilterStack()))
    next(steps)
    (scan,) = set(threading.enumerate()) - before
    time.sleep(0.3)
    assert len(scans) <= 3, "one is taken, one waits in the queue, one for its place there"
    steps.close()
    scan.join(10)
    assert not scan.is_alive()
