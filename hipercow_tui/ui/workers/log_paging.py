"""Pages of a log, laid out for the room there is, and the ways to turn them.

A page is known by the byte offset of its first line, so that no index of lines is needed; only a
search reads more than a few blocks around it. All of this is for the thread that reads: the screen
draws what it shows and no more, however long a line is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from rich.ansi import AnsiDecoder
from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from hipercow_tui.formats.log_file import Log, LogLine, LogState
from hipercow_tui.formats.log_patterns import COLOUR, LogQuery, Severity, severity_of


@dataclass(frozen=True, slots=True)
class Viewport:
    """The room there is: rows, and cells a row; lines that are longer go on below if ``wrap``."""

    width: int
    height: int
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row on the screen, in its colours; ``sign`` is what its line tells of.

    ``start`` is where its line begins, ``end`` where that ends.
    """

    start: int
    end: int
    text: Text
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Page:
    """What is in sight: ``rows``, of lines from the offset ``top`` on, without the first ``skip``
    rows of the first of them and ``left`` cells of each.

    It was laid out for ``shape``. ``size`` and ``file`` are the state of the log. ``error`` is a
    sentence on why it can't be read, ``said`` one on what came of a search, ``searched`` how much
    of its way a search has gone. ``hit`` is where the line begins that was found last.
    """

    shape: Viewport
    rows: tuple[LogRow, ...] = ()
    top: int = 0
    skip: int = 0
    left: int = 0
    size: int = 0
    file: int = 0
    at_end: bool = True
    error: str = ""
    said: str = ""
    searched: float | None = None
    hit: int | None = None

    @property
    def part(self) -> float:
        """How much of the log stands before the end of the page."""
        return self.rows[-1].end / self.size if self.rows and self.size else 1.0


Navigation: TypeAlias = Callable[[Log, Page, Viewport], Page]

_STEADY = Style(blink=False, blink2=False, conceal=False)
_TELLING = 4096  # characters of a line that are asked whether it tells of an error
_MARKS = 8  # characters a cell that are looked at: accents may stand on their own


def to_start(log: Log, page: Page, shape: Viewport) -> Page:
    """The first page."""
    return _from(log, replace(page, hit=None), shape, 0, 0)


def to_end(log: Log, page: Page, shape: Viewport) -> Page:
    """The last page."""
    state = log.state()
    rows: list[LogRow] = []
    for line in reversed(log.lines_before(state.size, shape.height)):
        rows = _rows(line, shape, page.left) + rows
        if len(rows) >= shape.height:
            break
    return _page(page, state, rows, max(0, len(rows) - shape.height), shape, at_end=True)


def stay(log: Log, page: Page, shape: Viewport) -> Page:
    """The same place, in another shape; a search that was under way is none any more."""
    same_rows = replace(shape, height=0) == replace(page.shape, height=0)
    if page.at_end:
        there = to_end(log, page, shape)
    else:
        there = _from(log, page, shape, page.top, page.skip if same_rows else 0)
    return replace(there, said=page.said)


def follow(log: Log, page: Page, shape: Viewport) -> Page:
    """The same place, or the new end if the end was in sight; the same page if nothing changed."""
    state = log.state()
    anew = state.file != page.file or state.size < page.size
    if not anew and state.size == page.size and not page.error:
        return page
    if page.at_end or anew:
        began = anew and page.rows
        said = "The log was begun anew" if began else page.said
        return replace(to_end(log, page, shape), said=said, hit=None if anew else page.hit)
    return replace(page, size=state.size, error="")


def by_rows(rows: int) -> Navigation:
    """Turns by rows: down, or up if negative."""
    return partial(_by_rows, rows)


def by_cells(cells: int) -> Navigation:
    """Turns to what stands further right in long lines, or left if negative."""
    return partial(_by_cells, cells)


def _by_rows(rows: int, log: Log, page: Page, shape: Viewport) -> Page:
    top, skip = page.top, page.skip + rows
    if skip < 0:
        top, skip = _above(log, shape, top, -skip)
    else:
        for line in log.lines_after(top, skip + 1):
            height = _height(line, shape)
            if skip < height:
                break
            top = line.end
            skip -= height
    return _from(log, page, shape, top, skip)


def _by_cells(cells: int, log: Log, page: Page, shape: Viewport) -> Page:
    left = 0 if shape.wrap else max(0, page.left + cells)
    return stay(log, replace(page, left=left), shape)


def _above(log: Log, shape: Viewport, top: int, rows: int) -> tuple[int, int]:
    """The line, and how many of its rows to skip, so many rows above the line at ``top``."""
    for line in reversed(log.lines_before(top, rows)):
        top = line.start
        rows -= _height(line, shape)
        if rows <= 0:
            break
    return top, max(0, -rows)


def _from(log: Log, page: Page, shape: Viewport, top: int, skip: int) -> Page:
    """The page that begins there, or the last one if that would leave room below."""
    rows: list[LogRow] = []
    for line in log.lines_after(top, skip + shape.height + 1):
        rows += _rows(line, shape, page.left)
        if len(rows) > skip + shape.height:
            return _page(page, log.state(), rows, skip, shape, at_end=False)
    return to_end(log, page, shape)


def _page(
    page: Page, state: LogState, rows: Sequence[LogRow], skip: int, shape: Viewport, *, at_end: bool
) -> Page:
    """The rows without the first ``skip`` of them, as a page that takes over where it was found
    and how far right it is."""
    shown = tuple(rows[skip : skip + shape.height])
    top = shown[0].start if shown else 0
    hidden = sum(row.start == top for row in rows[:skip])
    return Page(
        shape,
        shown,
        top,
        hidden,
        0 if shape.wrap else page.left,
        state.size,
        state.file,
        at_end=at_end,
        hit=page.hit,
    )


def find(
    log: Log,
    page: Page,
    shape: Viewport,
    *,
    sought: LogQuery,
    backwards: bool,
    goes_on: Callable[[Page], bool],
) -> Page:
    """The page with the next line that is sought, or the one before: from the last one found, if
    that is in sight, and beyond the end from the other end on.

    ``goes_on`` is given pages that say how far the search is; the same place if it says no.
    """
    size = log.state().size
    begin = min(size, _begin(page, backwards=backwards))
    far = 0 if backwards else size
    for begins, ends, said in ((begin, far, ""), (size - far, begin, _around(backwards))):
        before = abs(begin - far) if said else 0

        def asked(at: int, begins: int = begins, before: int = before) -> bool:
            return goes_on(replace(page, searched=(before + abs(at - begins)) / max(1, size)))

        found = log.find(sought, begins, ends, asked)
        if found is not None:
            return replace(_showing(log, page, shape, found, sought), said=said)
    if not goes_on(page):
        return page
    return replace(page, said=f"Not found: {sought.name}")


def _around(backwards: bool) -> str:
    return "From the end again" if backwards else "From the beginning again"


def _begin(page: Page, *, backwards: bool) -> int:
    """Where to look from: a hit in sight is left behind, else what is in sight comes first."""
    ends = {row.start: row.end for row in page.rows}
    if page.hit in ends and page.hit is not None:
        return page.hit if backwards else ends[page.hit]
    return page.top


def _showing(log: Log, page: Page, shape: Viewport, hit: int, sought: LogQuery) -> Page:
    """A page with the line in its upper quarter, and what was found in its width."""
    line = log.lines_after(hit, 1)[0]
    bare = COLOUR.sub("", line.text)
    column = sought.column(bare)
    room = shape.height // 4
    if shape.wrap:
        breaks = _breaks(bare, shape.width)
        row = sum(at <= column for at in breaks) - 1
        place = (hit, row - room) if row > room else _above(log, shape, hit, room - row)
        left = 0
    else:
        place = _above(log, shape, hit, room)
        cells = cell_len(bare[:column])
        left = page.left if page.left <= cells < page.left + shape.width - 1 else 0
        if cells >= shape.width - len(sought.name) > 0:
            left = cells - shape.width // 4
    return _from(log, replace(page, hit=hit, left=left), shape, *place)


# Rows


def styled(line: LogLine) -> Text:
    """A line with its colours; what blinks or hides itself is plain to see."""
    text = AnsiDecoder().decode_line(line.text)
    text.stylize(_STEADY)
    return text


def _rows(line: LogLine, shape: Viewport, left: int) -> list[LogRow]:
    """The rows of a line: those below each other, or the one that fits."""
    whole = styled(line)
    sign = severity_of(whole.plain[:_TELLING])
    if shape.wrap:
        texts = list(whole.divide(_breaks(whole.plain, shape.width)[1:]))
    else:
        cut = whole.divide([_characters(whole.plain, left)])[-1] if left else whole
        cut = cut[: shape.width * _MARKS] if len(cut) > shape.width * _MARKS else cut
        cut.truncate(shape.width, overflow="ellipsis")
        texts = [cut]
    return [LogRow(line.start, line.end, text, sign) for text in texts]


def _height(line: LogLine, shape: Viewport) -> int:
    return len(_breaks(COLOUR.sub("", line.text), shape.width)) if shape.wrap else 1


def _breaks(text: str, width: int) -> Sequence[int]:
    """At which characters the rows of a text begin, the first at 0."""
    if text.isascii():
        return range(0, max(1, len(text)), width)
    breaks, room = [0], width
    for at, char in enumerate(text):
        cells = cell_len(char)
        if cells > room and at > breaks[-1]:
            breaks.append(at)
            room = width
        room -= cells
    return breaks


def _characters(text: str, cells: int) -> int:
    """How many characters stand in the first cells of a text."""
    return cells if text.isascii() else len(set_cell_size(text, min(cells, cell_len(text))))
