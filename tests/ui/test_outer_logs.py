from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from failing import result_file, write_failed
from plan_hosts import Host, text_of
from small_py_root import write_py_task
from small_root import DAY, NOW, task_id
from textual.pilot import Pilot
from ui_driving import Driven, all_rows_shown, until

from hipercow_tui.analysis.error_groups import LOST
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.fetch_logs import FetchLogsScreen, question
from hipercow_tui.ui.screens.error_messages import ErrorMessagesScreen
from hipercow_tui.ui.screens.log import LogScreen

FIRST, SECOND, THIRD = map(task_id, range(3))

# An Rscript that answers for a cluster: it has no log of the third task.
_R = f"""#!{sys.executable}
import sys
print("R was here \\x1b]0;owned\\x07", flush=True)
for each in sys.stdin.read().split():
    open("asked", "a").write(each + "\\n")
    if each == "{THIRD}":
        print("hipercow-tui:", each, "error\\n|No such job\\nhipercow-tui: end")
    else:
        print("hipercow-tui:", each, "log\\n|running on: node7\\n|x.sh: line 9:  77 Killed     R")
        print("hipercow-tui: end", flush=True)
"""


@pytest.fixture
def lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """Three tasks that R reports as lost, and an R that asks the cluster."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, each in enumerate((FIRST, SECOND, THIRD)):
        write_failed(tmp_path / "project", each, result_file(LOST), ended=NOW - number * DAY)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "Rscript").write_text(_R)
    (tmp_path / "bin" / "Rscript").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return find_root(tmp_path / "project")


@asynccontextmanager
async def browsing(root: Root) -> AsyncIterator[Driven]:
    app = HipercowApp(root, indexed=True, read_only=True, clock=lambda: NOW)
    async with app.run_test(size=(118, 40), notifications=True) as pilot:
        at = Driven(app, pilot)
        await at.until(lambda: all_rows_shown(app))
        yield at


async def answer(at: Driven, key: str) -> None:
    """Answer a question once it accepts keys."""
    await at.until(lambda: isinstance(at.app.screen, ChoiceScreen) and at.app.focused)
    await at.press(key)


async def test_outer_logs_are_fetched_shown_kept_and_give_errors_a_reason(lost: Root) -> None:
    before = sorted(lost.hipercow.rglob("*"))
    async with browsing(lost) as at:
        await at.until(lambda: "l, o: fetch log.outer, which may say why" in at.text)
        await at.press("l")
        await at.until(lambda: at.shows(LogScreen) and "o Outer" in at.text)
        await at.until(lambda: "has no 'log'" in at.text)
        await at.press("o")
        await at.until(lambda: "task_log_value(id, outer = TRUE)" in at.text)
        await answer(at, "n")
        assert at.shows(LogScreen)
        assert not (lost.path / "asked").exists()
        await at.press("o")
        await answer(at, "y")
        await at.until(lambda: "running on: node7" in at.text and "fetched just now" in at.text)
        assert "r: fetch it again" in at.text
        await at.press("r")  # without another question
        await at.until(lambda: (lost.path / "asked").read_text().split() == [FIRST, FIRST])
        await at.until(lambda: at.shows(LogScreen))
        await at.press("escape")
        await at.until(lambda: "log.outer: Killed" in at.text)

        await at.press("e")
        await at.until(lambda: len(at.errors.groups) == 2 and "reported as lost" in at.text)
        await at.until(lambda: "o: fetch log.outer, which may say why" in at.text)
        await at.press("o")
        await answer(at, "o")
        await at.until(lambda: at.shows(ErrorMessagesScreen))
        await at.press("escape", "o")
        await answer(at, "y")
        await at.until(lambda: "✓ 1 outer log fetched" in at.text)
        assert "✗ 1 task: No such job" in at.text
        assert "R was here" in at.text
        await at.press("c")
        await at.until(lambda: "Copied: call" in at.text)
        assert f'"{SECOND}",\n  "{THIRD}"\n)) try(hipercow::task_log_show(id' in at.app.clipboard
        await at.press("escape")
        counts = {"log.outer: Killed": 2, LOST: 1}
        await at.until(lambda: {group.text: len(group.ids) for group in at.errors.groups} == counts)
    assert sorted(lost.hipercow.rglob("*")) == before

    (lost.path / "asked").unlink()
    async with browsing(lost) as at:
        await at.press("l")
        await at.until(lambda: "o: log.outer" in at.text)
        await at.press("o")
        await at.until(lambda: "running on: node7" in at.text)
        await at.press("escape", "e")
        await at.until(lambda: {group.text: len(group.ids) for group in at.errors.groups} == counts)
    assert not (lost.path / "asked").exists()


async def shown(pilot: Pilot[None], text: str) -> None:
    await until(pilot, lambda: text in text_of(pilot.app))


async def test_without_programs_there_is_a_sentence_and_the_call_to_copy(
    lost: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(lost.path))
    tasks = [Task(FIRST, Status.FAILURE), Task(SECOND, Status.FAILURE, lang=Lang.PY)]
    write_py_task(lost.path, SECOND, "failure")
    async with (app := Host(FetchLogsScreen(tasks, lost))).run_test() as pilot:
        await shown(pilot, "no 'Rscript' on the PATH")
        await pilot.press("c")
        assert app.clipboard.splitlines() == [
            f'hipercow::task_log_show("{FIRST}", outer = TRUE, follow = FALSE)',
            f"hipercow task log --outer {SECOND}",
        ]
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [False]


async def test_a_log_that_cannot_be_kept_is_reported(lost: Root) -> None:
    (lost.path.parent / "cache").touch()
    screen = FetchLogsScreen([Task(FIRST, Status.FAILURE)], lost, allowed=True)
    async with (app := Host(screen)).run_test() as pilot:
        await shown(pilot, "✗ 1 task: It can't be kept: Not a directory")
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [False]


def test_the_question_names_the_programs_and_the_tasks_that_are_left_out() -> None:
    asked = question([Task(FIRST, Status.FAILURE, lang=Lang.PY)], total=20_000)
    text = asked._text.plain
    assert "'hipercow task log --outer'" in text
    assert "task_log_value" not in text
    assert "the last 1 of 20,000 tasks" in text


async def test_esc_stops_a_cluster_that_hangs(lost: Root) -> None:
    (lost.path.parent / "bin" / "Rscript").write_text("#!/bin/sh\nexec sleep 60\n")
    screen = FetchLogsScreen([Task(FIRST, Status.FAILURE)], lost, allowed=True)
    async with (app := Host(screen)).run_test() as pilot:
        await shown(pilot, "Asking the cluster · 0 of 1")
        await pilot.press("escape")
        await shown(pilot, "1 task: no answer")
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [False]
