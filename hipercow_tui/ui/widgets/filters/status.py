"""The filter by status: six checkboxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from hipercow_tui.domain.task import FILTERABLE_STATUSES, Status
from hipercow_tui.ui.cells import short_number
from hipercow_tui.ui.status_style import COLOUR, GLYPH
from hipercow_tui.ui.widgets.filters.line import BAR, NO_BAR, QUIET, WIDTH


class StatusFilter(Widget, can_focus=True):
    """A line for each status: key, checkbox, glyph, name and number of tasks.

    The number is ``578+280`` if 280 of the tasks are earlier attempts, which have another status of
    their own; or ``858↻`` where that is too long.
    If no status is checked, there is no filter.
    """

    DEFAULT_CSS = """
    StatusFilter { height: 6; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="statuses.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="statuses.down"),
        Binding("home,g", "move(-6)", "First", show=False, id="statuses.first"),
        Binding("end,G", "move(6)", "Last", show=False, id="statuses.last"),
        Binding("space,enter", "check", "Check", show=False, id="statuses.check"),
    ]

    checked: reactive[frozenset[Status]] = reactive(frozenset)
    counts: reactive[Mapping[Status, int]] = reactive(dict)
    by_last_attempt: reactive[Mapping[Status, int]] = reactive(dict)
    cursor: reactive[int] = reactive(0)

    class Changed(Message):
        """Other statuses are checked."""

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, len(FILTERABLE_STATUSES) - 1))

    def watch_checked(self) -> None:
        """Post Changed."""
        self.post_message(self.Changed())

    def toggle(self, status: Status) -> None:
        """Check or uncheck a status."""
        self.checked ^= {status}

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self.cursor += by

    def action_check(self) -> None:
        """Check or uncheck the line under the cursor."""
        self.toggle(FILTERABLE_STATUSES[self.cursor])

    def on_click(self, event: events.Click) -> None:
        """Check or uncheck the clicked line."""
        if 0 <= event.y < len(FILTERABLE_STATUSES):
            self.cursor = event.y
            self.action_check()

    def render(self) -> Content:
        """Return the six lines."""
        return Content("\n").join(self._line(place) for place in range(len(FILTERABLE_STATUSES)))

    def _line(self, place: int) -> Content:
        status = FILTERABLE_STATUSES[place]
        at_cursor = self.has_focus and place == self.cursor
        checked = status in self.checked
        total = self.counts.get(status)
        colour = f"${COLOUR[status]}"
        label = Content.assemble(
            (BAR if at_cursor else NO_BAR, "$accent"),
            (str(place + 1), QUIET),
            " ",
            ("[x]" if checked else "[ ]", "bold" if checked else QUIET),
            " ",
            (f"{GLYPH[status]} {status}", colour + (" bold" if checked or at_cursor else "")),
        )
        # A long number uses the gutter on the right; a longer one is shortened.
        width = len(NO_BAR) + WIDTH - label.cell_length
        own, earlier = number_texts(total, self.by_last_attempt.get(status, 0), width)
        blanks = max(width - len(own + earlier), 1)
        return label + " " * blanks + own + Content.styled(earlier, QUIET)


def number_texts(total: int | None, earlier: int, width: int) -> tuple[str, str]:
    """Return a number of tasks in at most ``width`` cells, and what says how many or that some of
    them are earlier attempts. Both are empty if the number is not known."""
    if total is None:
        return "", ""
    if not earlier:
        return short_number(total, width), ""
    both = f"{total - earlier:,}", f"+{earlier:,}"
    return both if len("".join(both)) <= width else (short_number(total, width - 1), "↻")
