"""A pane of details: labels, with texts beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from hipercow_tui.domain.task import Status
from hipercow_tui.ui.styles import blend
from hipercow_tui.ui.widgets.scroll_text import ScrollText

# Returns the style of a component class, without the prefix ``details--``.
Styles: TypeAlias = Callable[[str], Style]
# Returns labels and their texts, in the present styles.
LabelledLines: TypeAlias = Callable[[Styles], Iterable[tuple[str, Text]]]

FULL_KEY = Binding("enter", "screen.details", "In full", id="details.full", show=False)
DETAILS_CLASSES = {  # component classes
    "details--label",
    "details--error",
    "details--strong",
    *(f"details--{status.value}" for status in Status),
}


def labelled_grid(lines: Iterable[tuple[str, Text]], label_style: Style) -> Table:
    """Return labels with their texts beside them, which are wrapped."""
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True, style=label_style)
    grid.add_column(ratio=1, overflow="fold")
    for label, text in lines:
        grid.add_row(Text(label), text)
    return grid


class LabelledDetails(ScrollText, can_focus=True):
    """The pane."""

    COMPONENT_CLASSES: ClassVar[set[str]] = DETAILS_CLASSES

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Static()  # made here, because it is filled before mounting
        self._labelled: LabelledLines | None = None

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._text

    def clear(self) -> None:
        """Show nothing."""
        self._labelled = None
        self.border_title = self.border_subtitle = ""
        self._text.update("")

    def show_lines(self, lines: LabelledLines, title: str, subtitle: str) -> None:
        """Show lines with titles, which are markup."""
        self._labelled = lines
        self.border_title, self.border_subtitle = title, subtitle
        self._draw(lines)

    def notify_style_update(self) -> None:
        """Draw with the colours of a new theme."""
        super().notify_style_update()
        self.call_after_refresh(self._restyle)

    def go_to_top(self) -> None:
        """Scroll to the top."""
        self.scroll_home(animate=False)

    def _restyle(self) -> None:
        if self._labelled is not None and self.is_attached:  # a removed pane has no styles
            self._draw(self._labelled)

    def _draw(self, lines: LabelledLines) -> None:
        self._text.update(labelled_grid(lines(self._style), self._style("label")))

    def _style(self, name: str) -> Style:
        return blend(self, [f"details--{name}"])
