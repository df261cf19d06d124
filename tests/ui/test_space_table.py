"""The bars and shares of the table of space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hipercow_tui.analysis.space_rows import SpaceRow
from hipercow_tui.analysis.space_usage import Amount
from hipercow_tui.domain.task import Status
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.support.text import share_text
from hipercow_tui.ui.widgets.space_table import bar

BYTES = st.integers(1, 10**12)


def drawn(row: SpaceRow, largest: int, width: int) -> list[str]:
    return [text for text, _ in bar(row, SizeKind.APPARENT, largest, width)]


@given(BYTES, BYTES, st.integers(0, 10**12), st.integers(2, 40))
def test_a_bar_is_as_long_as_the_row_is_large_and_shows_a_part_that_stays(
    number: int, more: int, purgeable: int, width: int
) -> None:
    row = SpaceRow("a", "a", Amount(number), ("i",), Amount(min(purgeable, number)))
    parts = drawn(row, number + more, width)
    cells = sum(map(cell_len, parts))
    assert 1 <= cells <= width
    assert abs(cells - width * number / (number + more)) <= 1
    stays = number > purgeable
    short = round(width * number / (number + more)) <= 1
    assert not stays or short or "▒" in parts[1]
    assert stays or "▒" not in "".join(parts)
    assert cells == 1 or not purgeable or "█" in parts[0]


@given(st.dictionaries(st.sampled_from(Status), BYTES, min_size=1), st.integers(4, 40))
def test_the_bar_of_an_age_has_a_part_for_each_status(
    by_status: dict[Status, int], width: int
) -> None:
    amounts = {status: Amount(number) for status, number in by_status.items()}
    row = SpaceRow("a", "a", Amount(sum(by_status.values())), by_status=amounts)
    parts = drawn(row, row.amount.bytes, width)
    assert sum(map(len, parts)) == width
    for status, fill in ((Status.FAILURE, "█"), (Status.CANCELLED, "▓"), (Status.SUCCESS, "▒")):
        expected = width * by_status.get(status, 0) / row.amount.bytes
        assert abs("".join(parts).count(fill) - expected) <= 1


def test_a_short_bar_of_which_a_part_stays_is_not_longer_than_one_that_can_go() -> None:
    row = SpaceRow("a", "a", Amount(30), ("i", "j"), Amount(29))
    assert drawn(row, 1000, 6) == drawn(SpaceRow("a", "a", Amount(30)), 1000, 6) == ["▏"]


def test_only_nothing_has_no_bar() -> None:
    assert drawn(SpaceRow("a", "a", Amount()), 10, 8) == [""]
    assert drawn(SpaceRow("a", "a", Amount(1)), 10**9, 8) == ["▏"]
    assert drawn(SpaceRow("lib", "lib", Amount(30), note="libraries"), 10, 8) == ["░" * 8]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1, 3, "33.3 %"), (3, 3, "100 %"), (1, 10**6, "<0.1 %"), (0, 3, ""), (0, 0, "")],
)
def test_share_of_the_whole(part: int, whole: int, text: str) -> None:
    assert share_text(part, whole) == text
