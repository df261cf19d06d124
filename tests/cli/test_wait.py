"""The command ``wait`` and ``hipercow_tui.wait()``, while other threads and processes end tasks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from command_running import Capture, printed_json, run
from small_root import task_id, write_bundle, write_retries, write_task

import hipercow_tui
from hipercow_tui import (
    BadFilterError,
    RootError,
    UnknownTasksError,
    UnsubmittedError,
    WaitTimeoutError,
)
from hipercow_tui.domain.cutoff_time import parse_duration
from hipercow_tui.domain.waits import WaitProgress
from hipercow_tui.scanning import scan_pace, waiting
from hipercow_tui.support.errors import FilterError

DONE, RUNNING, QUEUED, RETRY, LATER = map(task_id, range(1, 6))
SWEEP = (DONE, RUNNING, QUEUED)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bundle with a task that has ended, one that runs and one that is queued."""
    project = tmp_path / "project"
    write_task(project, DONE, "success")
    write_task(project, RUNNING, "running")
    write_task(project, QUEUED, "submitted")
    write_bundle(project, "sweep", SWEEP)
    return project


LOOKED = threading.Event()  # after the first scan of a wait in this process


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    real = waiting._check_submitted

    def check(progress: WaitProgress) -> None:
        real(progress)
        LOOKED.set()

    LOOKED.clear()
    monkeypatch.setattr(waiting, "_check_submitted", check)
    monkeypatch.setattr(scan_pace, "MIN_PAUSE", 0.02)


def folder(root: Path, identity: str) -> Path:
    return root / "hipercow" / "tasks" / identity[:2] / identity[2:]


def end(root: Path, identity: str, status: str) -> None:
    """Write the marker that hipercow writes last."""
    (folder(root, identity) / f"status-{status}").touch()


@contextmanager
def meanwhile(*actions: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread after the first scan, one thing after the other."""

    def act() -> None:
        assert LOOKED.wait(30)
        for action in actions:
            action()
            time.sleep(0.05)

    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


def test_wait_returns_when_every_task_of_a_bundle_has_ended(root: Path, capsys: Capture) -> None:
    with meanwhile(
        lambda: end(root, RUNNING, "failure"),
        lambda: write_task(root, LATER, "running"),  # no task of the wait
        lambda: end(root, QUEUED, "success"),
    ):
        assert run("wait", root, "--in-bundle", "sweep") == 0
    printed = capsys.readouterr()
    assert printed.out == "3 tasks ended: 2 success, 1 failure\n"
    first, *more = printed.err.splitlines()  # a scan can find two changes
    assert first == "hipercow-tui: 1 of 3 tasks ended: 1 success"
    assert more in ([], ["hipercow-tui: 2 of 3 tasks ended: 1 success, 1 failure"])


@pytest.mark.parametrize(
    ("status", "words", "exit_status"),
    [
        ("success", (), 0),
        ("success", ("--fail-on-failure",), 0),
        ("failure", (), 0),
        ("failure", ("--fail-on-failure",), 3),
        ("cancelled", ("--fail-on-failure",), 3),
    ],
)
def test_the_exit_status_says_how_tasks_ended(
    root: Path, status: str, words: tuple[str, ...], exit_status: int, capsys: Capture
) -> None:
    end(root, RUNNING, status)
    assert run("wait", root, "--task-id", RUNNING, "--quiet", *words) == exit_status
    assert capsys.readouterr() == ("", "")


def test_a_timeout_has_its_own_exit_status_and_prints_json(root: Path, capsys: Capture) -> None:
    assert run("wait", root, "--timeout", "0s", "--json", "--quiet") == 124
    printed = capsys.readouterr()
    assert "timeout after 0 seconds: 1 of 3 tasks ended: 1 success" in printed.err
    assert '"ended": false' in printed.out and '"running": 1' in printed.out


def test_any_ends_with_the_next_task_and_not_with_one_that_had_ended(
    root: Path, capsys: Capture
) -> None:
    assert run("wait", root, "--any", "--timeout", "0s", "--quiet") == 124
    LOOKED.clear()
    with meanwhile(lambda: end(root, QUEUED, "cancelled")):
        assert run("wait", root, "--any") == 0
    assert capsys.readouterr().out == "2 of 3 tasks ended: 1 success, 1 cancelled\n"


def test_a_retry_that_is_made_meanwhile_is_waited_for(root: Path, capsys: Capture) -> None:
    def retry() -> None:
        write_task(root, RETRY, "running", retry_of=(RUNNING, RUNNING))
        write_retries(root, [(RETRY, RUNNING, RUNNING)])
        end(root, RUNNING, "failure")

    with meanwhile(
        retry, lambda: end(root, QUEUED, "success"), lambda: end(root, RETRY, "success")
    ):
        assert run("wait", root, "--in-bundle", "sweep", "--json") == 0
    answer = printed_json(capsys)
    assert answer["ended"] and answer["counts"]["success"] == 3
    attempts = {task["id"]: task["attempt"] for task in answer["tasks"]}
    assert attempts == {DONE: DONE, RUNNING: RETRY, QUEUED: QUEUED}


def test_a_task_that_is_purged_meanwhile_is_gone(root: Path, capsys: Capture) -> None:
    with meanwhile(lambda: shutil.rmtree(folder(root, RUNNING))):
        assert run("wait", root, "--task-id", RUNNING, "--fail-on-failure") == 3
    assert capsys.readouterr().out == "1 task ended: 1 gone\n"


def test_tasks_that_were_not_submitted_are_refused(root: Path, capsys: Capture) -> None:
    write_task(root, LATER, "created")
    assert run("wait", root) == 1
    error = capsys.readouterr().err
    assert "1 task of 4 was not submitted" in error and LATER in error
    end(root, RUNNING, "success")
    end(root, QUEUED, "success")
    assert run("wait", root, "--in-bundle", "sweep") == 0


@pytest.mark.parametrize(
    ("words", "exit_status", "sentence"),
    [
        (("--task-id", task_id(99)), 1, "does not exist"),
        (("--in-bundle", "nothing"), 2, "No bundle matches 'nothing'"),
        (("--with-status", "failure"), 0, "no task passes the filters"),
        (("--timeout", "soon"), 2, "'soon' is not a duration"),
        (("--timeout", "-5 min"), 2, "'-5 min' is not a duration"),
    ],
)
def test_what_cant_be_waited_for_is_a_sentence(
    root: Path, words: tuple[str, ...], exit_status: int, sentence: str, capsys: Capture
) -> None:
    try:
        status = run("wait", root, *words)
    except SystemExit as error:
        status = int(str(error.code))
    assert status == exit_status
    assert sentence in capsys.readouterr().err


def test_a_root_that_disappears_is_an_error_and_no_end(root: Path, capsys: Capture) -> None:
    with meanwhile(lambda: (root / "hipercow").rename(root / "elsewhere")):
        assert run("wait", root) == 1
    assert "has disappeared" in capsys.readouterr().err


def test_a_task_that_may_be_stuck_is_named_with_what_to_do(tmp_path: Path, capsys: Capture) -> None:
    now, others = time.time(), [task_id(number) for number in range(10, 14)]
    for identity in others:
        write_task(tmp_path, identity, "success", created=now - 9000, finished=now - 8000)
    write_task(tmp_path, RUNNING, "running", created=now - 9000, finished=now - 7000)
    write_bundle(tmp_path, "sweep", [*others, RUNNING])
    assert run("wait", tmp_path, "--timeout", "0s", "--json") == 124
    printed = capsys.readouterr()
    assert f"task {RUNNING} may be stuck: running for " in printed.err
    assert "'hipercow-tui reconcile' lets R ask the cluster" in printed.err
    assert printed.err.count("may be stuck: running") == 1
    assert "4 of 5 tasks ended: 4 success; 1 may be stuck" in printed.err
    assert '"stuck": "running for ' in printed.out


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("30 min", 1800), ("90s", 90), ("1 day", 86400)]
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "2h ago", "-2h", "2026-01-31", "now", "9" * 13 + "s"])
def test_other_texts_are_no_duration(text: str) -> None:
    with pytest.raises(FilterError):
        parse_duration(text)


# In Python


def test_python_waits_and_returns_how_each_task_ended(root: Path) -> None:
    with meanwhile(lambda: end(root, RUNNING, "failure"), lambda: end(root, QUEUED, "success")):
        progress = hipercow_tui.wait(in_bundle="sweep", timeout="1 min", root=root)
    assert progress.statuses == {DONE: "success", RUNNING: "failure", QUEUED: "success"}
    assert (progress.counts["failure"], progress.counts["gone"]) == (1, 0)
    assert not progress.unfinished and not progress.all_succeeded


@pytest.mark.parametrize("timeout", [0, 0.01, "0 s", timedelta(0)])
def test_python_raises_a_timeout_error_with_the_progress(
    root: Path, timeout: float | str | timedelta
) -> None:
    with pytest.raises(TimeoutError, match="1 of 3 tasks ended") as caught:
        hipercow_tui.wait(timeout=timeout, root=root)
    assert isinstance(caught.value, WaitTimeoutError)
    assert set(caught.value.progress.unfinished) == {RUNNING, QUEUED}


def test_python_raises_errors_of_the_project(root: Path) -> None:
    with pytest.raises(UnknownTasksError):
        hipercow_tui.wait(task_id(99), root=root)
    with pytest.raises(BadFilterError, match="timeout takes seconds"):
        hipercow_tui.wait(timeout=[1], root=root)  # type: ignore[arg-type]
    with pytest.raises(RootError):
        hipercow_tui.wait(root=root / "nowhere")
    write_task(root, LATER, "created")
    with pytest.raises(UnsubmittedError):
        hipercow_tui.wait(root=root)


# In another process

PROGRAM = (sys.executable, "-m", "hipercow_tui", "wait")


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_with_its_status(root: Path, number: int) -> None:
    waiting = subprocess.Popen([*PROGRAM, root], stdout=-1, stderr=-1, text=True)
    assert waiting.stderr is not None and "1 of 3" in waiting.stderr.readline()
    waiting.send_signal(number)
    out, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, out, err) == (128 + number, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_processes_follow_another_and_a_terminal_shows_one_line_that_ctrl_c_erases(
    root: Path,
) -> None:
    import pexpect

    environ = {**os.environ, "LANG": "C.UTF-8", "COLUMNS": "80"}
    child = pexpect.spawn(PROGRAM[0], [*PROGRAM[1:], str(root)], env=environ, timeout=30)
    piped = subprocess.Popen([*PROGRAM, root], stdout=-1, stderr=-1, text=True)
    child.expect_exact("\r1 of 3 tasks ended: 1 success")
    assert piped.stderr is not None and "1 of 3" in piped.stderr.readline()
    marker = folder(root, RUNNING) / "status-failure"
    subprocess.run([sys.executable, "-c", f"open({str(marker)!r}, 'w')"], check=True)
    second = "2 of 3 tasks ended: 1 success, 1 failure"
    child.expect_exact(f"\r{second}")
    child.sendintr()
    child.expect_exact(f"\r{' ' * len(second)}\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130 and not str(child.before).count("Traceback")
    end(root, QUEUED, "success")
    out, _ = piped.communicate(timeout=60)
    assert (piped.returncode, out) == (0, "3 tasks ended: 2 success, 1 failure\n")
