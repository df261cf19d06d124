"""The help report on the screen: shown, copied, saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_root import task_id, write_task
from ui_driving import all_rows_shown, screen_text, until

from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.save_report import SaveReportScreen
from hipercow_tui.ui.screens.help_report import HelpReportScreen
from hipercow_tui.ui.screens.log import LogScreen

ONE, TWO = task_id(1), task_id(2)


async def test_m_shows_a_report_on_a_task_or_an_error_and_saves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_task(tmp_path / "project", ONE, "success")
    (write_task(tmp_path / "project", TWO, "failure") / "log").write_text("password=hunter2\n")
    monkeypatch.chdir(tmp_path)
    app = HipercowApp(find_root(tmp_path / "project"), indexed=False)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: all_rows_shown(app))

        async def open_report(title: str) -> HelpReportScreen:
            await pilot.press("M")
            await until(pilot, lambda: f"read it before you send it   {title}" in screen_text(app))
            screen = app.screen
            assert isinstance(screen, HelpReportScreen)
            return screen

        await pilot.press("b", "M")
        await until(pilot, lambda: "Go to a task or an error for a report" in screen_text(app))
        await pilot.press("b")
        app.browser.tasks.move_to(app.browser.tasks.row_of(TWO) or 0)
        await open_report("task 020000")
        assert f"# Task {TWO}" in screen_text(app)
        await pilot.press("G")
        await until(pilot, lambda: "password=********" in screen_text(app))
        await pilot.press("c")
        assert app.clipboard.startswith(f"# Task {TWO}\n") and "hunter2" not in app.clipboard

        Path("old.md").write_text("old")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, SaveReportScreen))
        await pilot.press("ctrl+u", *"old.md", "enter")
        await until(pilot, lambda: "old.md exists already. Its contents" in screen_text(app))
        await until(pilot, lambda: app.focused is not None)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, SaveReportScreen))
        assert Path("old.md").read_text() == "old"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen) and bool(app.focused))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, HelpReportScreen))
        assert Path("old.md").read_text("utf-8") == app.clipboard
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, SaveReportScreen))
        await pilot.press("enter")
        await until(pilot, lambda: Path("hipercow-report-02000000.md").exists())
        await until(pilot, lambda: isinstance(app.screen, HelpReportScreen))

        await pilot.press("escape", "l")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        await open_report("task 020000")
        await pilot.press("escape")
        assert isinstance(app.screen, LogScreen)
        await pilot.press("escape", "e")
        await until(pilot, lambda: bool(app.browser.errors_pane.table.groups))
        await open_report("no message: ")
        assert "# 1 failed task with the same error" in screen_text(app)
        assert f"## Example: task {TWO}" in screen_text(app)
