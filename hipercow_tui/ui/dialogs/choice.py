"""A question before anything changes on disk: says what would happen, Cancel has the focus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static
from textual.widgets.button import ButtonVariant

# Keys that were meant for what stood there before: hipercow's users type ahead over ssh. A quarter
# of a second is about the time in which people see that a dialog has come up.
INPUT_DELAY = 0.25
WIDTH = 66  # cells of the dialog, where there are as many


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: ``id`` is the answer it gives, ``key`` the letter that gives it too."""

    id: str
    key: str
    label: str
    variant: ButtonVariant = "primary"


class ChoiceScreen(ModalScreen[str | None]):
    """Asks; dismisses with the id of the choice, None for Cancel.

    Whatever is typed or clicked before the dialog was on the screen for ``INPUT_DELAY`` seconds is
    dropped.
    """

    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    ChoiceScreen { align: center middle; }
    ChoiceScreen #dialog {
        width: 66; max-width: 100%; height: auto; padding: 1 2;
        max-height: 100%; overflow-y: auto; scrollbar-size-vertical: 1;
        background: $surface; border: round $warning; border-title-style: bold;
        border-title-color: $text-warning;
    }
    ChoiceScreen Static { height: auto; width: 1fr; }
    ChoiceScreen #buttons { height: 1; margin-top: 1; }
    ChoiceScreen Button { height: 1; border: none !important; min-width: 10; margin-right: 2; }
    ChoiceScreen.-narrow #dialog { padding: 0 1; }
    ChoiceScreen.-narrow #buttons { layout: vertical; height: auto; }
    ChoiceScreen Button:focus { text-style: bold reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before a field, which would swallow it.
        Binding("n,escape", "cancel", "Cancel", priority=True, id="question.cancel"),
        Binding("right,down", "app.focus_next", show=False, id="question.next"),
        Binding("left,up", "app.focus_previous", show=False, id="question.previous"),
    ]

    def __init__(self, title: str, text: Text, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices
        self.accepts_input = False
        for one in choices:
            self._bindings.bind(one.key, f"choose('{one.id}')", one.label, priority=True)

    def compose(self) -> ComposeResult:
        """The text, what a subclass has to add, the buttons."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(self._text)
            yield from self.extra_widgets()
            with Horizontal(id="buttons"):
                yield Button("Cancel (n)", id="cancel")
                for one in self._choices:
                    yield Button(f"{one.label} ({one.key})", id=one.id, variant=one.variant)

    def extra_widgets(self) -> Iterable[Widget]:
        """What stands between the text and the buttons."""
        return ()

    def on_mount(self) -> None:
        """Deaf, until people can have seen what they answer."""
        for widget in self._controls:
            widget.can_focus = False
        self.call_after_refresh(lambda: self.set_timer(INPUT_DELAY, self.accept_input))

    def on_resize(self, event: events.Resize) -> None:
        """Where there is little room, buttons stand below each other; that which keys go to stays
        in sight."""
        self.set_class(event.size.width < WIDTH, "-narrow")
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    @property
    def _controls(self) -> list[Button | Input]:
        return [*self.query(Input), *self.query(Button)]

    def accept_input(self) -> None:
        """From now on what is typed counts."""
        self.accepts_input = True
        for widget in self._controls:
            widget.can_focus = True
        self.query_one("#cancel").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key does anything before it could be meant."""
        return self.accepts_input

    def action_choose(self, answer: str) -> None:
        """Give an answer."""
        self.dismiss(answer)

    def action_cancel(self) -> None:
        """Cancel."""
        self.dismiss(None)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if not self.accepts_input:
            return
        answer = event.button.id
        if answer is None or answer == "cancel":
            self.action_cancel()
        else:
            self.action_choose(answer)
