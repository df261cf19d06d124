"""The inputs of tasks are exported to the clipboard and to files."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from inputs_case import real, whole, write_inputs
from small_root import NOW, task_id, write_bundle, write_task
from ui_driving import Driven, all_rows_shown, heard

from hipercow_tui.formats.root import find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs import export_inputs
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.export_inputs import ExportInputsScreen
from hipercow_tui.ui.screens.sweep import SweepScreen

IDS = tuple(map(task_id, range(10, 14)))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tasks in a bundle, two of which failed, and another task; the working directory is
    that of the project."""
    for number, identity in enumerate(IDS[:3]):
        status = "failure" if number else "success"
        write_inputs(tmp_path, identity, status, {"beta": real(number / 10), "n": whole(number)})
    write_task(tmp_path, IDS[3], "success")
    write_bundle(tmp_path, "sweep", IDS[:3])
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_inputs_are_exported_from_a_bundle_marks_and_the_table_of_inputs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = HipercowApp(find_root(root), read_only=True, clock=lambda: NOW)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        at = Driven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        await at.press("E")
        await at.until(lambda: "Export inputs: all 4 tasks" in at.text)
        await at.press("escape", "1")
        await at.until(lambda: at.tasks.view.matches == 2)
        await at.press("E")
        await at.until(lambda: "Export inputs: 2 matched tasks" in at.text)
        await at.press("escape", "b", "E")
        await at.until(lambda: "Export inputs: bundle sweep, 3 tasks" in at.text)
        await at.press("c")
        await at.until(lambda: "Copied to the clipboard: 3 rows, 9 columns" in at.text)
        assert app.clipboard.splitlines()[2].endswith(",0.1,1")

        # To a file: not in the root's own folder, and an existing one only after a question
        await at.press("R")
        await at.until(lambda: "inputs-20" in at.text)
        await at.press("ctrl+u", *"hipercow/x.R", "enter")
        await at.until(lambda: "in the root's own folder" in at.text)
        await at.press("ctrl+u", *"x.R", "enter")
        await at.until(lambda: "Saved to " in at.text)
        saved = (root / "x.R").read_text()
        assert saved.startswith("data.frame(") and "    0.0, 0.1, 0.2\n" in saved
        await at.press("J", "ctrl+u", *"x.R", "enter")
        await at.until(lambda: at.shows(ChoiceScreen))
        await heard(pilot)
        await at.press("n")
        assert (root / "x.R").read_text() == saved
        await at.press("enter")
        await at.until(lambda: at.shows(ChoiceScreen))
        await heard(pilot)
        await at.press("r")
        await at.until(lambda: "Saved to " in at.text)
        assert (root / "x.R").read_text().count('"inputs": {"beta": ') == 3

        # A path that is checked for long: the user goes back, and nothing is written
        checked = Event()
        monkeypatch.setattr(export_inputs, "check_path", lambda *_: checked.wait(10))
        await at.press("J", "ctrl+u", *"late.R", "enter", "escape")
        checked.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert not (root / "late.R").exists()

        # The table of inputs, then marks
        await at.press("escape", "i")
        await at.until(lambda: isinstance(app.screen, SweepScreen) and app.screen.table.keys)
        await at.press("E")
        await at.until(lambda: "Export inputs: sweep, 3 tasks" in at.text)
        await at.press("escape", "escape", "space", "E")
        await at.until(lambda: at.shows(ExportInputsScreen))
        assert "Export inputs: 2 marked tasks" in at.text
