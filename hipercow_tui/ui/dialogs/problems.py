"""What could not be read of a root, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from hipercow_tui.domain.snapshot import Snapshot
from hipercow_tui.support.text import pluralize, short_id
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.widgets.scroll_text import ScrollText

MAX_LINES = 1000  # lines; whoever has more has one problem, not a thousand


class ProblemsScreen(ModalScreen[None]):
    """The problems of a snapshot, until it is dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="problems.close"),
    ]

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self._problems = list(problems(snapshot))

    def compose(self) -> ComposeResult:
        """One line a problem, wrapped."""
        with ScrollText(classes="dialog") as dialog:
            dialog.border_title = pluralize(len(self._problems), "problem")
            dialog.border_subtitle = "esc closes"
            yield Static(self._text(), markup=False)

    def _text(self) -> Text:
        if not self._problems:
            return Text("Everything could be read.")
        shown = self._problems[:MAX_LINES]
        more = len(self._problems) - len(shown)
        return Text("\n".join([*shown, *([f"and {more:,} more"] if more else [])]))


def problems(snapshot: Snapshot) -> Iterator[str]:
    """The sentences: of bundles, ``retry`` and folders first, then of tasks."""
    yield from map(plain_text, snapshot.problems)
    for task in snapshot.tasks.values():
        if task.problem:
            yield f"task {short_id(task.id)}: {plain_text(task.problem)}"
