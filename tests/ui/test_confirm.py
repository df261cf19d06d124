from __future__ import annotations

from dataclasses import replace

import pytest
from plan_hosts import FAILURES, Host, text_of
from small_root import DAY, NOW, snapshot_of, task_id
from textual.widgets import Button, Input
from ui_driving import heard

from hipercow_tui.domain.filters import FilterStack, TaskIds
from hipercow_tui.domain.plan import PurgePlan, make_plan
from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.folder_size import Size
from hipercow_tui.ui.dialogs import choice
from hipercow_tui.ui.dialogs.confirm import LARGE_PURGE, ConfirmScreen


def plan_of(number: int, *, drawn_in: bool = False) -> PurgePlan:
    old = NOW - 30 * DAY
    tasks = [Task(task_id(n), Status.FAILURE, 1, old, None, old) for n in range(number)]
    links = []
    if drawn_in:
        tasks.append(Task(task_id(200), Status.SUCCESS, 1, old, None, old))
        links.append((task_id(200), task_id(0), task_id(0)))
    return make_plan(snapshot_of(tasks, links=links), FAILURES, now=NOW)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["y"], "purge"),
        (["t"], "trash"),
        (["n"], None),
        (["escape"], None),
        (["enter"], None),  # Cancel has the focus
        (["tab", "enter"], "trash"),
        (["tab", "tab", "enter"], "purge"),
        (["right", "enter"], "trash"),
        (["right", "left", "enter"], None),
        (["q", "D", "p", "delete", "ctrl+d", "n"], None),
    ],
)
async def test_keys_give_the_answer(keys: list[str], answer: str | None) -> None:
    async with (app := Host(ConfirmScreen(plan_of(3), Size(2_100_000, 12)))).run_test() as pilot:
        await heard(pilot)
        assert isinstance(app.focused, Button)
        assert app.focused.id == "cancel"
        await pilot.press(*keys)
        await pilot.pause()
        assert app.answers == [answer]


async def test_the_dialog_says_that_an_ignored_bundle_stays() -> None:
    ignored = replace(plan_of(3), ignored_bundles=((Lang.R, "a"), (Lang.R, "b")))
    async with (app := Host(ConfirmScreen(ignored, Size()))).run_test(size=(80, 24)):
        shown = " ".join(text_of(app).replace("│", "").split())
    assert "2 unreadable bundles ignored: they stay, and may list tasks that are gone." in shown


async def test_the_dialog_says_what_the_user_keeps_and_what_is_left_out() -> None:
    running = Task(task_id(4), Status.RUNNING, 1)
    failed = plan_of(3)
    snapshot = snapshot_of([*(one.task for one in failed.tasks), running])
    everything = FilterStack(task_ids=TaskIds(frozenset(snapshot.tasks)))
    plan = make_plan(
        snapshot, everything, now=NOW, skip_blocked=True, kept_ids=frozenset({task_id(0)})
    )
    async with (app := Host(ConfirmScreen(plan, Size()))).run_test(size=(80, 24)):
        shown = " ".join(text_of(app).replace("│", "").split())
    assert "Purge 2 tasks?" in shown
    assert "1 chain kept by you (1 task). 1 chain left out." in shown


async def test_the_dialog_shows_the_numbers() -> None:
    screen = ConfirmScreen(plan_of(3, drawn_in=True), Size(2_100_000, 1200))
    async with (app := Host(screen)).run_test(size=(80, 24)):
        shown = text_of(app)
    assert "Purge 4 tasks?" in shown
    assert "2.1 MB in 1,200 files." in shown
    assert "1 task included with its chain:" in shown
    assert "To purge for good, type 4:" in shown


async def test_keys_typed_before_the_dialog_is_visible_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "INPUT_DELAY", 3600.0)  # longer than the test takes on any machine
    screen = ConfirmScreen(plan_of(LARGE_PURGE), None)
    async with (app := Host(screen)).run_test() as pilot:
        await pilot.press("y", "t", "enter", "tab", "enter", "right", "enter", "n", "escape", "1")
        await pilot.click("#purge")
        await pilot.click("#cancel")
        assert app.screen is screen
        assert app.answers == []
        assert app.screen.query_one(Input).value == ""


@pytest.mark.parametrize("plan", [plan_of(LARGE_PURGE), plan_of(3, drawn_in=True)])
async def test_a_risky_purge_requires_its_number(plan: PurgePlan) -> None:
    number = str(len(plan.tasks))
    async with (app := Host(ConfirmScreen(plan, None))).run_test() as pilot:
        await heard(pilot)
        await pilot.press("y", "y", "enter")
        await pilot.pause()
        assert app.answers == []
        assert f"Type {number} first" in text_of(app)
        field = app.screen.query_one(Input)
        field.value = ""
        await pilot.press("9", "y", "enter", "y")
        await pilot.pause()
        assert app.answers == []
        assert app.screen.query_one("#purge", Button).disabled
        field.value = ""
        await pilot.press(*number)
        assert field.value == number
        await pilot.press("enter")  # goes on to the button, and no further
        await pilot.pause()
        assert app.answers == []
        field.focus()
        await pilot.press("y")
        await pilot.pause()
        assert app.answers == ["purge"]


async def test_n_in_the_field_cancels() -> None:
    async with (app := Host(ConfirmScreen(plan_of(LARGE_PURGE), None))).run_test() as pilot:
        await heard(pilot)
        await pilot.press("1", "n")
        await pilot.pause()
        assert app.answers == [None]


async def test_digits_go_to_the_field_wherever_the_focus_is() -> None:
    plan = plan_of(LARGE_PURGE)
    async with (app := Host(ConfirmScreen(plan, None))).run_test() as pilot:
        await heard(pilot)
        await pilot.press(*str(LARGE_PURGE), "enter", "enter")
        await pilot.pause()
        assert app.answers == ["purge"]


async def test_a_small_purge_requires_no_number() -> None:
    old = NOW - DAY
    snapshot = snapshot_of([Task(task_id(1), Status.SUCCESS, 1, old, None, old)])
    named = FilterStack(task_ids=TaskIds(frozenset({task_id(1)})))
    plan = make_plan(snapshot, named, now=NOW)
    async with (app := Host(ConfirmScreen(plan, None))).run_test(size=(40, 12)) as pilot:
        await heard(pilot)
        assert not app.screen.query(Input)
        assert "measured" in text_of(app)


async def test_the_warning_of_the_preflight_check_is_shown() -> None:
    screen = ConfirmScreen(plan_of(3), None, "There is no room for \x1b[2J")
    async with (app := Host(screen)).run_test(size=(80, 24)):
        assert "! There is no room for ␛[2J" in text_of(app)
