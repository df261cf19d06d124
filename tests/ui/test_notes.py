"""Notes on the main screen: written, shown, found, edited and removed."""

from __future__ import annotations

import time
from pathlib import Path

from small_root import task_id, write_bundle, write_retries, write_task
from textual.widgets import Input
from ui_driving import all_rows_shown, screen_text, until

from hipercow_tui.formats.root import find_root
from hipercow_tui.purging.process_identity import current_process
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.note import NoteScreen
from hipercow_tui.ui.widgets.row_rendering import NOTED

FIRST, RETRY, LONE = map(task_id, range(1, 4))
USER = current_process().user


async def test_a_writes_a_note_that_is_shown_found_edited_and_removed(tmp_path: Path) -> None:
    write_task(tmp_path, FIRST, "failure")
    write_task(tmp_path, RETRY, "failure", retry_of=(FIRST, FIRST))
    write_task(tmp_path, LONE, "success")
    write_retries(tmp_path, [(RETRY, FIRST, FIRST)])
    write_bundle(tmp_path, "sweep", [LONE])

    def on_disk() -> dict[str, str]:
        notes = read_root(find_root(tmp_path)).notes.notes
        return {note.target.name: note.note for note in notes}

    app = HipercowApp(find_root(tmp_path), indexed=False, read_only=False, clock=time.time)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:

        def go_to(identity: str) -> None:
            app.browser.tasks.move_to(app.browser.tasks.row_of(identity) or 0)

        def row_text(identity: str) -> str:
            table = app.browser.tasks
            return table.render_line((table.row_of(identity) or 0) + 1).text

        async def write(text: str, before: str = "") -> None:
            await pilot.press("A")
            await until(pilot, lambda: isinstance(app.screen, NoteScreen))
            field = app.screen.query_one(Input)
            assert field.value == before
            field.value = text
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, NoteScreen))

        await until(pilot, lambda: all_rows_shown(app))
        go_to(FIRST)
        await write("wrong")
        await until(pilot, lambda: NOTED in row_text(RETRY))
        assert on_disk() == {FIRST: "wrong"}
        await until(pilot, lambda: f"wrong ({USER} on " in screen_text(app))
        assert NOTED in row_text(FIRST) and NOTED not in row_text(LONE)
        go_to(RETRY)
        await write("wrong data", before="wrong")
        await until(pilot, lambda: on_disk() == {FIRST: "wrong data"})

        await pilot.press("b")
        await until(pilot, lambda: len(app.browser.bundles_pane.table.keys) == 1)
        await write("good one")
        await until(pilot, lambda: f" {NOTED}sweep" in screen_text(app))
        assert on_disk() == {FIRST: "wrong data", "sweep": "good one"}
        await until(pilot, lambda: f"good one ({USER} on " in screen_text(app))
        await pilot.press("slash", *"GOOD", "enter")
        await until(pilot, lambda: list(app.browser.bundles_pane.table.hits) == [0])
        await pilot.press("b")
        row = app.browser.tasks.row_of(LONE)
        await until(pilot, lambda: app.browser.tasks.view.hits == (row,))
        await pilot.press("escape")
        go_to(LONE)
        await until(pilot, lambda: "bundle sweep: good one" in screen_text(app))

        app.browser.session.marks.add([FIRST, LONE])
        await write("both", before="wrong data")  # only the chain has a note itself
        await until(pilot, lambda: on_disk() == {FIRST: "both", LONE: "both", "sweep": "good one"})
        await until(pilot, lambda: NOTED in row_text(LONE))
        await write("", before="both")
        await until(pilot, lambda: on_disk() == {"sweep": "good one"})
        await until(pilot, lambda: NOTED not in row_text(FIRST))

        app.browser.row_actions.notes.read_only = True
        await pilot.press("A")
        await until(pilot, lambda: "--read-only: notes can be" in screen_text(app))
