"""The question before a file of the user is replaced."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.choice import Choice, ChoiceScreen


def replace_question(path: Path) -> ChoiceScreen:
    """Return a dialog that asks whether a file is replaced; its only answer is ``replace``."""
    text = Text(f"{plain_text(str(path))} exists already. Its contents are lost if it is replaced.")
    choice = Choice("replace", "r", "Replace", "warning")
    return ChoiceScreen("Replace the file?", text, [choice])
