"""A menu of the columns that a table can be sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.menu_list import MenuList

_LABEL = 16  # cells


@dataclass(frozen=True, slots=True)
class SortChoice:
    """A column: ``arrow`` is ``↓`` or ``↑`` if the table is sorted by it, else empty; ``note``
    says what else the choice does."""

    key: str
    label: str
    arrow: str = ""
    note: str = ""


class SortMenuScreen(Dialog[str | None]):
    """Choose a column; dismiss with its key, or None. The present one is chosen to reverse it."""

    DEFAULT_CSS = """
    SortMenuScreen #dialog { width: 46; padding: 0 1; }
    SortMenuScreen #keys { padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,S", "dismiss(None)", "Back", id="sort_menu.back"),
    ]

    def __init__(self, choices: Sequence[SortChoice]) -> None:
        super().__init__()
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield a line for each column, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Sort by"
            yield MenuList(*map(_option, self._choices))
            yield Static(
                with_keys("enter: sort, again: reverse · <sort_menu.back=esc>: back"), id="keys"
            )

    def on_mount(self) -> None:
        """Put the cursor on the present column."""
        at = [place for place, choice in enumerate(self._choices) if choice.arrow]
        self.query_one(MenuList).highlighted = at[0] if at else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index].key)


def _option(choice: SortChoice) -> Option:
    label = f" {choice.arrow or ' '} {plain_text(choice.label)}"
    text = Text.assemble(
        (label.ljust(_LABEL), "bold" if choice.arrow else ""), (choice.note, "dim")
    )
    text.no_wrap, text.overflow = True, "ellipsis"
    return Option(text)
