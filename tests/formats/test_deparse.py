from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui.formats.rlang.deparse import LIMIT, deparse, deparse_short, one_line
from hipercow_tui.formats.rlang.rds import files
from hipercow_tui.formats.rlang.values import (
    RS4,
    RBuiltin,
    REnvironment,
    RLanguage,
    RList,
    RNull,
    ROpaque,
    RPairlist,
    RSymbol,
    RValue,
    RVector,
)

RECORDED = Path(__file__).parent.parent / "data" / "deparse"
X = RSymbol("x")


def recorded() -> list[tuple[RValue, list[str]]]:
    values = files.read((RECORDED / "values.rds").read_bytes())
    expected = json.loads((RECORDED / "expected.json").read_text("utf-8"))
    assert isinstance(values, RList)
    return list(zip(values.values, expected, strict=True))


def reals(*numbers: float) -> RVector:
    return RVector("double", numbers)


def call(function: str, *arguments: RValue) -> RLanguage:
    return RLanguage(RSymbol(function), tuple((None, value) for value in arguments))


def nested(depth: int, function: str = "f") -> RValue:
    value: RValue = X
    for _ in range(depth):
        value = call(function, value)
    return value


def test_the_largest_complex_number_is_written_with_digits() -> None:
    assert deparse(RVector("complex", (1 + 1.797693134862315e308j,))) == [
        "0e+00+1.79769313486231e+308i"
    ]
    assert "inf" not in deparse(RVector("complex", (-1.797693134862315e308 + 1j,)))[0]


def test_every_recorded_value_is_written_as_in_r() -> None:
    pairs = recorded()
    assert len(pairs) > 800
    wrong = [(deparse(value), lines) for value, lines in pairs if deparse(value) != lines]
    assert wrong == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ROpaque("externalptr"), "<pointer>"),
        (ROpaque("weakref"), "<weak reference>"),
        (ROpaque("bytecode"), "<bytecode>"),
        (REnvironment("local"), "<environment>"),
        (RBuiltin("sum"), '.Primitive("sum")'),
        (RS4((("class", RVector("character", ("Person",))),)), '<S4 object of class "Person">'),
        (RS4(), '<S4 object of class "?">'),
        (RSymbol(""), ""),
    ],
)
def test_values_without_code_are_written_as_a_name(value: RValue, text: str) -> None:
    assert deparse(value) == [text]


def test_calls_with_too_few_arguments_are_written() -> None:
    for name in ("if", "for", "while", "repeat", "function", "(", "[", "[[", "<-", "$", "::", "!"):
        assert deparse(RLanguage(RSymbol(name), ()))[0]


def test_formals_that_are_not_a_pairlist_are_left_out() -> None:
    assert deparse(call("function", reals(1), X)) == ["function() x"]


def test_nesting_up_to_the_limit_of_r_is_written_completely() -> None:
    assert deparse(nested(4000)) == ["f(" * 4000 + "x" + ")" * 4000]


def test_deeper_nesting_is_truncated() -> None:
    (line,) = deparse(nested(20_000))
    assert line.startswith("f(f(f(")
    assert line.endswith("f([...]")


def test_long_text_is_truncated_at_the_limit() -> None:
    for value in (
        RVector("character", ("x" * (3 * LIMIT),)),
        RVector("character", ("\n" * (3 * LIMIT),)),
        RVector("logical", (True,) * LIMIT),
        nested(4000, "{"),
    ):
        lines = deparse(value)
        assert lines[-1].endswith("[...]")
        assert sum(map(len, lines)) == LIMIT + len("[...]")


def test_a_huge_value_takes_no_more_time_than_its_limit() -> None:
    value = RVector("double", tuple(index / 7 for index in range(300_000)))
    began = time.process_time()
    assert deparse_short(value, 40) == "c(0, 0.142857142857143, … +299998 more)"
    assert time.process_time() - began < 0.1


def test_lone_surrogates_and_null_characters_are_written() -> None:
    assert deparse(RVector("character", ("\ud800\0",))) == ['"\\ud800\\0"']
    assert deparse(RSymbol("\ud800")) == ["\ud800"]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["f(x)"], "f(x)"),
        (["{", "    a <- 1", "    a + 2", "}"], "{ a <- 1; a + 2 }"),
        (["f(a, ", "    b)"], "f(a, b)"),
        (["{", "    if (a) ", "        b", "    else c", "}"], "{ if (a) b else c }"),
        (["function (x) ", "x + 1"], "function (x) x + 1"),
        (["c(1, 2", ")"], "c(1, 2 )"),
        (["{", "}"], "{ }"),
        ([""], ""),
        ([], ""),
    ],
)
def test_one_line_joins_lines_to_valid_code(lines: list[str], text: str) -> None:
    assert one_line(lines) == text


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (reals(0.9), 20, "0.9"),
        (reals(*range(1, 41)), 24, "c(1, 2, 3, … +37 more)"),
        (reals(*range(1, 41)), 5, "c(… +40 more)"),
        (RList((X, *map(reals, range(1, 10)))), 22, "list(x, 1, … +8 more)"),
        (
            RVector("integer", (1, 3, 5), (("names", RVector("character", ("a", "b c", "d"))),)),
            22,
            "c(a = 1L, … +2 more)",
        ),
        (RVector("integer", tuple(range(1, 1001))), 20, "1:1000"),
        (call("f", *[X] * 40), 20, "f(x, x, x, x, x[...]"),
        (RVector("character", ("a long string",)), 10, '"a lo[...]'),
        (RNull(), 20, "NULL"),
    ],
)
def test_short_text_ends_with_what_is_left_out(value: RValue, width: int, text: str) -> None:
    assert deparse_short(value, width) == text


leaves = st.one_of(
    st.builds(RSymbol, st.text(max_size=4)),
    st.builds(RVector, st.just("character"), st.tuples(st.none() | st.text(max_size=4))),
    st.builds(RVector, st.just("double"), st.tuples(st.none() | st.floats())),
    st.builds(
        RVector, st.just("complex"), st.tuples(st.none() | st.complex_numbers(allow_nan=True))
    ),
    st.builds(RVector, st.just("integer"), st.lists(st.integers(-9, 9)).map(tuple)),
    st.builds(RVector, st.just("raw"), st.lists(st.integers(0, 255)).map(tuple)),
    st.just(RNull()),
)
OPERATORS = ["+", "-", "!", "if", "for", "function", "{", "[", "[[", "$", "<-", "=", "::", "%in%"]


def _nested_values(inner: st.SearchStrategy[RValue]) -> st.SearchStrategy[RValue]:
    tags = st.none() | st.text(max_size=3)
    tagged = st.lists(st.tuples(tags, inner), max_size=4).map(tuple)
    attributes = st.lists(
        st.tuples(st.sampled_from(["names", "class", "dim", "dimnames", "odd name"]), inner),
        max_size=2,
    ).map(tuple)
    return st.one_of(
        st.builds(RLanguage, st.sampled_from(OPERATORS).map(RSymbol) | inner, tagged),
        st.builds(RPairlist, tagged, attributes),
        st.builds(RList, st.lists(inner, max_size=4).map(tuple), attributes),
        st.builds(
            RVector, st.just("integer"), st.lists(st.integers(), max_size=3).map(tuple), attributes
        ),
    )


@given(st.recursive(leaves, _nested_values, max_leaves=20), st.integers(0, 80))
@settings(max_examples=200, deadline=None)
def test_the_text_of_any_value_is_within_its_limit(value: RValue, width: int) -> None:
    assert deparse(value)
    assert sum(map(len, deparse(value, limit=width))) <= width + len("[...]")
    assert len(deparse_short(value, width)) <= max(width, len("structure(c(… +10 more)"))
