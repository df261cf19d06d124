from __future__ import annotations

from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from small_root import NOW, task_id

from hipercow_tui.analysis.error_groups import parse_number
from hipercow_tui.analysis.sweep import (
    SORT_BY_FINISHED,
    SORT_BY_STATUS,
    Sweep,
    SweepSort,
    comparable_ids,
    input_key,
    make_sweep,
    sort_rows,
)
from hipercow_tui.domain.task import Lang, Status, Task


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
    assert places(sort_rows(sweep, TASKS, SweepSort(input_key("beta"), reverse=True))) == [2, 0, 1]
    assert places(sort_rows(sweep, TASKS, SweepSort(input_key("region")))) == [1, 0, 2]
    assert places(sort_rows(sweep, TASKS, SweepSort(SORT_BY_FINISHED, reverse=True))) == [0, 1, 2]


def test_sorting_by_status_keeps_equal_tasks_together() -> None:
    sweep = make_sweep(INPUTS)
    ids = sort_rows(sweep, TASKS, SweepSort(SORT_BY_STATUS))
    statuses = [TASKS[place].status for place in places(ids)]
    assert statuses in (
        [Status.FAILURE, *[Status.SUCCESS] * 2],
        [*[Status.SUCCESS] * 2, Status.FAILURE],
    )


def test_rows_stay_sorted_by_the_chosen_input_when_another_input_begins_to_differ() -> None:
    first = {task_id(n): (("alpha", "1"), ("beta", str(9 - n))) for n in range(2)}
    more = first | {task_id(2): (("alpha", "0"), ("beta", "5"))}
    before, after = make_sweep(first), make_sweep(more)
    assert (before.names, after.names) == (("beta",), ("alpha", "beta"))
    sort = SweepSort().resolved(before.names).toggled(input_key("beta"))
    assert places(sort_rows(before, TASKS[:2], sort)) == [0, 1]
    assert places(sort_rows(after, TASKS, sort)) == [0, 1, 2]


def test_input_named_as_another_column_has_a_sort_key_of_a_different_name() -> None:
    sweep = make_sweep({task_id(n): ((SORT_BY_STATUS, str(9 - n)),) for n in range(3)})
    assert places(sort_rows(sweep, TASKS, SweepSort(input_key(SORT_BY_STATUS)))) == [2, 1, 0]


def test_sorting_by_the_same_key_again_reverses_the_order() -> None:
    by_beta = SweepSort().resolved(("beta", "region"))
    assert by_beta.toggled(input_key("beta")) == SweepSort(input_key("beta"), reverse=True)
    assert by_beta.toggled(input_key("region")) == SweepSort(input_key("region"))
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


def test_successful_tasks_of_the_same_bundles_are_compared() -> None:
    tasks = [
        task(0, Status.FAILURE)._replace(bundles=("a", "b")),
        task(1)._replace(bundles=("a",)),
        task(2)._replace(bundles=("c",)),
        task(3, Status.FAILURE)._replace(bundles=("a",)),
        task(4, Status.RUNNING)._replace(bundles=("b",)),
        task(5)._replace(bundles=("c", "b")),
        task(6)._replace(bundles=("a",), lang=Lang.PY),
        task(7),
    ]
    known = {one.id: one for one in tasks}
    assert comparable_ids(known, [task_id(0), task_id(99)]) == (task_id(1), task_id(5))
    assert comparable_ids(known, [task_id(7)]) == ()


values = st.sampled_from(
    ["1", "2.5", "3L", "1e+05", "-Inf", "NaN", "1e+308", "-1e+308", "1.0", '"x"', "NULL"]
)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), max_size=10),
    st.sampled_from([SORT_BY_STATUS, SORT_BY_FINISHED, *map(input_key, "abc")]),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_rows_are_sorted_by_the_chosen_key_and_then_by_all_inputs(
    given_: list[dict[str, str]], key: str, back: bool
) -> None:
    tasks = [task(n)._replace(finished=None if n % 3 else NOW) for n in range(len(given_))]
    inputs = {t.id: tuple(pairs.items()) for t, pairs in zip(tasks, given_, strict=True)}
    sweep = make_sweep(inputs)
    ids = sort_rows(sweep, tasks, SweepSort(key, back))
    assert sorted(ids) == sorted(inputs)
    for pairs in inputs.values():
        assert set(dict(sweep.constant_inputs)) | set(sweep.names) >= {name for name, _ in pairs}

    def order_of(value: str | None) -> tuple[float, int, str]:
        number = None if value is None else parse_number(value)
        if number is not None:
            return number, 0, ""
        return inf, 2 if value is None else 1, value or ""

    rows = [tuple(map(order_of, sweep.values[i])) for i in ids]
    if not key.startswith("input:"):
        return
    place = sweep.places.get(key, len(sweep.names))
    chosen = [row[place : place + 1] for row in rows]
    assert chosen == sorted(chosen, reverse=back)
    equal = [pair for pair in pairwise(rows) if pair[0][place:][:1] == pair[1][place:][:1]]
    assert all(one <= other for one, other in equal)
