"""A short list of choices in a dialog, with the keys of the other lists."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import OptionList

from hipercow_tui.ui.keymap import LIST_KEYS
from hipercow_tui.ui.widgets.virtual_scroll import rows_of


class MenuList(OptionList):
    """Choose by moving the cursor and Enter."""

    DEFAULT_CSS = """
    MenuList, MenuList:focus {
        height: auto; max-height: 19; border: none; padding: 0; background: $surface;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows; it goes from the last row to the first."""
        move = self.action_cursor_down if rows > 0 else self.action_cursor_up
        for _ in range(abs(rows)):
            move()

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages or half pages, and not beyond the ends."""
        last = self.option_count - 1
        row = (self.highlighted or 0) + rows_of(pages, self.size.height)
        enabled = [at for at in range(last + 1) if not self.get_option_at_index(at).disabled]
        if enabled:
            self.highlighted = min(enabled, key=lambda at: abs(at - row))
