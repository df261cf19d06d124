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


def test_a_line_of_attempts_in_order() -> None:
    made = chains("baa", "cba")
    assert made.chain("a") == made.chain("b") == made.chain("c") == ("a", "b", "c")
    assert [made.latest_attempt(name) for name in "abc"] == ["c", "c", "c"]


def test_what_was_never_retried_is_its_own_tip_and_has_no_chain() -> None:
    assert chains("baa").chain("x") == ()
    assert chains("baa").latest_attempt("x") == "x"


def test_the_order_of_lines_does_not_break_a_chain() -> None:
    assert chains("cba", "baa").chain("c") == ("a", "b", "c")


def test_a_fork_is_one_chain_and_its_tip_follows_the_first_line() -> None:
    made = chains("baa", "caa", "dba")
    assert made.chain("c") == ("a", "b", "d", "c")
    assert made.latest_attempt("a") == "d"
    assert made.latest_attempt("c") == "c"


def test_a_cycle_is_one_chain_without_a_tip() -> None:
    made = chains("baa", "aba")
    assert set(made.chain("a")) == {"a", "b"}
    assert made.latest_attempt("a") is None


def test_base_alone_ties_too() -> None:
    made = chains("cba")
    assert set(made.chain("a")) == {"a", "b", "c"}


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=12))
def test_chains_part_the_ids_and_every_link_stays_within_one(
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
def test_lines_are_what_the_general_way_makes_of_them(links: list[tuple[str, str, str]]) -> None:
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
