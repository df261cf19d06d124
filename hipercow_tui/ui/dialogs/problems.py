"""The files and folders of a root that could not be read, each with the reason."""

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
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.scroll_text import ScrollText

MAX_LINES = 1000


class ProblemsScreen(ModalScreen[None]):
    """List the problems of a snapshot."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="problems.close"),
    ]

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self._problems = list(problems(snapshot))

    def compose(self) -> ComposeResult:
        """Yield the problems, one a line."""
        with ScrollText(classes="dialog") as dialog:
            dialog.border_title = pluralize(len(self._problems), "problem")
            dialog.border_subtitle = with_keys("<problems.close=esc>: close")
            yield Static(self._text(), markup=False)

    def _text(self) -> Text:
        if not self._problems:
            return Text("All files were read.")
        shown = self._problems[:MAX_LINES]
        more = len(self._problems) - len(shown)
        return Text("\n".join([*shown, *([f"and {more:,} more"] if more else [])]))


def problems(snapshot: Snapshot) -> Iterator[str]:
    """Yield a sentence for each problem: of bundles, ``retry`` and folders, then of tasks."""
    yield from map(plain_text, snapshot.problems)
    for task in snapshot.tasks.values():
        if task.problem:
            yield f"task {short_id(task.id)}: {plain_text(task.problem)}"
