"""Ask for an age, to empty batches of the trash that are older."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from hipercow_tui.domain.cutoff_time import parse_cutoff
from hipercow_tui.purging import TrashEntry, older_than
from hipercow_tui.support.errors import FilterError
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.filters.validated_input import TYPEABLE


@dataclass(frozen=True, slots=True)
class OldBatches:
    """The batches that are older than the age ``text``; at least one."""

    text: str
    batches: Sequence[TrashEntry]


class OlderThanScreen(Dialog[OldBatches | None]):
    """Show which batches are older than the age that is typed; dismiss with them, or None.

    ``entries`` are those of the trash, ``describe`` returns the numbers of some of them, and
    ``clock`` the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    OlderThanScreen Input, OlderThanScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $panel;
    }
    OlderThanScreen #note { color: $text-muted; margin-top: 1; }
    OlderThanScreen #note.-invalid { color: $text-warning; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="older_than.cancel"),
    ]

    def __init__(
        self,
        entries: Sequence[TrashEntry],
        describe: Callable[[Sequence[TrashEntry]], str],
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self._entries = entries
        self._describe = describe
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Yield the field, a note on the older batches, and the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Empty batches older than"
            yield Input("2 weeks", restrict=TYPEABLE, select_on_focus=True)
            yield Static(id="note", markup=False)
            yield Static(
                with_keys("enter: go on to the question · <older_than.cancel=esc>: back"),
                id="keys",
            )

    def _old(self) -> OldBatches:
        """Return the batches older than the age. Raises FilterError if there is none."""
        text = self.query_one(Input).value.strip()
        found = older_than(self._entries, parse_cutoff(text, self._clock()))
        if not found:
            raise FilterError(f"Nothing in the trash is older than {text}")
        return OldBatches(text, found)

    @on(Input.Changed)
    def _show_note(self) -> None:
        note = self.query_one("#note", Static)
        try:
            text, invalid = self._describe(self._old().batches), False
        except FilterError as error:
            text, invalid = str(error), True
        note.update(plain_text(text))
        note.set_class(invalid, "-invalid")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        try:
            self.dismiss(self._old())
        except FilterError:
            self._show_note()
