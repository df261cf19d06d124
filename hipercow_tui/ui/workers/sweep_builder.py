"""Builds what the screen of inputs shows, in a background thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from hipercow_tui.analysis.error_groups import Failure, Inputs
from hipercow_tui.analysis.sweep import Sweep, SweepSort, comparable_ids, make_sweep, sort_rows
from hipercow_tui.analysis.sweep_chart import ChartModel, make_chart, with_grid
from hipercow_tui.analysis.task_summary import TaskSummary
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.workers.summary_loader import SummaryRequests

WIDEST = 24  # cells of an input in the table


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What to show.

    ``version`` changes with the tasks and with the inputs that are known. ``grid`` are the names
    of two inputs, None without a grid.
    """

    version: int
    tasks: Mapping[str, Task]
    sort: SweepSort
    grid: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SweepModel:
    """What the screen of inputs shows.

    Attributes:
        request: The request.
        sweep: The inputs of all known tasks, with those to compare with.
        ids: The known tasks to show, in order.
        widths: The width of each input in the table, in cells, without its title.
        tasks: How many of the tasks to show exist.
        failed: How many of them failed.
        succeeded_later: How many of the failed tasks succeeded after a retry.
        unread: How many tasks are still to be read, with those to compare with.
        left_out: How many tasks are not read, because the cache of inputs is full.
        chart: The chart.
        seconds: How long the build took.
    """

    request: SweepRequest
    sweep: Sweep
    ids: tuple[str, ...]
    widths: tuple[int, ...]
    tasks: int
    failed: int
    succeeded_later: int
    unread: int
    left_out: int
    chart: ChartModel
    seconds: float


@dataclass(frozen=True, slots=True)
class _Inputs:
    """The part of a model that does not depend on the order and the grid."""

    version: int
    sweep: Sweep
    present: Sequence[Task]
    known: Sequence[Task]
    unread: int
    left_out: int
    widths: tuple[int, ...]
    failed: frozenset[str]
    chart: ChartModel


class SweepBuilder:
    """Builds models, and reuses what did not change. Not thread-safe.

    If all tasks of ``ids`` failed, as those of an error did, they are compared with successful
    tasks of the same bundles. Inputs are taken from ``failures``, or read on request.
    """

    def __init__(
        self,
        ids: Iterable[str],
        failures: Mapping[str, Failure],
        requests: SummaryRequests,
    ) -> None:
        self._ids = tuple(ids)
        self._failures = failures
        self._requests = requests
        self._last: _Inputs | None = None

    def build(self, request: SweepRequest) -> SweepModel:
        """Return the model of a request; with 100,000 tasks this takes seconds."""
        began = time.monotonic()
        last = self._last
        if last is None or last.version != request.version:
            last = self._last = self._read(request)
        ids = sort_rows(last.sweep, last.known, request.sort)
        failed = [task for task in last.present if task.status is Status.FAILURE]
        return SweepModel(
            request,
            last.sweep,
            ids,
            last.widths,
            len(last.present),
            len(failed),
            sum(task.latest_status is Status.SUCCESS for task in failed),
            last.unread,
            last.left_out,
            with_grid(last.chart, request.grid, last.failed),
            time.monotonic() - began,
        )

    def _read(self, request: SweepRequest) -> _Inputs:
        """Return the inputs that are known, and request the others, unless the cache is full."""
        tasks, full = request.tasks, self._requests.full
        ids = [task_id for task_id in self._ids if task_id in tasks]
        all_failed = bool(ids) and all(tasks[i].status is Status.FAILURE for i in ids)
        others = comparable_ids(tasks, ids) if all_failed else ()
        wanted = (*ids, *others)
        summaries = self._requests.summaries
        self._requests.want_all(
            [i for i in wanted if i not in self._failures and (i in summaries or not full)]
        )
        inputs = self._known_inputs(ids)
        inputs |= _only_named(self._known_inputs(others), inputs)
        sweep = make_sweep(inputs)
        present = [tasks[task_id] for task_id in ids]
        known = [task for task in present if task.id in inputs]
        failed = frozenset(task.id for task in known if task.status is Status.FAILURE)
        compared = sum(i in inputs for i in others)
        missing = len(wanted) - len(inputs)
        return _Inputs(
            request.version,
            sweep,
            present,
            known,
            0 if full else missing,
            missing if full else 0,
            tuple(_width(sweep, place) for place in range(len(sweep.names))),
            failed,
            make_chart(
                sweep,
                failed,
                compared if all_failed else None,
                0 if full else len(others) - compared,
            ),
        )

    def _known_inputs(self, ids: Iterable[str]) -> dict[str, Inputs]:
        failures, summaries = self._failures, self._requests.summaries
        inputs: dict[str, Inputs] = {}
        for task_id in ids:
            read: Failure | TaskSummary | None = failures.get(task_id) or summaries.get(task_id)
            if read is not None:
                inputs[task_id] = read.inputs
        return inputs


def _only_named(others: Mapping[str, Inputs], inputs: Mapping[str, Inputs]) -> Mapping[str, Inputs]:
    """Return ``others`` without inputs that no task of ``inputs`` has.

    A bundle can have tasks that run something else: their inputs say nothing about an error.
    """
    names = {name for pairs in inputs.values() for name, _ in pairs}
    return {i: tuple(p for p in pairs if p[0] in names) for i, pairs in others.items()}


def _width(sweep: Sweep, place: int) -> int:
    """Return the width of the widest value of an input, at most WIDEST."""
    widest = 0
    for value in {values[place] for values in sweep.values.values()}:
        widest = max(widest, cell_len(plain_text(value or "")))
        if widest >= WIDEST:
            return WIDEST
    return widest
