from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.analysis.comparison import Comparison, parse_comparison

OPERATORS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1e9, 1e9, allow_nan=False))
names = st.from_regex(r"[A-Za-z.][A-Za-z0-9._]{0,8}", fullmatch=True)
spaces = st.sampled_from(["", " ", "  "])


@given(names, st.sampled_from(sorted(OPERATORS)), numbers, numbers, spaces, spaces)
def test_a_comparison_holds_for_exactly_the_numbers_that_python_compares_so(
    name: str, sign: str, number: float, value: float, before: str, after: str
) -> None:
    comparison = parse_comparison(f"{before}{name}{after}{sign}{before}{number}{after}")
    assert comparison is not None
    expected = OPERATORS[sign](float(value), float(number))
    assert comparison.holds(((name, str(value)),)) is expected
    assert comparison.holds(((name.upper(), f"{value}"),)) is expected
    assert comparison.holds((), (f"run({name} = {value}, other_input = 1)",)) is expected
    assert not comparison.holds(((f"{name}2", str(number)),))


@given(names, numbers, numbers)
def test_equal_and_unequal_split_the_tasks_that_have_the_input(
    name: str, number: float, value: float
) -> None:
    equal, unequal = parse_comparison(f"{name}={number}"), parse_comparison(f"{name} != {number}")
    assert equal is not None and unequal is not None
    inputs = ((name, str(value)),)
    assert equal.holds(inputs) is not unequal.holds(inputs)


@given(names, st.sampled_from(sorted(OPERATORS)), numbers)
def test_a_value_that_is_no_number_is_never_found(name: str, sign: str, number: float) -> None:
    comparison = parse_comparison(f"{name} {sign} {number}")
    assert comparison is not None
    for value in ('"text"', "c(1, 2)", "NULL", "NaN", "TRUE", ""):
        assert not comparison.holds(((name, value),))
        assert not comparison.holds((), (f"run({name} = {value})",))


@given(st.text(max_size=30))
def test_any_text_is_a_comparison_or_a_text(text: str) -> None:
    comparison = parse_comparison(text)
    assert comparison is None or comparison.name == comparison.name.strip().casefold() != ""


@pytest.mark.parametrize(
    "query",
    [
        "",
        "beta",
        "beta =",
        "beta = ",
        "= 3",
        'region = "a"',
        "beta = 0.2 too small",
        "a = b = 3",
        "x <> 3",
        "beta = NaN",
        "-> 3 steps",
    ],
)
def test_other_queries_are_searches_of_text(query: str) -> None:
    assert parse_comparison(query) is None


def test_numbers_are_read_as_r_writes_them() -> None:
    assert parse_comparison("seed=3") == Comparison("seed", "=", 3.0)
    assert parse_comparison("Seed  >=  3L") == Comparison("seed", ">=", 3.0)
    assert parse_comparison("n < 1e+05") == Comparison("n", "<", 100_000.0)
    equal = parse_comparison("beta = 0.25")
    assert equal is not None
    assert equal.holds((("beta", "0.250"),))
    assert not equal.holds((("beta", "0.252"),))


def test_arguments_of_a_call_and_of_a_command_are_compared() -> None:
    above = parse_comparison("beta > 0.9")
    assert above is not None
    assert above.holds((), ("run_sir(beta = 0.91, n = 3)",))
    assert above.holds((), ("python fit.py --beta 0.95",))
    assert above.holds((), ("python fit.py --beta=0.95 --seed 1",))
    assert not above.holds((), ("run_sir(my.beta = 0.91)", "run_sir(beta)", "--beta fit 0.95"))
