from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.domain.cutoff_time import EXPECTED, parse_cutoff
from hipercow_tui.support.errors import FilterError
from hipercow_tui.support.text import (
    AGE_UNITS,
    AgeUnit,
    escape_controls,
    format_age,
    format_duration,
)
from hipercow_tui.ui.widgets.task_cells import short_age

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("9 days", 9 * 86400),
        ("12 days", 12 * 86400),
        ("1 day", 86400),
        ("3d", 3 * 86400),
        ("2 w", 14 * 86400),
        ("1 week", 7 * 86400),
        ("6 hours", 6 * 3600),
        ("30 min", 1800),
        ("30 minutes", 1800),
        ("5 mins", 300),
        ("45 s", 45),
        ("45 secs", 45),
        ("1 month", 30 * 86400),
        ("3 mo", 90 * 86400),
        ("2mo", 60 * 86400),
        ("1 year", 365 * 86400),
        ("2 y ago", 730 * 86400),
        ("just now", 0),
        ("now", 0),
        ("1 h", 3600),
        ("0 hours", 0),
        ("1 week ago", 7 * 86400),
        (" 10  Weeks ", 70 * 86400),
        ("0000009 days", 9 * 86400),
        ("0000000000000009 days", 9 * 86400),
        ("+9 days", 9 * 86400),
        ("-9 days", 9 * 86400),
        ("000 h", 0),
    ],
)
def test_relative_time_is_subtracted_from_now(text: str, ago: float) -> None:
    assert parse_cutoff(text, NOW) == NOW - ago


def test_dates_and_times_are_local_unless_they_say_otherwise() -> None:
    midnight = time.mktime((2026, 1, 31, 0, 0, 0, 0, 0, -1))
    assert parse_cutoff("2026-01-31", NOW) == midnight
    assert parse_cutoff(date(2026, 1, 31), NOW) == midnight
    assert parse_cutoff(datetime(2026, 1, 31), NOW) == midnight
    assert parse_cutoff("2026-01-31T12:00:00+00:00", NOW) == 1769860800.0
    assert parse_cutoff("2026-01-31T12:00:00Z", NOW) == 1769860800.0
    assert parse_cutoff(datetime(2026, 1, 31, 12, tzinfo=UTC), NOW) == 1769860800.0


def test_timedelta_is_subtracted_whatever_its_sign() -> None:
    assert (
        parse_cutoff(timedelta(days=2), NOW)
        == parse_cutoff(timedelta(days=-2), NOW)
        == NOW - 2 * 86400
    )


LAST_OF_JANUARY = ["2026-01-31", "20260131", "2026-W05-6", "2026W056"]
NOON = ["12", "12:00", "1200", "12:00:00", "120000", "12:00:00.0", "12:00:00,0", "12:00:00.0000000"]


@pytest.mark.parametrize("day", LAST_OF_JANUARY)
def test_dates_and_times_of_iso_8601(day: str) -> None:
    assert parse_cutoff(day, NOW) == parse_cutoff(date(2026, 1, 31), NOW)
    for between in "T ":
        for hour in NOON:
            assert parse_cutoff(f"{day}{between}{hour}", NOW) == parse_cutoff(
                datetime(2026, 1, 31, 12), NOW
            )
            for zone, seconds in (("Z", 0), ("+02", 7200), ("-0230", -9000), ("+02:00", 7200)):
                there = parse_cutoff(f" {day}{between}{hour}{zone} ", NOW)
                assert there == 1769860800.0 - seconds
    assert parse_cutoff("2026-01-31 12:00:00,5Z", NOW) == parse_cutoff(
        "2026-01-31 12:00:00.5Z", NOW
    )
    assert parse_cutoff("2026-01-31 12:00:00,5Z", NOW) == 1769860800.5


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "9", "1.5 days", "days", "٩ days"),
        *("2026", "2026-01", "2026-W05", "2026W05", "2026-031", "2026031", "2026-1-31", "26-01-31"),
        *("2026-13-01", "2026-02-30", "2026-W54-1", "2026-W05-8", "31/01/2026", "٢٠٢٦-01-31"),
        *("12:00", "24:00", "2026-01-31 24:00", "2026-01-31T24:00:00", "2026-01-31 23:60"),
        *("2026-01-31 12:00:60", "2026-01-31 12.5", "2026-01-31 12:00,5", "2026-01-31 12:00:00,"),
        *("2026-01-31x12:00", "2026-01-31-12:00", "2026-01-31+02:00", "2026-01-31  12:00"),
        *("2026-01-31T12:00 +02:00", "2026-01-31T12:00+02:00:30", "2026-01-31T12:0000"),
    ],
)
def test_text_that_is_not_a_time_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_cutoff(text, NOW)
    assert EXPECTED in str(caught.value) and escape_controls(text.strip()) in str(caught.value)


def test_unknown_unit_is_refused_with_the_accepted_forms() -> None:
    with pytest.raises(FilterError, match="'fortnights' is not a unit of time: write an age"):
        parse_cutoff("9 fortnights", NOW)


@pytest.mark.parametrize("unit", AGE_UNITS)
def test_every_unit_is_named_in_the_accepted_forms(unit: AgeUnit) -> None:
    assert re.search(rf"\b{unit.symbol}\b", EXPECTED)


@given(st.floats(min_value=-100, max_value=999 * 365 * 86400))
def test_printed_ages_can_be_typed_back_within_their_rounding(age: float) -> None:
    printed = format_age(NOW - age, NOW)
    words = [printed, short_age(printed)]
    if age >= 1:
        words += [format_duration(age), short_age(format_duration(age))]
    for text in words:
        rounded = NOW - parse_cutoff(text, NOW)
        assert rounded <= max(0, age) + 1e-3
        assert age < max(2 * rounded, 10) + 1e-3


@pytest.mark.parametrize("text", ["9" * 40 + " days", "1000000000000 w"])
def test_times_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(FilterError, match="is out of range"):
        parse_cutoff(text, NOW)


@pytest.mark.parametrize("value", [3, None, object()])
def test_other_kinds_of_values_are_refused(value: object) -> None:
    with pytest.raises(FilterError, match="finished_before"):
        parse_cutoff(value, NOW)  # type: ignore[arg-type]


@given(st.text(max_size=30))
def test_any_text_gives_a_time_or_a_clean_message(text: str) -> None:
    try:
        assert isinstance(parse_cutoff(text, NOW), float)
    except FilterError as error:
        assert escape_controls(str(error)) == str(error)
