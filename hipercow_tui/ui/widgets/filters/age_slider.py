"""The age slider, on a logarithmic scale, under the histogram of ages."""

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
LARGE_STEP = 4  # stops; about a factor of fifteen


class AgeSlider(Widget, can_focus=True):
    """One column a stop, the handle in that of the age; what passes is on its right.

    Column 0 is any age.
    """

    DEFAULT_CSS = """
    AgeSlider { height: auto; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Younger", show=False, id="age.younger"),
        Binding("right", "step(1)", "Older", show=False, id="age.older"),
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
    """In seconds; None is off."""
    bars: reactive[tuple[int, ...]] = reactive(())
    """The histogram: a number for each stop."""
    rows: reactive[int] = reactive(1, layout=True)
    """How many lines high the histogram is."""

    class Moved(Message):
        """Someone moved the handle to another stop, an age in seconds; 0 is off."""

        def __init__(self, age: int) -> None:
            super().__init__()
            self.age = age

    @property
    def column(self) -> int:
        """The column that the handle is in."""
        return 0 if self.age is None else column_of(self.age)

    def action_step(self, by: int) -> None:
        """Move by columns."""
        self._move_to(self.column + by)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The handle goes where the mouse points, and follows it."""
        if event.button == 1:
            self.capture_mouse()
            self._move_to(event.x - len(NO_BAR))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while its button is down."""
        if self.app.mouse_captured is self:
            self._move_to(event.x - len(NO_BAR))

    def on_mouse_up(self) -> None:
        """Let go."""
        self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Older."""
        event.stop()
        self._move_to(self.column + 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Younger."""
        event.stop()
        self._move_to(self.column - 1)

    def _move_to(self, column: int) -> None:
        wanted = clamp(column, 0, len(STOPS) - 1)
        if wanted != self.column or (wanted == 0 and self.age is not None):
            self.age = STOPS[wanted] or None
            self.post_message(self.Moved(STOPS[wanted]))

    def render(self) -> Content:
        """The histogram, and the slider under it."""
        gutter = (BAR if self.has_focus else NO_BAR, "$accent")
        split = self.column
        lines = [(line[:split], line[split:]) for line in self._histogram()]
        on = "" if self.age is None else "$text-accent"
        content = [Content.assemble(gutter, (a, QUIET), (b, on)) for a, b in lines]
        return Content("\n").join([*content, Content.assemble(gutter, *self._track())])

    def _histogram(self) -> list[str]:
        if not self.bars:
            return [""] * self.rows
        tall = bar_heights(self.bars, 8 * self.rows)
        return [
            "".join(BAR_LEVELS[clamp(height - 8 * row, 0, 8)] for height in tall)
            for row in reversed(range(self.rows))
        ]

    def _track(self) -> list[tuple[str, str]]:
        rest = len(STOPS) - 1 - self.column
        knob = "bold $accent" if self.has_focus else "bold"
        if self.age is None:
            return [("○", knob), ("─" * rest, QUIET)]
        return [("─" * self.column, QUIET), ("●", knob), ("━" * rest, "$text-accent")]
