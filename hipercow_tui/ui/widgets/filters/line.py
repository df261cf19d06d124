"""The lines of the filter panel, with a gutter for the focus and numbers on the right."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.age_scale import STOPS

WIDTH = len(STOPS)  # cells of a line: the number of columns of the age slider
BAR, NO_BAR = "▌", " "  # in the gutter: the line with the focus, and others
QUIET = "$foreground-muted"  # like $text-muted, which works only in stylesheets


class FilterLine(Widget):
    """A text that changes often, but never in size: unlike a Static, it needs no new layout."""

    DEFAULT_CSS = """
    FilterLine { height: 1; padding: 0 0 0 1; }
    """

    content: reactive[Content] = reactive(Content)

    def render(self) -> Content:
        """Return the text."""
        return self.content


def justify(left: Content, right: Content) -> Content:
    """Return a line with a left and a right end, and at least one blank between them."""
    return left + " " * max(1, WIDTH - left.cell_length - right.cell_length) + right


def heading(title: str, value: str, *, warn: bool = False) -> Content:
    """Return a line with the title of a filter, and its value on the right."""
    style = "bold $text-warning" if warn else QUIET
    return justify(Content.styled(title, "bold"), Content.styled(value, style))
