"""Ask for a name to save the filters under."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from hipercow_tui.settings.saved_filters import NAME_LIMIT, SavedFilter, SavedFilters, check_name
from hipercow_tui.support.errors import FilterError
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys


class SaveFilterScreen(Dialog[str | None]):
    """Show the filters and ask for a name; dismiss with the name, or None.

    ``existing`` are the saved filters; replacing one takes a second enter.
    """

    DEFAULT_CSS = """
    SaveFilterScreen Input, SaveFilterScreen Input:focus {
        height: 1; border: none; padding: 0 1; margin-top: 1; background: $panel;
    }
    SaveFilterScreen #problem { color: $text-warning; margin-top: 1; }

    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't save", id="save_filter.cancel"),
    ]

    def __init__(self, saved: SavedFilter, existing: SavedFilters) -> None:
        super().__init__()
        self._saved = saved
        self._existing = existing
        self._replaces: str | None = None

    def compose(self) -> ComposeResult:
        """Yield the filters, the field, a line for a problem, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Save filters as"
            yield Static(str(self._saved), markup=False)
            yield Input(placeholder="a name", max_length=NAME_LIMIT)
            yield Static(id="problem", markup=False)
            yield Static(with_keys("enter: save · <save_filter.cancel=esc>: back"), id="keys")

    def on_mount(self) -> None:
        """Hide the line for a problem."""
        self.query_one("#problem").display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        try:
            check_name(name)
        except FilterError as error:
            self._warn(str(error))
            return
        exists = name in self._existing.filters or name in self._existing.problems
        if exists and self._replaces != name:
            self._replaces = name
            before = self._existing.filters.get(name)
            self._warn(f"'{name}' exists already{f': {before}' if before else ''}")
            self.query_one("#keys", Static).update(
                with_keys("enter: replace it · <save_filter.cancel=esc>: back")
            )
        else:
            self.dismiss(name)

    @on(Input.Changed)
    def _text_changed(self) -> None:
        self._replaces = None
        self.query_one("#problem").display = False
        self.query_one("#keys", Static).update(
            with_keys("enter: save · <save_filter.cancel=esc>: back")
        )

    def _warn(self, problem: str) -> None:
        shown = self.query_one("#problem", Static)
        shown.update(problem)
        shown.display = True
