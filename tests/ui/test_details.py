from __future__ import annotations

from dataclasses import replace

from rich.style import Style
from rich.text import Text
from small_root import DAY, NOW, snapshot_of, task_id

from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import DATA, INFO, Lang, Status, Task
from hipercow_tui.formats.details import EnvVar, TaskDetails
from hipercow_tui.formats.rlang.rds.files import RecordedEnd
from hipercow_tui.ui.widgets.labelled_details import LabelledDetails
from hipercow_tui.ui.widgets.task_details import (
    MAX_INPUT_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    ShownTask,
    TaskDetailsView,
    headline,
    lines,
)

A, B, C = map(task_id, range(3))
DONE = Task(A, Status.SUCCESS, 1, NOW - DAY, NOW - DAY + 240, NOW - DAY + 252)
RUNS = TaskDetails(
    type="expression",
    runs="run_sir(beta, gamma)",
    inputs=(("beta", "0.95"), ("gamma", "0.2")),
    environment="default",
    path="analysis",
    driver="dide-windows",
)


def said(
    task: Task, details: TaskDetails | None = None, snapshot: Snapshot | None = None
) -> list[tuple[str, str]]:
    shown = ShownTask(
        task, snapshot or snapshot_of([task]), details, TaskSummary("known before"), NOW
    )
    return [(label, text.plain) for label, text in lines(shown, lambda name: Style())]


def test_the_call_and_its_inputs_come_first() -> None:
    assert said(DONE, RUNS) == [
        ("runs", "run_sir(beta, gamma)"),
        ("inputs", "beta = 0.95"),
        ("", "gamma = 0.2"),
        (
            "times",
            "created 1 day ago · waited 4 minutes · ran 12 seconds · finished 23 hours ago",
        ),
        ("driver", "dide-windows"),
        ("type", "expression"),
        ("environment", "default"),
        ("folder", "analysis"),
        ("id", A),
    ]


def test_a_task_that_ended_without_its_marker_shows_the_recorded_end() -> None:
    task = Task(A, Status.RUNNING, DATA | INFO, NOW - DAY, NOW - DAY + 240)
    assert ("ended", "the marker of its end is missing, so it stays running") in said(task)
    assert "make an empty file" in dict(said(task._replace(lang=Lang.PY)))["ended"]
    details = replace(RUNS, end=RecordedEnd("failure", NOW - 7200))
    assert (
        "ended",
        "failure 2 hours ago; the marker of its end is missing, so it stays running",
    ) in said(task, details)


def test_an_unfinished_task_shows_its_waiting_and_running_time() -> None:
    waiting = said(Task(A, Status.SUBMITTED, 1, NOW - 240))
    assert ("times", "created 4 minutes ago · waiting for 4 minutes") in waiting
    running = said(Task(A, Status.RUNNING, 1, NOW - 240, NOW - 12))
    assert ("times", "created 4 minutes ago · waited 3 minutes · running for 12 seconds") in running


def test_a_task_that_is_not_read_yet_shows_its_summary() -> None:
    assert said(DONE)[0] == ("runs", "known before")


def test_an_error_comes_first_and_keeps_its_lines() -> None:
    failed = DONE._replace(status=Status.FAILURE)
    assert said(failed, replace(RUNS, error="too small:\n✖ beta"))[0] == (
        "error",
        "too small:\n✖ beta",
    )


def test_a_read_problem_is_shown_once() -> None:
    broken = DONE._replace(problem="'info': cut off")
    told = said(broken, replace(RUNS, problem="'info': cut off"))
    assert [text for label, text in told if label == "problem"] == ["'info': cut off"]


def test_values_of_secret_variables_are_masked() -> None:
    variables = (EnvVar("OPEN", "x", False), EnvVar("TOKEN", "hunter2", True))
    told = said(DONE, replace(RUNS, envvars=variables))
    assert ("variables", "OPEN = x") in told
    assert ("", "TOKEN = ********") in told
    assert "hunter2" not in str(told)


def test_a_chain_shows_all_attempts_and_those_that_are_gone() -> None:
    tasks = [DONE._replace(status=Status.FAILURE), DONE._replace(id=C)]
    snapshot = snapshot_of(tasks, links=[(B, A, A), (C, B, A)])
    told = dict(said(snapshot.tasks[A], RUNS, snapshot))
    assert told["chain"] == "1 ✗ 000000…0000 → 2 gone 010000…0001 → 3 ✓ 020000…0002"
    assert headline(snapshot.tasks[A]) == "✗ failure → success, attempt 1 of 3"
    assert headline(snapshot.tasks[C]) == "✓ success, attempt 3 of 3"


def test_unknown_times_are_shown_as_unknown() -> None:
    def times(task: Task) -> str:
        return dict(said(task))["times"]

    assert times(Task(A, Status.BROKEN)) == "unknown"
    assert times(Task(A, Status.RUNNING, 1, NOW - 90, NOW - 60)) == (
        "created 1 minute ago · waited 30 seconds · running for 1 minute"
    )
    assert times(DONE._replace(started=None, finished_estimated=True)) == (
        "created 1 day ago · finished about 23 hours ago"
    )
    assert "waited" not in times(DONE._replace(started=NOW - 2 * DAY))


def test_control_characters_are_shown_and_not_executed() -> None:
    hostile = "\x1b[2J\x07[red]\u202e" + "x" * 30_000
    details = replace(
        RUNS,
        runs=hostile,
        inputs=((hostile, hostile),),
        error=hostile,
        driver=hostile,
        environment=hostile,
        path=hostile,
        globals=(hostile,),
        envvars=(EnvVar(hostile, hostile, False),),
        problem=hostile,
    )
    for _, text in said(DONE._replace(bundles=(hostile,), problem=hostile), details):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert len(text) < 2 * MAX_VALUE_CHARACTERS + 200


def test_very_many_inputs_are_cut() -> None:
    many = tuple((f"x{number}", "1" * 990) for number in range(1000))
    shown = said(DONE, replace(RUNS, inputs=many))
    inputs = [text for _, text in shown if " = " in text]
    assert 0 < sum(map(len, inputs)) <= MAX_INPUT_CHARACTERS
    assert f"… and {1000 - len(inputs)} more: 'hipercow-tui list --details'" in [
        text for _, text in shown
    ]
    assert shown[-1] == ("id", A)


def test_details_that_were_removed_are_not_drawn_in_a_new_theme() -> None:
    """They have no styles then, and the app ended with a KeyError."""
    details, labelled = TaskDetailsView(), LabelledDetails()
    details._shown = ShownTask(DONE, snapshot_of([DONE]), RUNS, TaskSummary(""), NOW)
    labelled._labelled = lambda style: [("label", Text("text", style("error")))]
    details._restyle()
    labelled._restyle()
