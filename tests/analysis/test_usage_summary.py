from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import NOW, snapshot_of, task_id

from hipercow_tui.analysis.task_sorting import (
    USAGE_KEYS,
    SortKey,
    TaskSort,
    sort_tasks,
    usage_value,
)
from hipercow_tui.analysis.usage_summary import (
    BINS,
    Asked,
    Distribution,
    UsageSummary,
    percentile,
    summarize_usage,
)
from hipercow_tui.domain.task import Status, Task
from hipercow_tui.formats.task_usage import UNKNOWN, TaskUsage

NUMBERS = st.lists(st.floats(0, 1e9), min_size=1, max_size=50)


@given(numbers=NUMBERS, percent=st.integers(1, 100))
def test_a_percentile_is_the_smallest_number_that_enough_do_not_exceed(
    numbers: list[float], percent: int
) -> None:
    found = percentile(sorted(numbers), percent)
    assert found in numbers
    assert sum(number <= found for number in numbers) * 100 >= percent * len(numbers)
    assert sum(number < found for number in numbers) * 100 < percent * len(numbers)


def test_percentiles_of_a_hundred_numbers() -> None:
    ordered = list(range(1, 101))
    assert [percentile(ordered, each) for each in (50, 95, 100)] == [50, 95, 100]
    assert percentile([7.0], 50) == 7.0


@given(numbers=NUMBERS, at_least=st.floats(0, 1e9))
def test_a_histogram_counts_each_number_once(numbers: list[float], at_least: float) -> None:
    found = Distribution.of(numbers, at_least)
    assert found is not None
    assert len(found.bins) == BINS
    assert sum(found.bins) == found.count == len(numbers)
    assert found.top == max(*numbers, at_least)
    assert found.median <= found.p95 <= found.most <= found.top


def test_a_histogram_shows_how_little_was_used() -> None:
    found = Distribution.of([1.0, 1.1, 1.2], 32)
    assert found is not None
    assert found.bins == (3, *[0] * (BINS - 1))
    assert Distribution.of([0.0, 0.0]) == Distribution(2, 0, 0, 0, 0, (2, *[0] * (BINS - 1)))
    assert Distribution.of([]) is None


def test_only_tasks_that_have_ended_are_summarized() -> None:
    tasks = [Task(task_id(number), Status.SUCCESS, finished=NOW) for number in range(5)]
    running = Task(task_id(9), Status.RUNNING)
    usages = {
        task_id(0): TaskUsage(32, 16 * 10**9, 100.0, 110.0, 3 * 10**9),
        task_id(1): TaskUsage(32, None, 100.0, 50.0, 2 * 10**9),
        task_id(2): TaskUsage(1, None),
        task_id(3): UNKNOWN,
        running.id: TaskUsage(64),
    }
    found = summarize_usage([*tasks, running], usages)
    assert (found.ended, found.read, found.complete) == (5, 4, False)
    assert found.cores == Asked(1, 32, 1)
    assert found.memory == Asked(16 * 10**9, 16 * 10**9, 3)
    assert found.used_cores is not None
    assert (found.used_cores.count, found.used_cores.median, found.used_cores.top) == (2, 0.5, 32)
    assert found.used_memory is not None
    assert found.used_memory.p95 == 3 * 10**9
    usages[task_id(4)] = TaskUsage(math.inf, elapsed=1.0, cpu=2.0)
    whole = summarize_usage(tasks, usages)
    assert whole.complete
    assert whole.cores == Asked(1, math.inf, 1)
    assert whole.used_cores is not None
    assert whole.used_cores.top == 2.0
    assert summarize_usage([running], usages) == UsageSummary(0, 0)


@pytest.mark.parametrize("key", USAGE_KEYS)
def test_tasks_are_sorted_by_usage_and_unknown_ones_are_last(key: SortKey) -> None:
    tasks = [Task(task_id(number), Status.SUCCESS, finished=NOW) for number in range(4)]
    usages = {
        task_id(0): TaskUsage(1, 1, 10.0, 1.0, 1),
        task_id(1): TaskUsage(2, 9, 10.0, 19.0, 9),
        task_id(2): UNKNOWN,
    }
    order = sort_tasks(snapshot_of(tasks), TaskSort().toggled(key), {}, {}, NOW, usages)
    assert order[:2] == (task_id(1), task_id(0))
    ascending = sort_tasks(snapshot_of(tasks), TaskSort(key, False), {}, {}, NOW, usages)
    assert ascending[:2] == (task_id(0), task_id(1))
    values = [usage_value(usages, task_id(number), key) for number in range(4)]
    assert values[2:] == [None, None]
    assert None not in values[:2]
