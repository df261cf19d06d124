"""A list of checkboxes to choose the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
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
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.menu_list import MenuList


class ColumnsScreen(Dialog[None]):
    """Show or hide columns; each change is passed to ``apply`` at once.

    ``chosen`` says by key which columns the user shows or hides; the others are automatic.
    ``fitting`` returns which columns the table shows for a choice.
    """

    DEFAULT_CSS = """
    ColumnsScreen #dialog { width: 52; padding: 0 1; }
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
        chosen: Mapping[str, bool],
        *,
        fitting: Callable[[Mapping[str, bool]], Set[str]],
        apply: Callable[[Mapping[str, bool]], None],
    ) -> None:
        super().__init__()
        self._labels = {column.key: column_label(column) for column in columns}
        self._chosen = dict(chosen)
        self._fitting = fitting
        self._apply = apply

    def compose(self) -> ComposeResult:
        """Yield a checkbox for each column, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Columns"
            yield MenuList(*(Option(self._line(key), id=f"column-{key}") for key in self._labels))
            yield Static(
                with_keys(
                    "<columns.toggle=space>: show or hide · <columns.reset=r>: automatic"
                    " · <columns.back=esc>: back"
                ),
                id="keys",
            )

    @property
    def _shown(self) -> Set[str]:
        """The columns that are chosen, or shown without a choice."""
        fitting = self._fitting(self._chosen)
        return {key for key in self._labels if self._chosen.get(key, key in fitting)}

    def _line(self, key: str) -> Content:
        shown = key in self._shown
        note = "" if key in self._chosen else "automatic"
        if shown and key not in self._fitting(self._chosen):
            note = "does not fit"
        box = ("[x]" if shown else "[ ]", "bold" if shown else "")
        return Content.assemble(" ", box, f" {self._labels[key]:<16}", (note, "dim"))

    @on(OptionList.OptionSelected)
    def action_toggle_column(self) -> None:
        """Show or hide the column under the cursor; one column always stays."""
        row = self.query_one(MenuList).highlighted
        if row is None:
            return
        key = list(self._labels)[row]
        if self._shown == {key}:
            self.notify("One column must stay")
        else:
            self._change({**self._chosen, key: key not in self._shown})

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
