"""A name for the filters that are set."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hipercow_tui.settings.saved_filters import NAME_LIMIT, SavedFilter, SavedFilters, check_name
from hipercow_tui.support.errors import FilterError


class SaveFilterScreen(ModalScreen[str | None]):
    """Shows what would be saved and asks for a name, which it dismisses with."""

    DEFAULT_CSS = """
    SaveFilterScreen { align: center middle; }
    SaveFilterScreen #dialog {
        width: 66; max-width: 100%; height: auto; padding: 1 2;
        max-height: 100%; overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    SaveFilterScreen Static { height: auto; width: 1fr; }
    SaveFilterScreen Input, SaveFilterScreen Input:focus {
        height: 1; border: none; padding: 0 1; margin-top: 1; background: $panel;
    }
    SaveFilterScreen #problem { color: $text-warning; margin-top: 1; }
    SaveFilterScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't save", id="name_filters.cancel"),
    ]

    def __init__(self, saved: SavedFilter, known: SavedFilters) -> None:
        super().__init__()
        self._saved = saved
        self._existing = known
        self._replaces: str | None = None

    def compose(self) -> ComposeResult:
        """The filters, a field, a line for what is wrong with it, the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Save filters as"
            yield Static(str(self._saved), markup=False)
            yield Input(placeholder="a name", max_length=NAME_LIMIT)
            yield Static(id="problem", markup=False)
            yield Static("enter saves · esc goes back", id="keys")

    def on_mount(self) -> None:
        """No problem yet."""
        self.query_one("#problem").display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        try:
            check_name(name)
        except FilterError as error:
            self._warn(str(error))
            return
        there = name in self._existing.filters or name in self._existing.problems
        if there and self._replaces != name:
            self._replaces = name
            before = self._existing.filters.get(name)
            self._warn(f"'{name}' is there already{f': {before}' if before else ''}")
            self.query_one("#keys", Static).update("enter replaces it · esc goes back")
        else:
            self.dismiss(name)

    @on(Input.Changed)
    def _text_changed(self) -> None:
        self._replaces = None
        self.query_one("#problem").display = False
        self.query_one("#keys", Static).update("enter saves · esc goes back")

    def _warn(self, problem: str) -> None:
        shown = self.query_one("#problem", Static)
        shown.update(problem)
        shown.display = True
