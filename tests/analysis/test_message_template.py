from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipercow_tui.analysis.message_template import parse_message

ID = "3f2a9c0123456789abcdef0123456789"


def alike(message: str) -> str:
    return parse_message(message).pattern


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("step size too small: beta = 0.95", "step size too small: beta = <n>"),
        ("x = -1.5e-17, y = 1,204 and n = 4L", "x = <n>, y = <n> and n = <n>"),
        ("Can't find 'area' at step 7", "Can't find '…' at step <n>"),
        ("can't, won't, don't", "can't, won't, don't"),
        ("there is no package called ‘odin2’", "there is no package called '…'"),
        ('argument "seed" is missing', 'argument "…" is missing'),
        ("'it doesn't fit' here", "'…' here"),
        (f"task {ID} is gone", "task <id> is gone"),
        ("see 123e4567-e89b-12d3-a456-426614174000", "see <id>"),
        ("<environment: 0x55d0c8a1>", "<environment: <id>>"),
        ("cannot open /home/me/x_1.rds now", "cannot open <path> now"),
        (r"no Q:\data\x.csv, no \\wpia-hn\share\y", "no <path>, no <path>"),
        ("see data/region_3.rds. Or https://a.b/c?d=1", "see <path>. Or <path>"),
        ("and/or 3/4 of 12 / 5", "and/or <n>/<n> of <n> / <n>"),
        ("on 2026-01-31 12:00:01 at 03:04:05", "on <time> at <time>"),
        ("R 4.2.2 on wpia-012", "R <n> on wpia-<n>"),
        ("chain2 of theta[12]", "chain<n> of theta[<n>]"),
        ("lengths 3, 4, 5 and 6 differ", "lengths <n>, … differ"),
        ("columns 'a' and 'b' are missing", "columns '…', … are missing"),
        ("lines 1,\n  2\n and 3", "lines <n>, …"),
        ("at 3 4", "at <n> <n>"),
        ("defaced accede facade", "defaced accede facade"),
        ("\x1b[31mred\x1b[39m\n  ✖ 5 rows", "red ✖ <n> rows"),
        ("5% of %s, %d %", "<n>% of %s, %d %"),
        ("", ""),
    ],
)  # fmt: skip
def test_values_become_placeholders(message: str, pattern: str) -> None:
    assert alike(message) == pattern


def test_template_shows_values_at_places_that_do_not_differ() -> None:
    taken = parse_message("object 'gamma' not found at step 12 of 20, 30")
    assert taken.shown(()) == "object 'gamma' not found at step 12 of 20, 30"
    assert taken.shown({1}) == "object 'gamma' not found at step <n> of 20, 30"
    assert taken.values == ("'gamma'", "12", "20, 30")


messages = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ["step", " ", "'", '"', "’", "5", "-3", "1e-5", ".", ",", ", ", "/", "a/b.csv", "<n>",
             "C:\\", "and", " and ", "…", "'…'", "<", ">", "can't", ID, "0x1f", "2026-01-02", "\n"]
        ),
        max_size=14,
    ).map("".join),
)  # fmt: skip


@given(messages)
@settings(max_examples=400, deadline=None)
def test_pattern_of_a_pattern_is_itself(message: str) -> None:
    assert alike(alike(message)) == alike(message)


@given(messages)
@settings(max_examples=200, deadline=None)
def test_template_with_its_values_gives_the_message(message: str) -> None:
    plain = message.translate(str.maketrans("‘’“”", "''\"\""))
    lines = [" ".join(line.split()) for line in plain.splitlines()]
    if "\x1b" not in message:
        assert parse_message(message).shown(()).splitlines() == [line for line in lines if line]


words = st.from_regex(r"[a-z]{1,8}( [a-z]{1,8})?", fullmatch=True)
numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.integers(0, 9999).map(lambda n: f"{n}L"),
)


@given(st.lists(words, min_size=1, max_size=5), st.data())
def test_messages_that_differ_only_in_numbers_have_one_pattern(
    text: list[str], data: st.DataObject
) -> None:
    one, other = ("".join(f"{word} = {data.draw(numbers)}; " for word in text) for _ in range(2))
    assert alike(one) == alike(other)


@given(words, st.text(st.characters(exclude_characters="\n'\"‘’“”\x1b"), max_size=20), st.data())
@settings(max_examples=100, deadline=None)
def test_messages_that_differ_only_in_quoted_text_have_one_pattern(
    text: str, first: str, data: st.DataObject
) -> None:
    quotes = data.draw(st.sampled_from(["''", '""', "‘’", "“”"]))
    one, other = (f"{text} {quotes[0]}{value}{quotes[1]} {text}" for value in (first, "x"))
    assert alike(one) == alike(other)


@pytest.mark.parametrize("piece", ["'a", "a/", "/", "1,", "0", "a", "'", "ab12", "\\\\", "5 ", "."])
def test_parsing_any_message_is_fast(piece: str) -> None:
    began = time.process_time()
    parse_message(piece * 20_000)
    assert time.process_time() - began < 1.0
