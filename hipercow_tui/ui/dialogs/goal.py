"""The dialog that gives a plan a goal: how much it frees at least, and which chains go first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from hipercow_tui.analysis.goal import Goal, GoalOrder
from hipercow_tui.analysis.goal_request import GoalRequest
from hipercow_tui.formats.folder_size import SizeKind
from hipercow_tui.formats.free_space import FreeSpace, read_free_space
from hipercow_tui.support.errors import FilterError
from hipercow_tui.ui.cells import plain_text
from hipercow_tui.ui.dialogs.dialog import Dialog
from hipercow_tui.ui.key_hints import with_keys
from hipercow_tui.ui.widgets.filters.validated_input import TYPEABLE

_HINT = "such as 20 GB, 20 GiB, 15 % or 1,000 files"

_DESCRIPTIONS = {
    GoalOrder.OLDEST: "oldest first",
    GoalOrder.LARGEST: "largest first",
    GoalOrder.STATUS: "failures first, then cancelled, then successes",
}


@dataclass(frozen=True, slots=True)
class GoalAnswer:
    """The text and the order that the user chose, whether chains with a task of the last hour may
    go, and the goal of all that, None without a text."""

    text: str = ""
    order: GoalOrder = GoalOrder.OLDEST
    recent: bool = False
    goal: Goal | None = None


class GoalScreen(Dialog[GoalAnswer | None]):
    """Ask how much to free at least; dismiss with the answer, or None to change nothing.

    ``path`` is that of the root, ``kind`` the definition of size, ``answer`` the one before.
    """

    DEFAULT_CSS = """
    GoalScreen #dialog { width: 62; }
    GoalScreen Input, GoalScreen Input:focus {
        height: 1; border: none; padding: 0 1; background: $panel;
    }
    GoalScreen #note { color: $text-muted; }
    GoalScreen #note.-invalid { color: $text-warning; }
    GoalScreen #orders, GoalScreen #recent { margin-top: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="goal.cancel"),
        Binding("down,tab", "order(1)", "Next order", id="goal.next"),
        Binding("up,shift+tab", "order(-1)", "Previous order", id="goal.previous"),
        Binding("ctrl+r", "recent", "Recent tasks", id="goal.recent"),
    ]

    def __init__(self, path: Path, kind: SizeKind, answer: GoalAnswer) -> None:
        super().__init__()
        self._path = path
        self._kind = kind
        self._before = answer
        self._order, self._recent = answer.order, answer.recent
        self._space: FreeSpace | None = None
        self._space_is_read = False

    def compose(self) -> ComposeResult:
        """Yield the field, a note on its meaning, the orders, the choice of recent tasks, and the
        keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Free at least"
            yield Input(self._before.text, restrict=TYPEABLE, select_on_focus=False)
            yield Static(id="note", markup=False)
            yield Static(id="orders", markup=False)
            yield Static(id="recent", markup=False)
            yield Static(
                with_keys(
                    "enter: apply · <goal.previous=↑> <goal.next=↓>: order · empty: no goal"
                    " · <goal.cancel=esc>: back"
                ),
                id="keys",
            )

    def on_mount(self) -> None:
        """Show the choices, and read how much is free."""
        self._show_choices()
        self._show_note()
        self._read_space()

    @work(thread=True)
    def _read_space(self) -> None:
        space = read_free_space(self._path)
        self.call_later(self._space_read, space)

    def _space_read(self, space: FreeSpace | None) -> None:
        self._space, self._space_is_read = space, True
        self.query_one("#dialog").border_subtitle = plain_text(str(space)) if space else ""
        self._show_note()

    def _goal(self) -> Goal | None:
        """Return the goal of the text, None if it is empty. Raises FilterError."""
        text = self.query_one(Input).value
        if not text.strip():
            return None
        request = GoalRequest.of_text(text, self._order, recent=self._recent)
        if request.percent is not None and not self._space_is_read:
            raise FilterError("The file system of the root has not answered yet")
        return request.goal(lambda: self._space, self._kind)

    @on(Input.Changed)
    def _show_note(self) -> None:
        """Say what the text means, or why it means nothing."""
        note = self.query_one("#note", Static)
        try:
            goal = self._goal()
        except FilterError as error:
            note.update(plain_text(str(error)))
            note.add_class("-invalid")
            return
        note.remove_class("-invalid")
        note.update(_HINT if goal is None else f"{goal}, {self._order.shown}")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            text, goal = event.value.strip(), self._goal()
            self.dismiss(GoalAnswer(text, self._order, self._recent, goal))
        except FilterError:
            self._show_note()

    def action_order(self, step: int) -> None:
        """Choose the next (1) or previous (-1) order."""
        orders = list(GoalOrder)
        self._choose((orders.index(self._order) + step) % len(orders))

    @on(events.Click, "#orders")
    def _order_clicked(self, event: events.Click) -> None:
        self._choose(event.y)

    def _choose(self, number: int) -> None:
        self._order = list(GoalOrder)[number]
        self._show_choices()
        self._show_note()

    @on(events.Click, "#recent")
    def action_recent(self) -> None:
        """Choose whether chains with a task of the last hour may go."""
        self._recent = not self._recent
        self._show_choices()

    def _show_choices(self) -> None:
        lines = [
            Text(f"› {text}", "bold") if order is self._order else Text(f"  {text}", "dim")
            for order, text in _DESCRIPTIONS.items()
        ]
        self.query_one("#orders", Static).update(Text("\n").join(lines))
        box = Text("[x]", "bold") if self._recent else Text("[ ]")
        recent = box.append(" also tasks of the last hour").append(
            with_keys("  <goal.recent=ctrl+r>"), "dim"
        )
        self.query_one("#recent", Static).update(recent)
