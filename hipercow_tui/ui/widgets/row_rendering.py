"""The cells of a table row, and their rendering as a strip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from hipercow_tui.ui.cells import GAP, Column, PlacedColumn, cut_end, fit, join_cells

# A part of a cell: its text, and its component class without the prefix.
TextPart: TypeAlias = tuple[str, str]
Cell: TypeAlias = tuple[TextPart, ...]

# Returns the style of component classes, later ones over earlier ones.
Styles: TypeAlias = Callable[..., Style]

GUTTER = 3  # cells before the first column: cursor, mark, sign of a pin or a note
# The mark of a row: all, some or none of its tasks are marked.
MARKED, PARTLY_MARKED, UNMARKED = "*", "-", " "
PINNED = "¶"
NOTED = "†"


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """The cells of a row, in the order of the columns of the layout."""

    cells: Sequence[Cell]
    mark: str = UNMARKED
    dimmed: bool = False
    in_range: bool = False
    sign: str = " "  # of a pin or a note


def sign_of(*, pinned: bool, noted: bool = False) -> str:
    """Return the sign of a row: a pin is more important than a note."""
    return PINNED if pinned else NOTED if noted else " "


def render_row(
    row: RenderedRow,
    layout: Sequence[PlacedColumn],
    width: int,
    style: Styles,
    *,
    cursor: str,
    needle: str,
) -> Strip:
    """Return a row as a strip of ``width`` cells.

    ``cursor`` is the component class of the cursor, or empty if the cursor is on another row.
    ``needle`` is the case-folded text to highlight, or empty.
    """
    below: tuple[str, ...] = ("ranged",) if row.in_range else ()
    if cursor:
        below = (cursor,)
    dimmed = "" if not row.dimmed else "cursor-dimmed" if cursor else "dimmed"
    ground = style(*below)
    mark = "+" if row.in_range and row.mark != MARKED else row.mark
    segments = [
        Segment("▌", style(*below, "bar")) if cursor else Segment(" ", ground),
        Segment(mark, ground if mark == UNMARKED else style(*below, "mark")),
        Segment(row.sign, ground if row.sign == " " else style(*below, "strong")),
    ]
    for placed, cell in zip(layout, row.cells, strict=True):
        for text, part_class in _fit_parts(cell, placed.width):
            name = dimmed or part_class
            names = (*below, name) if name else below
            segments.extend(_highlight_hit(text, names, style, needle))
        segments.append(Segment(" " * GAP, ground))
    return Strip(join_cells(segments, ground)).adjust_cell_length(width, ground)


def render_header(
    layout: Sequence[PlacedColumn],
    width: int,
    style: Styles,
    sort_arrow: Callable[[Column], str],
) -> Strip:
    """Return the titles of the columns, with an arrow at the column that is sorted by."""
    segments = [Segment(" " * GUTTER, style("header"))]
    for placed in layout:
        arrow = sort_arrow(placed.column)
        title = column_title(placed, arrow)
        segments.append(Segment(title, style("header", "sorted") if arrow else style("header")))
        segments.append(Segment(" " * GAP, style("header")))
    return Strip(segments).adjust_cell_length(width, style("header"))


def column_title(placed: PlacedColumn, arrow: str) -> str:
    """Return a title in exactly the width of its column: it is cut at its end, before the arrow."""
    width = placed.width
    title = cut_end(placed.column.title, width - len(arrow)) + arrow
    return title.rjust(width) if placed.column.right else set_cell_size(title, width)


def render_empty_line(lines: Sequence[str], y: int, size: Size, style: Styles) -> Strip:
    """Return line ``y`` of an empty table, which shows a text in its upper third."""
    number = y - max(1, (size.height - len(lines)) // 3)
    if not 0 <= number < len(lines):
        return Strip.blank(size.width, style())
    text = lines[number]
    indent = max(0, (size.width - cell_len(text)) // 2)
    segments = [
        Segment(" " * indent, style()),
        Segment(text, style("quiet" if number else "strong")),
    ]
    return Strip(segments).adjust_cell_length(size.width, style())


def _fit_parts(cell: Cell, width: int) -> Sequence[TextPart]:
    """Fit the parts of a cell: one part is cut in the middle, of several parts the last."""
    parts: list[TextPart] = []
    for at, (text, name) in enumerate(cell):
        last = at == len(cell) - 1
        shown = fit(text, width if last else min(width, cell_len(text)))
        width -= cell_len(shown)
        parts.append((shown, name))
    return parts


def _highlight_hit(
    text: str, names: tuple[str, ...], style: Styles, needle: str
) -> Sequence[Segment]:
    colours = style(*names)
    at = text.casefold().find(needle) if needle else -1
    if at < 0 and " = " in needle:  # a narrow column shows inputs without these blanks
        needle = needle.replace(" = ", "=")
        at = text.casefold().find(needle)
    if at < 0:
        return [Segment(text, colours)]
    end = at + len(needle)
    return [
        Segment(text[:at], colours),
        Segment(text[at:end], style(*names, "hit")),
        Segment(text[end:], colours),
    ]
