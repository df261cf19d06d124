from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import NOW, task_id

from hipercow_tui.analysis.sweep import (
    SORT_BY_FINISHED,
    SORT_BY_STATUS,
    FailureRate,
    Sweep,
    SweepSort,
    failure_rates,
    make_sweep,
    sort_rows,
)
from hipercow_tui.domain.task import Status, Task


def task(place: int, status: Status = Status.SUCCESS) -> Task:
    return Task(task_id(place), status, finished=NOW - place)


INPUTS = {
    task_id(0): (("beta", "10"), ("gamma", "1"), ("region", '"b"')),
    task_id(1): (("beta", "9"), ("gamma", "1"), ("region", '"a"')),
    task_id(2): (("beta", "1e+02"), ("gamma", "1")),
}
TASKS = [task(0), task(1, Status.FAILURE), task(2)]


def places(ids: tuple[str, ...]) -> list[int]:
    return [[t.id for t in TASKS].index(i) for i in ids]


def test_inputs_that_differ_become_columns() -> None:
    sweep = make_sweep(INPUTS)
    assert sweep.names == ("beta", "region")
    assert sweep.constant_inputs == (("gamma", "1"),)
    assert sweep.values[task_id(2)] == ("1e+02", None)
    assert make_sweep({}) == Sweep()


def test_columns_sort_as_numbers_with_missing_values_last() -> None:
    sweep = make_sweep(INPUTS)
    assert places(sort_rows(sweep, TASKS, SweepSort())) == [1, 0, 2]
    assert places(sort_rows(sweep, TASKS, SweepSort("0", reverse=True))) == [2, 0, 1]
    assert places(sort_rows(sweep, TASKS, SweepSort("1"))) == [1, 0, 2]
    assert places(sort_rows(sweep, TASKS, SweepSort(SORT_BY_FINISHED, reverse=True))) == [0, 1, 2]


def test_sorting_by_status_keeps_equal_tasks_together() -> None:
    sweep = make_sweep(INPUTS)
    ids = sort_rows(sweep, TASKS, SweepSort(SORT_BY_STATUS))
    statuses = [TASKS[place].status for place in places(ids)]
    assert statuses in (
        [Status.FAILURE, *[Status.SUCCESS] * 2],
        [*[Status.SUCCESS] * 2, Status.FAILURE],
    )


def test_sorting_by_the_same_key_again_reverses_the_order() -> None:
    assert SweepSort().toggled("0") == SweepSort("0", reverse=True)
    assert SweepSort().toggled("1") == SweepSort("1")
    assert SweepSort().toggled(SORT_BY_FINISHED) == SweepSort(SORT_BY_FINISHED, reverse=True)


def test_sweep_is_searched_by_name_value_and_id() -> None:
    sweep = make_sweep(INPUTS)
    found = {
        query: [place for place in range(3) if sweep.matches(task_id(place), query)]
        for query in ("region = ", "REGION", task_id(1)[:6], "gamma")
    }
    assert found == {"region = ": [0, 1, 2], "REGION": [0, 1, 2], task_id(1)[:6]: [1], "gamma": []}


def test_sweep_is_searched_by_numbers() -> None:
    sweep = make_sweep(INPUTS)
    expected = {
        "beta = 1": [],
        "beta = 10.0": [0],
        "beta > 9": [0, 2],
        "beta != 100": [0, 1],
        "gamma = 1": [0, 1, 2],
        "region > 1": [],
    }
    for query, places in expected.items():
        assert [n for n in range(3) if sweep.matches(task_id(n), query)] == places, query


def test_failure_rates_along_numbers_and_along_texts() -> None:
    tasks = [task(n, Status.FAILURE if n >= 15 else Status.SUCCESS) for n in range(20)]
    inputs = {
        t.id: (("n", str(n)), ("k", "1L" if n % 2 else "2L"), ("r", f'"r{n}"'))
        for n, t in enumerate(tasks)
    }
    sweep = make_sweep(inputs)
    assert failure_rates(sweep, tasks, 0, 4) == (
        FailureRate("0", 5, 0), FailureRate("4.75", 5, 0), FailureRate("9.5", 5, 0),
        FailureRate("19", 5, 5),
    )  # fmt: skip
    assert failure_rates(sweep, tasks, 1, 4) == (FailureRate("1L", 10, 3), FailureRate("2L", 10, 2))
    assert len(failure_rates(sweep, tasks, 2, 4)) == 4
    assert failure_rates(Sweep(("n",)), tasks, 0, 4) == ()


values = st.sampled_from(
    ["1", "2.5", "3L", "1e+05", "-Inf", "NaN", "1e+308", "-1e+308", "1.0", '"x"', "NULL"]
)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), max_size=10),
    st.sampled_from([SORT_BY_STATUS, SORT_BY_FINISHED, "0", "1"]),
    st.booleans(),
    st.integers(1, 5),
)
@settings(max_examples=150, deadline=None)
def test_failure_rates_count_every_task(
    given_: list[dict[str, str]], key: str, back: bool, parts: int
) -> None:
    tasks = [task(n)._replace(finished=None if n % 3 else NOW) for n in range(len(given_))]
    inputs = {t.id: tuple(pairs.items()) for t, pairs in zip(tasks, given_, strict=True)}
    sweep = make_sweep(inputs)
    assert sorted(sort_rows(sweep, tasks, SweepSort(key, back))) == sorted(inputs)
    for pairs in inputs.values():
        assert set(dict(sweep.constant_inputs)) | set(sweep.names) >= {name for name, _ in pairs}
    for place in range(len(sweep.names)):
        told = failure_rates(sweep, tasks, place, parts)
        assert len(told) <= parts and all(0 <= one.failed <= one.tasks for one in told)
