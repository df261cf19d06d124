"""Turns pages of a log in a thread of its own, and follows a log that grows.

A page is known by the byte offset of its first line, so that no index of lines is needed; only a
search reads more than a few blocks around it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from rich.ansi import AnsiDecoder
from rich.style import Style
from rich.text import Text

from hipercow_tui.errors import LogError
from hipercow_tui.logs import Log, LogLine

POLL = 1.0  # seconds between two looks at a log that may grow


@dataclass(frozen=True, slots=True)
class Shape:
    """The room there is: rows, and cells a row; lines that are longer go on below if ``wrap``."""

    width: int
    height: int
    wrap: bool = False

    def rows(self, line: LogLine) -> int:
        """How many rows a line takes."""
        return max(1, -(-styled(line).cell_len // self.width)) if self.wrap else 1


@dataclass(frozen=True, slots=True)
class Page:
    """What is in sight: ``lines``, without the first ``skip`` rows of the first of them.

    ``size`` is that of the log, in bytes. ``said`` is a sentence: why there is nothing to see, or
    what came of a search. ``hit`` is where the line begins that was found last.
    """

    lines: tuple[LogLine, ...] = ()
    skip: int = 0
    size: int = 0
    at_end: bool = True
    said: str = ""
    hit: int | None = None

    @property
    def top(self) -> int:
        """Where its first line begins."""
        return self.lines[0].start if self.lines else 0


Turn: TypeAlias = Callable[[Log, Page, Shape], Page]

_STEADY = Style(blink=False, blink2=False, conceal=False)


def styled(line: LogLine) -> Text:
    """A line with its colours; what blinks or hides itself is plain to see."""
    text = AnsiDecoder().decode_line(line.text)
    text.stylize(_STEADY)
    return text


def to_start(log: Log, page: Page, shape: Shape) -> Page:
    """The first page."""
    return _from(log, 0, 0, shape)


def to_end(log: Log, page: Page, shape: Shape) -> Page:
    """The last page."""
    size = log.size()
    lines = log.before(size, shape.height)
    rows = 0
    for at in range(len(lines) - 1, -1, -1):
        rows += shape.rows(lines[at])
        if rows >= shape.height:
            return Page(tuple(lines[at:]), rows - shape.height, size)
    return Page(tuple(lines), 0, size)


def stay(log: Log, page: Page, shape: Shape) -> Page:
    """The same place, in another shape."""
    if page.at_end:
        return to_end(log, page, shape)
    return replace(_from(log, page.top, 0, shape), hit=page.hit)


def follow(log: Log, page: Page, shape: Shape) -> Page:
    """The same place, or the new end if the end was in sight; the same page if nothing changed."""
    size = log.size()
    if size == page.size and (page.lines or not size):
        return page
    if page.at_end or size < page.size:
        return to_end(log, page, shape)
    return replace(page, size=size)


def by_rows(rows: int) -> Turn:
    """Turns by rows: down, or up if negative."""
    return partial(_by_rows, rows)


def to_hit(wanted: str, *, backwards: bool, stopped: Callable[[], bool]) -> Turn:
    """Turns to the next line that contains ``wanted``, or the one before."""
    return partial(_to_hit, wanted, backwards, stopped)


def _by_rows(rows: int, log: Log, page: Page, shape: Shape) -> Page:
    top, skip = page.top, page.skip + rows
    if skip < 0:
        for line in reversed(log.before(top, -skip)):
            top = line.start
            skip += shape.rows(line)
            if skip >= 0:
                break
        skip = max(0, skip)
    else:
        for line in log.after(top, skip + 1):
            height = shape.rows(line)
            if skip < height:
                break
            top = line.end
            skip -= height
    return replace(_from(log, top, skip, shape), hit=page.hit)


def _to_hit(
    wanted: str, backwards: bool, stopped: Callable[[], bool], log: Log, page: Page, shape: Shape
) -> Page:
    start = page.top if page.hit is None else page.hit
    if not backwards and page.hit is not None:
        start = log.after(page.hit, 1)[0].end if log.size() > page.hit else 0
    found = log.find(wanted, start, backwards=backwards, stopped=stopped)
    if found is None:
        where = "before here" if backwards else "from here on"
        return page if stopped() else replace(page, said=f"Not found {where}: {wanted}")
    return replace(_from(log, found, 0, shape), hit=found)


def _from(log: Log, top: int, skip: int, shape: Shape) -> Page:
    """The page that begins there, or the last one if that would leave room below."""
    lines = log.after(top, shape.height + 1)
    rows = -skip
    for at, line in enumerate(lines):
        rows += shape.rows(line)
        if rows > shape.height:
            return Page(tuple(lines[: at + 1]), skip, log.size(), at_end=False)
    return to_end(log, Page(), shape)


class LogReader:
    """A thread that turns pages as it is asked to, and follows the log in between.

    ``deliver`` is called in that thread with each new page; not for those that were turned over
    before they could be seen. Leaving the app does not wait for it.
    """

    def __init__(self, log: Log, shape: Shape, deliver: Callable[[Page], object]) -> None:
        self._log = log
        self._shape = shape
        self._deliver = deliver
        self._turns: queue.SimpleQueue[tuple[int, Turn]] = queue.SimpleQueue()
        self._asked = 0
        self._answering = 0
        self._stopped = False
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def turn(self, turn: Turn) -> None:
        """Turn the page; a search that is under way ends."""
        self._asked += 1
        self._turns.put((self._asked, turn))

    def reshape(self, shape: Shape) -> None:
        """Fill another room with the same place; a search goes on."""
        self._shape = shape
        self._turns.put((self._asked, stay))

    def interrupted(self) -> bool:
        """Whether another turn is wanted than the one under way."""
        return self._stopped or self._asked != self._answering

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True
        self.turn(follow)

    def _run(self) -> None:
        page, delivered = Page(), None
        turn: Turn = to_end
        while not self._stopped:
            try:
                page = turn(self._log, page, self._shape)
            except LogError as error:
                if page.said != str(error):
                    page = Page(said=str(error))
            if page is not delivered and not self.interrupted():
                self._deliver(page)
                delivered = page
            try:
                self._answering, turn = self._turns.get(timeout=POLL)
            except queue.Empty:
                turn = follow
