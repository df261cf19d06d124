"""The lines of the filter panel: one width, a gutter for the focus, numbers on the right."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.age_scale import STOPS

WIDTH = len(STOPS)  # cells of every line: as many as the age scale has columns
BAR, NO_BAR = "▌", " "  # in the gutter, at the line that has the focus
QUIET = "$foreground-muted"  # as $text-muted, which only stylesheets understand


class FilterLine(Widget):
    """Text that changes often, and never its size: unlike a Static it needs no new layout."""

    DEFAULT_CSS = """
    FilterLine { height: 1; padding: 0 0 0 1; }
    """

    content: reactive[Content] = reactive(Content)

    def render(self) -> Content:
        """The text."""
        return self.content


def justify(left: Content, right: Content) -> Content:
    """Two ends of a line, with at least a blank between."""
    return left + " " * max(1, WIDTH - left.cell_length - right.cell_length) + right


def heading(title: str, value: str, *, warn: bool = False) -> Content:
    """What a part of the panel is called, and on the right what it is set to."""
    style = "bold $text-warning" if warn else QUIET
    return justify(Content.styled(title, "bold"), Content.styled(value, style))


def short_number(value: int, width: int) -> str:
    """A number in at most so many cells, as exact as they allow: 12,345, 12345, 12k."""
    for text in (f"{value:,}", f"{value}", f"{value // 1000}k"):
        if cell_len(text) <= width:
            return text
    return f"{value // 1_000_000}M"
