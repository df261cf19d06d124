"""Sizes as users type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.size_text import UNITS, parse_percent, parse_size
from hipercow_tui.support.text import format_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20 GB", 20 * 10**9),
        ("20GB", 20 * 10**9),
        ("20 GiB", 20 * 2**30),
        ("20gib", 20 * 2**30),
        ("1.5 kB", 1500),
        ("1,5 KB", 1500),
        ("0 B", 0),
        (" 3 TB ", 3 * 10**12),
    ],
)
def test_sizes_have_units_of_1000_or_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("20", "'20 GB' (units of 1000) or '20 GiB'"),
        ("20G", "'20 GB' (units of 1000) or '20 GiB'"),
        ("5 m", "'5 MB'"),
        ("many", "write a number and a unit"),
        ("-3 GB", "write a number and a unit"),
        ("1e3 GB", "write a number and a unit"),
        ("٣ GB", "write a number and a unit"),
        ("99999999999 PB", "larger than any disk"),
        ("nan GB", "write a number and a unit"),
        ("5 \x1b[31mGB", "␛"),
    ],
)
def test_a_bad_size_is_a_sentence(text: str, part: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_size(text)
    assert part in str(caught.value)
    assert "\x1b" not in str(caught.value)


@given(st.integers(1, 999), st.sampled_from(sorted(unit for unit in UNITS if unit[0] != "E")))
def test_every_printed_size_can_be_typed(number: int, unit: str) -> None:
    size = parse_size(f"{number} {unit}")
    assert size == number * UNITS[unit]
    again = parse_size(format_size(size))
    assert abs(again - size) <= size * 0.05 + 1


@pytest.mark.parametrize(
    ("text", "number"), [("15 %", 15), ("15%", 15), ("2,5", 2.5), (" 0 ", 0), ("100", 100)]
)
def test_percentages_may_lack_the_sign(text: str, number: float) -> None:
    assert parse_percent(text) == number


@pytest.mark.parametrize("text", ["", "101", "-1", "1e1", "15 GB", "% 5", "٣ %"])
def test_a_bad_percentage_gets_a_sentence(text: str) -> None:
    with pytest.raises(FilterError, match="not a percentage"):
        parse_percent(text)
