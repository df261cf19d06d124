"""The age slider, with a logarithmic scale, below a histogram of ages."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import clamp
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.age_scale import STOPS, bar_heights, column_of
from hipercow_tui.ui.widgets.filters.line import BAR, NO_BAR, QUIET

BAR_LEVELS = " ▁▂▃▄▅▆▇█"
LARGE_STEP = 4  # stops: about a factor of fifteen


class AgeSlider(Widget, can_focus=True):
    """A slider with a column for each stop; ages right of the handle match. Column 0 is any age."""

    DEFAULT_CSS = """
    AgeSlider { height: auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Younger", show=False, id="age.younger"),
        Binding("right,l", "step(1)", "Older", show=False, id="age.older"),
        Binding(
            "shift+left,pagedown",
            f"step(-{LARGE_STEP})",
            "Much younger",
            show=False,
            id="age.much_younger",
        ),
        Binding(
            "shift+right,pageup",
            f"step({LARGE_STEP})",
            "Much older",
            show=False,
            id="age.much_older",
        ),
        Binding("home,delete,0", "step(-99)", "Any age", show=False, id="age.any"),
        Binding("end", "step(99)", "Oldest", show=False, id="age.oldest"),
    ]

    age: reactive[float | None] = reactive(None)
    """The age in seconds; None is any age."""
    bars: reactive[tuple[int, ...]] = reactive(())
    """The histogram: a number of tasks for each stop."""
    rows: reactive[int] = reactive(1, layout=True)
    """The height of the histogram in lines."""

    class Moved(Message):
        """The user moved the handle to another age in seconds; 0 is any age."""

        def __init__(self, age: int) -> None:
            super().__init__()
            self.age = age

    @property
    def column(self) -> int:
        """The column of the handle."""
        return 0 if self.age is None else column_of(self.age)

    def action_step(self, by: int) -> None:
        """Move the handle by columns."""
        self._move_to(self.column + by)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Move the handle to the mouse, and start to drag it."""
        if event.button == 1:
            self.capture_mouse()
            self._move_to(event.x - len(NO_BAR))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the handle while the button is down."""
        if self.app.mouse_captured is self:
            self._move_to(event.x - len(NO_BAR))

    def on_mouse_up(self) -> None:
        """End a drag."""
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move to an older age."""
        event.stop()
        self._move_to(self.column + 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move to a younger age."""
        event.stop()
        self._move_to(self.column - 1)

    def _move_to(self, column: int) -> None:
        column = clamp(column, 0, len(STOPS) - 1)
        if column != self.column or (column == 0 and self.age is not None):
            self.age = STOPS[column] or None
            self.post_message(self.Moved(STOPS[column]))

    def render(self) -> Content:
        """Return the histogram with the slider below it."""
        gutter = (BAR if self.has_focus else NO_BAR, "$accent")
        split = self.column
        lines = [(line[:split], line[split:]) for line in self._histogram()]
        on = "" if self.age is None else "$text-accent"
        content = [Content.assemble(gutter, (a, QUIET), (b, on)) for a, b in lines]
        return Content("\n").join([*content, Content.assemble(gutter, *self._track())])

    def _histogram(self) -> list[str]:
        if not self.bars:
            return [""] * self.rows
        heights = bar_heights(self.bars, 8 * self.rows)
        return [
            "".join(BAR_LEVELS[clamp(height - 8 * row, 0, 8)] for height in heights)
            for row in reversed(range(self.rows))
        ]

    def _track(self) -> list[tuple[str, str]]:
        rest = len(STOPS) - 1 - self.column
        handle = "bold $accent" if self.has_focus else "bold"
        if self.age is None:
            return [("○", handle), ("─" * rest, QUIET)]
        return [("─" * self.column, QUIET), ("●", handle), ("━" * rest, "$text-accent")]
