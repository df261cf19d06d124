from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.domain.retry_chains import (
    RetryChains,
    RetryLink,
    _connected_components,
    _follow_retries,
    _order_attempts,
)

NAMES = st.sampled_from("abcdefgh")


def chains(*lines: str) -> RetryChains:
    return RetryChains(tuple(RetryLink(*line) for line in lines))


def test_linear_chain_is_in_order() -> None:
    made = chains("baa", "cba")
    assert made.chain("a") == made.chain("b") == made.chain("c") == ("a", "b", "c")
    assert [made.latest_attempt(name) for name in "abc"] == ["c", "c", "c"]


def test_task_without_retries_is_its_latest_attempt_and_has_no_chain() -> None:
    assert chains("baa").chain("x") == ()
    assert chains("baa").latest_attempt("x") == "x"


def test_the_order_of_lines_does_not_break_a_chain() -> None:
    assert chains("cba", "baa").chain("c") == ("a", "b", "c")


def test_fork_is_one_chain_and_its_latest_attempt_follows_the_first_line() -> None:
    made = chains("baa", "caa", "dba")
    assert made.chain("c") == ("a", "b", "d", "c")
    assert made.latest_attempt("a") == "d"
    assert made.latest_attempt("c") == "c"


def test_cycle_is_one_chain_without_a_latest_attempt() -> None:
    made = chains("baa", "aba")
    assert set(made.chain("a")) == {"a", "b"}
    assert made.latest_attempt("a") is None


def test_base_alone_connects_tasks() -> None:
    made = chains("cba")
    assert set(made.chain("a")) == {"a", "b", "c"}


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=12))
def test_chains_are_disjoint_and_contain_every_link(
    links: list[tuple[str, str, str]],
) -> None:
    made = RetryChains(tuple(RetryLink(*link) for link in links))
    for link in links:
        assert made.chain(link[0]) == made.chain(link[1]) == made.chain(link[2])
    for member in made.members():
        chain = made.chain(member)
        assert chain.count(member) == 1
        tip = made.latest_attempt(member)
        assert tip is None or tip in chain


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=12))
def test_linear_chains_equal_the_result_of_the_general_algorithm(
    links: list[tuple[str, str, str]],
) -> None:
    retries = [RetryLink(*link) for link in links]
    made = RetryChains(tuple(retries))
    following: dict[str, list[str]] = {}
    for link in retries:
        following.setdefault(link.parent, []).append(link.id)
    for members in _connected_components(retries):
        ordered = _order_attempts(members, following)
        for member in ordered:
            assert made.chain(member) == ordered
            assert made.latest_attempt(member) == _follow_retries(member, following)
