"""The output of the deparser, and the state that R's deparser passes to nested values.

Source: ``LocalParseData`` and ``writeline`` in R's deparse.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from hipercow_tui.formats.rlang.deparse import literals
from hipercow_tui.formats.rlang.values import RSymbol, RValue

MORE = "[...]"  # at the end of truncated code; hipercow uses the same mark
MISSING = RSymbol("")  # a missing argument, as in x[, 1]

# A writer yields each nested value where it belongs in the text; the caller writes the value and
# resumes the writer. So nesting is not limited by Python's call stack.
Writer: TypeAlias = Iterator[RValue]

CUTOFF = 60  # bytes; a longer line is broken at the next place where R breaks lines


class LimitReached(Exception):
    """The text is longer than the limit."""


class Context:
    """The lines that are written so far, and the state of the deparser.

    Args:
        limit: Characters; see ``deparse``.
        backtick: Whether names that are not syntactic are quoted with backticks.
        cutoff: Bytes; see ``deparse``.

    Attributes:
        backtick: See above.
        attributes: Whether attributes are written; not in functions and expressions.
        nice_names: Whether names are written as ``c(a = 1)``, and not as an attribute.
        curly: The number of enclosing braces.
        inlist: The number of enclosing argument lists of primitives.
        as_argument: Whether the next value is an argument, where ``=`` needs parentheses.
        left_of: The level of the operator that has the next value in its left operand; else 0.
        indent: The number of indentation steps.
    """

    def __init__(self, limit: int, *, backtick: bool, cutoff: int = CUTOFF) -> None:
        self.backtick = backtick
        self.attributes = True
        self.nice_names = True
        self.curly = 0
        self.inlist = 0
        self.as_argument = False
        self.left_of = 0
        self.indent = 0
        self._width = 0  # of the current line, in bytes as in R
        self._cutoff = cutoff
        self._limit = limit
        self._left = limit
        self._done: list[str] = []
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Append to the current line; raises LimitReached if the text is too long."""
        if not self._parts and self.indent:
            # R indents by four spaces for each of the first four steps, then by two.
            self._add(" " * (4 * min(self.indent, 4) + 2 * max(0, self.indent - 4)))
        self._add(text)
        if self._left < 0:
            raise LimitReached

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._width += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        self._left -= len(text)

    def end_line(self) -> None:
        """End the current line."""
        self._done.append("".join(self._parts))
        self._parts.clear()
        self._width = 0

    @property
    def is_long(self) -> bool:
        """Whether the current line is longer than the cutoff."""
        return self._width > self._cutoff

    def break_line(self, broken: bool) -> bool:
        """End a long line, and indent the following lines at the first such break.

        ``broken`` says whether there was a break before, and the result whether there is one now.
        After a break, the caller reduces ``indent`` at the end. Source: R's ``linebreak``.
        """
        if not self.is_long:
            return broken
        if not broken:
            self.indent += 1
        self.end_line()
        return True

    def symbol(self, name: str) -> str:
        """Return a symbol as code."""
        return literals.name(name) if self.backtick else name

    def tag(self, name: str) -> str:
        """Return the name of an argument or of a called function as code."""
        return literals.name(name, "`" if self.backtick else '"')

    def string(self, text: str) -> str:
        """Return a string as code; the part of a huge string beyond the limit is dropped."""
        return literals.string(text[: self._limit + 1])

    def lines(self) -> list[str]:
        """End the current line and return all lines."""
        self.end_line()
        return self._done

    def truncated_lines(self) -> list[str]:
        """Return the lines up to the limit, with ``[...]`` at the end."""
        lines = self.lines()
        if self._left < 0:
            lines[-1] = lines[-1][: self._left]
        lines[-1] += MORE
        return lines
