from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_r import r_environment, run_r
from small_root import IDS
from stuck_root import ask, copied_calls, make_stuck_root

from hipercow_tui.domain.task import Lang, Status, Task
from hipercow_tui.formats.root import find_root
from hipercow_tui.output.r_calls import ask_call, marker_call
from hipercow_tui.output.r_programs import RECONCILE, RECONCILE_ANSWER
from hipercow_tui.output.r_runner import run
from hipercow_tui.output.reconciling import (
    Answer,
    AnswerReport,
    Outcome,
    answer_lines,
    read_answer,
    summary,
    targets_among,
)
from hipercow_tui.scanning.scanner import read_root

RECORDING = Path(__file__).parents[1] / "data" / "r" / "reconcile" / "answers.json"
RECORDED: dict[str, Any] = json.loads(RECORDING.read_text("utf-8"))
FREED, ALIVE, FAILED = Outcome.FREED, Outcome.ALIVE, Outcome.FAILED
EXPECTED = {
    "running lost": (FREED, "failure"),
    "running cancelled": (FREED, "cancelled"),
    "running alive": (ALIVE, "running"),
    "running unknown": (FAILED, "the cluster does not know this job"),
    "dide_id missing": (FAILED, "cannot open the connection: cannot open file 'hipercow/tasks/"),
    "submitted lost": (FREED, "failure"),
    "submitted alive": (ALIVE, "submitted"),
    "finished without info": (Outcome.UNRECORDED, "I don't know how to deal with this"),
    "info, cluster says failure": (FREED, "failure"),
    "info, cluster says success": (Outcome.UNRECORDED, "I don't know how to deal with this"),
    "info, cluster says running": (ALIVE, "running"),
    "data missing": (FAILED, "cannot open the connection: cannot open compressed file"),
    "data damaged": (FAILED, "unknown input format"),
    "not submitted": (FAILED, "it was not submitted"),
    "driver not installed": (FAILED, "Package 'hipercow.dide' is not available"),
    "driver unknown": (FAILED, "Invalid driver 'frob'"),
    "driver empty": (FAILED, "replacement has length zero"),
    "earlier attempt lost": (FREED, "failure"),
}


def answers(made: dict[str, str], lines: list[bytes]) -> dict[str, Answer]:
    """The answers by kind of task."""
    kinds = {task_id: kind for kind, task_id in made.items()}
    found = filter(None, (read_answer(line, kinds) for line in lines))
    return {kinds[one.task_id]: one for one in found}


def check(made: dict[str, str], lines: list[bytes]) -> None:
    found = answers(made, lines)
    assert found.keys() == EXPECTED.keys() == made.keys()
    for kind, (outcome, text) in EXPECTED.items():
        assert found[kind].outcome is outcome, kind
        assert (found[kind].status or found[kind].message).startswith(text), kind


def recorded_lines() -> list[bytes]:
    return [line.encode() for line in RECORDED["lines"]]


def recorded_report() -> AnswerReport:
    made = RECORDED["ids"]
    found = answers(made, recorded_lines())
    tasks = [Task(task_id, Status.RUNNING) for task_id in made.values()]
    return AnswerReport(tasks, {one.task_id: one for one in found.values()})


def test_each_kind_of_stuck_task_has_the_recorded_outcome() -> None:
    check(RECORDED["ids"], recorded_lines())


def test_the_real_package_answers_as_recorded(tmp_path: Path) -> None:
    r_environment()
    root = tmp_path / "project"
    made = make_stuck_root(root)
    calls = copied_calls(root, made)
    assert {name: call["new"] for name, call in calls.items()} == {
        name: call["new"] for name, call in RECORDED["calls"].items()
    }
    before = {path for path in root.rglob("*") if path.is_file()}
    check(made, ask(root, made))
    after = read_root(find_root(root)).tasks
    freed = [kind for kind, (outcome, _) in EXPECTED.items() if outcome is FREED]
    assert all(after[made[kind]].status == EXPECTED[kind][1] for kind in freed)
    new = {path for path in root.rglob("*") if path.is_file()} - before
    touched = {path.parent.parent.name + path.parent.name for path in new}
    assert touched == {made[kind] for kind in freed}, "other tasks are as they were"

    shutil.rmtree(root / "hipercow" / "config")
    check(made, ask(root, made))  # the driver need not be configured any more


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts R by a signal of POSIX")
def test_stop_ends_real_r_between_two_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in r_environment().items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "project"
    made = make_stuck_root(root)
    ids, stop, lines = [made["running lost"], made["submitted lost"]], threading.Event(), []
    slow = """
real <- hipercow:::example_info
utils::assignInNamespace("example_info", function(...) {
  message("asking")
  began <- Sys.time()
  while (Sys.time() - began < 1) {}
  real(...)
}, "hipercow")
"""
    with (root / ".Rprofile").open("a") as profile:
        profile.write(slow)

    def take(line: bytes) -> None:
        lines.append(line)
        if b"asking" in line:
            stop.set()

    ended = run(RECONCILE, ids, find_root(root), take, stop)
    assert ended.stopped
    assert [one.task_id for one in filter(None, (read_answer(i, ids) for i in lines))] == ids[:1]
    tasks = read_root(find_root(root)).tasks
    assert [tasks[i].status for i in ids] == [Status.FAILURE, Status.SUBMITTED]
    folder = root / "hipercow" / "tasks" / ids[0][:2] / ids[0][2:]
    assert (folder / "info").exists() and (folder / "result").exists(), "its end is complete"


def test_real_r_makes_no_root_where_the_file_system_has_disappeared(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_r(RECONCILE, tmp_path)
    assert "The root has disappeared" in failed.value.output.decode()
    assert not list(tmp_path.iterdir())


def test_the_copied_calls_are_those_that_were_recorded() -> None:
    made, calls = RECORDED["ids"], RECORDED["calls"]
    tasks = [Task(i, Status.RUNNING) for i in sorted(made.values())]
    retried = [one._replace(chain=(one.id,)) for one in tasks]
    assert ask_call(retried) == calls["ask"]["call"]
    assert ask_call(tasks) == calls["ask"]["call"].replace(", follow = FALSE", "")
    assert ask_call(tasks[:1]) == f'hipercow::task_info("{tasks[0].id}")'
    assert ask_call([]) == marker_call({}) == ""
    success = {made["info, cluster says success"]: Status.SUCCESS}
    assert marker_call(success) == calls["mark"]["call"]


def test_the_report_groups_the_recorded_answers() -> None:
    report = recorded_report()
    assert summary(report) == ("5 freed · 3 alive · 2 not recorded · 8 without answer")
    text = "\n".join(answer_lines(report))
    assert "freed 5: 4 became failure, 1 became cancelled" in text
    assert "still alive 3: the cluster does not say that they ended" in text
    assert "ended, but not freed 2: the cluster says success" in text
    assert "    1 task: Invalid driver 'frob'\n      ℹ Valid choices are" in text
    assert "'status-cancelled'" in text
    assert not report.complete
    assert [one.id for one in report.unrecorded] == [
        RECORDED["ids"][kind] for kind, (outcome, _) in EXPECTED.items()
        if outcome is Outcome.UNRECORDED
    ]  # fmt: skip


def test_equal_messages_about_several_tasks_are_one_group() -> None:
    folders = [f"tasks/{i[:2]}/{i[2:]}/data" for i in IDS[:3]]
    found = {
        i: Answer(i, FAILED, message=f"cannot open '{folder}'\x1b[2J")
        for i, folder in zip(IDS, folders, strict=False)
    }
    report = AnswerReport([Task(i, Status.RUNNING) for i in IDS[:4]], found)
    lines = list(answer_lines(report))
    assert lines[0] == "could not be asked 3"
    assert lines[1] == f"    3 tasks: cannot open '{folders[0]}'␛[2J"
    assert lines[2] == f"      {', '.join(IDS[:3])}"
    assert lines[-1] == "not asked 1: R ended before"
    assert len(lines) == 5


def test_of_many_messages_the_most_frequent_are_reported() -> None:
    tasks = [Task(f"{number:032x}", Status.RUNNING) for number in range(30)]
    answers = {
        one.id: Answer(one.id, Outcome.FAILED, message=f"error {max(5, number)}")
        for number, one in enumerate(tasks)
    }
    lines = list(answer_lines(AnswerReport(tasks, answers)))
    assert lines[1] == "    6 tasks: error 5"
    assert "    5 tasks: 5 other messages" in lines
    assert len(lines) == 1 + 2 * 20 + 2


def test_only_unfinished_tasks_of_r_are_asked_about() -> None:
    tasks = [Task(i, status) for i, status in zip(IDS, Status, strict=False)]
    tasks.append(Task(IDS[-1], Status.RUNNING)._replace(lang=Lang.PY))
    targets = targets_among(tasks)
    assert [one.status for one in targets.tasks] == [Status.SUBMITTED, Status.RUNNING]
    assert targets.python == 1


@given(st.binary(max_size=80))
def test_other_output_is_no_answer(noise: bytes) -> None:
    assert read_answer(noise, IDS) is None
    answer = f"{RECONCILE_ANSWER} {IDS[0]} failure  \n".encode()
    without_newline = noise.replace(b"\n", b"").replace(b"\r", b"")
    assert read_answer(without_newline + answer, IDS) == Answer(IDS[0], FREED, Status.FAILURE)
    assert read_answer(answer, IDS[1:]) is None, "it was not asked about"
