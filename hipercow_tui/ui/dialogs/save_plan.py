"""The dialog that saves a plan for ``hipercow-tui apply``; it never overwrites a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hipercow_tui.domain.plan import PurgePlan
from hipercow_tui.purging.plan_file import save_plan
from hipercow_tui.support.text import quote_word
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.save_file import SaveFileScreen


class SavePlanScreen(SaveFileScreen):
    """Asks for a file name and saves the plan there."""

    def __init__(self, plan: PurgePlan) -> None:
        made = datetime.fromtimestamp(plan.made)
        super().__init__("Save plan", f"hipercow-plan-{made:%Y-%m-%d-%H%M%S}.json")
        self._plan = plan

    def write(self, path: Path) -> None:
        """Save the plan."""
        save_plan(self._plan, path)

    def saved(self, path: Path) -> None:
        """Say how the plan is carried out."""
        self.app.notify(
            plain_text(f"Carry it out with: hipercow-tui apply {quote_word(str(path))}"),
            title="Plan saved",
            markup=False,
        )
