"""Waiting for tasks on the main screen."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from small_root import task_id, write_bundle, write_retries, write_task
from ui_driving import Driven, all_rows_shown

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.waits import Wait, Waits
from hipercow_tui.formats.root import find_root
from hipercow_tui.scanning import scan_pace
from hipercow_tui.ui import terminal_app
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.browse.wait_control import WaitControl

FAILED, ONE, TWO, OTHER, RETRY = map(task_id, range(1, 6))


def folder(root: Path, identity: str) -> Path:
    return root / "hipercow" / "tasks" / identity[:2] / identity[2:]


async def test_w_waits_for_a_bundle_a_task_and_marks_and_reports_how_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_pace, "MIN_PAUSE", 0.05)
    monkeypatch.setattr(terminal_app, "SEEN_AFTER", 30.0)
    monkeypatch.setattr("os.environ", {"TERM": "xterm-256color", "VTE_VERSION": "7600"})
    write_task(tmp_path, FAILED, "failure")
    for identity in (ONE, TWO, OTHER):
        write_task(tmp_path, identity, "running")
    write_bundle(tmp_path, "<a=sweep>", [FAILED, ONE, TWO])
    app = HipercowApp(find_root(tmp_path), read_only=True, indexed=False, clock=time.time)
    written: list[str] = []
    monkeypatch.setattr(app, "_write", written.append)
    monkeypatch.setattr(app.attention, "_write", written.append)
    async with app.run_test(size=(100, 45), notifications=True) as pilot:
        driven = Driven(app, pilot)
        await driven.until(lambda: all_rows_shown(app))

        def says(*parts: str) -> bool:
            toasts = "\n".join(one.message for one in app._notifications)
            return all(part in f"{driven.text}\n{toasts}" for part in parts)

        def go_to(identity: str) -> None:
            row = driven.tasks.row_of(identity)
            assert row is not None
            driven.tasks.move_to(row)

        # A task that has ended, and one that is stopped again.
        go_to(FAILED)
        await driven.press("W")
        await driven.until(lambda: says("Nothing to wait for in task 010000…0001: 1 ✗"))
        go_to(OTHER)
        await driven.press("W")
        await driven.until(lambda: says("Waiting for task 040000…0004", "wait 0/1"))
        await driven.press("W")
        await driven.until(lambda: says("No longer waiting for 1 task") and not says("wait 0/1"))

        # A bundle: a task fails and is retried, so that three attempts are needed.
        await driven.press("b")
        await driven.press("W")
        await driven.until(lambda: says("2 unfinished tasks of <a=sweep>", "wait 0/2"))
        assert says("bell, notification and window title at the end. W again stops waiting")
        (folder(tmp_path, TWO) / "status-failure").touch()
        await driven.until(lambda: says("wait 1/2, 1 ✗"))
        write_task(tmp_path, RETRY, "running", retry_of=(TWO, TWO))
        write_retries(tmp_path, [(RETRY, TWO, TWO)])
        await driven.until(lambda: says("wait 0/2"))

        # A second wait is added; only the first one ends and is reported.
        await driven.press("b")
        go_to(OTHER)
        await driven.press("space", "W")
        await driven.until(lambda: says("Waiting for the marked task", "wait 0/3"))
        for identity, status in ((ONE, "success"), (RETRY, "cancelled")):
            (folder(tmp_path, identity) / f"status-{status}").touch()
        result = "<a=sweep>: 1 ✓ 1 ⊘ in "
        await driven.until(lambda: says("Ended", result, "wait 0/1"))
        calls = [text for text in written if text.startswith("\a")]
        assert len(calls) == 1 and f"777;notify;hipercow-tui;{result}" in calls[0]
        assert written[-1].startswith(f"\x1b]2;hipercow-tui: {result}")

        # A key removes the result from the title, and after some time also the report.
        await driven.press("j")
        assert written[-1] == "\x1b]2;hipercow-tui: wait 0/1\a" and says(result)
        monkeypatch.setattr(terminal_app, "SEEN_AFTER", 0.0)
        await driven.press("k")
        await driven.until(lambda: not says(result))
    assert written[-1] == "\x1b[23;2t"


def test_a_wait_goes_on_while_the_root_has_disappeared(tmp_path: Path) -> None:
    session = SimpleNamespace(snapshot=Snapshot(tmp_path, {}), view_model=None)
    control = WaitControl(cast("Any", session), cast("Any", None), cast("Any", None))
    control._waits = waits = Waits((Wait("task", (ONE,), 0.0),))
    control.update()
    assert control._waits == waits
