"""The line above a table that says what the list of tasks is narrowed to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.ui.cells import cut_end
from hipercow_tui.ui.key_hints import with_keys

SEPARATOR = " › "
LEAST = 12  # cells of a step
WIDE = 36  # cells from which on the key is shown


class Breadcrumb(Widget):
    """The steps by which the list is narrowed: ``Tasks › bundle sweep_03 › error 'no fit'``, or the
    rows that were entered: ``Space › sweep_03``.

    The line is hidden if there are none.
    """

    DEFAULT_CSS = """
    Breadcrumb { height: 1; padding: 0 1; background: $panel; display: none; }
    """

    steps: reactive[tuple[str, ...]] = reactive(())
    start: reactive[str] = reactive("")

    def show(self, steps: Sequence[str], start: str) -> None:
        """Show these steps after the name of their list."""
        self.start, self.steps = start, tuple(steps)
        self.display = bool(steps)

    def render(self) -> Content:
        """Return the steps, and the key that goes back at the right, which can be clicked."""
        width = self.content_size.width
        hint = Content()
        if width >= WIDE:
            back = with_keys("[@click=screen.back]<back=esc>: back[/]")
            hint = Content.from_markup(back).stylize("dim")
        steps = fit_steps(self.steps, width - len(self.start) - 1 - hint.cell_length)
        line = Content.assemble((self.start, "dim"), *steps)
        return line + " " * max(0, width - line.cell_length - hint.cell_length) + hint


def fit_steps(steps: Sequence[str], width: int) -> Sequence[tuple[str, str]]:
    """Return separators and steps with their styles, in ``width`` cells.

    The longest steps are cut at their ends; steps that still do not fit are left out from the
    left.
    """
    shown = list(steps)
    most = max(map(cell_len, shown), default=0)
    while _width(shown) > width and most > LEAST:
        most -= 1
        shown = [cut_end(step, most) for step in steps]
    while _width(shown) > width and len(shown) > 1:
        shown.pop(0)
    return [part for step in shown for part in ((SEPARATOR, "dim"), (step, "bold"))]


def _width(steps: Sequence[str]) -> int:
    return sum(len(SEPARATOR) + cell_len(step) for step in steps)
