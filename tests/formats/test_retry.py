"""The lines of ``retry``: links, and lines that may be half written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_root import task_id

from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.formats.r_layout import parse_bundle, parse_retry, unfinished_ids

A, B, C = map(task_id, (1, 2, 3))
WHOLE = f"{B},{A},{A}\n"


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("", ()),
        (WHOLE, ()),
        pytest.param(WHOLE * 20_000, (), id="long"),
        (f"{B},{A},{A}\r\n", ()),
        (f'"{B}","{A}","{A}"\n', ()),
        (f"{WHOLE}\n", ()),
        (f"{WHOLE}{C},{B},{A}", (C, B, A)),
        (f"{WHOLE}{C},{B},{A[:5]}", (C, B, A[:5])),
        (f"{WHOLE}{C},", (C,)),
        (f"{WHOLE}{C[:1]}", (C[:1],)),
        (f"{WHOLE}{C},{B}\n", (C, B)),
        (f"{C},{B}", (C, B)),
        (f"{C},{B}\n{WHOLE}", ()),
        (f"{WHOLE}no id, {A}, {B} and more", (A,)),
        ("x" * 5000, ()),
        (f"{WHOLE}\0\0\0", ()),
    ],
)
def test_ids_in_a_last_line_that_may_be_half_written(
    text: str, unfinished: tuple[str, ...]
) -> None:
    assert unfinished_ids(text.encode()) == unfinished


def test_a_last_line_without_a_newline_is_read_as_r_reads_it() -> None:
    assert parse_retry(f"{B},{A},{A}".encode()) == ((RetryLink(B, A, A),), None)


@given(
    st.lists(st.tuples(st.sampled_from([WHOLE[:-1], A, "", " x", f"{C},{B},{A}"]), st.booleans())),
    st.sampled_from(["", f"{C},{B}", "\r"]),
)
def test_lines_that_end_in_crlf_are_read_as_those_that_end_in_lf(
    lines: list[tuple[str, bool]], rest: str
) -> None:
    plain = "".join(f"{line}\n" for line, _ in lines) + rest
    mixed = "".join(line + ("\r\n" if crlf else "\n") for line, crlf in lines) + rest
    assert parse_retry(mixed.encode()) == parse_retry(plain.encode())
    assert parse_bundle(mixed.encode(), "x") == parse_bundle(plain.encode(), "x")
    assert unfinished_ids(mixed.encode()) == unfinished_ids(plain.encode())
