"""Fit text into terminal cells, and lay out the columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from hipercow_tui.support.text import escape_controls, truncate_middle

# Joiners and variation selectors combine several code points into one glyph, and terminals disagree
# on its width. Without them, each code point has the same width in every terminal.
_JOINING = dict.fromkeys((0x200C, 0x200D, *range(0xFE00, 0xFE10)))
_MAX_CHARACTERS = 400  # more than any terminal shows; bounds the cost of very long text
GAP = 1  # cells between two columns


def plain_text(text: str) -> str:
    """Return text from disk as one line of at most 400 characters, without control characters."""
    if text.isascii() and text.isprintable():
        return truncate_middle(text, _MAX_CHARACTERS)
    return escape_controls(truncate_middle(text, _MAX_CHARACTERS)).translate(_JOINING)


def fit(text: str, width: int) -> str:
    """Return the text padded or cut to exactly ``width`` cells; long text is cut in the middle."""
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
    """Return the text, cut at its end to ``width`` cells if it is longer, with ``…``."""
    if cell_len(text) <= width or width < 1:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def short_number(value: int, width: int) -> str:
    """Format a number in at most ``width`` cells, as exactly as possible: 12,345, 12345, 12k.

    Four cells are enough for a number below a trillion, three for one below 100,000.
    """
    for text in (f"{value:,}", f"{value}", f"{value // 1000}k", f"{value // 1_000_000}M"):
        if len(text) <= width:
            return text
    return f"{value // 1_000_000_000}G"


def short_size(number: int) -> str:
    """Format bytes, below 1000 exabytes, in at most four cells: ``361B``, ``9.2M``, ``120G``."""
    scaled, unit = float(number), ""
    for larger in "kMGTPE":
        if scaled < 999.5:
            break
        scaled, unit = scaled / 1000, larger
    text = f"{scaled:.1f}" if unit and scaled < 9.95 else f"{scaled:.0f}"
    return text + (unit or "B")


def join_cells(segments: Iterable[Segment], ground: Style) -> list[Segment]:
    """Return the same line in as few segments as possible.

    Each segment costs 40 bytes of output and 0.02 ms. Trailing blanks get the style ``ground``
    where that looks the same.
    """
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
    """Return the parts of a style that are visible on a blank."""
    return style.bgcolor, style.reverse, style.underline, style.strike


def _last_cells(text: str, width: int) -> str:
    """Return the longest end of the text that fits and does not begin with a combining mark."""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= width:
        start -= 1
    while start < len(text) and cell_len(text[start]) == 0:
        start += 1
    return text[start:]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, between ``min_width`` and ``max_width`` cells wide.

    On a narrow terminal, the columns with the largest ``rank`` are left out first. A column of
    rank 0 is never left out. With ``right``, the title is aligned to the right, as numbers are.
    """

    key: str
    title: str
    min_width: int
    max_width: int
    rank: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class PlacedColumn:
    """A column with its first cell and its width in cells."""

    column: Column
    start: int
    width: int


def chosen_columns(
    automatic: Sequence[Column], every: Sequence[Column], choice: Mapping[str, bool]
) -> Sequence[Column]:
    """Return the columns that the user chose, in the order of ``every``.

    ``choice`` says by key which columns are shown or hidden; the others are shown if they are
    ``automatic``. Chosen columns are left out last on a narrow terminal. Without any column, return
    the automatic ones.
    """
    known = {column.key: column for column in automatic}
    chosen = [
        replace(column, rank=min(column.rank, 1)) if column.key in choice else column
        for column in (known.get(column.key, column) for column in every)
        if choice.get(column.key, column.key in known)
    ]
    return chosen or automatic


def place_columns(
    columns: Sequence[Column], width: int, *, start: int = 0
) -> tuple[PlacedColumn, ...]:
    """Return the columns that fit into ``width`` cells, from the cell ``start`` on."""
    shown = list(columns)
    while len(shown) > 1 and _min_total(shown) > width - start:
        last = max(shown, key=lambda column: column.rank)
        if last.rank == 0:
            break
        shown.remove(last)
    widths = _distribute(shown, max(0, width - start - _min_total(shown)))
    result = []
    for column, cells in zip(shown, widths, strict=True):
        result.append(PlacedColumn(column, start, cells))
        start += cells + GAP
    return tuple(result)


def _min_total(columns: Sequence[Column]) -> int:
    return sum(column.min_width + GAP for column in columns) - GAP


def _distribute(columns: Sequence[Column], spare: int) -> list[int]:
    """Return the width of each column: its minimum and a proportional part of the spare cells."""
    growths = [column.max_width - column.min_width for column in columns]
    total = sum(growths)
    used = min(spare, total)
    return [
        column.min_width + (used * growth // total if total else 0)
        for column, growth in zip(columns, growths, strict=True)
    ]
