"""Text in terminal cells: cut and padded to an exact width, and the columns it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from hipercow_tui.support.text import escape_controls, truncate_middle

# Joiners and variation selectors make one sign of several, of a width that terminals disagree on:
# without them each code point has the width that every terminal gives it.
_JOINING = dict.fromkeys((0x200C, 0x200D, *range(0xFE00, 0xFE10)))
_MAX_CHARACTERS = (
    400  # characters looked at; wide enough for any terminal, and hostile text stays cheap
)
GAP = 1  # cells between two columns


def plain_text(text: str) -> str:
    """Text from disk as one harmless line of a bounded length, cut in the middle."""
    if text.isascii() and text.isprintable():
        return truncate_middle(text, _MAX_CHARACTERS)
    return escape_controls(truncate_middle(text, _MAX_CHARACTERS)).translate(_JOINING)


def fit(text: str, width: int) -> str:
    """The text in exactly ``width`` cells; what is too long loses its middle."""
    if text.isascii():
        return truncate_middle(text, width).ljust(width)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if width < 2:
        return "…"[:width]
    head = set_cell_size(text, width // 2)
    tail = _last_cells(text, width - 1 - cell_len(head))
    return set_cell_size(f"{head}…{tail}", width)


def cut_end(text: str, width: int) -> str:
    """The text, or as much of its beginning as fits, with a sign that there is more."""
    if cell_len(text) <= width or width < 1:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def join_cells(segments: Iterable[Segment], ground: Style) -> list[Segment]:
    """The same line in as few segments as can be: each costs 40 bytes to the terminal and 0.02 ms
    on the way there. Blanks behind a text are drawn as the ground where that looks the same."""
    texts: list[str] = []
    styles: list[Style] = []

    def add(text: str, style: Style) -> None:
        if styles and styles[-1] is style:
            texts[-1] += text
        elif text:
            texts.append(text)
            styles.append(style)

    blank = _blank_appearance(ground)
    for text, style, _ in segments:
        style = style or ground
        body = text.rstrip(" ") if style is ground or _blank_appearance(style) == blank else text
        add(body, style)
        add(" " * (len(text) - len(body)), ground)
    return list(map(Segment, texts, styles))


def _blank_appearance(style: Style) -> tuple[object, ...]:
    """What is seen of a style where there is no letter."""
    return style.bgcolor, style.reverse, style.underline, style.strike


def _last_cells(text: str, width: int) -> str:
    """As much of the end of the text as fits; it doesn't begin with a combining mark."""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= width:
        start -= 1
    while start < len(text) and cell_len(text[start]) == 0:
        start += 1
    return text[start:]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: between ``least`` and ``most`` cells wide.

    Where the terminal is narrow, columns give way: the one with the largest ``rank`` first, one of
    rank 0 never.
    """

    key: str
    title: str
    min_width: int
    max_width: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class PlacedColumn:
    """A column with the width it got, and the cell at which it begins."""

    column: Column
    start: int
    width: int


def place_columns(
    columns: Sequence[Column], width: int, *, start: int = 0
) -> tuple[PlacedColumn, ...]:
    """The columns that find room in ``width`` cells, spread over it, beginning at ``start``."""
    shown = list(columns)
    while len(shown) > 1 and _min_total(shown) > width - start:
        loser = max(shown, key=lambda column: column.rank)
        if loser.rank == 0:
            break
        shown.remove(loser)
    widths = _distribute(shown, max(0, width - start - _min_total(shown)))
    result = []
    for column, cells in zip(shown, widths, strict=True):
        result.append(PlacedColumn(column, start, cells))
        start += cells + GAP
    return tuple(result)


def _min_total(columns: Sequence[Column]) -> int:
    return sum(column.min_width + GAP for column in columns) - GAP


def _distribute(columns: Sequence[Column], spare: int) -> list[int]:
    """Each column's share of the spare cells, in proportion to how much it would like."""
    wishes = [column.max_width - column.min_width for column in columns]
    total = sum(wishes)
    given = min(spare, total)
    return [
        column.min_width + (given * request // total if total else 0)
        for column, request in zip(columns, wishes, strict=True)
    ]
