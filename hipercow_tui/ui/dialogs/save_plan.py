"""The dialog that saves a plan for ``hipercow-tui apply``; it never overwrites a file."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.support.errors import PurgeError
from hipercow_tui.support.text import quote_word
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.key_hints import with_keys


class SavePlanScreen(ModalScreen[None]):
    """Asks for a file name and saves the plan there."""

    DEFAULT_CSS = """
    SavePlanScreen { align: center middle; }
    SavePlanScreen #dialog {
        width: 66; max-width: 100%; height: auto; padding: 1 2;
        max-height: 100%; overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; border: round $primary; border-title-style: bold;
    }
    SavePlanScreen Input, SavePlanScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $panel;
    }
    SavePlanScreen #problem { color: $text-error; margin-top: 1; }
    SavePlanScreen #keys { color: $text-muted; margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Don't save", id="save.cancel"),
    ]

    def __init__(self, plan: PurgePlan) -> None:
        super().__init__()
        self._plan = plan

    def compose(self) -> ComposeResult:
        """Yield an input with a proposed name, a line for an error, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Save plan"
            made = datetime.fromtimestamp(self._plan.made)
            yield Input(f"hipercow-plan-{made:%Y-%m-%d-%H%M%S}.json", select_on_focus=False)
            yield Static(id="problem", markup=False)
            yield Static(with_keys("enter saves · <save.cancel=esc> goes back"), id="keys")

    def on_mount(self) -> None:
        """Hide the line for an error."""
        self.query_one("#problem").display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._save(Path(os.path.expanduser(event.value.strip())))

    @work(thread=True, exclusive=True)
    def _save(self, path: Path) -> None:
        try:
            save_plan(self._plan, path)
        except PurgeError as error:
            self.call_later(self._show_problem, str(error))
        else:
            self.call_later(self._saved, path.absolute())

    def _show_problem(self, problem: str) -> None:
        shown = self.query_one("#problem", Static)
        shown.update(plain_text(problem))
        shown.display = True

    def _saved(self, path: Path) -> None:
        self.app.notify(
            plain_text(f"Carry it out with: hipercow-tui apply {quote_word(str(path))}"),
            title="Plan saved",
            markup=False,
        )
        self.dismiss()
