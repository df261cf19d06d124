"""All keys, read from the bindings, and the rules of a purge."""

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
from hipercow_tui.ui.keymap import KEY_GROUPS, KeyGroup
from hipercow_tui.ui.widgets.scroll_text import ScrollText

RULES = (
    "A task is matched if it passes all filters that are set, and is in the narrowed list.",
    "If tasks are marked, a purge takes only those matched tasks that are marked.",
    "A task goes with its whole retry chain: all attempts, whatever their status.",
    "For the status filter, a retried task counts by its latest attempt; for the age filter,",
    "by its own end.",
    "A bundle that lists a task that goes, goes too. Its other tasks stay, without a bundle.",
    "A task that is submitted, running, possibly queued or unreadable blocks the purge:",
    "nothing is deleted, unless you leave out its chain in the plan.",
    "A task that the cluster has lost stays running until you call task_info() in R, or make a",
    "file status-cancelled in the folder of a Python task.",
    "hipercow-tui only reads files. It does not ask the cluster.",
    "A task that changes between the plan and the purge stays, with its chain.",
    "Nothing is deleted before you confirm the plan.",
)

ASCII_NOTE = (
    "LANG and LC_ALL do not name UTF-8, so symbols and frames are shown in ASCII. If your terminal"
    " supports UTF-8, start with LC_ALL=C.UTF-8 hipercow-tui."
)


class HelpScreen(ModalScreen[None]):
    """Show the keys and the rules; ``more`` are the keys of other screens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, more: Sequence[KeyGroup] = ()) -> None:
        super().__init__()
        self._groups = (*KEY_GROUPS, *more)

    def compose(self) -> ComposeResult:
        """Yield the keys by group, then the rules."""
        with ScrollText(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "G: the rules of a purge · esc: close"
            yield Static(Stack(*self._contents()))

    def _contents(self) -> Iterable[Table | Text]:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True, min_width=8)
        table.add_column()
        for group in self._groups:
            table.add_row(Text(group.title, "bold underline"), "")
            for binding in group.keys:
                help_text = Text(binding.tooltip or binding.description)
                table.add_row(Text(self._shown_keys(binding)), help_text)
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
        return " ".join(self.app.get_key_display(key) for key in keys)
