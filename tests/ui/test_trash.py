from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mounts import SMALL, fill, mount, mounted
from purge_stage import (
    ALL,
    BASE,
    LONE,
    OTHER,
    RETRY,
    TIP,
    Meanwhile,
    batches,
    bundles,
    folder_of,
    in_place,
    list_entries,
    make_root,
    paused_purge,
    plan_of,
    root_contents,
    set_age_of_batch,
)
from small_root import DAY, NOW, task_id, write_bundle, write_task
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static
from ui_driving import screen_text, until

from hipercow_tui.formats.root import Root
from hipercow_tui.purging import (
    BatchState,
    empty,
    execute,
    list_trash,
    move_to_trash,
    read_history,
    restore,
)
from hipercow_tui.purging.heartbeat import DEAD_AFTER
from hipercow_tui.ui.app import HipercowApp
from hipercow_tui.ui.dialogs.choice import ChoiceScreen
from hipercow_tui.ui.dialogs.confirm import ConfirmScreen
from hipercow_tui.ui.dialogs.older_than import OlderThanScreen
from hipercow_tui.ui.screens.history import HistoryScreen
from hipercow_tui.ui.screens.plan import PlanScreen
from hipercow_tui.ui.screens.trash import TrashScreen
from hipercow_tui.ui.widgets.header import HeaderBar
from hipercow_tui.ui.widgets.job_result import JobResult
from hipercow_tui.ui.workers.trash_monitor import TrashMonitor


class Driven:
    def __init__(self, app: HipercowApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def notes(self) -> str:
        return "\n".join(note.message for note in self.app._notifications)

    async def shows(self, *texts: str) -> None:
        await until(self.pilot, lambda: all(text in self.text for text in texts))

    async def on(self, kind: type[Screen[Any]]) -> None:
        await until(self.pilot, lambda: isinstance(self.app.screen, kind))

    async def answer(self, key: str, asked: type[Screen[Any]] = ChoiceScreen) -> None:
        await self.on(asked)
        await until(self.pilot, lambda: self.app.focused is not None)
        assert self.app.focused is not None and self.app.focused.id == "cancel"
        await self.pilot.press(key)

    async def to_trash(self) -> None:
        """The six tasks that failed, by the keys."""
        await self.pilot.press("1", "p")
        await self.on(PlanScreen)
        await self.shows("6 tasks")
        await self.pilot.press("D")
        await self.answer("t", ConfirmScreen)
        await self.reported()

    async def reported(self) -> None:
        browser = self.app.browser
        await until(self.pilot, lambda: self.app.screen is browser and browser.query(JobResult))

    async def back(self) -> None:
        """Close the report."""
        await self.pilot.press("escape")
        await until(self.pilot, lambda: not self.app.browser.query(JobResult))


@asynccontextmanager
async def driving(
    root: Root, *, size: tuple[int, int] = (118, 36), read_only: bool = False
) -> AsyncIterator[Driven]:
    app = HipercowApp(root, read_only=read_only, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.browser.session.complete)
        yield Driven(app, pilot)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


def trashed(root: Root) -> str:
    return str(move_to_trash(plan_of(root), root).trash)


def died(root: Root, call: str, after: int, act: Callable[[], object]) -> None:
    """Simulate a process that was killed long ago, before its nth call."""
    child = os.fork()
    if child == 0:
        left, real = iter(range(after)), getattr(os, call)

        def counted(*args: Any, **kwargs: Any) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), 9)
            real(*args, **kwargs)

        setattr(os, call, counted)
        act()
        os._exit(0)
    os.waitpid(child, 0)
    (batch,) = batches(root)
    before = batch.stat().st_mtime - 10 * DEAD_AFTER
    os.utime(batch / "alive", (before, before))


def broken_off(root: Root) -> None:
    died(root, "rename", 6, lambda: move_to_trash(plan_of(root), root))


async def test_u_restores_the_last_batch_of_the_trash(root: Root) -> None:
    before = root_contents(root)
    async with driving(root) as at:
        await at.to_trash()
        await at.shows("6 tasks and 2 bundles are in the trash", "U: undo")
        assert in_place(root) == set() and list_trash(root)[0].state is BatchState.TRASH
        await at.back()
        await at.shows("Tasks 0", "trash ")
        await at.pilot.press("U")
        await at.answer("n")
        await asyncio.sleep(0.1)
        assert list_trash(root)
        await at.pilot.press("U")
        await at.answer("y")
        await at.reported()
        await at.shows("Restored 6 tasks and 2 bundles")
        await at.back()
        await at.shows("Tasks 6")
        await until(at.pilot, lambda: not at.app.browser.query_one(HeaderBar).trash)
    assert root_contents(root) == before and list_trash(root) == ()


@pytest.mark.parametrize(
    ("key", "then"), [("U", ChoiceScreen), ("T", TrashScreen), ("H", HistoryScreen)]
)
async def test_the_keys_that_a_report_names_work(
    root: Root, key: str, then: type[Screen[Any]]
) -> None:
    async with driving(root) as at:
        await at.to_trash()
        await at.pilot.press(key)
        await at.on(then)


async def test_a_report_takes_neither_the_focus_nor_keys(root: Root) -> None:
    async with driving(root, size=(80, 24)) as at:
        await at.to_trash()
        await at.shows("6 tasks and 2 bundles are in the trash", "H: history")
        assert at.app.focused is at.app.browser.tasks
        await at.pilot.press("0", "slash", *"un", "enter")
        assert at.app.browser.session.state.query == "un"
        assert at.app.browser.query(JobResult)
        await at.pilot.press("escape")
        await until(at.pilot, lambda: not at.app.browser.query(JobResult))
        assert at.app.browser.session.state.query == "un"


async def test_a_report_waits_while_another_screen_is_shown(
    root: Root, meanwhile: Meanwhile
) -> None:
    go_on = threading.Event()
    meanwhile.before("rename", TIP[2:], go_on.wait)
    async with driving(root, size=(80, 24)) as at:
        await at.pilot.press("1", "p")
        await at.on(PlanScreen)
        await at.pilot.press("D")
        await at.answer("t", ConfirmScreen)
        await until(at.pilot, lambda: at.app.screen is at.app.browser)
        await at.pilot.press("H")
        await at.on(HistoryScreen)
        go_on.set()
        await until(at.pilot, lambda: "the main screen shows the report" in at.notes)
        await at.pilot.press("escape")
        await at.reported()


async def test_an_item_that_exists_again_is_quarantined_and_reported(root: Root) -> None:
    trashed(root)
    folder_of(root, LONE).mkdir(parents=True)
    write_bundle(root.path, "solo", [BASE])
    async with driving(root, size=(80, 24)) as at:
        await at.shows("trash ")
        await at.pilot.press("U")
        await at.answer("y")
        await at.reported()
        await at.shows("Restored, but not all", "Not restored", LONE)
        await at.back()
        await at.pilot.press("T")
        await at.shows("? quarantined", "1 task", "1 bundle")
    assert in_place(root) == set(ALL)


async def test_only_what_is_older_than_an_age_is_emptied(root: Root) -> None:
    for identity, days in ((LONE, 20), (OTHER, 2)):
        batch_id = str(move_to_trash(plan_of(root, [identity]), root).trash)
        set_age_of_batch(root, batch_id, NOW - days * DAY)
    async with driving(root) as at:
        await at.shows("trash ", ", oldest 2 weeks")
        await at.pilot.press("T")
        await at.shows("Trash  2 batches")
        await at.pilot.press("o")
        await at.on(OlderThanScreen)
        await at.shows("1 task and 1 bundle in 1 batch (")
        field = at.app.screen.query_one(Input)
        field.value = "3 weeks"
        await at.shows("Nothing in the trash is older than 3 weeks")
        await at.pilot.press("enter")
        await at.on(OlderThanScreen)
        field.value = "soon"
        await at.shows("'soon' is not a time")
        field.value = "1 day"
        await at.shows("2 tasks and 2 bundles in 2 batches (")
        field.value = "2 weeks"
        await at.pilot.press("enter")
        await at.shows("Empty batches older than 2 weeks?", "1 task and 1 bundle in 1 batch (")
        await at.answer("y")
        await at.reported()
        await at.shows("Trash emptied", "Erased 1 task and 1 bundle")
    assert [batch.tasks for batch in list_trash(root)] == [(OTHER,)]


@pytest.mark.parametrize("key", ["E", "e"])
async def test_the_trash_is_emptied_only_after_a_question(root: Root, key: str) -> None:
    trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete", "6 tasks", "2 bundles", " kB")
        await at.pilot.press(key)
        await at.answer("enter")
        await at.on(TrashScreen)
        assert len(list_trash(root)) == 1
        await at.pilot.press(key)
        await at.shows("6 tasks and 2 bundles", "erased")
        await at.answer("y")
        await at.reported()
        await at.shows("Trash emptied", "Erased 6 tasks and 2 bundles")
        await at.back()
        await at.pilot.press("T")
        await at.shows("The trash is empty")
    assert list_trash(root) == () and in_place(root) == set()


async def test_a_batch_is_restored_from_the_list(root: Root) -> None:
    before = root_contents(root)
    trashed(root)
    async with driving(root, size=(80, 24)) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete")
        await at.pilot.press("r")
        await at.answer("y")
        await at.reported()
        await at.shows("Restored 6 tasks")
    assert root_contents(root) == before


@pytest.mark.parametrize("key", ["f", "r"])
async def test_an_interrupted_purge_is_shown_and_finished_or_restored(root: Root, key: str) -> None:
    before = root_contents(root)
    broken_off(root)
    assert in_place(root) != set(ALL)
    async with driving(root) as at:
        await until(at.pilot, lambda: "was interrupted: T to finish or restore it" in at.notes)
        await at.shows("! interrupted: T")
        await at.pilot.press("T")
        await at.shows("! interrupted", "f: finish, r: restore")
        await at.pilot.press("e")  # an interrupted batch can't be erased
        assert isinstance(at.app.screen, TrashScreen)
        await at.pilot.press(key)
        await at.answer("y")
        await at.reported()
        await at.shows("Moved to the trash" if key == "f" else "Restored")
        await at.back()
        await until(
            at.pilot, lambda: "interrupted" not in at.app.browser.query_one(HeaderBar).trash
        )
    if key == "r":
        assert root_contents(root) == before
    else:
        assert in_place(root) == set() and list_trash(root)[0].state is BatchState.TRASH


async def test_batches_of_other_processes_appear_without_a_key(root: Root) -> None:
    async with driving(root) as at:
        assert not at.app.browser.query_one(HeaderBar).trash
        batch_id = trashed(root)
        await at.shows("trash ", " kB")
        restore(root, batch_id)
        await until(at.pilot, lambda: not at.app.browser.query_one(HeaderBar).trash)


async def test_the_trash_is_not_read_while_nothing_changes(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    trashed(root)
    looker, now = TrashMonitor(root), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    first, measured = looker.read()
    assert not first.sizes and set(measured.sizes) == {
        (batch.lang, batch.name) for batch in measured.entries
    }
    for shown in (measured, measured):
        assert [*looker.read()] == [shown]
    monkeypatch.setattr("hipercow_tui.ui.workers.trash_monitor.measure_entry", None)
    now += 10  # once more, for the times of files are coarse; nothing is measured again
    assert [*looker.read()] == [measured]
    monkeypatch.setattr("hipercow_tui.ui.workers.trash_monitor.list_trash", None)
    assert [*looker.read()] == [measured]


async def test_a_purge_of_another_process_is_not_touched_and_offered_after_its_death(
    root: Root,
) -> None:
    with paused_purge(root) as child:
        async with driving(root) as at:
            await at.pilot.press("T")
            await at.shows("▶ moving", "another process works in this batch now")
            await at.pilot.press("r", "f", "e", "E")
            assert isinstance(at.app.screen, TrashScreen)
            assert (
                "Another process works in this batch" in at.notes and "interrupted" not in at.notes
            )
            await at.pilot.press("escape")
            assert not at.app.browser.query_one(HeaderBar).trash

            child.kill()
            child.wait()
            (heartbeat,) = (root.hipercow / "tui").glob("*/alive")
            os.utime(heartbeat, (heartbeat.stat().st_mtime - 3,) * 2)
            await until(at.pilot, lambda: "was interrupted: T" in at.notes)
            await at.shows("! interrupted: T")
            await at.pilot.press("T")
            await at.shows("! interrupted")
            await at.pilot.press("r")
            await at.answer("y")
            await at.reported()
    assert in_place(root) == set(ALL) and not list_trash(root)


async def test_the_list_shows_changes_by_other_processes(root: Root) -> None:
    first = trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete", first)
        write_task(root.path, task_id(50), "failure")
        later = str(move_to_trash(plan_of(root), root).trash)
        await at.shows("2 batches", first)  # the cursor stays where it was
        empty(root, list_entries(root, first))
        await at.shows("1 batch", later)


@pytest.mark.parametrize("key", ["f", "r"])
async def test_a_purge_interrupted_while_erasing_is_finished_or_restored(
    root: Root, key: str
) -> None:
    before = root_contents(root)
    died(root, "rmdir", 1, lambda: execute(plan_of(root), root))
    async with driving(root) as at:
        await until(at.pilot, lambda: "was interrupted: T" in at.notes)
        at.app.clear_notifications()
        await at.pilot.press("T")
        await at.shows("! interrupted", "r: restore the rest. It was interrupted while erasing")
        await at.shows("1 task partly erased")
        await at.pilot.press(key)
        await at.shows("erased")
        await at.answer("y")
        await at.reported()
        if key == "f":
            await at.shows("Purged", "Erased")
        else:
            await at.shows("Restored, but not all", "can't be restored", TIP)
    if key == "f":
        assert in_place(root) == set() and bundles(root) == {}
    else:
        assert in_place(root) == set(ALL) - {TIP, RETRY}
        after = root_contents(root)
        assert all(after[name] == before[name] for name in after)
    assert not list_trash(root)


@pytest.mark.parametrize("key", ["f", "r"])
async def test_an_interrupted_restoring_is_finished(root: Root, key: str) -> None:
    before = root_contents(root)
    batch_id = trashed(root)
    died(root, "rename", 4, lambda: restore(root, batch_id))
    async with driving(root) as at:
        await until(at.pilot, lambda: "was interrupted: T" in at.notes)
        at.app.clear_notifications()
        await at.pilot.press("T")
        await at.shows("! interrupted", "f or r: finish. It was interrupted while restoring")
        await at.pilot.press(key)
        await at.answer("y")
        await at.reported()
        await at.shows("Restored", "tasks and 2 bundles.")
    assert root_contents(root) == before and not list_trash(root)


@asynccontextmanager
async def emptying_stopped(root: Root, meanwhile: Meanwhile) -> AsyncIterator[Driven]:
    """Open the report of an emptying that was stopped after two of six tasks."""
    trashed(root)
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        go_on.wait(20)

    meanwhile.after("rmdir", RETRY, wait)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete")
        await at.pilot.press("E")
        await at.answer("y")
        await until(at.pilot, reached.is_set)
        await at.shows("Erasing", "U: stop")
        await at.pilot.press("U")
        await at.shows("Stopping")
        go_on.set()
        await at.reported()
        yield at


async def test_a_stopped_emptying_reports_the_rest(root: Root, meanwhile: Meanwhile) -> None:
    async with emptying_stopped(root, meanwhile) as at:
        await at.shows("Emptying stopped", "Erased 2 tasks", "still in the trash (T)")
        await at.back()
        await at.pilot.press("T")
        await at.shows("! interrupted", "4 tasks", "2 bundles")
    (batch,) = list_trash(root)
    assert set(batch.tasks) == set(ALL) - {TIP, RETRY}


async def test_the_report_of_a_stopped_emptying_leads_to_the_trash(
    root: Root, meanwhile: Meanwhile
) -> None:
    async with emptying_stopped(root, meanwhile) as at:
        await at.pilot.press("U")  # nothing was moved there, so there is nothing to undo
        assert at.app.browser.query(JobResult)
        await at.pilot.press("T")
        await at.on(TrashScreen)
        await at.shows("! interrupted", "4 tasks", "2 bundles")


@pytest.mark.parametrize("answer", ["y", "t"])
async def test_a_full_disk_is_reported_before_the_purge_and_freed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    with mounted(tmp_path / "disk", *SMALL) as real:
        root = make_root(tmp_path / "disk")
        (folder_of(root, OTHER) / "big").write_bytes(bytes(500_000))
        if real:
            fill(root.path / "filler", "bytes")
        else:
            monkeypatch.setattr(os, "fsync", no_room)
        before = root_contents(root)
        async with driving(root) as at:
            await at.pilot.press("1", "p")
            await at.on(PlanScreen)
            await at.shows("6 tasks")
            await at.pilot.press("D")
            await at.on(ConfirmScreen)
            await at.shows("too little disk space for the batch", "an undo can't bring these back")
            assert root_contents(root) == before
            await at.answer(answer, ConfirmScreen)
            if answer == "t":
                await until(at.pilot, lambda: "Purging for good frees space" in at.notes)
                assert root_contents(root) == before
            else:
                await at.reported()
                await at.shows("6 tasks and")
                assert in_place(root) == set()
                assert bundles(root) == {} or not real


def no_room(*args: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_read_only_file_system_is_reported_before_the_purge_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "disk", *SMALL) as real:
        root = make_root(tmp_path / "disk")
        if real:
            assert mount("-o", "remount,ro", tmp_path / "disk")
        else:
            monkeypatch.setattr(os, "mkdir", read_only)
        before = root_contents(root)
        async with driving(root) as at:
            await at.pilot.press("1", "p")
            await at.on(PlanScreen)
            await at.shows("6 tasks")
            await at.pilot.press("D")
            await at.on(ConfirmScreen)
            said = [str(part.render()) for part in at.app.screen.query(Static)]
            assert any("Read-only file system" in words for words in said)
            await at.answer("y", ConfirmScreen)
            await until(at.pilot, lambda: "Nothing was changed" in at.notes)
        assert root_contents(root) == before


def read_only(*args: object, **kwargs: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


async def test_read_only_lists_and_changes_nothing(root: Root) -> None:
    trashed(root)
    before = root_contents(root)
    async with driving(root, read_only=True) as at:
        await at.shows("trash ")
        await at.pilot.press("U")
        await until(at.pilot, lambda: "--read-only" in at.notes)
        await at.pilot.press("T")
        await at.shows("✓ complete", "--read-only")
        await at.pilot.press("r", "e", "E")
        await at.pilot.pause()
        assert isinstance(at.app.screen, TrashScreen)
    assert root_contents(root) == before and len(list_trash(root)) == 1


async def test_a_batch_that_is_gone_meanwhile_gives_a_message(root: Root) -> None:
    batch_id = trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete")
        await at.pilot.press("r")
        await at.on(ChoiceScreen)
        (batch,) = batches(root)
        batch.rename(root.path / "elsewhere")
        await at.answer("y")
        await until(at.pilot, lambda: f"There is no '{batch_id}'" in at.notes)


async def test_the_history_lists_each_action(root: Root) -> None:
    trashed(root)
    async with driving(root, size=(80, 24)) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete")
        await at.pilot.press("h")
        await at.on(HistoryScreen)
        await at.shows("to the trash", "6 tasks", "2 bundles", "status is failure")
        await at.pilot.press("escape", "escape")
        await until(at.pilot, lambda: at.app.screen is at.app.browser)
        await at.pilot.press("H")
        await at.on(HistoryScreen)
        await at.shows("1 entry")
    assert len(read_history(root)) == 1


async def test_control_characters_in_the_trash_are_escaped(root: Root) -> None:
    trashed(root)
    (batch,) = batches(root)
    (batch / "bundles" / "\x1b[2J[bold]").write_text("x")
    manifest = (batch / "manifest.json").read_text()
    (batch / "manifest.json").write_text(manifest.replace('"user":"', '"user":"[red]\\u001b[2J'))
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("3 bundles", "[red]␛[2J")
        assert "\x1b" not in at.text


async def test_a_batch_that_changes_while_the_question_is_open_is_not_erased(root: Root) -> None:
    trashed(root)
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("✓ complete")
        await at.pilot.press("e")
        await at.shows("6 tasks and 2 bundles are erased for good")
        (batch,) = batches(root)
        (batch / "tasks" / LONE).rename(folder_of(root, LONE))
        await at.answer("y")
        await until(at.pilot, lambda: "changed since it was listed" in at.notes)
    assert len(list(batches(root)[0].glob("tasks/*"))) == 5 and in_place(root) == {LONE}


@pytest.mark.parametrize("what", ["unconfirmed", "unreadable", "moving"])
async def test_a_batch_that_can_not_be_finished_or_emptied_shows_the_reason(
    root: Root, what: str
) -> None:
    trashed(root)
    (batch,) = batches(root)
    if what == "unreadable":
        (batch / "tasks").rename(batch / "elsewhere")
        (batch / "tasks").touch()
    else:
        manifest = json.loads((batch / "manifest.json").read_text())
        text = json.dumps(manifest | {"confirmed": what == "moving"})
        (batch / "manifest.json").write_text(text)
        batch.rename(batch.with_suffix(""))
    key, words = {
        "unconfirmed": ("f", "This purge was not confirmed"),
        "unreadable": ("e", "its contents can't be read: Not a directory"),
        "moving": ("e", "This batch was interrupted: restore (r) or finish (f) it first"),
    }[what]
    async with driving(root) as at:
        await at.pilot.press("T")
        await at.shows("1 batch")
        await at.pilot.press(key)
        await until(at.pilot, lambda: words in at.notes)
        assert isinstance(at.app.screen, TrashScreen)
