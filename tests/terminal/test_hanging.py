"""A file system that stops answering: before the first screen, while tasks are read, while a screen
reads, in the middle of a purge, and for the command line. Leaving is always possible, except that a
purge comes to its end first, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hanging_mount import hanging_mount
from purge_stage import batches, in_place
from real_terminal import Terminal
from small_root import task_id, write_task

from hipercow_tui.formats.root import Root, find_root

HANGING_APP = str(Path(__file__).parents[1] / "support" / "hanging_app.py")
IDS = tuple(map(task_id, range(1, 41)))
Starter = Callable[..., Terminal]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    for identity in IDS:
        write_task(tmp_path / "project", identity, "failure")
    return find_root(tmp_path / "project")


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """While it exists the file system hangs."""
    return tmp_path / "hangs"


def with_paths(env: dict[str, str]) -> dict[str, str]:
    return env | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture
def start(root: Root, flag: Path, env: dict[str, str], started: list[Terminal]) -> Starter:
    def begin(*arguments: str) -> Terminal:
        program = (HANGING_APP, str(flag), str(root.path))
        terminal = Terminal(*(arguments or [str(root.path)]), env=with_paths(env), program=program)
        started.append(terminal)
        return terminal

    return begin


def leaves(terminal: Terminal, seconds: float = 20) -> int:
    """Its exit status; fails if it stays longer than that."""
    end = time.monotonic() + seconds
    while terminal.child.isalive():
        assert time.monotonic() < end, f"it stays:\n{terminal.text()}"
        terminal.read()
    status = terminal.leave()
    terminal.assert_left_as_it_was()
    return status


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("\x03", 130)])
def test_app_hanging_before_its_first_screen_can_be_quit(
    start: Starter, flag: Path, root: Root, key: str, status: int
) -> None:
    flag.touch()
    terminal = start()
    for expected in (r"Looking for a hipercow root at", r"not answered for \d second", r"q Quit"):
        terminal.wait(expected)
    terminal.press(key)
    assert leaves(terminal) == status


def test_app_can_be_quit_while_any_folder_hangs(start: Starter, flag: Path) -> None:
    """It answers late, and stops again while details, trash and history are read."""
    flag.touch()
    terminal = start()
    terminal.wait(r"Looking for a hipercow root at")
    flag.unlink()
    terminal.wait(r"live")
    flag.touch()
    time.sleep(0.1)
    terminal.press("j", "r", "p")
    for key, title in (("H", "History"), ("T", "Trash")):
        terminal.press(key)
        terminal.wait(rf"{title}  reading")
        terminal.press("\x1b")
        terminal.wait(r"q Quit")
    terminal.press("\x03")
    terminal.wait(r"Press q to quit")
    terminal.press("q")
    assert leaves(terminal) == 0


def test_missing_root_is_reported_after_a_slow_search(
    start: Starter, flag: Path, root: Root
) -> None:
    package = root.path / "hipercow" / "DESCRIPTION"
    package.write_text("Package: hipercow\n")
    flag.touch()
    terminal = start()
    terminal.wait(r"Looking for a hipercow root at")
    flag.unlink()
    assert leaves(terminal) == 1
    assert "is the source of the R package hipercow" in " ".join(terminal.text().split())


def test_hanging_purge_is_waited_for_with_a_message(start: Starter, flag: Path, root: Root) -> None:
    terminal = start()
    terminal.wait(r"live")
    terminal.press("1")
    terminal.wait(r"matched 40")
    terminal.press("p")
    terminal.wait(r"D Purge")
    terminal.press("D")
    terminal.wait(r"Cancel")
    time.sleep(0.6)
    flag.touch()
    time.sleep(0.1)
    terminal.press("y")
    terminal.wait(r"Purging…")
    terminal.press("q")
    terminal.wait(r"Purging is in progress: wait")
    terminal.child.kill(signal.SIGTERM)
    terminal.wait(r"Purging is being stopped: wait until the file system has ans")
    assert terminal.child.isalive()
    flag.unlink()
    assert leaves(terminal) == 128 + signal.SIGTERM
    assert in_place(root) == set(IDS) and not batches(root)


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["purge", "--with-status", "failure", "--yes"],
        ["history"],
        ["trash"],
        ["trash", "--empty", "--yes"],
    ],
)
def test_command_on_a_hanging_file_system_ends_after_ctrl_c(
    root: Root, flag: Path, env: dict[str, str], arguments: list[str]
) -> None:
    flag.touch()
    command = [sys.executable, HANGING_APP, str(flag), str(root.path), arguments[0]]
    with subprocess.Popen(
        [*command, str(root.path), *arguments[1:]],
        env=with_paths(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        try:
            wait_until_it_hangs(child.pid)
            child.send_signal(signal.SIGINT)
            assert child.wait(20) == -signal.SIGINT
        finally:
            child.kill()
    assert in_place(root) == set(IDS)


def test_wait_on_a_file_system_that_hangs_later_ends_by_its_timeout_and_by_ctrl_c(
    root: Root, flag: Path, env: dict[str, str]
) -> None:
    """The main thread does not wait for the file system."""
    write_task(root.path, task_id(41), "running")
    command = [sys.executable, HANGING_APP, str(flag), str(root.path), "wait", str(root.path)]
    waits = [
        subprocess.Popen([*command, *more], env=with_paths(env), stderr=subprocess.PIPE)
        for more in ((), ("--timeout", "1s"))
    ]
    try:
        for one in waits:
            assert one.stderr is not None and b" of 41 tasks ended" in one.stderr.readline()
        flag.touch()
        assert waits[1].wait(20) == 124
        waits[0].send_signal(signal.SIGINT)
        assert waits[0].wait(20) == 128 + signal.SIGINT
    finally:
        for one in waits:
            one.kill()
            one.communicate()


def wait_until_it_hangs(pid: int) -> None:
    """Its main thread waits for a lock: what Python does before that takes no rest."""
    end = time.monotonic() + 20
    rests = 0
    while rests < 5:
        assert time.monotonic() < end
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        rests = rests + 1 if state == "S" else 0
        time.sleep(0.02)


def children_of(pid: int | None) -> list[int]:
    return [
        int(child)
        for file in Path(f"/proc/{pid}/task").glob("*/children")
        for child in file.read_text().split()
    ]


def test_processes_that_read_a_hanging_mount_do_not_block_the_exit(
    tmp_path: Path, env: dict[str, str], started: list[Terminal]
) -> None:
    """With a real mount, where that is allowed."""
    for number in range(1500):
        write_task(tmp_path / "project", task_id(number), "failure")
    with hanging_mount(tmp_path / "project", tmp_path / "mount") as mount:
        if mount is None:
            pytest.skip("no file system may be mounted here")
        terminal = Terminal(str(tmp_path / "mount"), "--no-index", env=env)
        started.append(terminal)
        terminal.wait(lambda text: len(children_of(terminal.child.pid)) > 0)
        readers = children_of(terminal.child.pid)
        mount.hang()
        terminal.press("q")
        assert leaves(terminal) == 0
        end = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in readers):
            assert time.monotonic() < end, "a process stays"
            time.sleep(0.02)
