from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest
from plan_hosts import (
    CANCELLED,
    FAILED,
    FAILURES,
    RETRIED,
    RUNNING,
    STUCK,
    Host,
    lines_of,
    screen_for,
    screen_on,
    settled,
    text_of,
    varied_root,
)
from small_root import DAY, NOW, snapshot_of, task_id, tree
from textual.notifications import Notification
from textual.widgets import Input
from ui_driving import heard, until

from hipercow_tui.cli.main import main
from hipercow_tui.domain.filters import FilterStack, FinishedBefore, TaskIds, WithStatus
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Bundle, Lang, Status, Task
from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.scanning.scanner import read_root
from hipercow_tui.support.text import short_id

WIDE = (160, 45)


async def test_a_plan_reads_like_a_diff(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        lines = lines_of(screen)
        assert lines[0].startswith(" ▾ matched · 1 task · ")
        assert lines[1].startswith("   -  ⊘ cancelled") and short_id(CANCELLED) in lines[1]
        assert lines[2].startswith(" ▾ with their retry chain · 2 tasks: 1 matched, 1 drawn in · ")
        assert "! 1 task with a warning" in lines[2]
        assert lines[3].startswith("   -▾ ✗ failure") and short_id(FAILED) in lines[3]
        assert lines[4].startswith(" ! -└ ✓ success")
        assert f"retry of {short_id(FAILED)}" in lines[4]
        assert lines[5].strip() == "▾ bundles · 1 bundle"
        assert "3 tasks: 2 go, 1 stays without it" in lines[6]
        shown = text_of(app)
        assert "3 tasks · 1 bundle" in shown
        assert "would go" in shown
        assert "1 task stays and loses a bundle" in shown
        assert "status is failure or cancelled, its own · finished before 1 week ago" in shown
        assert "1 task with status success included: a retry chain goes as a whole" in shown


async def test_a_plan_shows_sizes_and_calls(sir_model: Path) -> None:
    root = find_root(sir_model)
    snapshot = read_root(root)
    now = max(task.finished or 0 for task in snapshot.tasks.values()) + DAY
    everything = FilterStack(finished_before=FinishedBefore(now, "now"))
    screen = screen_for(snapshot, root, everything)
    async with (app := Host(screen)).run_test(size=WIDE) as pilot:
        await settled(pilot, screen)
        await pilot.press("x")
        await settled(pilot, screen)
        held = [path for i in screen.plan.ids for path in folder(root, i).rglob("*")]
        size = sum(path.stat().st_size for path in held)
        assert f"{size / 1000:.1f} kB in {len(held)} files would go" in text_of(app)
        assert any("run_sir(b, 0.1)" in line and "b = 0." in line for line in lines_of(screen))


def folder(root: Root, identity: str) -> Path:
    return root.tasks / identity[:2] / identity[2:]


async def test_a_refused_plan_says_so_and_x_leaves_out_blocked_chains(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        shown = text_of(app)
        assert "Refused, because 1 task is blocked" in shown
        assert "would go" not in shown
        lines = lines_of(screen)
        assert lines[0].strip() == "▾ blocked · 1 task and 1 more in its chain"
        assert "it is running: cancel it with task_cancel()" in lines[1]
        assert "task_info()" in "".join(lines[1:3])
        assert any(short_id(RUNNING) in line and "▶ running" in line for line in lines)
        await pilot.press("D")
        await pilot.pause()
        assert app.screen is screen
        assert "leave out their chains first (x)" in screen.why_disabled("purge")
        assert not {"Purge…", "Save"} & set(shown.splitlines()[-1].split())

        await pilot.press("x")
        await settled(pilot, screen)
        assert screen.plan.skip_blocked
        assert not {STUCK, RUNNING} & set(screen.plan.ids)
        assert "3 tasks · 1 bundle" in text_of(app)
        assert any(line.strip() == "▾ left out · 1 task" for line in lines_of(screen))
        assert "blocks the whole purge" not in text_of(app)

        await pilot.press("x")
        await settled(pilot, screen)
        assert screen.plan.refused


def notes(app: Host) -> list[Notification]:
    return list(app._notifications)


async def test_I_ignores_unreadable_bundles_with_a_warning(tmp_path: Path) -> None:
    os.mkfifo(varied_root(tmp_path, blocked=False) / "hipercow" / "bundles" / "pipe")
    screen = screen_on(tmp_path)
    async with (app := Host(screen)).run_test(size=(120, 30)) as pilot:
        await settled(pilot, screen)
        assert "I: ignore bundles" in text_of(app) and "Refused" in text_of(app)
        assert "bundle 'pipe' can't be read" in "".join(lines_of(screen))
        await pilot.press("I")
        await settled(pilot, screen)
        assert not screen.plan.refused and screen.plan.ignored_bundles == ((Lang.R, "pipe"),)
        assert screen.check_action("leave_out", ()) is False  # nothing is blocked any more
        shown = text_of(app)
        assert "! 1 unreadable bundle ignored ('pipe':" in shown and "Refused" not in shown
        assert "it stays, and may list tasks that are gone" in shown
        await pilot.press("D")
        await until(pilot, lambda: "Purge 3 tasks and 1 bundle?" in text_of(app))
        await heard(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("I")
        await settled(pilot, screen)
        assert not screen.plan.ignored_bundles and screen.plan.refused
        await pilot.press("x")
        await settled(pilot, screen)
        assert screen.plan.empty and not screen.plan.refused


async def test_I_does_nothing_if_every_bundle_is_readable(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with Host(screen).run_test(size=(120, 30)) as pilot:
        await settled(pilot, screen)
        plan = screen.plan
        assert screen.check_action("ignore", ()) is False
        await pilot.press("I")
        await settled(pilot, screen)
        assert screen.plan is plan


async def test_a_blocking_folder_is_shown_with_its_reason(tmp_path: Path) -> None:
    shard = varied_root(tmp_path, blocked=False) / "hipercow" / "tasks" / RETRIED[:2]
    shard.rename(tmp_path / "moved")
    shard.symlink_to(tmp_path / "moved")
    screen = screen_on(tmp_path)
    async with (app := Host(screen)).run_test(size=(120, 30)) as pilot:
        await settled(pilot, screen)
        assert "Refused, because 1 task is blocked" in text_of(app)
        lines = "".join(lines_of(screen))
        assert f"'tasks/{RETRIED[:2]}' is a symbolic link" in lines
        assert short_id(RETRIED) in lines and "holds its chain of 2" in lines
        assert RETRIED not in screen.lines.known.summaries


async def test_an_empty_plan_says_so_and_can_not_be_purged(tmp_path: Path) -> None:
    nothing = FilterStack(with_status=WithStatus(frozenset({Status.CREATED})))
    screen = screen_on(varied_root(tmp_path), nothing)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Nothing to purge" in text_of(app)
        await pilot.press("D", "c")
        await pilot.pause()
        assert app.screen is screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [None]


async def test_read_only_and_a_root_that_can_not_be_purged_are_explained(tmp_path: Path) -> None:
    where = varied_root(tmp_path, blocked=False)
    screen = screen_on(where, read_only=True)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        assert "--read-only" in text_of(app)
        await pilot.press("D", "y")
        assert app.screen is screen
        assert app.answers == []
    root = find_root(where)
    linked = Root(root.path, root.hipercow, "its tasks are a symbolic link")
    screen = screen_for(read_root(root), linked)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        assert "This root can't be purged: its tasks are a symbolic link" in text_of(app)
        await pilot.press("D")
        assert app.screen is screen


async def test_showing_a_plan_changes_nothing_on_disk(tmp_path: Path) -> None:
    before = tree(varied_root(tmp_path))
    screen = screen_on(tmp_path)
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("G", "g", "]", "[", "x", "j", "k", "pagedown", "pageup", "c", "escape")
    assert tree(tmp_path) == before


async def test_a_plan_saved_in_the_app_is_applied_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = varied_root(tmp_path / "root", blocked=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.json").write_text("mine")
    screen = screen_on(where)
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("e")
        await pilot.pause()
        proposed = app.screen.query_one(Input).value
        app.screen.query_one(Input).value = "mine.json"
        await pilot.press("enter")
        await until(pilot, lambda: "exists already" in text_of(app))
        assert (tmp_path / "mine.json").read_text() == "mine"
        app.screen.query_one(Input).value = proposed
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
    assert main(["apply", str(tmp_path / proposed), "--yes", "--json"]) == 0
    applied = json.loads(capsys.readouterr().out)
    assert {task["id"] for task in applied["tasks"]} == {FAILED, RETRIED, CANCELLED}
    assert applied["bundles"][0]["surviving"] == 1
    assert not {FAILED, RETRIED, CANCELLED} & read_root(find_root(where)).tasks.keys()


async def test_a_refused_plan_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    screen = screen_on(varied_root(tmp_path / "root"))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("e", "enter")
        await pilot.pause()
        assert app.screen is screen
        assert "can't be saved: leave out their chains first" in screen.why_disabled("save")
    assert not list(tmp_path.glob("*.json"))


async def test_the_home_of_an_unknown_user_is_an_error_in_the_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = screen_on(varied_root(tmp_path / "root", blocked=False))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("e")
        await pilot.pause()
        app.screen.query_one(Input).value = "~nobody-of-that-name/plan.json"
        await pilot.press("enter")
        await until(pilot, lambda: "can't be written" in text_of(app))


async def test_the_field_for_a_file_name_shows_the_typed_text(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("e")
        await until(pilot, lambda: "hipercow-plan-" in text_of(app) and app.focused)
        await pilot.press("ctrl+u", *"mine.json")
        await until(pilot, lambda: "mine.json" in text_of(app))
        assert "hipercow-plan-" not in text_of(app)


async def test_the_equivalent_r_call_is_copied(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        await pilot.press("c")
        await pilot.pause()
        assert app.clipboard.startswith("hipercow::hipercow_purge(task_ids = c(")
        assert FAILED in app.clipboard


async def test_brackets_go_to_groups_and_warnings_and_show_them_in_full(tmp_path: Path) -> None:
    screen = screen_on(varied_root(tmp_path, blocked=False))
    async with (app := Host(screen)).run_test(size=(80, 24)) as pilot:
        await settled(pilot, screen)
        stops = []
        for _ in range(5):
            stops.append(screen.lines.cursor)
            await pilot.press("]")
        assert stops == [0, 2, 4, 5, 5]
        await pilot.press("[")
        await pilot.pause()
        assert screen.lines.cursor == 4
        below = text_of(app)
        assert RETRIED in below
        assert "! with status success: included with its chain" in below


@pytest.mark.parametrize("size", [(80, 24), (118, 30), (160, 45), (30, 8)])
async def test_no_line_is_wider_than_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    screen = screen_on(varied_root(tmp_path))
    async with Host(screen).run_test(size=size) as pilot:
        await settled(pilot, screen)
        for y in range(screen.lines.count):
            screen.lines.cursor = y
            await pilot.pause()
        height = screen.lines.size.height
        widths = {screen.lines.render_line(y).cell_length for y in range(height)}
        assert widths == {screen.lines.scrollable_content_region.width}


async def test_only_visible_lines_of_a_large_plan_are_drawn() -> None:
    tasks = {
        f"{n:032x}": Task(f"{n:032x}", Status.FAILURE, 1, NOW - 9 * DAY, None, NOW - 8 * DAY)
        for n in range(20_000)
    }
    snapshot = Snapshot(Path("/nowhere"), tasks)
    screen = screen_for(snapshot, Root(Path("/nowhere"), Path("/nowhere/hipercow")))
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: screen.lines.count)
        await pilot.press("G")
        await pilot.pause()
        assert screen.lines.cursor == 20_000
        assert len(screen.lines._strips) < 200


async def test_control_characters_in_a_plan_are_escaped() -> None:
    bad = "[red]x[/]\x1b[2J\u202e" + "界" * 50
    identity = task_id(1)
    known = snapshot_of([Task(identity, Status.FAILURE, 1, NOW - DAY, None, NOW - DAY)])
    snapshot = Snapshot(Path("/nowhere"), known.tasks, (Bundle(bad, (identity,)),))
    filters = FilterStack(
        task_ids=TaskIds(frozenset({identity})), finished_before=FinishedBefore(NOW, bad)
    )
    screen = screen_for(snapshot, Root(Path("/nowhere"), Path("/nowhere/hipercow")), filters)
    async with (app := Host(screen)).run_test(size=(160, 24)) as pilot:
        await pilot.press("G")
        await until(pilot, lambda: "[red]x[/]␛[2J<202e>" in text_of(app))
        shown = text_of(app)
        assert "\x1b" not in shown
        assert "\u202e" not in shown


async def test_plans_of_recorded_roots_are_as_expected(tmp_path: Path) -> None:
    archive = Path(__file__).parent.parent / "data" / "purge_cases" / "roots.tar.gz"
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    for where in sorted(tmp_path.rglob("hipercow"))[:3]:
        screen = screen_on(where.parent, FAILURES)
        async with Host(screen).run_test(size=WIDE) as pilot:
            await settled(pilot, screen)
            named = "\n".join(lines_of(screen))
            assert all(short_id(i) in named for i in screen.plan.ids)
            assert all(one.bundle.name in named for one in screen.plan.bundles)
