"""The last question before a purge: says the numbers, and takes Cancel for an answer first."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from hipercow_tui.plan import PurgePlan
from hipercow_tui.roots.sizes import Size
from hipercow_tui.text import count, size

LARGE = 100  # tasks from which the number is to be typed
# Keys that were meant for what stood there before: hipercow's users type ahead over ssh. A quarter
# of a second is about the time in which people see that a dialog has come up.
DEAF = 0.25


class ConfirmScreen(ModalScreen[bool]):
    """Asks whether to carry a plan out; dismisses with the answer.

    ``total`` is what the tasks hold, None if that is still being measured. A large purge, or one
    that takes what the filters alone would have kept, wants its number of tasks typed. Whatever is
    typed or clicked before the dialog was on the screen for ``DEAF`` seconds is dropped.
    """

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen #dialog {
        width: 66; max-width: 100%; height: auto; padding: 1 2;
        background: $surface; border: round $warning; border-title-style: bold;
        border-title-color: $text-warning;
    }
    ConfirmScreen Static { height: auto; width: 1fr; }
    ConfirmScreen #typing { height: 1; margin-top: 1; }
    ConfirmScreen #typing Static { width: auto; margin-right: 1; }
    ConfirmScreen #number { width: 14; height: 1; border: none; padding: 0 1; background: $panel; }
    ConfirmScreen #hint { color: $text-warning; display: none; }
    ConfirmScreen #buttons { height: 1; margin-top: 1; }
    ConfirmScreen Button { height: 1; border: none !important; min-width: 12; margin-right: 3; }
    ConfirmScreen Button:focus { text-style: bold reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the field for the number, which would swallow them.
        Binding("y", "yes", "Purge", priority=True, id="confirm.yes"),
        Binding("n,escape", "no", "Cancel", priority=True, id="confirm.no"),
        Binding("right,down", "app.focus_next", show=False, id="confirm.next"),
        Binding("left,up", "app.focus_previous", show=False, id="confirm.previous"),
    ]

    def __init__(self, plan: PurgePlan, total: Size | None) -> None:
        super().__init__()
        self._plan = plan
        self._total = total
        self._tasks = len(plan.tasks)
        self._wants_number = self._tasks >= LARGE or bool(plan.regretted)
        self._listening = False

    def compose(self) -> ComposeResult:
        """The numbers, the field if there is one, the buttons."""
        with Vertical(id="dialog") as dialog:
            bundles = len(self._plan.bundles)
            also = f" and {count(bundles, 'bundle')}" if bundles else ""
            dialog.border_title = f"Purge {count(self._tasks, 'task')}{also}?"
            yield Static(self._numbers())
            if self._wants_number:
                with Horizontal(id="typing"):
                    yield Static(f"Type {self._tasks} to go on:")
                    yield _Number(
                        id="number", restrict=r"[0-9]*", max_length=9, select_on_focus=False
                    )
            yield Static(f"Type {self._tasks} first, or cancel (n).", id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Purge for good", id="purge", variant="error")

    def on_mount(self) -> None:
        """Deaf, until people can have seen what they answer."""
        for widget in self._answers:
            widget.can_focus = False
        self.call_after_refresh(lambda: self.set_timer(DEAF, self._listen))

    @property
    def _answers(self) -> list[Button | Input]:
        return [*self.query(Input), *self.query(Button)]

    def _listen(self) -> None:
        self._listening = True
        for widget in self._answers:
            widget.can_focus = True
        self.query_one("#cancel").focus()
        self._show_typed()

    def _numbers(self) -> Text:
        plan = self._plan
        text = Text()
        if self._total is not None:
            text.append(f"{size(self._total.bytes)} in {count(self._total.files, 'file')}. ")
        elif self._tasks:
            text.append("How much that frees is still being measured. ")
        if kept := len(plan.regretted):
            goes = "task goes" if kept == 1 else "tasks go"
            text.append(f"{kept:,} {goes} that your filters alone would have kept. ", "bold")
        if plan.surviving:
            stays = "task stays and loses its" if plan.surviving == 1 else "tasks stay and lose a"
            text.append(f"{plan.surviving:,} {stays} bundle. ")
        return text.append("There is no way to get back what was purged for good.")

    @property
    def _typed(self) -> bool:
        """Whether the number stands there, if one is wanted."""
        if not self._wants_number:
            return True
        return self.query_one(Input).value == str(self._tasks)

    @on(Input.Changed)
    def _show_typed(self) -> None:
        purge = self.query_one("#purge", Button)
        purge.disabled = not self._typed
        if self._typed:
            self.query_one("#hint").display = False

    @on(Input.Submitted)
    def _go_on(self) -> None:
        """Enter after the number only goes on to the button: it never means yes by itself."""
        if self._typed:
            self.query_one("#purge").focus()
        else:
            self.query_one("#hint").display = True

    def on_key(self, event: events.Key) -> None:
        """A digit is meant for the field, wherever the focus is."""
        if self._listening and self._wants_number and event.key.isdigit():
            field = self.query_one(Input)
            if not field.has_focus:
                field.focus()
                field.insert_text_at_cursor(event.key)
                event.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key does anything before it could be meant."""
        return self._listening

    def action_yes(self) -> None:
        """Purge, if the number stands there or none is wanted."""
        if self._typed:
            self.dismiss(True)
        else:
            self.query_one("#hint").display = True
            self.query_one(Input).focus()

    def action_no(self) -> None:
        """Cancel."""
        self.dismiss(False)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        if self._listening:
            self.dismiss(False)

    @on(Button.Pressed, "#purge")
    def _confirmed(self) -> None:
        if self._listening and self._typed:
            self.dismiss(True)


class _Number(Input):
    """A field for digits, which leaves y and n to the dialog."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Textual asks whether a key is for the field before it looks for a binding."""
        return key.isdigit()
