from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from small_root import task_id

from hipercow_tui.analysis.error_groups import Failure
from hipercow_tui.analysis.sweep import SORT_BY_STATUS, SweepSort
from hipercow_tui.analysis.task_summary import TaskSummary, pack_inputs
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.ui.workers.summary_loader import SummaryRequests
from hipercow_tui.ui.workers.sweep_builder import SweepBuilder, SweepRequest

FAILED = [task_id(n) for n in range(4)]
SUCCESSFUL = [task_id(n) for n in range(10, 16)]
TASKS = {
    i: Task(i, Status.FAILURE if i in FAILED else Status.SUCCESS, 1, bundles=("b",))
    for i in (*FAILED, *SUCCESSFUL)
}
FAILURES = {i: Failure("no", inputs=(("beta", str(n)),)) for n, i in enumerate(FAILED)}


class Requests:
    """Stands for the requests to the loader of summaries."""

    def __init__(self) -> None:
        self.summaries: dict[str, TaskSummary] = {}
        self.wanted: list[str] = []
        self.full = False

    def want_all(self, ids: Iterable[str]) -> None:
        self.wanted = list(ids)

    def read(self, ids: Iterable[str], *more: tuple[str, str]) -> None:
        for n, identity in enumerate(ids):
            inputs = pack_inputs((("beta", str(n)), *more))
            self.summaries[identity] = TaskSummary(packed_inputs=inputs)


def builder_of(requests: Requests, ids: list[str]) -> SweepBuilder:
    return SweepBuilder(ids, FAILURES, cast(SummaryRequests, requests))


def test_failed_tasks_are_compared_with_successful_tasks_that_are_read_on_request() -> None:
    requests = Requests()
    builder = builder_of(requests, FAILED)
    first = builder.build(SweepRequest(1, TASKS, SweepSort()))
    assert requests.wanted == SUCCESSFUL
    assert (first.tasks, first.unread, first.chart.compared) == (4, 6, 0)
    assert not first.chart.shows_counts  # tasks to compare with are still to be read
    assert first.ids == tuple(FAILED)
    requests.read(SUCCESSFUL)
    second = builder.build(SweepRequest(2, TASKS, SweepSort()))
    assert (second.unread, second.chart.compared) == (0, 6)
    assert second.ids == tuple(FAILED)
    assert [(rate.failed, rate.tasks) for rate in second.chart.rates[0]] == [
        *[(1, 2)] * 4,
        *[(0, 1)] * 2,
    ]


def test_bars_are_numbers_only_if_no_task_of_the_bundles_succeeded() -> None:
    tasks = {i: TASKS[i] for i in FAILED}
    chart = builder_of(Requests(), FAILED).build(SweepRequest(1, tasks, SweepSort())).chart
    assert (chart.compared, chart.unread, chart.shows_counts) == (0, 0, True)


def test_no_more_tasks_are_read_when_the_cache_is_full() -> None:
    requests = Requests()
    requests.read(SUCCESSFUL[:2])
    requests.full = True
    model = builder_of(requests, FAILED).build(SweepRequest(1, TASKS, SweepSort()))
    assert (model.unread, model.left_out, model.chart.unread) == (0, 4, 0)
    assert requests.wanted == SUCCESSFUL[:2]  # they are read again if they change


def test_inputs_that_only_other_tasks_have_are_left_out() -> None:
    requests = Requests()
    requests.read(SUCCESSFUL, ("seed", "1"))
    model = builder_of(requests, FAILED).build(SweepRequest(1, TASKS, SweepSort()))
    assert model.sweep.names == ("beta",)
    assert [axis.name for axis in model.chart.axes] == ["beta"]


def test_tasks_of_which_some_succeeded_are_not_compared_with_others() -> None:
    requests = Requests()
    requests.read(SUCCESSFUL)
    ids = [FAILED[0], SUCCESSFUL[0], SUCCESSFUL[5], task_id(99)]
    model = builder_of(requests, ids).build(SweepRequest(1, TASKS, SweepSort()))
    assert (model.tasks, model.failed, model.unread, model.chart.compared) == (3, 1, 0, None)
    assert [(rate.failed, rate.tasks) for rate in model.chart.rates[0]] == [(1, 2), (0, 1)]


def test_failed_tasks_that_succeeded_after_a_retry_are_counted() -> None:
    retried = TASKS[FAILED[0]]._replace(latest_status=Status.SUCCESS)
    request = SweepRequest(1, TASKS | {retried.id: retried}, SweepSort())
    model = builder_of(Requests(), FAILED).build(request)
    assert (model.failed, model.succeeded_later) == (4, 1)


def test_order_and_grid_change_without_reading_inputs_again() -> None:
    requests = Requests()
    requests.read(SUCCESSFUL, ("method", "2"))
    requests.read(SUCCESSFUL[:3], ("method", "1"))
    builder = builder_of(requests, [*FAILED, *SUCCESSFUL])
    first = builder.build(SweepRequest(1, TASKS, SweepSort()))
    requests.summaries.clear()
    second = builder.build(
        SweepRequest(1, TASKS, SweepSort(SORT_BY_STATUS, True), ("beta", "method"))
    )
    assert second.sweep is first.sweep
    assert second.ids[:4] != first.ids[:4]
    assert sum(rate.tasks for rate in second.chart.cells.values()) == len(TASKS)
    missing = builder.build(SweepRequest(1, TASKS, SweepSort(), ("beta", "gamma")))
    assert missing.chart.grid is None
