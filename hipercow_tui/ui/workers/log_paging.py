"""Pages of a log, laid out for a viewport, and functions that go from page to page.

A page is identified by the byte offset of its first line, so that no index of lines is needed; only
a search reads more than a few blocks. All of this runs in the thread of the log reader: the UI
thread draws finished rows, even if a line is very long.
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
    """The size of the view: ``width`` in cells, ``height`` in rows; ``wrap`` wraps long lines."""

    width: int
    height: int
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the view, with its colours; ``severity`` says whether its line is an error or a
    warning. ``start`` and ``end`` are the byte offsets of its line.
    """

    start: int
    end: int
    text: Text
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a log, laid out for ``viewport``.

    ``rows`` belong to the lines from the byte offset ``top`` on, without the first ``skip`` rows of
    the first line, and without the first ``left`` cells of each line. ``size`` and ``file`` are the
    state of the log, as is ``fetched``. ``error`` is a sentence on why it can't be read,
    ``message`` one on the result of a search. ``progress`` is the fraction of the log that a search
    has covered, None if there is no search. ``hit`` is the offset of the line that was found last.
    """

    viewport: Viewport
    rows: tuple[LogRow, ...] = ()
    top: int = 0
    skip: int = 0
    left: int = 0
    size: int = 0
    file: int = 0
    at_end: bool = True
    error: str = ""
    message: str = ""
    progress: float | None = None
    hit: int | None = None
    fetched: float | None = None

    @property
    def fraction(self) -> float:
        """The fraction of the log before the end of the page."""
        return self.rows[-1].end / self.size if self.rows and self.size else 1.0


Navigation: TypeAlias = Callable[[Log, Page, Viewport], Page]

_NO_BLINK = Style(blink=False, blink2=False, conceal=False)
_SEVERITY_CHARS = 4096  # characters of a line that are checked for its severity
_CHARS_PER_CELL = 8  # characters per cell that are kept, because accents can be separate characters


def to_start(log: Log, page: Page, viewport: Viewport) -> Page:
    """Go to the first page."""
    return _page_from(log, replace(page, hit=None), viewport, 0, 0)


def to_end(log: Log, page: Page, viewport: Viewport) -> Page:
    """Go to the last page."""
    state = log.state()
    rows: list[LogRow] = []
    for line in reversed(log.lines_before(state.size, viewport.height)):
        rows = _rows(line, viewport, page.left) + rows
        if len(rows) >= viewport.height:
            break
    return _make_page(page, state, rows, max(0, len(rows) - viewport.height), viewport, at_end=True)


def stay(log: Log, page: Page, viewport: Viewport) -> Page:
    """Stay at the same place in another viewport; a running search has ended."""
    same_rows = replace(viewport, height=0) == replace(page.viewport, height=0)
    if page.at_end:
        there = to_end(log, page, viewport)
    else:
        there = _page_from(log, page, viewport, page.top, page.skip if same_rows else 0)
    return replace(there, message=page.message)


def follow(log: Log, page: Page, viewport: Viewport) -> Page:
    """Stay at the same place, or go to the new end if the end was shown; return the same page if
    nothing changed."""
    state = log.state()
    replaced = state.file != page.file or state.size < page.size
    if not replaced and state.size == page.size and not page.error:
        return page
    if page.at_end or replaced:
        message = "The log was replaced" if replaced and page.rows else page.message
        hit = None if replaced else page.hit
        return replace(to_end(log, page, viewport), message=message, hit=hit)
    return replace(page, size=state.size, error="")


def by_rows(rows: int) -> Navigation:
    """Return a navigation by rows: down, or up if negative."""
    return partial(_by_rows, rows)


def by_cells(cells: int) -> Navigation:
    """Return a navigation by cells in long lines: right, or left if negative."""
    return partial(_by_cells, cells)


def _by_rows(rows: int, log: Log, page: Page, viewport: Viewport) -> Page:
    top, skip = page.top, page.skip + rows
    if skip < 0:
        top, skip = _rows_above(log, viewport, top, -skip)
    else:
        for line in log.lines_after(top, skip + 1):
            height = _height(line, viewport)
            if skip < height:
                break
            top = line.end
            skip -= height
    return _page_from(log, page, viewport, top, skip)


def _by_cells(cells: int, log: Log, page: Page, viewport: Viewport) -> Page:
    left = 0 if viewport.wrap else max(0, page.left + cells)
    return stay(log, replace(page, left=left), viewport)


def _rows_above(log: Log, viewport: Viewport, top: int, rows: int) -> tuple[int, int]:
    """Return the line that is ``rows`` rows above the line at ``top``, and how many of its rows to
    skip."""
    for line in reversed(log.lines_before(top, rows)):
        top = line.start
        rows -= _height(line, viewport)
        if rows <= 0:
            break
    return top, max(0, -rows)


def _page_from(log: Log, page: Page, viewport: Viewport, top: int, skip: int) -> Page:
    """Return the page that begins at a line, or the last page if it would not be full."""
    rows: list[LogRow] = []
    for line in log.lines_after(top, skip + viewport.height + 1):
        rows += _rows(line, viewport, page.left)
        if len(rows) > skip + viewport.height:
            return _make_page(page, log.state(), rows, skip, viewport, at_end=False)
    return to_end(log, page, viewport)


def _make_page(
    page: Page,
    state: LogState,
    rows: Sequence[LogRow],
    skip: int,
    viewport: Viewport,
    *,
    at_end: bool,
) -> Page:
    """Return a page of ``rows`` without the first ``skip``, with the hit and the cells of the page
    before."""
    shown = tuple(rows[skip : skip + viewport.height])
    top = shown[0].start if shown else 0
    hidden = sum(row.start == top for row in rows[:skip])
    return Page(
        viewport,
        shown,
        top,
        hidden,
        0 if viewport.wrap else page.left,
        state.size,
        state.file,
        at_end=at_end,
        hit=page.hit,
        fetched=state.fetched,
    )


def find(
    log: Log,
    page: Page,
    viewport: Viewport,
    *,
    query: LogQuery,
    backwards: bool,
    goes_on: Callable[[Page], bool],
) -> Page:
    """Go to the next line that matches, or the previous one.

    The search begins at the last hit if it is shown, else at the page, and continues from the other
    end of the log. ``goes_on`` is called with pages that show the progress; if it returns false,
    the search ends at the same place.
    """
    size = log.state().size
    begin = min(size, _search_start(page, backwards=backwards))
    limit = 0 if backwards else size
    for begins, ends, message in (
        (begin, limit, ""),
        (size - limit, begin, _wrapped_message(backwards)),
    ):
        before = abs(begin - limit) if message else 0

        def asked(at: int, begins: int = begins, before: int = before) -> bool:
            return goes_on(replace(page, progress=(before + abs(at - begins)) / max(1, size)))

        found = log.find(query, begins, ends, asked)
        if found is not None:
            return replace(_page_with_hit(log, page, viewport, found, query), message=message)
    if not goes_on(page):
        return page
    return replace(page, message=f"Not found: {query.name}")


def _wrapped_message(backwards: bool) -> str:
    return "Continued from the end" if backwards else "Continued from the beginning"


def _search_start(page: Page, *, backwards: bool) -> int:
    """Return the offset at which a search begins: after a hit that is shown, else at the page."""
    ends = {row.start: row.end for row in page.rows}
    if page.hit in ends and page.hit is not None:
        return page.hit if backwards else ends[page.hit]
    return page.top


def _page_with_hit(log: Log, page: Page, viewport: Viewport, hit: int, query: LogQuery) -> Page:
    """Return a page with the line at a quarter of its height, scrolled sideways to the match."""
    line = log.lines_after(hit, 1)[0]
    bare = COLOUR.sub("", line.text)
    column = query.column(bare)
    rows_above = viewport.height // 4
    if viewport.wrap:
        breaks = _row_starts(bare, viewport.width)
        row = sum(at <= column for at in breaks) - 1
        place = (
            (hit, row - rows_above)
            if row > rows_above
            else _rows_above(log, viewport, hit, rows_above - row)
        )
        left = 0
    else:
        place = _rows_above(log, viewport, hit, rows_above)
        cells = cell_len(bare[:column])
        left = page.left if page.left <= cells < page.left + viewport.width - 1 else 0
        if cells >= viewport.width - len(query.name) > 0:
            left = cells - viewport.width // 4
    return _page_from(log, replace(page, hit=hit, left=left), viewport, *place)


# Rows


def styled(line: LogLine) -> Text:
    """Return a line with its colours, without blinking or hidden text."""
    text = AnsiDecoder().decode_line(line.text)
    text.stylize(_NO_BLINK)
    return text


def _rows(line: LogLine, viewport: Viewport, left: int) -> list[LogRow]:
    """Return the rows of a line: all of a wrapped line, else one."""
    whole = styled(line)
    sign = severity_of(whole.plain[:_SEVERITY_CHARS])
    if viewport.wrap:
        texts = list(whole.divide(_row_starts(whole.plain, viewport.width)[1:]))
    else:
        cut = whole.divide([_char_count(whole.plain, left)])[-1] if left else whole
        cut = (
            cut[: viewport.width * _CHARS_PER_CELL]
            if len(cut) > viewport.width * _CHARS_PER_CELL
            else cut
        )
        cut.truncate(viewport.width, overflow="ellipsis")
        texts = [cut]
    return [LogRow(line.start, line.end, text, sign) for text in texts]


def _height(line: LogLine, viewport: Viewport) -> int:
    return len(_row_starts(COLOUR.sub("", line.text), viewport.width)) if viewport.wrap else 1


def _row_starts(text: str, width: int) -> Sequence[int]:
    """Return the character positions at which the rows of a text begin, the first at 0."""
    if text.isascii():
        return range(0, max(1, len(text)), width)
    breaks, space = [0], width
    for at, char in enumerate(text):
        cells = cell_len(char)
        if cells > space and at > breaks[-1]:
            breaks.append(at)
            space = width
        space -= cells
    return breaks


def _char_count(text: str, cells: int) -> int:
    """Return how many characters the first ``cells`` cells of a text hold."""
    return cells if text.isascii() else len(set_cell_size(text, min(cells, cell_len(text))))
