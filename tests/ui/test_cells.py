from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from hipercow_tui.support.text import escape_controls
from hipercow_tui.ui.cells import GAP, Column, chosen_columns, fit, place_columns, plain_text
from hipercow_tui.ui.widgets.row_rendering import _highlight_hit

COLUMNS = (
    Column("a", "a", 11, 11),
    Column("b", "b", 10, 40, 1),
    Column("c", "c", 8, 20, 3),
    Column("d", "d", 4, 4, 2),
)
HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\r\n\t\u202e\u2066\u200b\u200d\ufe0f\u0301表🐄👩\U000e0041[]"),
    ),
    max_size=60,
)


@given(HOSTILE, st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_fit_returns_the_exact_width_for_any_text(text: str, width: int) -> None:
    shown = fit(plain_text(text), width)
    assert cell_len(shown) == width
    assert escape_controls(shown) == shown, "nothing a terminal would obey"


def test_names_are_cut_in_the_middle() -> None:
    assert fit("forecast-2026-w48", 9) == "fore…-w48"
    assert fit("表表表表表", 7) == "表 …表 "
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 0) == ""


def test_plain_text_reads_only_the_beginning_of_a_long_text() -> None:
    assert len(plain_text("x" * 10_000)) <= 400
    assert len(plain_text("a\u0301" * 10_000)) <= 400


@given(st.integers(0, 200))
@settings(deadline=None)
def test_columns_never_overlap_and_use_the_width(width: int) -> None:
    layout = place_columns(COLUMNS, width, start=3)
    assert layout[0].column.key == "a", "a column of rank 0 never gives way"
    for one, after in pairwise(layout):
        assert one.start + one.width + GAP == after.start
    if width >= 3 + 11:
        assert layout[-1].start + layout[-1].width <= width


def test_columns_are_left_out_by_rank() -> None:
    def keys(width: int) -> str:
        return "".join(one.column.key for one in place_columns(COLUMNS, width))

    assert [keys(width) for width in (40, 36, 35, 27, 26, 22, 21)] == [
        "abcd", "abcd", "abd", "abd", "ab", "ab", "a",
    ]  # fmt: skip


def test_a_hit_is_highlighted_in_inputs_with_and_without_blanks() -> None:
    def style(*names: str) -> Style:
        return Style(bold="hit" in names)

    def hit(text: str, needle: str) -> list[str]:
        parts = _highlight_hit(text, (), style, needle)
        return [part.text for part in parts if part.style and part.style.bold]

    assert hit("Beta = 0.95, x = 1", "beta = 0.95") == ["Beta = 0.95"]
    assert hit("beta=0.95 x=1", "beta = 0.95") == ["beta=0.95"]
    assert hit("gamma=0.95 x=1", "beta = 0.95") == []


@given(st.dictionaries(st.sampled_from("abcdx"), st.booleans()))
def test_chosen_columns_are_those_of_the_choice_and_else_automatic(choice: dict[str, bool]) -> None:
    automatic = COLUMNS[:2]
    shown = [column.key for column in chosen_columns(automatic, COLUMNS, choice)]
    wanted = [column.key for column in COLUMNS if choice.get(column.key, column in automatic)]
    assert shown == (wanted or ["a", "b"])
