from __future__ import annotations

from dataclasses import replace

from rich.style import Style
from small_root import DAY, NOW, snapshot_of, task_id

from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.details import EnvVar, TaskDetails
from hipercow_tui.ui.widgets.task_details import (
    MAX_INPUT_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    ShownTask,
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


def test_what_runs_and_with_what_comes_first() -> None:
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


def test_what_is_under_way_tells_how_long_it_has_been() -> None:
    waiting = said(Task(A, Status.SUBMITTED, 1, NOW - 240))
    assert ("times", "created 4 minutes ago · waiting for 4 minutes") in waiting
    running = said(Task(A, Status.RUNNING, 1, NOW - 240, NOW - 12))
    assert ("times", "created 4 minutes ago · waited 3 minutes · running for 12 seconds") in running


def test_before_it_was_read_the_row_s_words_stand_there() -> None:
    assert said(DONE)[0] == ("runs", "known before")


def test_an_error_comes_before_all_else_and_keeps_its_lines() -> None:
    failed = DONE._replace(status=Status.FAILURE)
    assert said(failed, replace(RUNS, error="too small:\n✖ beta"))[0] == (
        "error",
        "too small:\n✖ beta",
    )


def test_what_could_not_be_read_is_said_once() -> None:
    broken = DONE._replace(problem="'info': cut off")
    told = said(broken, replace(RUNS, problem="'info': cut off"))
    assert [text for label, text in told if label == "problem"] == ["'info': cut off"]


def test_secret_variables_stay_secret() -> None:
    variables = (EnvVar("OPEN", "x", False), EnvVar("TOKEN", "hunter2", True))
    told = said(DONE, replace(RUNS, envvars=variables))
    assert ("variables", "OPEN = x") in told
    assert ("", "TOKEN = ********") in told
    assert "hunter2" not in str(told)


def test_a_chain_is_a_line_of_attempts_with_its_gaps() -> None:
    tasks = [DONE._replace(status=Status.FAILURE), DONE._replace(id=C)]
    snapshot = snapshot_of(tasks, links=[(B, A, A), (C, B, A)])
    told = dict(said(snapshot.tasks[A], RUNS, snapshot))
    assert told["chain"] == "1 ✗ 000000…0000 → 2 gone 010000…0001 → 3 ✓ 020000…0002"
    assert headline(snapshot.tasks[A]) == "✗ failure → success, attempt 1 of 3"
    assert headline(snapshot.tasks[C]) == "✓ success, attempt 3 of 3"


def test_times_that_are_not_known_are_not_made_up() -> None:
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


def test_hostile_text_is_shown_and_never_obeyed() -> None:
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


def test_of_a_great_many_inputs_as_many_are_shown_as_can_be_drawn_at_once() -> None:
    many = tuple((f"x{number}", "1" * 990) for number in range(1000))
    shown = said(DONE, replace(RUNS, inputs=many))
    inputs = [text for _, text in shown if " = " in text]
    assert 0 < sum(map(len, inputs)) <= MAX_INPUT_CHARACTERS
    assert f"… and {1000 - len(inputs)} more: 'hipercow-tui list --details'" in [
        text for _, text in shown
    ]
    assert shown[-1] == ("id", A)
