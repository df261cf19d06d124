"""Signals, ctrl+c and terminals that go away, at rest and in the middle of things."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from purge_stage import batches, in_place, plan_of, root_contents
from real_terminal import ENTER_ALTERNATE, LEAVE_ALTERNATE, Terminal
from small_root import task_id, write_task

from hipercow_tui.formats.root import Root, find_root
from hipercow_tui.purging import list_interrupted, list_trash, move_to_trash, restore

SLOW_APP = str(Path(__file__).parents[1] / "support" / "slow_app.py")
SIGNALS = [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]
IDS = tuple(map(task_id, range(1, 41)))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for identity in IDS:
        write_task(tmp_path / "project", identity, "failure")
    return find_root(tmp_path / "project")


def slow(
    root: Root,
    env: dict[str, str],
    started: list[Terminal],
    program: tuple[str, ...] = (SLOW_APP,),
) -> Terminal:
    """The app on a root where each call that changes something waits."""
    path = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), str(Path.cwd())]))
    terminal = Terminal(str(root.path), env=env | {"PYTHONPATH": path}, program=program)
    started.append(terminal)
    terminal.wait(r"live")
    return terminal


def confirm(terminal: Terminal, key: str) -> None:
    """Filter, plan, D, and that answer."""
    terminal.press("1")
    terminal.wait(r"matched 40")
    terminal.press("p")
    terminal.wait(r"D Purge")
    terminal.press("D")
    terminal.wait(r"Cancel")
    time.sleep(0.6)
    terminal.press(key)


def left_by(terminal: Terminal) -> str:
    """The text on the terminal after the app has exited."""
    return terminal.seen.split(LEAVE_ALTERNATE.encode())[-1].decode()


def in_the_middle(terminal: Terminal, key: str, phase: str) -> None:
    confirm(terminal, key)
    terminal.wait(rf"{phase} [█░]+ ([4-9]|[12]\d)/40")


@pytest.mark.parametrize("number", SIGNALS)
def test_demo_folder_is_removed_after_a_signal(
    env: dict[str, str], started: list[Terminal], number: signal.Signals
) -> None:
    terminal = Terminal("--demo", "--demo-tasks", "300", env=env)
    started.append(terminal)
    terminal.wait(r"live")
    assert list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))
    terminal.child.kill(number)
    assert terminal.leave() == 128 + number
    terminal.assert_left_as_it_was()
    assert not list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))


def test_demo_folder_is_removed_when_the_terminal_closes(
    env: dict[str, str], started: list[Terminal]
) -> None:
    terminal = Terminal("--demo", "--demo-tasks", "300", env=env)
    started.append(terminal)
    terminal.wait(r"live")
    assert terminal.go_away() == 128 + signal.SIGHUP
    assert not list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))


@pytest.mark.parametrize("seconds", [0.0, 0.15, 0.4])
def test_demo_folder_is_removed_when_the_terminal_closes_after_q(
    env: dict[str, str], started: list[Terminal], seconds: float
) -> None:
    """The kernel also sends SIGCONT, after which Textual would draw again. Python removes the
    handlers when it ends, so after that SIGHUP kills it."""
    terminal = Terminal("--demo", "--demo-tasks", "1000", env=env)
    started.append(terminal)
    terminal.wait(r"live")
    terminal.press("q")
    time.sleep(seconds)
    assert terminal.go_away() in (0, 128 + signal.SIGHUP, -signal.SIGHUP)
    assert not list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))
    assert not list(Path(env["HOME"]).rglob("crash-*"))


def test_demo_folder_of_a_killed_demo_is_removed_by_the_next_one(
    env: dict[str, str], started: list[Terminal]
) -> None:
    for _ in range(2):
        terminal = Terminal("--demo", "--demo-tasks", "300", env=env)
        started.append(terminal)
        terminal.wait(r"live")
        terminal.child.kill(signal.SIGKILL)
        terminal.child.wait()
    end = time.monotonic() + 60
    while len(list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))) > 1:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_app_continues_after_a_suspension(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    terminal = Terminal(str(tmp_path), env=env)
    started.append(terminal)
    terminal.wait(r"live")
    terminal.child.kill(signal.SIGTSTP)
    status = Path(f"/proc/{terminal.child.pid}/stat")
    terminal.wait(lambda _: " T " in status.read_text())
    terminal.child.kill(signal.SIGCONT)
    terminal.wait(lambda _: terminal.seen.count(ENTER_ALTERNATE.encode()) == 2)
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()


def test_demo_folder_is_removed_after_a_signal_during_its_creation(
    env: dict[str, str], started: list[Terminal]
) -> None:
    terminal = Terminal("--demo", "--demo-tasks", "20000", env=env)
    started.append(terminal)
    end = time.monotonic() + 60
    while not list(Path(env["TMPDIR"]).glob("hipercow-demo-*/*/hipercow/tasks/*")):
        assert time.monotonic() < end
        time.sleep(0.01)
    terminal.child.kill(signal.SIGHUP)
    assert terminal.leave() == 128 + signal.SIGHUP
    assert not list(Path(env["TMPDIR"]).glob("hipercow-demo-*"))


@pytest.mark.parametrize(
    ("number", "key", "phase"),
    [
        (signal.SIGHUP, "y", "Moving"),
        (signal.SIGTERM, "y", "Erasing"),
        (signal.SIGINT, "t", "Moving"),
    ],
)
def test_signal_during_a_purge_restores_all_tasks(
    root: Root,
    env: dict[str, str],
    started: list[Terminal],
    number: signal.Signals,
    key: str,
    phase: str,
) -> None:
    before = root_contents(root)
    terminal = slow(root, env, started)
    in_the_middle(terminal, key, phase)
    terminal.child.kill(number)
    assert terminal.leave() == 128 + number
    terminal.assert_left_as_it_was()
    assert "Stopped before the end: the tasks that were not erased are back in place" in left_by(
        terminal
    )
    left = in_place(root)
    assert left == set(IDS) if phase != "Erasing" else 0 < len(left) < len(IDS)
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    assert not batches(root) and not list_interrupted(root)


@pytest.mark.parametrize("phase", ["Moving", "Erasing"])
def test_closed_terminal_during_a_purge_restores_all_tasks(
    root: Root, env: dict[str, str], started: list[Terminal], phase: str
) -> None:
    before = root_contents(root)
    terminal = slow(root, env, started)
    in_the_middle(terminal, "y", phase)
    assert terminal.go_away() == 128 + signal.SIGHUP
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)
    assert in_place(root) and (phase == "Erasing" or after == before)
    assert not batches(root)


def test_ctrl_c_during_a_purge_stops_the_purge_and_not_the_app(
    root: Root, env: dict[str, str], started: list[Terminal]
) -> None:
    before = root_contents(root)
    terminal = slow(root, env, started)
    terminal.press("\x03")
    terminal.wait(r"Press q to quit")
    in_the_middle(terminal, "y", "Moving")
    terminal.press("\x03")
    terminal.wait(r"Purge stopped")
    assert root_contents(root) == before and not batches(root)
    terminal.press("\x1b")
    terminal.wait(lambda text: "esc: close" not in text)
    terminal.press("q")
    assert terminal.leave() == 0
    terminal.assert_left_as_it_was()


BROKEN = f"""
import runpy, sys
from hipercow_tui.ui.browse.screen import BrowseScreen

def broken(self):
    raise LookupError("no such thing")

BrowseScreen.action_sort_menu = broken
sys.argv[0] = {SLOW_APP!r}
runpy.run_path({SLOW_APP!r}, run_name="__main__")
"""


def test_unexpected_error_during_a_purge_restores_all_tasks(
    root: Root, env: dict[str, str], started: list[Terminal]
) -> None:
    before = root_contents(root)
    terminal = slow(root, env, started, ("-c", BROKEN))
    in_the_middle(terminal, "y", "Moving")
    terminal.press("S")
    assert terminal.leave() == 1
    terminal.assert_left_as_it_was()
    said = left_by(terminal)
    assert "unexpected error: LookupError" in said and "Stopped before the end" in said
    assert root_contents(root) == before and not batches(root)


def test_a_signal_while_the_trash_is_emptied(
    root: Root, env: dict[str, str], started: list[Terminal]
) -> None:
    before = root_contents(root)
    move_to_trash(plan_of(root), root)
    terminal = slow(root, env, started)
    terminal.press("T")
    terminal.wait(r"40 tasks")
    terminal.press("E")
    terminal.wait(r"Cancel")
    time.sleep(0.6)
    terminal.press("y")
    terminal.wait(r"Erasing [█░]+ ([4-9]|[12]\d)/40")
    terminal.child.kill(signal.SIGTERM)
    assert terminal.leave() == 128 + signal.SIGTERM
    terminal.assert_left_as_it_was()
    assert "the rest can still be restored" in left_by(terminal)
    (batch,) = list_trash(root)
    assert batch.interrupted and batch.tasks and not batch.partly_erased
    report = restore(root, batch.batch_id)
    assert set(report.restored) == in_place(root) == set(batch.tasks)
    after = root_contents(root)
    assert all(after[name] == before[name] for name in after)


@pytest.mark.parametrize("after", [0.0, 0.05])
def test_app_can_be_quit_at_once(
    tmp_path: Path, env: dict[str, str], started: list[Terminal], after: float
) -> None:
    write_task(tmp_path, task_id(1), "failure")
    terminal = Terminal(str(tmp_path), env=env)
    started.append(terminal)
    terminal.wait(r"Filters")
    time.sleep(after)
    terminal.press("q")
    assert terminal.leave() == 0, terminal.text()
