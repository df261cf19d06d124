from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.errors import FilterError
from hipercow_tui.moments import moment
from hipercow_tui.text import visible

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
        ("1 h", 3600),
        ("0 hours", 0),
        ("1 week ago", 7 * 86400),
        (" 10  Weeks ", 70 * 86400),
    ],
)
def test_so_long_ago(text: str, ago: float) -> None:
    assert moment(text, NOW) == NOW - ago


def test_dates_and_times_are_local_unless_they_say_otherwise() -> None:
    midnight = time.mktime((2026, 1, 31, 0, 0, 0, 0, 0, -1))
    assert moment("2026-01-31", NOW) == midnight
    assert moment(date(2026, 1, 31), NOW) == midnight
    assert moment(datetime(2026, 1, 31), NOW) == midnight
    assert moment("2026-01-31T12:00:00+00:00", NOW) == 1769860800.0
    assert moment("2026-01-31T12:00:00Z", NOW) == 1769860800.0
    assert moment(datetime(2026, 1, 31, 12, tzinfo=UTC), NOW) == 1769860800.0


def test_a_timedelta_is_that_long_ago_whatever_its_sign() -> None:
    assert moment(timedelta(days=2), NOW) == moment(timedelta(days=-2), NOW) == NOW - 2 * 86400


@pytest.mark.parametrize(
    "text", ["", "soon", "9", "9 fortnights", "2026-13-01", "9" * 40 + " days", "1.5 days"]
)
def test_what_is_no_time_is_told_with_what_to_write(text: str) -> None:
    with pytest.raises(FilterError):
        moment(text, NOW)


@pytest.mark.parametrize("value", [3, None, object()])
def test_other_kinds_of_values_are_refused(value: object) -> None:
    with pytest.raises(FilterError, match="finished_before"):
        moment(value, NOW)  # type: ignore[arg-type]


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_clean_sentence(text: str) -> None:
    try:
        assert isinstance(moment(text, NOW), float)
    except FilterError as error:
        assert visible(str(error)) == str(error)
