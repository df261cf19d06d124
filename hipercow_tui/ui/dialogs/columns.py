"""A list of checkboxes to choose the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from hipercow_tui.ui.cells import Column
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.widgets.menu_list import MenuList


class ColumnsScreen(Dialog[None]):
    """Show or hide columns; each change is passed to ``apply`` at once.

    ``automatic`` are the columns that the table shows by itself at this width. ``chosen`` says by
    key which columns the user shows or hides; the others stay automatic.
    """

    DEFAULT_CSS = """
    ColumnsScreen #dialog { width: 46; padding: 0 1; }
    ColumnsScreen #keys { padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_column", "Show or hide", id="columns.toggle"),
        Binding("r", "reset", "Automatic", id="columns.reset"),
        Binding("escape,q,F", "dismiss(None)", "Back", id="columns.back"),
    ]

    def __init__(
        self,
        columns: Sequence[Column],
        automatic: Sequence[Column],
        chosen: Mapping[str, bool],
        apply: Callable[[Mapping[str, bool]], None],
    ) -> None:
        super().__init__()
        self._labels = {column.key: column_label(column) for column in columns}
        self._automatic = {column.key for column in automatic}
        self._chosen = dict(chosen)
        self._apply = apply

    def compose(self) -> ComposeResult:
        """Yield a checkbox for each column, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Columns"
            yield MenuList(*(Option(self._line(key), id=f"column-{key}") for key in self._labels))
            yield Static("space: show or hide · r: automatic · esc: back", id="keys")

    def _is_shown(self, key: str) -> bool:
        return self._chosen.get(key, key in self._automatic)

    def _line(self, key: str) -> Content:
        shown = self._is_shown(key)
        box = ("[x]" if shown else "[ ]", "bold" if shown else "")
        note = "" if key in self._chosen else "  automatic"
        return Content.assemble(" ", box, f" {self._labels[key]:<14}", (note, "dim"))

    @on(OptionList.OptionSelected)
    def action_toggle_column(self) -> None:
        """Show or hide the column under the cursor; one column always stays."""
        keys, row = list(self._labels), self.query_one(MenuList).highlighted
        if row is None:
            return
        key = keys[row]
        if [other for other in keys if self._is_shown(other)] == [key]:
            self.notify("One column must stay")
            return
        self._change({**self._chosen, key: not self._is_shown(key)})

    def action_reset(self) -> None:
        """Let the table choose the columns by its width again."""
        self._change({})

    def _change(self, chosen: Mapping[str, bool]) -> None:
        self._chosen = dict(chosen)
        self._apply(chosen)
        for key in self._labels:
            self.query_one(MenuList).replace_option_prompt(f"column-{key}", self._line(key))


def column_label(column: Column) -> str:
    """Return the name of a column for a list of columns."""
    return (column.title.strip() or column.key) if column.key == "bar" else column.key
