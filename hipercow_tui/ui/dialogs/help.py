"""Every key, read from the bindings, and the rules of a purge in ten lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.support.ascii_fallback import supports_utf8
from hipercow_tui.ui.keymap import GROUPS, Group
from hipercow_tui.ui.widgets.scroll_text import ScrollText

RULES = (
    "A task is matched if it passes every filter that is set; marks are a filter.",
    "With a task its whole retry chain goes: every attempt, whatever its own status.",
    "A retried task counts by the status of its last attempt, and by its own age.",
    "A bundle that lists a task that goes, goes too; its other tasks stay, without it.",
    "What is submitted, running, perhaps queued or unreadable blocks: nothing is deleted,",
    "unless you leave these chains out, in the plan.",
    "A task that the cluster has lost stays running until task_info() is called in R, or in",
    "Python until there is a file status-cancelled in its folder.",
    "Only files are read; the cluster is not asked.",
    "What changed between the plan and the purge stays, with its chain.",
    "Nothing is deleted before you have seen the plan and confirmed it.",
)

ASCII_NOTE = (
    "LANG and LC_ALL name no UTF-8 here, so signs and frames are told in ASCII. If your terminal"
    " has UTF-8, start with LC_ALL=C.UTF-8 before hipercow-tui."
)


class HelpScreen(ModalScreen[None]):
    """``more`` are the keys of other screens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, more: Sequence[Group] = ()) -> None:
        super().__init__()
        self._groups = (*GROUPS, *more)

    def compose(self) -> ComposeResult:
        """Keys, group by group, then the rules."""
        with ScrollText(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "G shows the rules of a purge · esc closes"
            yield Static(Stack(*self._contents()))

    def _contents(self) -> Iterable[Table | Text]:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True, min_width=8)
        table.add_column()
        for group in self._groups:
            table.add_row(Text(group.title, "bold underline"), "")
            for binding in group.keys:
                told = Text(binding.tooltip or binding.description)
                table.add_row(Text(self._shown_keys(binding)), told)
            table.add_row("", "")
        if not supports_utf8():
            yield Text(f"{ASCII_NOTE}\n")
        yield table
        yield Text("What a purge takes", "bold underline")
        yield Text("\n".join(RULES))

    def _shown_keys(self, binding: Binding) -> str:
        if binding.key_display:
            return binding.key_display
        keys = Binding.make_bindings([binding])
        return " ".join(self.app.get_key_display(one) for one in keys)
