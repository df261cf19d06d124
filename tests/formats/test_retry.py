"""The lines of ``retry``: links, and lines that may be half written."""

from __future__ import annotations

import pytest
from small_root import task_id

from hipercow_tui.domain.retry_chains import RetryLink
from hipercow_tui.formats.r_layout import parse_retry, unfinished_ids

A, B, C = map(task_id, (1, 2, 3))
WHOLE = f"{B},{A},{A}\n"


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("", ()),
        (WHOLE, ()),
        (WHOLE * 20_000, ()),
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
