from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hipercow_tui.support.text import (
    decoded,
    escape_controls,
    format_age,
    format_duration,
    format_size,
    pluralize,
    short_id,
    tasks_and_bundles,
    truncate_middle,
)


@given(st.text() | st.binary().map(decoded))
def test_no_control_character_remains(text: str) -> None:
    shown = escape_controls(text)
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        )
    assert escape_controls(shown) == shown


def test_invisible_characters_are_shown() -> None:
    assert escape_controls("\x1b[31mred\x07\n\x7f") == "␛[31mred␇␊␡"
    assert escape_controls("a\u202eb\u009bc") == "a<202e>b<009b>c"
    assert escape_controls("µ = 0.5 ✓") == "µ = 0.5 ✓"
    assert decoded(b"caf\xe9") == "caf\\xe9"


@given(st.text(max_size=40), st.integers(0, 30))
def test_a_shortened_text_fits_and_keeps_both_ends(text: str, width: int) -> None:
    cut = truncate_middle(text, width)
    assert len(cut) <= width
    if len(text) > width >= 3:
        assert cut[0] == text[0] and cut[-1] == text[-1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "59 seconds ago"),
        (61, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400 * 22, "3 weeks ago"),
        (86400 * 400, "1 year ago"),
        (-50, "just now"),
    ],
)
def test_format_age_uses_the_largest_unit(seconds: float, text: str) -> None:
    assert format_age(1000.0, 1000.0 + seconds) == text


def test_numbers_are_formatted_with_their_nouns() -> None:
    assert pluralize(1, "task") == "1 task"
    assert pluralize(1204, "task") == "1,204 tasks"
    assert format_size(1_900_000_000) == "1.9 GB"
    assert format_duration(0.25) == "0.2 seconds"
    assert short_id("3f2a9c" + "0" * 22 + "71e0") == "3f2a9c…71e0"


@pytest.mark.parametrize(
    ("tasks", "bundles", "said"),
    [
        (1, 0, "1 task is"),
        (2, 0, "2 tasks are"),
        (1, 1, "1 task and 1 bundle are"),
        (1204, 12, "1,204 tasks and 12 bundles are"),
    ],
)
def test_tasks_and_bundles_have_the_right_verb(tasks: int, bundles: int, said: str) -> None:
    assert tasks_and_bundles(tasks, bundles, "is/are") == said
    assert tasks_and_bundles(tasks, bundles) == said.rpartition(" ")[0]
