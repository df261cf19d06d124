from __future__ import annotations

import pytest
from small_root import DAY, NOW, task_id

from hipercow_tui.domain.durations import queue_time, run_time
from hipercow_tui.domain.task import Status, Task

BEGAN = NOW - DAY


def task(
    status: Status,
    created: float | None = None,
    started: float | None = None,
    finished: float | None = None,
) -> Task:
    return Task(task_id(1), status, 1, created, started, finished)


@pytest.mark.parametrize(
    ("one", "wait", "run"),
    [
        (task(Status.SUCCESS, BEGAN, BEGAN + 60, BEGAN + 90), 60, 30),
        (task(Status.FAILURE, BEGAN, BEGAN, BEGAN), 0, 0),
        (task(Status.RUNNING, BEGAN, BEGAN + 60), 60, DAY - 60),
        (task(Status.SUBMITTED, BEGAN), DAY, None),
        (task(Status.CREATED, BEGAN), None, None),
        (task(Status.CANCELLED, BEGAN, None, BEGAN + 9), None, None),
        (task(Status.SUCCESS, None, BEGAN, BEGAN + 9), None, 9),
        (task(Status.SUBMITTED), None, None),
        (task(Status.RUNNING), None, None),
    ],
)
def test_waiting_ends_with_the_start_and_running_with_the_end(
    one: Task, wait: float | None, run: float | None
) -> None:
    assert queue_time(one, NOW) == wait
    assert run_time(one, NOW) == run


def test_contradicting_clocks_give_no_duration_of_finished_steps() -> None:
    backwards = task(Status.SUCCESS, BEGAN + 9, BEGAN + 5, BEGAN)
    assert queue_time(backwards, NOW) is run_time(backwards, NOW) is None
    ahead = task(Status.RUNNING, NOW + 5, NOW + 9)
    assert (queue_time(ahead, NOW), run_time(ahead, NOW)) == (4, 0)
    assert queue_time(task(Status.SUBMITTED, NOW + 5), NOW) == 0
