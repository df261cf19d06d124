"""Where the text that is being deparsed goes, and what each part must know of where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.rlang.values import RSymbol, RValue

MORE = "[...]"  # what hipercow itself puts where it cuts an expression
MISSING = RSymbol("")  # an argument left out, as in x[, 1]

# A part that writes itself hands out each value within it in its turn, to be written there, and
# goes on afterwards: R values may be nested deeper than Python calls can be.
Writer: TypeAlias = Iterator[RValue]

CUTOFF = 60  # bytes; a line is broken at the next chance after them


class LimitReached(Exception):
    """The text has reached its limit."""


class Context:
    """The lines written so far, and the flags that R's deparser passes down."""

    def __init__(self, limit: int, *, backtick: bool, cutoff: int = CUTOFF) -> None:
        self.backtick = backtick  # odd names stand in backticks, not in quotes or bare
        self.attributes = True  # are shown, except in functions and expressions
        self.nice_names = True  # c(a = 1), except in the attributes of what has odd names
        self.curly = 0  # within how many braces
        self.inlist = 0  # within the arguments of how many primitives
        self.as_argument = False  # the next value is one: its ``=`` needs parentheses
        self.left_of = 0  # the level of the operator on whose left side the next value stands
        self.indent = 0
        self._width = 0  # of the current line, in bytes, as R counts it
        self._cutoff = cutoff
        self._limit = limit
        self._room = limit
        self._done: list[str] = []
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Add to the current line; raises Full where that is too much."""
        if not self._parts and self.indent:
            # Four spaces a step, from the fifth on two.
            self._add(" " * (4 * min(self.indent, 4) + 2 * max(0, self.indent - 4)))
        self._add(text)
        if self._room < 0:
            raise LimitReached

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._width += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        self._room -= len(text)

    def end_line(self) -> None:
        """The next text stands on a new line."""
        self._done.append("".join(self._parts))
        self._parts.clear()
        self._width = 0

    @property
    def is_long(self) -> bool:
        """Whether the current line is to be broken at the next chance."""
        return self._width > self._cutoff

    def break_line(self, broken: bool) -> bool:
        """Break a line that is long, and indent what follows if it is the first such break.

        ``broken`` and the answer say whether the caller must take that indentation back.
        """
        if not self.is_long:
            return broken
        if not broken:
            self.indent += 1
        self.end_line()
        return True

    def symbol(self, name: str) -> str:
        """A name that stands for a value."""
        return literals.name(name) if self.backtick else name

    def tag(self, name: str) -> str:
        """A name before ``=`` or of what is called."""
        return literals.name(name, "`" if self.backtick else '"')

    def string(self, text: str) -> str:
        """The text in quotes; of a huge one only as much as could be written."""
        return literals.string(text[: self._limit + 1])

    def lines(self) -> list[str]:
        """All that was written."""
        self.end_line()
        return self._done

    def cut(self) -> list[str]:
        """All that was written up to the limit, marked as cut."""
        lines = self.lines()
        if self._room < 0:
            lines[-1] = lines[-1][: self._room]
        lines[-1] += MORE
        return lines
